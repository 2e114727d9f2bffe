"""Whether the face of one frame is still the face of the frame before: place, size and looks.

It names nobody: two people who look alike in the light of one camera may pass for one, which is
why what it says is help for an officer (docs/liveness.md).
"""

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.face.landmarks import Landmarks
from biometrics.face.pose import Pose, estimate

Pixels = NDArray[np.uint8]
Skin = NDArray[np.float32]

GAP: Final = 0.7
"""Seconds for which the face may be out of sight: nobody changes seats in less."""
SAME_FROM: Final = 0.93
"""Likeness to the portrait from which a face that looks straight is the same one: the least of 54
London portraits taken again was 0.934, the most of 2862 pairs of strangers 0.919."""
STRANGER_BELOW: Final = 0.86
"""Likeness below which it is another one: a smile may cost as much as 0.13."""
_LINK: Final = 0.86
_LINK_PER_DEGREE: Final = 0.006
_LINK_LEAST: Final = 0.7
"""Likeness of two frames in a row, less for each degree the head has turned between them."""
_REACH, _SPEED = 0.4, 12.0
"""Eye distances a head may move between two frames, and in a second more: some 0.75 m/s."""
_GROWS, _GROWTH = 0.15, 1.5
"""Change of size, logarithm, between two frames, and in a second more."""
_DETAIL: Final = 24.0
"""Pixels between the eyes of the copy from which the looks are taken: neither pores nor noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Glimpse:
    """One face in one frame.

    Attributes:
        skin: brightness at the points that move only with the head, of mean 0 and length 1.
        at: seconds, None for the portrait, whose time nobody measured.
    """

    face: Landmarks
    pose: Pose
    skin: Skin
    at: float | None


def glimpse(
    pixels: Pixels, face: Landmarks, kept: NDArray[np.bool_], at: float | None
) -> Glimpse | None:
    """Return the face's looks, or None where it lies outside the frame or shows nothing.

    The brightness is taken at points of the face, not of the picture, so that it stays nearly the
    same while the head turns; its mean and spread are taken out, as lamps and cameras differ.
    """
    points = face.points[:, :2].astype(np.float64)
    ied = face.eye_distance
    height, width = pixels.shape[:2]
    if not np.isfinite(points).all() or ied < 1:
        return None
    low = np.clip(np.floor(points.min(0) - 0.1 * ied), 0, (width, height)).astype(int)
    high = np.clip(np.ceil(points.max(0) + 0.1 * ied), 0, (width, height)).astype(int)
    if (high - low).min() < 2:  # noqa: PLR2004 - a picture has an inside
        return None
    part = cv2.cvtColor(pixels[low[1] : high[1], low[0] : high[0]], cv2.COLOR_BGR2GRAY)
    factor = _DETAIL / ied
    size = [max(1, round(side * factor)) for side in (high - low).tolist()]
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    small = np.asarray(cv2.resize(part, size, interpolation=how), np.float32)
    places = ((points[kept] - low + 0.5) * (np.array(size) / (high - low)) - 0.5).astype(np.float32)
    seen = cv2.remap(
        small,
        np.ascontiguousarray(places[:, 0]),
        np.ascontiguousarray(places[:, 1]),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    skin = np.asarray(seen, np.float32).ravel()
    skin = skin - skin.mean()
    length = float(np.linalg.norm(skin))
    if length < 1:
        return None
    return Glimpse(face=face, pose=estimate(face), skin=skin / np.float32(length), at=at)


def likeness(one: Glimpse, other: Glimpse) -> float:
    """Return how alike two faces look, -1..1: the correlation of their brightness."""
    return float(one.skin @ other.skin)


def follows(before: Glimpse, now: Glimpse) -> bool:
    """Return whether `now` can be the next sight of the same face."""
    passed = 0.0 if before.at is None or now.at is None else now.at - before.at
    unit = before.face.eye_distance
    moved = math.hypot(*(now.face.between_eyes - before.face.between_eyes)) / unit
    # T and not the eyes: it hardly shrinks when the head turns.
    grown = abs(math.log(max(now.face.eye_to_chin, 1e-6) / max(before.face.eye_to_chin, 1e-6)))
    turned = math.hypot(now.pose.yaw - before.pose.yaw, now.pose.pitch - before.pose.pitch)
    least = max(_LINK_LEAST, _LINK - _LINK_PER_DEGREE * turned)
    anywhere = before.at is None
    return (
        (anywhere or moved <= _REACH + _SPEED * passed)
        and (anywhere or grown <= _GROWS + _GROWTH * passed)
        and likeness(before, now) >= least
    )
