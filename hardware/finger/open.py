"""Opening a fingerprint reader by its name: a module on a serial port, libfprint's, or a stand-in.

It knows no more of them than how they are named.
"""

from collections.abc import Callable
from typing import Final

from hardware.finger.commands import BAUDS
from hardware.finger.port import FingerReader
from hardware.finger.serial_module import SerialReader
from hardware.finger.simulated_reader import SimulatedReader
from hardware.libfprint.reader import LibfprintReader
from hardware.libfprint.simulated import SimulatedLibfprint

_SHOWN: Final = 80
_WANTED: Final = (
    "wanted serial:/dev/ttyUSB0[,57600], libfprint[:device], simulated or libfprint-simulated"
)


class ReaderUnknown(ValueError):
    """The name is not one of those in `open_reader`."""


def open_reader(spec: str) -> FingerReader:
    """Return the reader named `spec`.

    ``serial:/dev/ttyUSB0``, ``serial:/dev/ttyUSB0,57600``, ``libfprint``, ``libfprint:<its id>``,
    and the stand-ins ``simulated`` and ``libfprint-simulated``.

    Raises:
        ReaderUnknown: no such kind, path or baud rate.
        Unplugged, Silent, Garbled, Refused: it does not answer as such a reader does.
    """
    kind, colon, rest = spec.partition(":")
    make = _KINDS.get(kind if colon else spec)
    if make is None or (colon and (not rest or kind in _BARE)) or "\0" in rest:
        raise ReaderUnknown(f"{spec[:_SHOWN]!r}: {_WANTED}")
    return make(rest)


def _serial(rest: str) -> FingerReader:
    port, comma, baud = rest.partition(",")
    if not port.startswith("/"):
        raise ReaderUnknown(f"{port[:_SHOWN]!r} is no path of a port; {_WANTED}")
    if not comma:
        return SerialReader(port)
    if baud not in {str(known) for known in BAUDS}:
        raise ReaderUnknown(f"{baud[:_SHOWN]!r} is not a baud rate of such a module")
    return SerialReader(port, baud=int(baud))


_KINDS: Final[dict[str, Callable[[str], FingerReader]]] = {
    "serial": _serial,
    "libfprint": LibfprintReader,
    "simulated": lambda _: SimulatedReader(),
    "libfprint-simulated": lambda _: SimulatedLibfprint(),
}
_BARE: Final = frozenset({"simulated", "libfprint-simulated"})
