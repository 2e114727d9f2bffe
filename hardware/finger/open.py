"""Opening a fingerprint reader by its name: a module on a serial port, or a simulated one.

It knows no more of them than how they are named.
"""

from typing import Final

from hardware.finger.commands import BAUDS
from hardware.finger.port import FingerReader
from hardware.finger.serial_module import SerialReader
from hardware.finger.simulated_reader import SimulatedReader

_SHOWN: Final = 80


class ReaderUnknown(ValueError):
    """The name is not ``simulated`` or ``serial:/dev/ttyUSB0``, ``serial:/dev/ttyUSB0,57600``."""


def open_reader(spec: str) -> FingerReader:
    """Return the reader named `spec`.

    Raises:
        ReaderUnknown: no such kind, path or baud rate.
        Unplugged, Silent, Garbled, Refused: it does not answer as such a reader does.
    """
    if spec == "simulated":
        return SimulatedReader()
    kind, colon, rest = spec.partition(":")
    port, comma, baud = rest.partition(",")
    if kind != "serial" or not colon or not port.startswith("/") or "\0" in port:
        raise ReaderUnknown(f"{spec[:_SHOWN]!r}: wanted simulated, or serial:/dev/ttyUSB0[,57600]")
    if not comma:
        return SerialReader(port)
    if baud not in {str(known) for known in BAUDS}:
        raise ReaderUnknown(f"{baud[:_SHOWN]!r} is not a baud rate of such a module")
    return SerialReader(port, baud=int(baud))
