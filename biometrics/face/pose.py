"""Which way the head looks: yaw, pitch and roll in degrees, from the mesh's own depth.

No canonical head model is used: the three axes are drawn through opposite points of the
mesh, and the pitch is counted from `LEVEL_PITCH`, the mean of upright sitters.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from biometrics.face.landmarks import CHIN, FOREHEAD, MOUTH_CORNERS, Landmarks

_ACROSS: Final = ((234, 454), (33, 263), MOUTH_CORNERS)
LEVEL_PITCH: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """Degrees. Yaw: to the sitter's left is positive. Pitch: down. Roll: clockwise."""

    yaw: float
    pitch: float
    roll: float


def estimate(face: Landmarks) -> Pose:
    """Return the pose of `face`."""
    points = face.points.astype(np.float64)
    across = np.sum([points[left] - points[right] for right, left in _ACROSS], axis=0)
    flat = math.hypot(across[0], across[1])
    roll = math.atan2(across[1], across[0])
    down = points[CHIN] - points[FOREHEAD]
    upright = -math.sin(roll) * down[0] + math.cos(roll) * down[1]
    return Pose(
        yaw=math.degrees(math.atan2(across[2], flat)),
        pitch=math.degrees(math.atan2(down[2], upright)) - LEVEL_PITCH,
        roll=math.degrees(roll),
    )
