"""The fingerprint reader as everybody sees it: one impression at a time, raw, with its dpi."""

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class NoImage(enum.StrEnum):
    """What a person can mend: the reader works, the finger is not (well) on it."""

    NO_FINGER = "no_finger"
    TOO_MESSY = "too_messy"
    TOO_SMALL = "too_small"


@dataclass(frozen=True, slots=True, kw_only=True)
class Impression:
    """One touch of a finger.

    Attributes:
        pixels: height x width, uint8, dark ridges on light ground.
        dpi: pixels per inch, the same in both directions.
        at: monotonic seconds at which the image was taken.
        serial: of the reader that took it.
    """

    pixels: NDArray[np.uint8]
    dpi: int
    at: float
    serial: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderInfo:
    """What a reader says of itself; a stand-in announces itself by `simulated`."""

    name: str
    serial: str
    simulated: bool
    width: int
    height: int
    dpi: int


class FingerReader(Protocol):
    """A reader of single flat impressions."""

    @property
    def info(self) -> ReaderInfo:
        """Return what the reader says of itself."""
        ...

    def capture(
        self, *, deadline: float, progress: Callable[[float], None] | None = None
    ) -> Impression | NoImage:
        """Wait for a finger and take one impression.

        Args:
            deadline: seconds from now until the whole command must have ended.
            progress: told the share (0..1) of the image that has come over.

        Raises:
            Unplugged, Silent, Garbled, Refused: see `hardware.errors`.
        """
        ...

    def wait_lifted(self, *, deadline: float) -> bool:
        """Wait until no finger lies on the reader; False if one still does after `deadline` s.

        Raises:
            Unplugged, Silent, Garbled, Refused: see `hardware.errors`.
        """
        ...

    def close(self) -> None:
        """Let the device go; may be called twice."""
        ...
