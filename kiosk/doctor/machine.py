"""The examination of the machine: clock, room on the disk, memory, heat.

What the system does not say could not be assessed; it is not taken for good.
"""

import ctypes
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kiosk.doctor.check import Check, Figure, State, found
from kiosk.ledger import Ledger

_MIB: Final = 1024 * 1024
_GIB: Final = 1024 * _MIB
_PER_PERSON: Final = 6 * _MIB
"""Bytes, until a kiosk has packets of its own: the capture that `benchmarks/seal.py` seals."""
FEW_PEOPLE: Final = 300
"""People: a day of a busy station (domain: 250) that may have to wait for the line."""
LITTLE_MEMORY: Final = 500 * _MIB
"""Bytes free: judging portraits takes 194 MiB (docs/portrait.md), and fingers are judged beside."""
HOT_FROM: Final = 80.0
"""Degrees Celsius: processors slow down from 85 to 100."""
AHEAD: Final = 60.0
BEHIND: Final = 300.0
"""Seconds that the server bears in a request's time: see its gate."""
OFF_FROM: Final = 5.0
_UNSYNCHRONISED: Final = 0x0040
"""STA_UNSYNC of adjtimex(2)."""


class _Timex(ctypes.Structure):
    """``struct timex`` of adjtimex(2)."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        *((name, ctypes.c_long) for name in ("offset", "freq", "maxerror", "esterror")),
        ("status", ctypes.c_int),
        *((name, ctypes.c_long) for name in ("constant", "precision", "tolerance")),
        ("seconds", ctypes.c_long),
        ("microseconds", ctypes.c_long),
        ("rest", ctypes.c_long * 32),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Discipline:
    """What the kernel says of its clock.

    Attributes:
        synchronised: something (NTP, PTP) keeps it right.
        error: seconds it may be wrong by, as the kernel estimates.
    """

    synchronised: bool
    error: float


def discipline() -> Discipline | None:
    """Return what the kernel says of its clock, None where it says nothing."""
    try:
        library = ctypes.CDLL(None, use_errno=True)
        answer = _Timex()
        state = library.adjtimex(ctypes.byref(answer))
    except (OSError, AttributeError):
        return None
    if state < 0:
        return None
    return Discipline(
        synchronised=not answer.status & _UNSYNCHRONISED, error=answer.esterror / 1_000_000
    )


def examine_clock(kept: Discipline | None, offset: float | None) -> Check:
    """Return what was found of the clock.

    Args:
        kept: what the kernel says.
        offset: seconds by which it is ahead of the server's; None where that is unknown.
    """
    figures = []
    if kept is not None:
        figures.append(Figure(name="synchronised", value="NTP" if kept.synchronised else "–"))
        if kept.synchronised:
            figures.append(Figure(name="deviation", value=round(1000 * kept.error, 1), unit="ms"))
    if offset is not None:
        figures.append(Figure(name="offset", value=round(offset), unit="s"))
        if not -BEHIND < offset < AHEAD:
            seconds = round(offset)
            return found("clock", State.BROKEN, "clock.wrong", *figures, seconds=seconds)
        if abs(offset) >= OFF_FROM:
            seconds = round(offset)
            return found("clock", State.ATTENTION, "clock.off", *figures, seconds=seconds)
    if kept is not None and not kept.synchronised:
        return found("clock", State.ATTENTION, "clock.free", *figures)
    if offset is None:
        return found("clock", State.ABSENT, "clock.alone", *figures)
    return found("clock", State.OK, "clock.ok", *figures)


def examine_disk(data: Path, ledger: Path, least_free: int) -> Check:
    """Return for how many people there is room on the disk of `data`.

    Args:
        data: the kiosk's data folder.
        ledger: the outbox's database, whose packets say what a person takes.
        least_free: bytes that must stay free; see the settings.
    """
    try:
        disk = os.statvfs(data)
    except OSError:
        return found("disk", State.BROKEN, "disk.unknown", path=data)
    free = disk.f_bavail * disk.f_frsize
    sizes = _sizes(ledger)
    each = sum(sizes) / len(sizes) if sizes else _PER_PERSON
    people = max(0, int((free - least_free) // each))
    figures = (
        Figure(name="people", value=people),
        Figure(name="free", value=round(free / _GIB, 1), unit="GB"),
        Figure(name="each", value=round(each / _MIB, 2), unit="MB"),
        Figure(name="measured", value=len(sizes)),
    )
    if not people:
        return found("disk", State.BROKEN, "disk.full", *figures)
    if people < FEW_PEOPLE:
        return found("disk", State.ATTENTION, "disk.low", *figures, people=people)
    return found("disk", State.OK, "disk.ok", *figures, people=people)


def _sizes(path: Path) -> list[int]:
    if not path.is_file():
        return []
    try:
        ledger = Ledger(path)
    except sqlite3.Error:
        return []
    try:
        return [entry.size for entry in ledger.all()]
    except sqlite3.Error:
        return []
    finally:
        ledger.close()


def examine_memory(path: Path = Path("/proc/meminfo")) -> Check:
    """Return how much memory is free."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()
        kilobytes = {
            name: int(rest.split()[0]) for name, _, rest in (x.partition(":") for x in lines)
        }
        free, total = (kilobytes[name] * 1024 for name in ("MemAvailable", "MemTotal"))
    except (OSError, ValueError, KeyError, IndexError):
        return found("memory", State.ABSENT, "memory.unknown")
    figures = (
        Figure(name="free", value=round(free / _GIB, 1), unit="GB"),
        Figure(name="total", value=round(total / _GIB, 1), unit="GB"),
    )
    if free < LITTLE_MEMORY:
        return found("memory", State.ATTENTION, "memory.low", *figures)
    return found("memory", State.OK, "memory.ok", *figures)


def examine_heat(thermal: Path = Path("/sys/class/thermal")) -> Check:
    """Return how hot the hottest place with a sensor is."""
    degrees = []
    for path in sorted(thermal.glob("thermal_zone*/temp")):
        try:
            degrees.append(int(path.read_text(encoding="ascii")) / 1000)
        except (OSError, ValueError):
            # Some zones have no reading while their part sleeps.
            continue
    if not degrees:
        return found("heat", State.ABSENT, "heat.unknown")
    figure = Figure(name="heat", value=round(max(degrees)), unit="°C")
    if max(degrees) >= HOT_FROM:
        return found("heat", State.ATTENTION, "heat.hot", figure)
    return found("heat", State.OK, "heat.ok", figure)
