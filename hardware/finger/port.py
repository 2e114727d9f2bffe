"""The fingerprint reader as everybody sees it: raw impressions, each with its dpi and time."""

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray


class NoImage(enum.StrEnum):
    """What a person can mend: the reader works, the finger is not (well) on it."""

    NO_FINGER = "no_finger"
    TOO_MESSY = "too_messy"
    TOO_SMALL = "too_small"


class Touch(enum.StrEnum):
    """How fingers can be put on a reader's glass."""

    SINGLE = "single"
    """One finger, flat."""
    SLAP = "slap"
    """Up to four fingers of one hand, flat; they come back one by one."""
    THUMBS = "thumbs"
    """Both thumbs, flat; they come back one by one."""
    ROLLED = "rolled"
    """One finger, rolled from nail to nail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the reader is asked for.

    Attributes:
        positions: 1 right thumb .. 10 left little, in the order of their numbers; one for
            `SINGLE` and `ROLLED`, those of one hand that are there for `SLAP`.
    """

    positions: tuple[int, ...]
    touch: Touch


@dataclass(frozen=True, slots=True, kw_only=True)
class Impression:
    """One finger of one touch.

    Attributes:
        pixels: height x width, uint8, dark ridges on light ground.
        dpi: pixels per inch, the same in both directions.
        at: monotonic seconds at which the image was taken.
        serial: of the reader that took it.
        position: which finger the reader took it for: of several, who else could say; of one
            it only repeats what was asked.
        claimed: quality 0..100 as the reader itself says, None where it says nothing.
    """

    pixels: NDArray[np.uint8]
    dpi: int
    at: float
    serial: str
    position: int
    claimed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderInfo:
    """What a reader says of itself; a stand-in announces itself by `simulated`.

    Attributes:
        width, height, dpi: of one finger's image, where they are always the same; else of the
            largest that comes.
        takes: what it can take.
    """

    name: str
    serial: str
    simulated: bool
    width: int
    height: int
    dpi: int
    takes: frozenset[Touch] = frozenset({Touch.SINGLE})


Preview = Callable[[NDArray[np.uint8]], None]
"""Told of live pictures of the glass, height x width, uint8, while a finger is waited for."""


class FingerReader(Protocol):
    """A reader of fingers."""

    @property
    def info(self) -> ReaderInfo:
        """Return what the reader says of itself."""
        ...

    def capture(
        self,
        wanted: Wanted,
        *,
        deadline: float,
        progress: Callable[[float], None] | None = None,
        preview: Preview | None = None,
    ) -> tuple[Impression, ...] | NoImage:
        """Wait for the wanted fingers and take one impression of each.

        Args:
            wanted: of a touch that `info.takes` names.
            deadline: seconds from now until the whole command must have ended.
            progress: told the share (0..1) of the image that has come over.
            preview: told of live pictures, by readers that have any.

        Raises:
            Unplugged, Silent, Garbled, Refused: see `hardware.errors`.
            ValueError: the reader cannot take such a touch.
        """
        ...

    def wait_lifted(self, *, deadline: float) -> bool:
        """Wait until no finger lies on the reader; False if one still does after `deadline` s.

        A reader that cannot tell returns True at once.

        Raises:
            Unplugged, Silent, Garbled, Refused: see `hardware.errors`.
        """
        ...

    def close(self) -> None:
        """Let the device go; may be called twice, and from another thread than `capture`."""
        ...


@runtime_checkable
class StandIn(Protocol):
    """What a simulated reader has beside: a hand that presses on it."""

    def present(self, person_seed: int, *positions: int, condition: str = "well") -> None:
        """Put fingers on the glass, in place of what lies there; each time they lie otherwise.

        Raises:
            ValueError: no such position or condition.
        """
        ...

    def lift(self) -> None:
        """Take every finger off the glass."""
        ...
