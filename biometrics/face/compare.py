"""Comparing two portraits one to one, by the distance of their descriptors.

It searches nobody among many and decides nothing an officer decides: between the two limits the
answer is "unsure". The package's own default of 0.6 is never used (docs/portrait-records.md).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.face import descriptor
from biometrics.face.descriptor import DescriptorMissing, DescriptorRefused, FaceModel
from biometrics.face.detect import Detection, Detector
from biometrics.face.images import ImageRefused, decode

__all__ = [
    "MATCH_AT_MOST",
    "NO_MATCH_ABOVE",
    "Comparer",
    "Comparison",
    "DescriptorMissing",
    "DescriptorRefused",
    "Outcome",
    "compare",
    "describe",
    "outcome",
]

_WORK_SIDE: Final = 900

Outcome = Literal["match", "unsure", "no_match", "not_assessed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How far two faces are apart, and by what and by which limits that was said.

    Attributes:
        distance: None where one of the faces could not be assessed.
        match_at_most, no_match_above: of the model; between them an officer decides.
    """

    distance: float | None
    outcome: Outcome
    model: str
    model_sha256: str
    match_at_most: float
    no_match_above: float


class Comparer:
    """One network, loaded and verified; one call at a time, because it keeps state.

    Args:
        model: which.
        read: decodes a picture or raises `ImageRefused`; a process that holds keys gives
            `biometrics.face.reading.Reader.read`.

    Raises:
        DescriptorMissing, DescriptorRefused: see `FaceModel.load`.
    """

    def __init__(
        self, model: FaceModel, read: Callable[[bytes], NDArray[np.uint8]] = decode
    ) -> None:
        self.model = model
        self._read = read
        self._describe = model.load()
        self._detector = Detector()

    def compare(self, probe: bytes, reference: bytes) -> Comparison:
        """Return the comparison of two JPEG or PNG pictures.

        A picture that cannot be read, or in which no face is found, gives "not_assessed".
        """
        one, other = self._described(probe), self._described(reference)
        distance = None
        if one is not None and other is not None:
            distance = float(np.linalg.norm(one - other))
        return Comparison(
            distance=distance,
            outcome="not_assessed" if distance is None else self.model.outcome(distance),
            model=self.model.name,
            model_sha256=self.model.sha256,
            match_at_most=self.model.match_at_most,
            no_match_above=self.model.no_match_above,
        )

    def describe(self, pixels: NDArray[np.uint8]) -> NDArray[np.float64] | None:
        """Return the numbers of the largest face in a blue-green-red picture, or None."""
        found = self._detector.find(pixels)
        if not found:
            return None
        shrink = min(1.0, _WORK_SIDE / max(pixels.shape[:2]))
        if shrink < 1:
            pixels = np.asarray(
                cv2.resize(pixels, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA),
                np.uint8,
            )
        return self._describe(np.ascontiguousarray(pixels[..., ::-1]), _box(found[0], shrink))

    def _described(self, data: bytes) -> NDArray[np.float64] | None:
        try:
            return self.describe(self._read(data))
        except ImageRefused:
            return None


def _box(face: Detection, shrink: float) -> descriptor.Box:
    x, y, width, height = (side * shrink for side in face.box)
    return round(x), round(y), round(x + width), round(y + height)


# What stands below is the network that comes with us.

_SHIPPED: Final = descriptor.limits()
MATCH_AT_MOST: Final = _SHIPPED[0]
NO_MATCH_ABOVE: Final = _SHIPPED[1]


@cache
def _shipped() -> Comparer:
    return Comparer(descriptor.shipped())


def compare(probe: bytes, reference: bytes) -> Comparison:
    """Return the comparison of two JPEG or PNG pictures; see `Comparer.compare`.

    Raises:
        DescriptorMissing, DescriptorRefused: see `FaceModel.load`.
    """
    return _shipped().compare(probe, reference)


def describe(pixels: NDArray[np.uint8]) -> NDArray[np.float64] | None:
    """Return the numbers of the largest face; see `Comparer.describe`."""
    return _shipped().describe(pixels)


def outcome(distance: float) -> Outcome:
    """Return what a distance means."""
    return descriptor.shipped().outcome(distance)
