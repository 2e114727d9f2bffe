"""Makes the simulated sitter's data from scikit-image's astronaut photograph.

Run `python -m tests.tools.sitter_mesh`; it writes `hardware/camera/data/sitter.json` (points with
depth and triangles) and `sitter-mask.png` (head, hair and neck). It lives here because it needs
the face networks, which `hardware` may not know.
"""

import ast
import json
from importlib.metadata import files
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay

from biometrics.face.detect import Detector
from biometrics.face.landmarks import OVAL, Mesh
from biometrics.face.segment import PersonSegmenter
from hardware.camera import photograph

DATA: Final = Path(photograph.__file__).parent / "data"
ZOOM: Final = 3
WINDOW: Final = (60, 0, 360, 300)
"""Left, top, right, bottom of the head's surroundings in the photograph."""
NECK: Final = (
    (176, 120), (182, 138), (186, 152), (188, 176), (193, 181), (205, 186), (227, 189),
    (245, 186), (252, 183), (254, 175), (257, 163), (261, 150), (267, 138), (272, 120),
)  # fmt: skip
"""Where skin ends and the suit begins, drawn by hand once."""
NECK_FROM: Final = 138
HOLES: Final = (
    (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7),
    (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249),
    (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95),
)
"""Rims of the eyes and the mouth, from one corner over the upper row and back."""
SPACING: Final = 14
REACH: Final = 9


def find_points(photo: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the 468 points with depth, in pixels of the photograph."""
    left, top, right, bottom = WINDOW
    view = cv2.resize(
        photo[top:bottom, left:right], None, fx=ZOOM, fy=ZOOM, interpolation=cv2.INTER_LANCZOS4
    )
    pixels = np.asarray(view, np.uint8)
    points = Mesh().find(pixels, Detector().find(pixels)[0]).points / ZOOM
    return np.asarray(points + np.array([left, top, 0]), np.float32)


def find_mask(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return 0..255: how much of each pixel belongs to head, hair and neck."""
    left, top, right, bottom = WINDOW
    share = PersonSegmenter().share(photo[top:bottom, left:right])
    mask = np.zeros(photo.shape[:2], np.float32)
    mask[top:bottom, left:right] = cv2.resize(
        share, (right - left, bottom - top), interpolation=cv2.INTER_CUBIC
    )
    # Pulled in by half a pixel or so: a light rim would betray the old wall on dark hair.
    mask = np.clip((cv2.GaussianBlur(mask, (0, 0), 0.8) - 0.5) / 0.4, 0, 1)
    neck = np.zeros(photo.shape[:2], np.uint8)
    cv2.fillPoly(neck, [np.array(NECK, np.int32)], 255)
    mask[NECK_FROM:] *= cv2.GaussianBlur(neck, (0, 0), 0.8)[NECK_FROM:] / np.float32(255)
    return np.asarray(np.rint(mask * 255), np.uint8)


def surround(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the points with a grid around the face added, at the depth of the ears."""
    left, top, right, bottom = WINDOW
    xs = np.arange(left, right + 1, SPACING)
    ys = np.arange(top, bottom + 1, SPACING)
    grid = np.stack(np.meshgrid(xs, ys), -1).reshape(-1, 2).astype(np.float32)
    outline = points[list(OVAL), :2].reshape(-1, 1, 2)
    away = [-cv2.pointPolygonTest(outline, (float(x), float(y)), measureDist=True) for x, y in grid]
    outer = grid[np.array(away) > REACH]
    depth = np.full((len(outer), 1), points[[234, 454], 2].mean(), np.float32)
    return np.concatenate([points, np.concatenate([outer, depth], 1)])


def mesh_edges() -> set[frozenset[int]]:
    """Return the face mesh's edges, read from MediaPipe's table without importing MediaPipe."""
    name = "mediapipe/python/solutions/face_mesh_connections.py"
    (entry,) = (file for file in files("mediapipe") or [] if file.as_posix() == name)
    for node in ast.parse(entry.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "FACEMESH_TESSELATION":
            pairs = ast.literal_eval(ast.unparse(node.value.args[0]))  # type: ignore[attr-defined]
            return {frozenset(pair) for pair in pairs}
    raise LookupError(name)


def triangulate(points: NDArray[np.float32]) -> list[tuple[int, ...]]:
    """Return the mesh's own faces, its three holes filled, and the ground around it."""
    edges = mesh_edges()
    beside: dict[int, set[int]] = {}
    for one, other in map(tuple, edges):
        beside.setdefault(one, set()).add(other)
        beside.setdefault(other, set()).add(one)
    faces = {
        tuple(sorted((one, other, third)))
        for one, other in map(tuple, edges)
        for third in beside[one] & beside[other]
    }
    for ring in HOLES:
        half = len(ring) // 2
        upper, lower = ring[: half + 1], (ring[0], *ring[:half:-1], ring[half])
        for at in range(half):
            faces.add(tuple(sorted((upper[at], upper[at + 1], lower[at + 1]))))
            faces.add(tuple(sorted((upper[at], lower[at], lower[at + 1]))))
    outline = points[list(OVAL), :2].reshape(-1, 1, 2)
    for triangle in Delaunay(points[:, :2]).simplices:
        x, y = (float(v) for v in points[triangle, :2].mean(0))
        if cv2.pointPolygonTest(outline, (x, y), measureDist=False) < 0:
            faces.add(tuple(sorted(int(v) for v in triangle)))
    return sorted(face for face in faces if len(set(face)) == 3)


def main() -> None:
    """Write both files."""
    photo = photograph.astronaut()
    points = surround(find_points(photo))
    content = {
        "photograph": {"sha256": photograph.SHA256, "file": photograph.FILE},
        "face_points": 468,
        "points": [[round(float(v), 2) for v in point] for point in points],
        "triangles": [list(triangle) for triangle in triangulate(points)],
    }
    text = json.dumps(content, separators=(",", ":")).replace("]],", "]],\n")
    (DATA / "sitter.json").write_text(text + "\n", encoding="utf-8")
    left, top, right, bottom = WINDOW
    mask = find_mask(photo)
    cropped = np.zeros_like(mask)
    cropped[top:bottom, left:right] = mask[top:bottom, left:right]
    _, data = cv2.imencode(".png", cropped, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    (DATA / "sitter-mask.png").write_bytes(data.tobytes())


if __name__ == "__main__":
    main()
