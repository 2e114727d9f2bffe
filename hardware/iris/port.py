"""The iris reader as everybody sees it: raw pictures of eyes. It judges none of them."""

import enum
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hardware.finger.port import Preview


class Eye(enum.StrEnum):
    """Whose eye it is, as its owner says."""

    RIGHT = "right"
    LEFT = "left"


class NoImage(enum.StrEnum):
    """What a person can mend: the reader works, no open eye is (well) before it."""

    NO_EYE = "no_eye"


@dataclass(frozen=True, slots=True, kw_only=True)
class IrisPicture:
    """One eye of one look.

    Attributes:
        pixels: height x width, uint8, taken in near infrared.
        eye: which eye the reader took it for.
        at: monotonic seconds at which the picture was taken.
        serial: of the reader that took it.
        claimed: quality 0..100 as the reader itself says, None where it says nothing.
    """

    pixels: NDArray[np.uint8]
    eye: Eye
    at: float
    serial: str
    claimed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IrisInfo:
    """What a reader says of itself; a stand-in announces itself by `simulated`.

    Attributes:
        both: whether it looks at both eyes at once.
    """

    name: str
    serial: str
    simulated: bool
    both: bool


class IrisReader(Protocol):
    """A reader of irises."""

    @property
    def info(self) -> IrisInfo:
        """Return what the reader says of itself."""
        ...

    def capture(
        self, eyes: tuple[Eye, ...], *, deadline: float, preview: Preview | None = None
    ) -> tuple[IrisPicture, ...] | NoImage:
        """Wait for the wanted eyes and take one picture of each.

        Args:
            eyes: one or both, each once.
            deadline: seconds from now until the whole command must have ended.
            preview: told of live pictures, by readers that have any.

        Raises:
            Unplugged, Silent, Garbled, Refused: see `hardware.errors`.
            ValueError: no eye, or one twice.
        """
        ...

    def close(self) -> None:
        """Let the device go; may be called twice, and from another thread than `capture`."""
        ...
