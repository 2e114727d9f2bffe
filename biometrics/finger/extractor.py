"""Minutiae by LEADER (Cappelli, University of Bologna, arXiv 2602.15493), run by onnxruntime.

It matches nothing and judges no quality; a network that differs by one bit is refused.
"""

import math
from itertools import pairwise
from typing import Final

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from biometrics.carried import pinned
from biometrics.finger import limits, parameters
from biometrics.finger.ground import foreground, halved
from biometrics.finger.impression import DPI, at_500_dpi
from biometrics.finger.leader import INPUT, rebuilt
from biometrics.finger.minutiae import LEADER, Minutiae

_DISTRIBUTION: Final = "afis"
_PATH: Final = "afis/weights/leader/LEADER.onnx"
_SHA256: Final = "da96e1221eea4afdf153997d6c4854ed306c146cfac76046e66cdecc14b2a1bb"
_STEP: Final = 32
"""The network halves five times."""
_MARGIN: Final = 16
_LARGEST_PART: Final = 416
"""Pixels of a side that is looked at at once: at 800 x 800 the network would need 960 MB."""
_CONTEXT: Final = 64
"""Pixels seen around a part: in them minutiae change that lack what lies beyond."""
_APART: Final = 7
"""Pixels of the square in which one minutia is the strongest (LEADER's own last step)."""


class Extractor:
    """The network, ready to run on one thread; keep one for each thread."""

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            rebuilt(network()), options, providers=["CPUExecutionProvider"]
        )
        # Given back after each run: kept, it is 230 MB that a kiosk's other work needs; asking
        # for it anew takes 10 ms.
        self._run = onnxruntime.RunOptions()
        self._run.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")

    def extract(self, pixels: NDArray[np.uint8], dpi: int) -> Minutiae:
        """Return the minutiae of an impression, the faint ones too.

        Args:
            pixels: height x width, uint8, dark ridges on light ground.
            dpi: of the reader.

        Raises:
            ImpressionInvalid: see `impression.at_500_dpi`.
        """
        image = at_500_dpi(pixels, dpi)
        fit = DPI / dpi * pixels.shape[0] / image.shape[0]
        top, left, cut = _cut(image)
        if cut.size == 0:
            nothing = np.empty((0, 4), np.float32)
            return Minutiae(points=nothing, endings=nothing[:, 0], extractor=LEADER)
        high, wide = (math.ceil(side / _STEP) * _STEP for side in cut.shape)
        up, aside = (high - cut.shape[0]) // 2, (wide - cut.shape[1]) // 2
        padded = cv2.copyMakeBorder(
            cut,
            up,
            high - cut.shape[0] - up,
            aside,
            wide - cut.shape[1] - aside,
            cv2.BORDER_CONSTANT,
            value=float(np.percentile(cut, 95)),
        )
        parts = [
            self._part(np.asarray(padded, np.uint8), down, across)
            for down in _spans(high)
            for across in _spans(wide)
        ]
        found = np.concatenate(parts)
        found[:, :2] = (found[:, :2] + (left - aside, top - up)) * fit
        order = np.argsort(-found[:, 3], kind="stable")[: int(limits.MOST_FOUND.value)]
        points = found[order].astype(np.float32)
        return Minutiae(points=points[:, :4], endings=points[:, 4], extractor=LEADER)

    def _part(
        self, picture: NDArray[np.uint8], down: tuple[slice, slice], across: tuple[slice, slice]
    ) -> NDArray[np.float64]:
        """Return n x 5 of the minutiae inside one part: x, y, angle, score, ending."""
        (rows, inside_rows), (columns, inside_columns) = down, across
        given = {INPUT: picture[rows, columns].astype(np.float32)[None, None]}
        _, direction, ending, (peaks,) = (
            layer[0] for layer in self._session.run(None, given, self._run)
        )
        kept = np.zeros(peaks.shape, np.bool_)
        kept[inside_rows, inside_columns] = True
        kept &= peaks == cv2.dilate(peaks, np.ones((_APART, _APART), np.uint8))
        y, x = np.nonzero(kept & (peaks >= parameters.FAINTEST.value))
        angle = np.arctan2(direction[1, y, x], direction[0, y, x])
        place = (x + columns.start, y + rows.start)
        return np.column_stack([*place, angle, peaks[y, x], ending[0, y, x]])


def _spans(side: int) -> list[tuple[slice, slice]]:
    """Return what the network looks at along one side, and what of that it is asked about."""
    count = 1 if side <= _LARGEST_PART else math.ceil(side / (_LARGEST_PART - 2 * _CONTEXT))
    edges = [_STEP * round(part * side / _STEP / count) for part in range(count + 1)]
    return [
        (
            slice(first := max(0, start - _CONTEXT), min(side, stop + _CONTEXT)),
            slice(start - first, stop - first),
        )
        for start, stop in pairwise(edges)
    ]


def network() -> bytes:
    """Return the network's bytes, verified.

    Raises:
        ModelMissing: the distribution or the file is not there.
        ModelAltered: the bytes have another SHA-256.
    """
    return pinned(_DISTRIBUTION, _PATH, _SHA256)


def _cut(image: NDArray[np.uint8]) -> tuple[int, int, NDArray[np.uint8]]:
    """Return top, left and the part of the picture that holds the finger."""
    rows, columns = (2 * found for found in np.nonzero(foreground(halved(image))))
    if rows.size == 0:
        return 0, 0, image[:0, :0]
    top, bottom = _span(rows, image.shape[0])
    left, right = _span(columns, image.shape[1])
    return top, left, image[top:bottom, left:right]


def _span(where: NDArray[np.intp], side: int) -> tuple[int, int]:
    most = int(limits.LARGEST_FINGER.value)
    first, last = max(0, int(where.min()) - _MARGIN), min(side, int(where.max()) + 2 + _MARGIN)
    if last - first > most:
        first = max(0, min(side - most, int(np.median(where)) - most // 2))
        last = first + most
    return first, last
