"""The examination of what is beside: the ports of the machine, iris and code scanners, the printer.

A kiosk serves without them; none of them is ever `BROKEN` alone.
"""

from pathlib import Path
from typing import Final

from hardware.errors import Broken
from hardware.printer.port import Roll
from kiosk.doctor.check import Check, Figure, State, detail, found
from kiosk.doctor.devices import Devices
from kiosk.settings import Settings

PLACES: Final = (
    ("port", "serial/by-id/*"),
    ("port", "ttyUSB*"),
    ("port", "ttyACM*"),
    ("video", "v4l/by-id/*"),
    ("video", "video*"),
    ("input", "input/by-id/*-event-kbd"),
    ("paper", "usb/lp*"),
)
"""Where Linux puts devices, names that stay before those that change."""
_NONE: Final = "none"
_CHANGING: Final = ("/dev/ttyUSB", "/dev/ttyACM", "/dev/input/event")
_MOST: Final = 24


def examine_ports(settings: Settings, dev: Path = Path("/dev")) -> Check:
    """Return what is plugged in, each once, by the name that stays."""
    seen: set[Path] = set()
    figures: list[Figure] = []
    for kind, pattern in PLACES:
        for path in sorted(dev.glob(pattern)):
            real = path.resolve()
            if real not in seen:
                seen.add(real)
                named = path if path == real else f"{path.name} → {real.name}"
                figures.append(Figure(name=kind, value=str(named)))
    for spec in (settings.reader, settings.code_reader, settings.printer):
        named_by = spec.partition(":")[2].partition(",")[0]
        if named_by.startswith(_CHANGING):
            return found(
                "plugged", State.ATTENTION, "plugged.name", *figures[:_MOST], path=named_by
            )
    if not figures:
        return found("plugged", State.ABSENT, "plugged.none")
    return found("plugged", State.OK, "plugged.ok", *figures[:_MOST])


def examine_irises(settings: Settings, devices: Devices) -> Check:
    """Return what was found of the iris scanner."""
    if settings.iris == _NONE:
        return found("iris", State.ABSENT, "iris.none")
    try:
        info = devices.irises()
    except Broken as error:
        return found("iris", State.ATTENTION, "iris.missing", detail(error))
    figures = (Figure(name="name", value=info.name), Figure(name="serial", value=info.serial))
    return found("iris", State.OK, "iris.ok", *figures, simulated=info.simulated)


def examine_scanner(settings: Settings, devices: Devices) -> Check:
    """Return what was found of the scanner."""
    if settings.code_reader == _NONE:
        return found("scanner", State.ABSENT, "scanner.none")
    try:
        info = devices.scanner()
    except Broken as error:
        why = detail(error)
        return found("scanner", State.ATTENTION, "scanner.missing", why)
    figures = (Figure(name="name", value=info.name), Figure(name="port", value=info.path))
    return found("scanner", State.OK, "scanner.ok", *figures, simulated=info.simulated)


def examine_printer(settings: Settings, devices: Devices) -> Check:
    """Return what was found of the printer and its paper."""
    if settings.printer == _NONE:
        return found("printer", State.ABSENT, "printer.none")
    try:
        info, status = devices.printer()
    except Broken as error:
        why = detail(error)
        return found("printer", State.ATTENTION, "printer.missing", why)
    figures = (
        Figure(name="name", value=info.name),
        Figure(name="width", value=info.width, unit="dot"),
    )
    if status is None:
        said, state = "silent", State.ABSENT
    elif status.hindrance is not None:
        said, state = status.hindrance.value, State.ATTENTION
    elif status.roll is Roll.NEAR_END:
        said, state = "near_end", State.ATTENTION
    else:
        said, state = "ok", State.OK
    return found("printer", state, f"printer.{said}", *figures, simulated=info.simulated)
