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


def _free_share(value: float) -> int:
    return _clip(100 * (1 - value))


def _luminance_mean(value: float) -> int:
    return _clip(100 * _sigmoid(value, 0.2, 0.05) * (1 - _sigmoid(value, 0.8, 0.05)))


def _bare_head(value: float) -> int:
    if value <= 0:
        return 100
    none, full, here = (_sigmoid(x, 0.02, 0.1) for x in (0.0, 0.95, value))
    return _clip(100 * (full - here) / (full - none))


def rising(middle: float, width: float) -> Scale:
    """Return a scale of our own: 50 at `middle`, more above; `width` is a tenth of its reach."""
    return _curve(100, 0, 1, middle, width)


def falling(middle: float, width: float) -> Scale:
    """Return a scale of our own: 50 at `middle`, more below, of the value without its sign."""
    return lambda value: _clip(100 * (1 - _sigmoid(abs(value), middle, width)))


SCALES: Mapping[str, Scale] = MappingProxyType(
    {
        "UnifiedQualityScore": _curve(100, 0, 1, 23, 2.6),
        "BackgroundUniformity": _curve(190, 1, -1, 10, 100),
        "IlluminationUniformity": lambda x: _clip(100 * max(x, 0.0) ** 0.3),
        "LuminanceMean": _luminance_mean,
        "LuminanceVariance": lambda x: _clip(100 * math.sin(math.pi * 60 * x / (60 * x + 1))),
        "UnderExposurePrevention": _curve(120, 0.832, -1, 0.92, 0.05),
        "OverExposurePrevention": lambda x: _clip(1 / (x + 0.01)),
        "DynamicRange": lambda x: _clip(12.5 * x),
        "Sharpness": _curve(1, -14, 115, -20, 15),
        "CompressionArtifacts": _curve(1, -0.0278, 103, 0.3308, 0.092),
        "NaturalColour": _curve(200, 1, -1, 0, 10),
        "SingleFacePresent": _free_share,
        "EyesOpen": _curve(100, 0, 1, 0.02, 0.01),
        "MouthClosed": _curve(100, 1, -1, 0.2, 0.06),
        "EyesVisible": _free_share,
        "MouthOcclusionPrevention": _free_share,
        "FaceOcclusionPrevention": _free_share,
        "InterEyeDistance": _curve(100, 0, 1, 70, 20),
        "HeadSize": _head_size,
        "LeftwardCropOfTheFaceImage": _curve(100, 0, 1, 0.9, 0.1),
        "RightwardCropOfTheFaceImage": _curve(100, 0, 1, 0.9, 0.1),
        "MarginAboveOfTheFaceImage": _curve(100, 0, 1, 1.4, 0.1),
        "MarginBelowOfTheFaceImage": _curve(100, 0, 1, 1.8, 0.1),
        "HeadPoseYaw": _cosine,
        "HeadPosePitch": _cosine,
        "HeadPoseRoll": _cosine,
        "ExpressionNeutrality": _curve(100, 0, 1, -5000, 5000),
        "NoHeadCoverings": _bare_head,
    }
)


def score(scale: Scale, native: float | None) -> int | None:
    """Return the 0..100 score of a native value, None for one that was not assessed."""
    if native is None or not math.isfinite(native):
        return None
    return scale(native)
