"""Bringing a face to a fixed place and size: the chip, for the light on it.

It measures nothing. Geometry after ISO/IEC 29794-5 as OFIQ 1.0.3 does it, at half its size.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.face.landmarks import MOUTH_CORNERS, NOSE_TIP, OVAL, Landmarks, Points

CHIP: Final = 308
_TARGETS: Final = np.array([[251, 272], [364, 272], [308, 336], [262, 402], [355, 402]]) / 2


def chip(pixels: NDArray[np.uint8], face: Landmarks) -> tuple[NDArray[np.uint8], Points]:
    """Return the aligned face, 308 x 308, and its 468 x 2 points there."""
    anchors = np.stack(
        [
            face.right_eye,
            face.left_eye,
            face.points[NOSE_TIP, :2],
            face.points[MOUTH_CORNERS[0], :2],
            face.points[MOUTH_CORNERS[1], :2],
        ]
    )
    window = _similarity(anchors, _TARGETS)
    image = cv2.warpAffine(pixels, window, (CHIP, CHIP), borderMode=cv2.BORDER_REPLICATE)
    points = face.points[:, :2] @ window[:, :2].T + window[:, 2]
    return np.asarray(image, np.uint8), np.asarray(points, np.float32)


def skin(points: Points) -> NDArray[np.bool_]:
    """Return 308 x 308, true inside the face's outline."""
    canvas = np.zeros((CHIP, CHIP), np.uint8)
    cv2.fillConvexPoly(canvas, cv2.convexHull(np.rint(points[list(OVAL)]).astype(np.int32)), 1)
    return canvas.astype(bool)


def cheeks(points: Points) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Return the two cheek squares (rows, columns): side 0.3 IED, halfway from eyes to mouth."""
    eyes = (
        points[[33, 133]].mean(0),
        points[[263, 362]].mean(0),
    )
    mouth = points[list(MOUTH_CORNERS)].mean(0)
    side = 0.3 * float(np.linalg.norm(eyes[1] - eyes[0]))
    middle = (float(eyes[0][1] + eyes[1][1]) / 2 + float(mouth[1])) / 2
    squares = []
    for eye in eyes:
        top, left = round(middle - side / 2), round(float(eye[0]) - side / 2)
        squares.append((slice(top, top + round(side)), slice(left, left + round(side))))
    return squares[0], squares[1]


def _similarity(source: NDArray[np.float32], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Least-squares turn, scale and shift (Umeyama 1991, two dimensions)."""
    from_, to = source.astype(np.float64), target
    mean_from, mean_to = from_.mean(0), to.mean(0)
    left, right = from_ - mean_from, to - mean_to
    spread = max(float((left**2).sum()), 1e-9)
    a = float((left * right).sum()) / spread
    b = float((left[:, 0] * right[:, 1] - left[:, 1] * right[:, 0]).sum()) / spread
    turn = np.array([[a, -b], [b, a]])
    return np.concatenate([turn, (mean_to - turn @ mean_from)[:, None]], 1)
