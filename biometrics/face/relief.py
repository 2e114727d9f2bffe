"""Whether what turned before the camera was flat: the planar-parallax test.

All pictures of one flat thing are homographies of each other, whichever way it is held; those of a
head are not. It is no detection of attacks: a bent print and a moving picture on a screen have
relief too (docs/liveness.md). Only the points' places in the picture are used, because the mesh
makes up a depth for a flat photograph as well.

Source: R. Hartley and A. Zisserman, Multiple View Geometry, section 13 (plane and parallax).
"""

import math
from dataclasses import dataclass
from typing import Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.face.landmarks import INNER_LIPS, Landmarks

FLAT_BELOW: Final = 0.55
"""Share of the change no plane explains, below which the thing was rather flat; simulated only:
drawn heads gave 0.65 and more, 95 % of turned flat prints less (docs/liveness.md)."""
ENOUGH: Final = 0.05
"""Eye distances by which the points must have changed before anything is said: below it the
mesh's own noise, about 0.01, would be read as relief."""
_EYES, _MOUTH = 0.3, 0.45
"""Eye distances around eyes and mouth in which points move without the head."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relief:
    """How two pictures of one face differ.

    Attributes:
        change: how far its points have moved against each other, eye distances: root mean square
            after the best turn, scale and shift.
        residual: what of that remains after the best homography, eye distances.
    """

    change: float
    residual: float

    @property
    def native(self) -> float | None:
        """Share of the change that no plane explains, 0..1; None where too little has changed."""
        return min(1.0, self.residual / self.change) if self.change >= ENOUGH else None


def rigid(face: Landmarks) -> NDArray[np.bool_]:
    """Return which of the 468 points move only with the head."""
    flat = face.points[:, :2]
    lips = [index for pair in INNER_LIPS for index in pair]
    kept = np.ones(len(flat), bool)
    for centre, reach in (
        (face.right_eye, _EYES),
        (face.left_eye, _EYES),
        (flat[lips].mean(0), _MOUTH),
    ):
        kept &= np.linalg.norm(flat - centre, axis=1) > reach * face.eye_distance
    return kept


def relief(portrait: Landmarks, face: Landmarks, kept: NDArray[np.bool_]) -> Relief:
    """Return how `face` differs from the same face in the portrait, seen at the points `kept`.

    Points that lie all in one line, or are no numbers, give no change.
    """
    to, from_ = (one.points[kept, :2].astype(np.float64) for one in (portrait, face))
    unit = portrait.eye_distance
    if not (np.isfinite(to).all() and np.isfinite(from_).all() and unit > 0):
        return Relief(change=0.0, residual=0.0)
    # None where the points lie in one line; OpenCV's types do not say so.
    plane = cast("NDArray[np.float64] | None", cv2.findHomography(from_, to, 0)[0])
    if plane is None or not np.isfinite(plane).all():
        return Relief(change=0.0, residual=0.0)
    flat = cv2.perspectiveTransform(from_[None], plane)[0]
    return Relief(change=_spread(_laid(from_, to) - to) / unit, residual=_spread(flat - to) / unit)


def _laid(from_: NDArray[np.float64], to: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `from_` after the least-squares turn, scale and shift onto `to`, n x 2."""
    one, other = (points @ np.array([1, 1j]) for points in (from_, to))
    off = one - one.mean()
    turn = np.vdot(off, other - other.mean()) / max(float(np.vdot(off, off).real), 1e-9)
    laid = turn * off + other.mean()
    return np.stack([laid.real, laid.imag], 1)


def _spread(off: NDArray[np.float64]) -> float:
    return math.sqrt(float((off**2).sum(1).mean()))
