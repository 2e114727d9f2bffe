"""Eyes open, by the iris network's lids; mouth closed, by the mesh's inner lips.

It says nothing about smiles or gaze.
"""

import numpy as np

from biometrics.face.landmarks import INNER_LIPS, Landmarks, Points

_LIDS = tuple((lower, lower + 8) for lower in range(1, 8))


def eyes_open(contours: tuple[Points, Points], face: Landmarks) -> float:
    """EyesOpen: the narrower eye's widest lid distance over T."""
    chin = max(face.eye_to_chin, 1e-6)
    widest = [
        max(float(np.linalg.norm(lids[lower] - lids[upper])) for lower, upper in _LIDS)
        for lids in contours
    ]
    return min(widest) / chin


def mouth_closed(face: Landmarks) -> float:
    """MouthClosed: the widest distance of the inner lips over T."""
    points = face.points[:, :2]
    gap = max(float(np.linalg.norm(points[upper] - points[lower])) for upper, lower in INNER_LIPS)
    return gap / max(face.eye_to_chin, 1e-6)
