"""Finding faces: BlazeFace (Bazarevsky et al. 2019) through OpenCV's own network module.

It names nobody and judges no quality.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.face.models import load

_SIDE: Final = 128
_GRIDS: Final = ((8, 2), (16, 6))
"""Stride in pixels and anchors in each cell; together 896 (model card, BlazeFace short range)."""
SECOND_SCORE: Final = 0.6
"""Below it a second box is the detector's dream, not a second person."""
_OVERLAP: Final = 0.3
"""Share from which two boxes are one face, as in MediaPipe's own graph."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """One face: pixels of the picture that was searched.

    Attributes:
        score: 0..1.
        box: x, y, width, height.
        points: 6 x 2: right eye, left eye (the sitter's), nose, mouth, right ear, left ear.
    """

    score: float
    box: tuple[float, float, float, float]
    points: NDArray[np.float32]

    @property
    def area(self) -> float:
        """Square pixels of the box."""
        return self.box[2] * self.box[3]


class Detector:
    """BlazeFace, short range: faces down to about a twelfth of the picture's width."""

    def __init__(self, threshold: float = 0.5) -> None:
        self._net = load("detection")
        self._names = ("classificators", "regressors")
        self._threshold = threshold
        self._anchors = _anchors()

    def find(self, pixels: NDArray[np.uint8]) -> tuple[Detection, ...]:
        """Return every face, largest first."""
        canvas, scale, shift = _letterbox(pixels)
        self._net.setInput(
            cv2.dnn.blobFromImage(canvas, 1 / 127.5, (_SIDE, _SIDE), (127.5,) * 3, swapRB=True)
        )
        logits, raw = (np.asarray(out)[0] for out in self._net.forward(self._names))
        scores = 1 / (1 + np.exp(-np.clip(logits[:, 0], -50, 50)))
        kept = np.flatnonzero(scores > self._threshold)
        if not len(kept):
            return ()
        values = raw[kept] / _SIDE
        anchors = self._anchors[kept]
        centres = values[:, :2] + anchors
        sizes = values[:, 2:4]
        boxes = np.concatenate([centres - sizes / 2, sizes], 1) * _SIDE
        points = (values[:, 4:].reshape(-1, 6, 2) + anchors[:, None]) * _SIDE
        chosen = cv2.dnn.NMSBoxes(boxes.tolist(), scores[kept].tolist(), self._threshold, _OVERLAP)
        found = []
        for index in np.asarray(chosen).flatten():
            corner = (boxes[index, :2] - shift) / scale
            width, height = boxes[index, 2:] / scale
            found.append(
                Detection(
                    score=float(scores[kept][index]),
                    box=(float(corner[0]), float(corner[1]), float(width), float(height)),
                    points=np.asarray((points[index] - shift) / scale, np.float32),
                )
            )
        return tuple(sorted(found, key=lambda face: -face.area))


def _letterbox(
    pixels: NDArray[np.uint8],
) -> tuple[NDArray[np.uint8], float, NDArray[np.float64]]:
    height, width = pixels.shape[:2]
    scale = _SIDE / max(height, width)
    small = cv2.resize(
        pixels,
        (max(1, round(width * scale)), max(1, round(height * scale))),
        interpolation=cv2.INTER_AREA,
    )
    canvas = np.zeros((_SIDE, _SIDE, 3), np.uint8)
    top = (_SIDE - small.shape[0]) // 2
    left = (_SIDE - small.shape[1]) // 2
    canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
    return canvas, scale, np.array([left, top], np.float64)


def _anchors() -> NDArray[np.float32]:
    centres = []
    for stride, each in _GRIDS:
        cells = (np.arange(_SIDE // stride) + 0.5) * stride / _SIDE
        grid = np.stack(np.meshgrid(cells, cells), axis=-1).reshape(-1, 2)
        centres.append(np.repeat(grid, each, axis=0))
    return np.concatenate(centres).astype(np.float32)
