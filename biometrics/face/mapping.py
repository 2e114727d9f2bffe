"""From a measure's native value to its 0..100 score, as OFIQ 1.0.3 maps it (ISO/IEC 29794-5).

It decides nothing: the gates look at native values, because a head rolled by 16 degrees
still scores 92.
"""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

Scale = Callable[[float], int]


def _round(value: float) -> int:
    """Halves away from zero, as C++ rounds."""
    return int(math.copysign(math.floor(abs(value) + 0.5), value))


def _clip(value: float) -> int:
    return max(0, min(100, _round(value)))


def _sigmoid(value: float, middle: float, width: float) -> float:
    exponent = (middle - value) / width
    return 0.0 if exponent > 700 else 1 / (1 + math.exp(exponent))  # noqa: PLR2004 - exp overflows


def _curve(high: float, start: float, slope: float, middle: float, width: float) -> Scale:
    return lambda value: _clip(high * (start + slope * _sigmoid(value, middle, width)))


def _cosine(value: float) -> int:
    return _clip(100 * max(0.0, math.cos(math.radians(value))) ** 2)


def _head_size(value: float) -> int:
    return _clip(200 * (1 - _sigmoid(abs(value - 0.45), 0, 0.05)))


SCALES: Mapping[str, Scale] = MappingProxyType(
    {
        "BackgroundUniformity": _curve(190, 1, -1, 10, 100),
        "IlluminationUniformity": lambda x: _clip(100 * x**0.3),
        "OverExposurePrevention": lambda x: _clip(1 / (x + 0.01)),
        "NaturalColour": _curve(200, 1, -1, 0, 10),
        "SingleFacePresent": lambda x: _clip(100 * (1 - x)),
        "EyesOpen": _curve(100, 0, 1, 0.02, 0.01),
        "MouthClosed": _curve(100, 1, -1, 0.2, 0.06),
        "InterEyeDistance": _curve(100, 0, 1, 70, 20),
        "HeadSize": _head_size,
        "LeftwardCropOfTheFaceImage": _curve(100, 0, 1, 0.9, 0.1),
        "RightwardCropOfTheFaceImage": _curve(100, 0, 1, 0.9, 0.1),
        "MarginAboveOfTheFaceImage": _curve(100, 0, 1, 1.4, 0.1),
        "MarginBelowOfTheFaceImage": _curve(100, 0, 1, 1.8, 0.1),
        "HeadPoseYaw": _cosine,
        "HeadPosePitch": _cosine,
        "HeadPoseRoll": _cosine,
    }
)


def score(name: str, native: float | None) -> int | None:
    """Return the 0..100 score, or None for a measure of our own or one not assessed."""
    scale = SCALES.get(name)
    if native is None or scale is None or not math.isfinite(native):
        return None
    return scale(native)
