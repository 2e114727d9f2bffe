"""What is said to an ESC/POS printer and what its answers mean, as bytes and values. No I/O.

Pictures and constants are python-escpos's. Its printer classes are not used: importing them
configures the process's logging and leaves a folder behind in the temporary folder each time,
and over ``/dev/usb/lp0`` they cannot ask for the paper.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from escpos.constants import GS, HW_INIT, PAPER_PART_CUT, RT_STATUS
from escpos.image import EscposImage
from PIL import Image

from hardware.printer.port import Dots, PrinterStatus, Roll

BAND: Final = 24
"""Rows of one picture command, 3 mm: any printer holds as many, and each can be as narrow as what
is in it."""
MOST_ROWS: Final = 8000
"""1 m of paper: nothing of ours is longer."""
START: Final = bytes(HW_INIT)
FEED: Final = b"\x1bd\x05"
"""ESC d: five lines, so that the last row is past the cutter."""
CUT: Final = bytes(PAPER_PART_CUT)
"""A corner holds, so that a receipt does not fall on the floor."""
FORGET: Final = bytes.fromhex("10 14 08 01 03 14 01 06 02 08")
"""DLE DC4 8: drop what was taken and not printed, or new paper would bring it out beside the
next person's receipt."""
ASK_DONE: Final = GS + b"r1"
"""GS r: unlike DLE EOT it waits its turn, so its answer says that what came before was taken."""
QUESTIONS: Final = tuple(bytes(RT_STATUS) + bytes([number]) for number in (1, 2, 3, 4))
"""DLE EOT: printer, cause of being off line, error, paper; answered at once."""
_FIXED, _AS = 0b1001_0011, 0b0001_0010
"""Bits that are the same in every answer to DLE EOT."""
_OFFLINE: Final = 0b0000_1000
_COVER: Final = 0b0000_0100
_ERROR: Final = 0b0100_0000
_ERRORS: Final = 0b0110_1000
"""Cutter, one that stays, one that passes (heat)."""
_NEAR_END: Final = 0b0000_1100
_END: Final = 0b0110_0000


def picture(dots: Dots) -> Iterator[bytes]:
    """Yield the commands that print `dots`, band by band (GS v 0).

    White at the right of a band is not sent: a serial line is slower than the paper.

    Raises:
        ValueError: no dots, or more rows than anything of ours has.
    """
    rows = dots.shape[0] if dots.ndim == 2 else 0  # noqa: PLR2004 - rows and columns
    if not 0 < rows <= MOST_ROWS or not dots.shape[1]:
        raise ValueError(f"no picture for a receipt: {dots.shape}")
    for top in range(0, rows, BAND):
        band = dots[top : top + BAND]
        black = np.flatnonzero(band.any(axis=0))
        end = int(black[-1]) + 1 if black.size else 1
        shown = np.where(band[:, :end], np.uint8(0), np.uint8(255))
        image = EscposImage(Image.fromarray(shown))
        size = image.width_bytes.to_bytes(2, "little") + image.height.to_bytes(2, "little")
        yield GS + b"v0\0" + size + image.to_raster_format()


def is_answer(octet: int) -> bool:
    """Return whether a byte from the printer is an answer to DLE EOT."""
    return octet & _FIXED == _AS


def is_done(octet: int) -> bool:
    """Return whether a byte from the printer is the answer to `ASK_DONE`."""
    return octet & 0b1001_0000 == 0


def status_of(answers: bytes) -> PrinterStatus:
    """Return what the answers to the four `QUESTIONS` say."""
    printer, cause, error, paper = answers
    out = paper & _END == _END
    near = paper & _NEAR_END == _NEAR_END
    return PrinterStatus(
        online=not printer & _OFFLINE,
        cover_open=bool(cause & _COVER),
        fault=bool(cause & _ERROR or error & _ERRORS),
        roll=Roll.OUT if out else Roll.NEAR_END if near else Roll.PLENTY,
    )
