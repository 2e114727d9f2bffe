"""Opening a receipt printer by its name: a device, a serial port, a file, a simulated roll.

It knows no more of them than how they are named.
"""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from hardware.printer.escpos_printer import EscposPrinter
from hardware.printer.port import Printer, PrinterInfo
from hardware.printer.simulator import PaperRoll
from hardware.printer.wire import Wire, open_device, open_file, open_port

WIDTHS: Final = {"58": 384, "80": 576}
"""Dots across, by the paper's width in mm, at 203 dpi."""
BAUDS: Final = (9600, 19200, 38400, 57600, 115200)
SPEC: Final = re.compile(
    r"(?:(?P<kind>escpos|serial|file):(?P<path>/[^,\0]+)|(?P<roll>simulated))"
    rf"(?:,(?P<baud>{'|'.join(map(str, BAUDS))}))?(?:,(?P<paper>{'|'.join(WIDTHS)})mm)?"
)
"""E.g. ``escpos:/dev/usb/lp0``, ``serial:/dev/serial/by-id/...,19200,58mm``, ``simulated``."""
BAUD: Final = 19200
"""Bits a second, as such printers leave the factory."""
_SHOWN: Final = 80


class PrinterUnknown(ValueError):
    """The name is not one of ``escpos:/dev/usb/lp0``, ``serial:/dev/...``, ``file:/...``."""


def open_printer(spec: str) -> Printer:
    """Return the printer named `spec`.

    Raises:
        PrinterUnknown: no such kind, path, baud rate or width of paper.
        Unplugged: it is not there or may not be opened.
    """
    found = SPEC.fullmatch(spec)
    if found is None or (found["baud"] and found["kind"] != "serial"):
        raise PrinterUnknown(
            f"{spec[:_SHOWN]!r}: wanted escpos:/dev/usb/lp0, serial:/dev/...[,19200], "
            "file:/... or simulated, then ,58mm for narrow paper"
        )
    width = WIDTHS[found["paper"] or "80"]
    if found["roll"]:
        roll = PaperRoll(width=width)
        return _printer("simulated roll", "", width, roll.connect, simulated=True)
    path = found["path"]
    baud = int(found["baud"] or BAUD)
    opens: dict[str, Callable[[], Wire]] = {
        "escpos": partial(open_device, path),
        "serial": partial(open_port, path, baud),
        "file": partial(open_file, Path(path)),
    }
    kind = found["kind"]
    name = {"escpos": "ESC/POS", "serial": f"ESC/POS, {baud} baud", "file": "file"}[kind]
    return _printer(name, path, width, opens[kind], simulated=kind == "file")


def _printer(
    name: str, path: str, width: int, open_: Callable[[], Wire], *, simulated: bool
) -> Printer:
    info = PrinterInfo(name=name, path=path, simulated=simulated, width=width)
    return EscposPrinter(info, open_)
