"""Points of a face: FaceMesh (468 with depth) and the iris network's contour of each eye.

It finds no faces (`detect`) and measures nothing.
"""

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.face.detect import Detection
from biometrics.face.models import load

Points = NDArray[np.float32]

# Indices of the mesh (MediaPipe's numbering); "right" is the sitter's.
RIGHT_EYE: Final = (33, 133)
LEFT_EYE: Final = (263, 362)
CHIN: Final = 152
FOREHEAD: Final = 10
NOSE_TIP: Final = 1
MOUTH_CORNERS: Final = (61, 291)
INNER_LIPS: Final = ((13, 14), (82, 87), (312, 317))
OVAL: Final = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip

_MESH_SIDE: Final = 192
_IRIS_SIDE: Final = 64
_MESH_GROWS: Final = 1.5
_IRIS_GROWS: Final = 2.3
"""How much larger than face and eye the cut is, as in MediaPipe's own graphs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Landmarks:
    """The points of one face, in pixels of the picture.

    Attributes:
        points: 468 x 3; depth in the same unit, smaller is nearer.
        presence: 0..1, how sure the network is that this is a face.
    """

    points: Points
    presence: float

    @property
    def right_eye(self) -> Points:
        """Midpoint of the right eye's corners."""
        return np.asarray(self.points[list(RIGHT_EYE), :2].mean(0), np.float32)

    @property
    def left_eye(self) -> Points:
        """Midpoint of the left eye's corners."""
        return np.asarray(self.points[list(LEFT_EYE), :2].mean(0), np.float32)

    @property
    def between_eyes(self) -> Points:
        """Midpoint of both eyes."""
        return np.asarray((self.right_eye + self.left_eye) / 2, np.float32)

    @property
    def eye_distance(self) -> float:
        """IED of ISO/IEC 29794-5, pixels."""
        return float(np.linalg.norm(self.left_eye - self.right_eye))

    @property
    def eye_to_chin(self) -> float:
        """T of ISO/IEC 29794-5, pixels."""
        return float(np.linalg.norm(self.between_eyes - self.points[CHIN, :2]))

    @property
    def level(self) -> float:
        """Angle of the eye line in the picture, degrees, clockwise positive."""
        across = self.left_eye - self.right_eye
        return math.degrees(math.atan2(float(across[1]), float(across[0])))

    def scaled(self, factor: float) -> "Landmarks":
        """Return the same face in a picture `factor` times as large."""
        return Landmarks(
            points=np.asarray(self.points * factor, np.float32), presence=self.presence
        )


class Mesh:
    """FaceMesh, the plain model without attention."""

    def __init__(self) -> None:
        self._net = load("mesh")
        self._names = ("conv2d_31", "conv2d_21")

    def find(self, pixels: NDArray[np.uint8], face: Detection) -> Landmarks:
        """Return the points of the face that was detected in `pixels`.

        A second look, framed by the points of the first, takes out what the box was off.
        """
        x, y, width, height = face.box
        across = face.points[1] - face.points[0]
        first = self._look(
            pixels,
            (x + width / 2, y + height / 2),
            max(width, height) * _MESH_GROWS,
            math.atan2(float(across[1]), float(across[0])),
        )
        return self.follow(pixels, first)

    def follow(self, pixels: NDArray[np.uint8], before: Landmarks) -> Landmarks:
        """Return the points of the face that was at `before` in this frame or the last one.

        Where it has gone, what comes back has little presence.
        """
        low, high = before.points[:, :2].min(0), before.points[:, :2].max(0)
        return self._look(
            pixels,
            (float(low[0] + high[0]) / 2, float(low[1] + high[1]) / 2),
            float((high - low).max()) * _MESH_GROWS,
            math.radians(before.level),
        )

    def _look(
        self, pixels: NDArray[np.uint8], centre: tuple[float, float], size: float, angle: float
    ) -> Landmarks:
        window = _window(centre, max(size, 1.0), angle, _MESH_SIDE)
        crop = cv2.warpAffine(
            pixels, window, (_MESH_SIDE, _MESH_SIDE), borderMode=cv2.BORDER_REPLICATE
        )
        self._net.setInput(
            cv2.dnn.blobFromImage(crop, 1 / 255, (_MESH_SIDE, _MESH_SIDE), swapRB=True)
        )
        outputs = sorted((np.asarray(o) for o in self._net.forward(self._names)), key=np.size)
        raw = outputs[1].reshape(-1, 3)
        back = cv2.invertAffineTransform(window)
        flat = raw[:, :2] @ back[:, :2].T + back[:, 2]
        depth = raw[:, 2:] * (max(size, 1.0) / _MESH_SIDE)
        logit = float(np.clip(outputs[0].ravel()[0], -50, 50))
        return Landmarks(
            points=np.concatenate([flat, depth], 1).astype(np.float32),
            presence=1 / (1 + math.exp(-logit)),
        )


class Iris:
    """The iris network: one eye at a time, the left one mirrored."""

    def __init__(self) -> None:
        self._net = load("iris")
        self._names = ("output_eyes_contours_and_brows", "output_iris")

    def look(
        self, pixels: NDArray[np.uint8], face: Landmarks, *, left: bool
    ) -> tuple[Points, Points]:
        """Return 71 x 2 points of one eye and 5 x 2 of its iris, pixels.

        Of the 71 the first 16 run round the lids in the network's own order: 0 outer corner,
        1..7 lower lid, 8 inner corner, 9..15 upper lid. Of the 5 the first is the centre.
        """
        outer, inner = (face.points[i, :2] for i in (LEFT_EYE if left else RIGHT_EYE))
        centre = (outer + inner) / 2
        width = max(float(np.linalg.norm(outer - inner)), 1.0)
        across = (outer - inner) if left else (inner - outer)
        angle = math.atan2(float(across[1]), float(across[0]))
        window = _window(
            (float(centre[0]), float(centre[1])), width * _IRIS_GROWS, angle, _IRIS_SIDE
        )
        if left:
            mirror = np.array([[-1, 0, _IRIS_SIDE - 1], [0, 1, 0], [0, 0, 1]], np.float64)
            window = (mirror @ np.vstack([window, [0, 0, 1]]))[:2]
        crop = cv2.warpAffine(
            pixels, window, (_IRIS_SIDE, _IRIS_SIDE), borderMode=cv2.BORDER_REPLICATE
        )
        self._net.setInput(
            cv2.dnn.blobFromImage(crop, 1 / 255, (_IRIS_SIDE, _IRIS_SIDE), swapRB=True)
        )
        back = cv2.invertAffineTransform(np.asarray(window))
        lids, iris = (
            np.asarray(
                np.asarray(out).reshape(-1, 3)[:, :2] @ back[:, :2].T + back[:, 2], np.float32
            )
            for out in self._net.forward(self._names)
        )
        return lids, iris


def _window(
    centre: tuple[float, float], size: float, angle: float, side: int
) -> NDArray[np.float64]:
    """Return the affine map from the picture to a levelled square around `centre`."""
    scale = side / size
    cos, sin = math.cos(angle) * scale, math.sin(angle) * scale
    turn = np.array([[cos, sin], [-sin, cos]], np.float64)
    shift = side / 2 - turn @ np.array(centre, np.float64)
    return np.concatenate([turn, shift[:, None]], 1)
