"""Looking for a second person: also a small face far behind, which one look at the frame misses.

It counts nobody twice and knows nobody; what it finds was seen by two networks.
"""

import math
from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.face.detect import Detection, Detector
from biometrics.face.landmarks import Landmarks, Mesh

_TILE: Final = 3.2
"""Side of a tile, eye distances of the main face: a face of a sixth of its size fills a tenth."""
_LAP: Final = 0.9
"""By how much tiles overlap, eye distances: a face up to half the main one's is whole in one."""
_SIDES: Final = (144, 400)
_EDGE: Final = 10
"""Grey levels between neighbours from which there is an edge; noise stays below."""
_EDGES: Final = 10
"""Edges without which a tile holds no face; what shows a plain wall costs nothing."""
_TILES: Final = 8
"""At most so many are searched, the busiest first: 1.5 ms each."""
_PRESENT: Final = 0.95
"""Presence by the mesh from which a box is a face: dreams in hair reach 0.72, faces 0.99."""
_SAME: Final = 1.0
"""Eye distances of the main face within which a box is that face."""

# Where the sitter's own head and body are, eye distances: nobody is looked for on them.
_HEAD: Final = (1.7, 2.0, 2.0)
_BODY: Final = (1.5, 3.2)


def largest(
    detector: Detector,
    mesh: Mesh,
    pixels: NDArray[np.uint8],
    main: Landmarks,
    found: tuple[Detection, ...],
) -> float:
    """Return the eye distance of the largest other face over the main one's; 0 for none.

    Args:
        detector: proposes faces.
        mesh: confirms them.
        pixels: the small copy, height x width x 3.
        main: the sitter, pixels of it.
        found: what the detector sees in the whole of it.
    """
    across = max(main.eye_distance, 1.0)
    best = 0.0
    for box in (*found, *_in_tiles(detector, pixels, main)):
        if math.dist(box.points[:2].mean(0), main.between_eyes) < _SAME * across:
            continue
        size = float(np.linalg.norm(box.points[1] - box.points[0])) / across
        # The box's own eyes are near enough to pass over what cannot be the largest.
        if size * 1.5 < best:
            continue
        face = mesh.find(pixels, box)
        if (
            face.presence >= _PRESENT
            and math.dist(face.between_eyes, main.between_eyes) >= _SAME * across
        ):
            best = max(best, face.eye_distance / across)
    return best


def _in_tiles(
    detector: Detector, pixels: NDArray[np.uint8], main: Landmarks
) -> Iterator[Detection]:
    across = max(main.eye_distance, 1.0)
    side = int(np.clip(round(_TILE * across), *_SIDES))
    lap = min(round(_LAP * across), side // 3)
    height, width = pixels.shape[:2]
    sums = cv2.integral(_edges(pixels, main).astype(np.uint8))
    busy = []
    for top in _starts(height, side, lap):
        for left in _starts(width, side, lap):
            y0, y1, x0, x1 = (v // 2 for v in (top, top + side, left, left + side))
            y1, x1 = min(y1, sums.shape[0] - 1), min(x1, sums.shape[1] - 1)
            edges = int(sums[y1, x1] - sums[y0, x1] - sums[y1, x0] + sums[y0, x0])
            if edges >= _EDGES:
                busy.append((edges, top, left))
    for _, top, left in sorted(busy, reverse=True)[:_TILES]:
        tile = np.ascontiguousarray(pixels[top : top + side, left : left + side])
        for face in detector.find(tile):
            x, y, *size = face.box
            yield Detection(
                score=face.score,
                box=(x + left, y + top, size[0], size[1]),
                points=face.points + np.array([left, top], np.float32),
            )


def _starts(length: int, side: int, lap: int) -> list[int]:
    """Return where tiles begin that cover `length` and overlap by `lap` at least."""
    if length <= side:
        return [0]
    steps = math.ceil((length - side) / (side - lap))
    return [round(step * (length - side) / steps) for step in range(steps + 1)]


def _edges(pixels: NDArray[np.uint8], main: Landmarks) -> NDArray[np.bool_]:
    """Return where the picture, at half its size, has edges that are not the sitter's own."""
    height, width = (max(1, side // 2) for side in pixels.shape[:2])
    half = np.asarray(
        cv2.resize(
            cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), (width, height), interpolation=cv2.INTER_AREA
        ),
        np.int16,
    )
    edges = np.zeros(half.shape, np.bool_)
    edges[:, :-1] = np.abs(np.diff(half, axis=1)) > _EDGE
    across = max(main.eye_distance, 1.0)
    middle = main.between_eyes
    aside = np.abs(np.arange(width)[None] * 2 - middle[0]) / across
    down = (np.arange(height)[:, None] * 2 - middle[1]) / across
    head = (aside < _HEAD[0]) & (down > -_HEAD[1]) & (down < _HEAD[2])
    body = (down >= _BODY[0]) & (aside < _BODY[1])
    return np.asarray(edges & ~(head | body), np.bool_)
