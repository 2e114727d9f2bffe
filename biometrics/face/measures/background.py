"""The wall behind: how busy, how light, how coloured, how shadowed.

Only what the final crop will show is looked at, and only where the person is not.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.face.crop import window
from biometrics.face.landmarks import Landmarks
from biometrics.face.measures.framing import Natives
from biometrics.face.segment import PersonSegmenter

_SIZE: Final = (192, 256)
_PERSON: Final = 0.3
"""Share of person from which a pixel is no wall: low, so that hair is none."""
_ENOUGH: Final = 400
"""Pixels of wall (of 49 152) below which nothing is said about it."""
_SHADOW_REACH: Final = 0.45
"""Eye distances around the person in which a shadow is looked for."""
NAMES: Final = (
    "BackgroundUniformity", "BackgroundGradient", "BackgroundLightness", "BackgroundChroma",
    "BackgroundShadow",
)  # fmt: skip


def measure(work: NDArray[np.uint8], face: Landmarks, segmenter: PersonSegmenter) -> Natives:
    """Return the measures of the wall behind `face` in the small copy `work`."""
    frame = window(face, _SIZE[0], _SIZE[1])
    view = np.asarray(cv2.warpAffine(work, frame, _SIZE, borderMode=cv2.BORDER_REPLICATE), np.uint8)
    inside = cv2.warpAffine(np.ones(work.shape[:2], np.uint8), frame, _SIZE)
    share = np.asarray(cv2.resize(segmenter.share(view), _SIZE))
    eyes = face.eye_distance * float(np.hypot(frame[0, 0], frame[0, 1]))
    person = (share > _PERSON).astype(np.uint8)
    near = _grown(person, 0.12 * eyes)
    wall = (inside > 0) & (near == 0)
    # The window's own rim has gradients of the border that was repeated.
    wall &= np.asarray(cv2.erode(inside, np.ones((5, 5), np.uint8))) > 0
    if int(wall.sum()) < _ENOUGH:
        return dict.fromkeys(NAMES)
    lab = np.asarray(
        cv2.cvtColor((view / np.float32(255)).astype(np.float32), cv2.COLOR_BGR2LAB), np.float32
    )
    lightness = lab[..., 0]
    gradient = np.sqrt(
        sum(np.square(cv2.Scharr(lab, -1, dx, 1 - dx)).sum(-1) for dx in (0, 1))
    ) / np.float32(32)
    around = wall & (_grown(person, _SHADOW_REACH * eyes) > 0)
    grey = np.asarray(cv2.cvtColor(view, cv2.COLOR_BGR2GRAY), np.float32)
    edges = np.hypot(cv2.Scharr(grey, -1, 1, 0), cv2.Scharr(grey, -1, 0, 1))
    return {
        "BackgroundUniformity": float(edges[wall].mean()),
        "BackgroundGradient": float(np.percentile(gradient[wall], 90)),
        "BackgroundLightness": float(np.percentile(lightness[wall], 5)),
        "BackgroundChroma": float(np.median(np.hypot(lab[..., 1], lab[..., 2])[wall])),
        "BackgroundShadow": float(lightness[around].std())
        if int(around.sum()) >= _ENOUGH
        else None,
    }


def _grown(mask: NDArray[np.uint8], by: float) -> NDArray[np.uint8]:
    side = 2 * max(1, round(by)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return np.asarray(cv2.dilate(mask, kernel), np.uint8)
