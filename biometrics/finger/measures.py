"""What can be measured of a print in a few milliseconds, each by its name and unit.

It weighs nothing and sets no limits: see `estimate` and `quality`.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.finger.ground import foreground, spread
from biometrics.finger.impression import DPI

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

_PIXELS_PER_MM: Final = DPI / 25.4
_STEPS: Final = (-8.0, -4.0, 0.0, 4.0, 8.0)
"""Pixels along a ridge at which it is looked at again: a ridge and a half to each side."""
_BANDS: Final = (0.7, 1.2, 3.4, 6.0)
"""Gaussian sigmas in pixels: finer than ridges | pores | ridges of 0.35..0.9 mm | coarser."""
_GROUND_FROM: Final = 500
"""Pixels of ground needed to say how bright it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """Native values over the finger.

    Attributes:
        area: mm2 that the finger covers.
        off_centre: distance of the finger's middle from the picture's, as a share of the
            picture's half diagonal.
        coherence: mean agreement of gradient direction, 0..1.
        continuity: share of the ridges' energy that is left after averaging along them, 0..1.
        contrast: mean spread of grey in a block, grey levels.
        brightness: mean grey between the darkest and the lightest twentieth, 0..1.
        ridges: share of the finger darker than its surroundings, 0..1.
        polarity: grey of the ground minus mean grey of the finger, in levels; positive is
            right, None where the finger fills the picture.
        band: share of the energy that lies where ridges lie, 0..1.
        fine: share of the energy in details finer than ridges, 0..1.
    """

    area: float
    off_centre: float
    coherence: float
    continuity: float
    contrast: float
    brightness: float
    ridges: float
    polarity: float | None
    band: float
    fine: float


def measure(image: NDArray[np.uint8]) -> Measures | None:
    """Return the measures of a picture at 500 dpi, None where there is nothing like a finger."""
    finger = foreground(image)
    if not finger.any():
        return None
    grey = image.astype(np.float32)
    gradients = _tensor(grey)
    layers = _layers(grey, finger)
    low, high = np.percentile(grey[finger], (5, 95))
    mean = float(grey[finger].mean())
    surroundings = cv2.GaussianBlur(grey, (0, 0), 8)
    return Measures(
        area=float(finger.sum()) / _PIXELS_PER_MM**2,
        off_centre=_off_centre(finger),
        coherence=float(_coherence(gradients)[finger].mean()),
        continuity=float(_continuity(grey, gradients)[finger].mean()),
        contrast=float(spread(image)[finger].mean()),
        brightness=float((mean - low) / max(1.0, high - low)),
        ridges=float((grey < surroundings)[finger].mean()),
        polarity=_polarity(grey, finger, mean),
        band=layers[2],
        fine=layers[0],
    )


def _tensor(grey: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the smoothed products of the gradient: xx, yy, xy."""
    x = cv2.Scharr(grey, cv2.CV_32F, 1, 0)
    y = cv2.Scharr(grey, cv2.CV_32F, 0, 1)
    xx, yy, xy = (
        np.asarray(cv2.GaussianBlur(product, (0, 0), 6), np.float32)
        for product in (x * x, y * y, x * y)
    )
    return xx, yy, xy


def _coherence(tensor: tuple[Floats, Floats, Floats]) -> Floats:
    xx, yy, xy = tensor
    return np.asarray(np.sqrt((xx - yy) ** 2 + 4 * xy**2) / (xx + yy + 1), np.float32)


def _continuity(grey: Floats, tensor: tuple[Floats, Floats, Floats]) -> Floats:
    """Average along the ridge's direction; what was a ridge stays, what was not goes."""
    xx, yy, xy = tensor
    across = 0.5 * np.arctan2(2 * xy, xx - yy)
    dx, dy = -np.sin(across), np.cos(across)
    detail = cv2.GaussianBlur(grey - cv2.GaussianBlur(grey, (0, 0), 12), (0, 0), 1.2)
    rows, columns = np.mgrid[0 : grey.shape[0], 0 : grey.shape[1]].astype(np.float32)
    kept = np.zeros_like(grey)
    for step in _STEPS:
        kept += cv2.remap(
            detail,
            columns + np.float32(step) * dx,
            rows + np.float32(step) * dy,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        )
    kept /= len(_STEPS)
    left = cv2.GaussianBlur(kept * kept, (0, 0), 8)
    return np.asarray(left / (cv2.GaussianBlur(detail * detail, (0, 0), 8) + 1e-3), np.float32)


def _layers(grey: Floats, finger: Mask) -> list[float]:
    """Return the share of energy in each band, finest first."""
    rest = grey - cv2.GaussianBlur(grey, (0, 0), 12)
    energies = []
    for sigma in _BANDS:
        coarser = np.asarray(cv2.GaussianBlur(grey, (0, 0), sigma), np.float32)
        energies.append(float(np.square(grey - coarser)[finger].mean()))
        grey = coarser
    whole = float(np.square(rest)[finger].mean()) + 1e-6
    return [energy / whole for energy in energies]


def _off_centre(finger: Mask) -> float:
    rows, columns = np.nonzero(finger)
    height, width = finger.shape
    off = np.hypot(rows.mean() - (height - 1) / 2, columns.mean() - (width - 1) / 2)
    return float(off / np.hypot(height / 2, width / 2))


def _polarity(grey: Floats, finger: Mask, mean: float) -> float | None:
    wide = cv2.dilate(finger.astype(np.uint8), np.ones((17, 17), np.uint8))
    ground = grey[wide == 0]
    if ground.size < _GROUND_FROM:
        return None
    return float(np.median(ground)) - mean
