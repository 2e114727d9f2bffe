"""Opening a scanner by its name: on a serial port, or as an input device.

It knows no more of them than how they are named.
"""

from typing import Final

from hardware.codes.keyboard_scanner import KeyboardScanner
from hardware.codes.port import CodeReader
from hardware.codes.serial_scanner import BAUD, SerialScanner

BAUDS: Final = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
_SHOWN: Final = 80


class CodeReaderUnknown(ValueError):
    """The name is not ``serial:/dev/...[,9600]`` or ``hid:/dev/input/by-id/...``."""


def open_code_reader(spec: str) -> CodeReader:
    """Return the scanner named `spec`.

    Raises:
        CodeReaderUnknown: no such kind, path or baud rate.
        Unplugged: it is not there or may not be opened.
    """
    kind, _, rest = spec.partition(":")
    path, comma, baud = rest.partition(",") if kind == "serial" else (rest, "", "")
    if not path.startswith("/") or "\0" in path:
        raise CodeReaderUnknown(
            f"{spec[:_SHOWN]!r}: wanted serial:/dev/...[,9600] or hid:/dev/input/by-id/..."
        )
    if kind == "hid":
        return KeyboardScanner(path)
    if kind != "serial":
        raise CodeReaderUnknown(f"{kind[:_SHOWN]!r} is no kind of scanner")
    if comma and baud not in {str(known) for known in BAUDS}:
        raise CodeReaderUnknown(f"{baud[:_SHOWN]!r} is not a baud rate of a scanner")
    return SerialScanner(path, baud=int(baud) if comma else BAUD)
