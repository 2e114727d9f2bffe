"""One examination of the whole kiosk, part by part; a part that falls takes no other with it."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from kiosk.device import Device, DeviceKeyUnfit
from kiosk.doctor import camera, machine, office, peripherals, reader
from kiosk.doctor.check import Check, State, detail, found
from kiosk.doctor.devices import Devices, Opened
from kiosk.errands import Server
from kiosk.readers import Readers
from kiosk.receipts import ReceiptKeyUnfit, pinned_key
from kiosk.settings import Settings
from kiosk.uplink import Uplink

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]
Part = Callable[[], tuple[Check, ...]]


def run(
    settings: Settings,
    *,
    clock: Clock,
    devices: Devices | None = None,
    server: Server | None = None,
    free: Callable[[], bool] = lambda: True,
) -> tuple[Check, ...]:
    """Return what was found of every part, in the order in which somebody would mend them.

    Args:
        settings: of the kiosk.
        clock: aware time.
        devices: lent by a running kiosk; opened for this where None.
        server: asked by a running kiosk; a connection for this where None.
        free: asked before each device: whether nobody is at the kiosk.
    """
    with _opened(settings, clock, devices) as lent:
        return tuple(_checks(settings, clock, lent, server, free))


def _checks(
    settings: Settings,
    clock: Clock,
    lent: Devices,
    server: Server | None,
    free: Callable[[], bool],
) -> Iterator[Check]:
    ledger = settings.data / "outbox" / "outbox.db"
    now = clock()
    parts: list[tuple[str, bool, Part]] = [
        ("camera", True, lambda: camera.examine(lent)),
        ("reader", True, lambda: reader.examine_reader(lent)),
        ("iris", True, lambda: (peripherals.examine_irises(settings, lent),)),
        ("scanner", True, lambda: (peripherals.examine_scanner(settings, lent),)),
        ("printer", True, lambda: (peripherals.examine_printer(settings, lent),)),
        ("plugged", False, lambda: (peripherals.examine_ports(settings),)),
        ("server", False, lambda: _line(settings, server, clock)),
        ("keys", False, lambda: (office.examine_keys(settings.data, now=now),)),
        ("outbox", False, lambda: (office.examine_outbox(ledger, now=now),)),
        (
            "disk",
            False,
            lambda: (machine.examine_disk(settings.data, ledger, settings.least_free),),
        ),
        ("models", False, lambda: (office.examine_models(),)),
        ("memory", False, lambda: (machine.examine_memory(),)),
        ("heat", False, lambda: (machine.examine_heat(),)),
    ]
    for name, device, part in parts:
        yield from _guarded(name, part) if not device or free() else _skipped(name)


@contextmanager
def _opened(settings: Settings, clock: Clock, devices: Devices | None) -> Iterator[Devices]:
    if devices is not None:
        yield devices
        return
    readers = Readers(settings, clock)
    try:
        yield Opened(settings=settings, readers=readers)
    finally:
        readers.close()


def _skipped(name: str) -> tuple[Check, ...]:
    return (found(name, State.ABSENT, "skipped"),)


def _guarded(name: str, part: Part) -> tuple[Check, ...]:
    try:
        return part()
    except Exception as error:
        # Whatever falls here is a finding of this examination, and not its end.
        log.exception("the examination of %s fell", name)
        return (found(name, State.BROKEN, "fell", detail(error)),)


def _line(settings: Settings, server: Server | None, clock: Clock) -> tuple[Check, ...]:
    with _asking(settings, server, clock) as asked:
        line = office.examine_line(asked, settings.server, clock=clock)
    return (line.check, machine.examine_clock(machine.discipline(), line.offset))


@contextmanager
def _asking(settings: Settings, server: Server | None, clock: Clock) -> Iterator[Server | None]:
    if server is not None:
        yield server
        return
    try:
        device, key = Device.load(settings.data), pinned_key(settings.data)
    except (DeviceKeyUnfit, ReceiptKeyUnfit):
        # What is wrong with them is said where the keys are examined.
        yield None
        return
    with Uplink(settings.server, device, key, clock=clock) as uplink:
        yield uplink
