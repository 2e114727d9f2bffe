"""Drawing a picture through a mesh: every triangle of the source onto its new place.

It knows nothing of faces; nearer triangles cover farther ones, and all cover turned-away ones.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

_SHIFT: Final = 4
_SMALLEST: Final = 0.02
"""Square pixels below which a triangle is a crease, not a surface."""


def draw(
    texture: NDArray[np.uint8],
    source: NDArray[np.float32],
    target: NDArray[np.float32],
    triangles: NDArray[np.int32],
    size: tuple[int, int],
) -> NDArray[np.uint8]:
    """Return the texture re-posed, height x width x 4, transparent where nothing was drawn.

    Args:
        texture: blue, green, red, opacity.
        source: n x 2 pixels of the texture.
        target: n x 3 pixels of the result, with depth (smaller is nearer).
        triangles: m x 3 indices, their corners in any order.
        size: width and height of the result.
    """
    corners = target[triangles].astype(np.float64)
    origin = source[triangles].astype(np.float64)
    turned = _area(corners) * np.sign(_area(origin))
    kept = np.flatnonzero(np.abs(turned) > _SMALLEST)
    # A turned-away triangle is better than a hole, so it lies under all the others.
    order = kept[np.lexsort((-corners[kept, :, 2].mean(1), turned[kept] > 0))]
    width, height = size
    owner = np.full((height, width), -1, np.int32)
    fixed = np.rint(corners[..., :2] * (1 << _SHIFT)).astype(np.int32)
    for index in order:
        cv2.fillConvexPoly(owner, fixed[index], int(index), lineType=cv2.LINE_8, shift=_SHIFT)
    maps = _affine(corners[..., :2], origin)
    covered = owner >= 0
    rows, columns = np.nonzero(covered)
    chosen = maps[owner[covered]]
    place_x = np.full((height, width), -1, np.float32)
    place_y = np.full((height, width), -1, np.float32)
    place_x[covered] = chosen[:, 0, 0] * columns + chosen[:, 0, 1] * rows + chosen[:, 0, 2]
    place_y[covered] = chosen[:, 1, 0] * columns + chosen[:, 1, 1] * rows + chosen[:, 1, 2]
    drawn = cv2.remap(texture, place_x, place_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(drawn, np.uint8)


def _area(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return np.asarray(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0], np.float64) / 2


def _affine(target: NDArray[np.float64], source: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return m x 2 x 3: from a pixel of the result to one of the texture."""
    ones = np.ones((*target.shape[:2], 1))
    square = np.concatenate([target, ones], -1)
    flat = np.abs(np.linalg.det(square)) < _SMALLEST
    square[flat] = np.eye(3)
    solved = np.linalg.solve(square, source)
    return np.asarray(solved.transpose(0, 2, 1), np.float32)
