"""Light on the face: clipping, evenness of the two cheeks, colour; and of the whole picture.

Never the brightness of a face: it would gate on the tone of its skin (docs/portrait.md).
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.face.align import cheeks, chip, skin
from biometrics.face.landmarks import Landmarks
from biometrics.face.measures.framing import Natives

_CLIPPED: Final = 247
"""Luminance, 0..255, from which a pixel is overexposed (OFIQ, OverExposurePrevention)."""
_BRIGHT: Final = 98.0
"""Percentile taken for "the brightest there is": a wall, a collar, a lamp's reflection."""
_WEIGHTS: Final = np.array([0.0722, 0.7152, 0.2126], np.float32)
_SRGB_KNEE: Final = 0.04045
_ramp = np.arange(256) / 255
_LINEAR: Final = np.where(
    _ramp <= _SRGB_KNEE, _ramp / 12.92, ((_ramp + 0.055) / 1.055) ** 2.4
).astype(np.float32)


def measure(pixels: NDArray[np.uint8], work: NDArray[np.uint8], face: Landmarks) -> Natives:
    """Return the measures of the light; `work` is a small copy of the whole picture."""
    aligned, points = chip(pixels, face)
    luminance = np.rint(_LINEAR[aligned] @ _WEIGHTS * 255).astype(np.uint8)
    inside = luminance[skin(points)]
    right, left = cheeks(points)
    lights = [luminance[right], luminance[left]]
    whole = np.asarray(cv2.cvtColor(work[::4, ::4], cv2.COLOR_BGR2LAB))[..., 0]
    found: Natives = {
        "FrameBrightness": float(np.percentile(whole, _BRIGHT)) / 2.55,
        "OverExposurePrevention": float(np.mean(inside >= _CLIPPED)) if inside.size else None,
        "IlluminationUniformity": None,
        "CheekBalance": None,
        "NaturalColour": None,
    }
    if all(light.size for light in lights):
        means = [float(light.mean()) + 1.0 for light in lights]
        shares = [np.bincount(light.ravel(), minlength=256) / light.size for light in lights]
        found["IlluminationUniformity"] = float(np.minimum(*shares).sum())
        found["CheekBalance"] = min(means) / max(means)
        found["NaturalColour"] = _colour(aligned, (right, left))
    return found


def _colour(
    aligned: NDArray[np.uint8], squares: tuple[tuple[slice, slice], tuple[slice, slice]]
) -> float:
    """NaturalColour: distance of the cheeks' mean a*, b* from what skin is; 100 where below 0."""
    patch = np.concatenate([aligned[square].reshape(-1, 3) for square in squares])
    lab = cv2.cvtColor((patch[None] / np.float32(255)).astype(np.float32), cv2.COLOR_BGR2LAB)
    a, b = (float(v) for v in np.asarray(lab)[0, :, 1:].mean(0))
    if a < 0 or b < 0:
        return 100.0
    return float(np.hypot(max(5 - a, 0, a - 25), max(5 - b, 0, b - 35)))
