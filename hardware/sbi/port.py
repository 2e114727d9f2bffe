"""What the SBI code needs of ISO records and of quality, handed in by whoever knows them.

It reads and writes no record itself, and judges no picture.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hardware.iris.port import Eye


class RecordUnreadable(ValueError):
    """The bytes are no record of that kind, of one picture; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FingerPicture:
    """One impression, as a finger image record has it.

    Attributes:
        pixels: height x width, uint8, dark ridges on light ground.
        dpi: pixels per inch, the same in both directions.
        position: 1 right thumb .. 10 left little, 0 where the record does not say.
        rolled: None where the record does not say whether flat or rolled.
        quality: 0..100, None where the record does not say.
        at: when it was taken, None where the record does not say.
    """

    pixels: NDArray[np.uint8]
    dpi: int
    position: int
    rolled: bool | None = None
    quality: int | None = None
    at: dt.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EyePicture:
    """One eye, as an iris image record has it.

    Attributes:
        pixels: height x width, uint8.
        eye: None where the record does not say.
        quality: 0..100, None where the record does not say.
        at: when it was taken, None where the record does not say.
    """

    pixels: NDArray[np.uint8]
    eye: Eye | None
    quality: int | None = None
    at: dt.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FacePicture:
    """One face, as a face image record has it.

    Attributes:
        pixels: height x width x 3, uint8, blue-green-red.
        quality: 0..100, None where the record does not say.
        at: when it was taken, None where the record does not say.
    """

    pixels: NDArray[np.uint8]
    quality: int | None = None
    at: dt.datetime | None = None


class Records(Protocol):
    """Reads and writes the records that SBI carries, each of exactly one picture.

    The three readers raise `RecordUnreadable` for whatever is no such record, and hold every
    size and time within bounds: what they are given is not trusted. The three writers raise
    `ValueError` for what has no place in a record.
    """

    def finger(self, data: bytes) -> FingerPicture:
        """Return the finger of an ISO/IEC 19794-4 record."""
        ...

    def iris(self, data: bytes) -> EyePicture:
        """Return the eye of an ISO/IEC 19794-6 record."""
        ...

    def face(self, data: bytes) -> FacePicture:
        """Return the face of an ISO/IEC 19794-5 record."""
        ...

    def write_finger(self, picture: FingerPicture) -> bytes:
        """Return a record of 19794-4:2011."""
        ...

    def write_iris(self, picture: EyePicture) -> bytes:
        """Return a record of 19794-6:2011."""
        ...

    def write_face(self, picture: FacePicture) -> bytes:
        """Return a record of 19794-5:2011."""
        ...


class Scores(Protocol):
    """Says how good a picture is, 0..100; None where that cannot be said."""

    def finger(self, picture: FingerPicture) -> int | None:
        """Return NFIQ 2."""
        ...

    def iris(self, picture: EyePicture) -> int | None:
        """Return an overall quality."""
        ...

    def face(self, picture: FacePicture) -> int | None:
        """Return an overall quality."""
        ...
