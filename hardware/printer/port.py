"""The receipt printer as everybody sees it: dots on paper. What they show is another's."""

import enum
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Dots = NDArray[np.bool_]
"""Rows x columns, True is black; 8 dots are 1 mm at the 203 dpi of nearly all such printers."""


class Roll(enum.StrEnum):
    """How much paper there is, as far as a sensor can tell."""

    PLENTY = "plenty"
    NEAR_END = "near_end"
    OUT = "out"


class NotPrinted(enum.StrEnum):
    """What a person can mend: the printer answers, and cannot print now."""

    PAPER_OUT = "paper_out"
    COVER_OPEN = "cover_open"
    NOT_READY = "not_ready"
    """Switched to off line, too hot, or its cutter is stuck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrinterStatus:
    """What the printer says of itself just now."""

    online: bool
    cover_open: bool
    fault: bool
    """Cutter stuck, head too hot, or another error of its own."""
    roll: Roll

    @property
    def hindrance(self) -> NotPrinted | None:
        """Return why nothing can be printed, None where something can."""
        if self.cover_open:
            return NotPrinted.COVER_OPEN
        if self.roll is Roll.OUT:
            return NotPrinted.PAPER_OUT
        return None if self.online and not self.fault else NotPrinted.NOT_READY


@dataclass(frozen=True, slots=True, kw_only=True)
class PrinterInfo:
    """What is known of a printer; a stand-in announces itself by `simulated`.

    Attributes:
        width: dots across the paper.
    """

    name: str
    path: str
    simulated: bool
    width: int


class Printer(Protocol):
    """A printer of receipts."""

    @property
    def info(self) -> PrinterInfo:
        """Return what is known of the printer."""
        ...

    def status(self, *, deadline: float) -> PrinterStatus | None:
        """Return how it is; None where it does not answer such questions within `deadline` s.

        Raises:
            Unplugged: the printer went away.
        """
        ...

    def print(self, dots: Dots, *, deadline: float) -> NotPrinted | None:
        """Print a picture and cut the paper behind it; return why it could not be.

        Args:
            dots: no wider than `info.width`.
            deadline: seconds from now until all must be done.

        Raises:
            Unplugged: the printer went away.
            Silent: it takes no more bytes and does not say why.
            ValueError: not such a picture.
        """
        ...

    def close(self) -> None:
        """Let the device go; may be called twice."""
        ...
