"""The examination of what lies between kiosk and server: outbox, keys, line, networks.

It sends no capture and settles nothing.
"""

import platform
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import httpx

from biometrics.face import models
from biometrics.finger import extractor
from biometrics.words import Text
from kiosk.device import Device, DeviceKeyUnfit
from kiosk.doctor.check import Check, Figure, State, detail, doctor_words, found
from kiosk.errands import Server
from kiosk.ledger import Ledger
from kiosk.receipts import ReceiptKeyUnfit, pinned_key
from kiosk.station import StationMemory
from kiosk.uplink import NoNetwork, Refused, UplinkError

OLD_AFTER: Final = timedelta(hours=12)
"""What waits longer than overnight waits for somebody."""
SOON: Final = timedelta(days=7)
_TIMEOUT: Final = 5.0
_SOFTWARE: Final = {
    "opencv-python-headless": "OpenCV",
    "onnxruntime": "ONNX Runtime",
    "nbis-py": "NFIQ 2 (nbis-py)",
}
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What was found of the line to the server.

    Attributes:
        offset: seconds by which our clock is ahead of the server's, None where it said nothing.
    """

    check: Check
    offset: float | None


def examine_outbox(ledger: Path, *, now: datetime) -> Check:
    """Return what waits to be sent."""
    if not ledger.is_file():
        return found("outbox", State.OK, "outbox.ok")
    try:
        opened = Ledger(ledger)
        try:
            waiting = opened.waiting()
        finally:
            opened.close()
    except (sqlite3.Error, ValueError):
        return found("outbox", State.BROKEN, "outbox.broken")
    if not waiting:
        return found("outbox", State.OK, "outbox.ok")
    oldest = now - min(entry.sealed_at for entry in waiting)
    refused = sum(entry.refusal is not None for entry in waiting)
    hours = max(0, round(oldest / timedelta(hours=1)))
    figures = (
        Figure(name="waiting", value=len(waiting)),
        Figure(name="oldest", value=hours, unit="h"),
        Figure(name="refused", value=refused),
    )
    if refused:
        return found("outbox", State.ATTENTION, "outbox.refused", *figures, n=refused)
    if oldest >= OLD_AFTER:
        return found("outbox", State.ATTENTION, "outbox.old", *figures, n=len(waiting), hours=hours)
    return found("outbox", State.OK, "outbox.waiting", *figures, n=len(waiting))


def examine_keys(data: Path, *, now: datetime) -> Check:
    """Return whether the kiosk could sign, seal and know its server."""
    try:
        device = Device.load(data)
    except DeviceKeyUnfit as error:
        return found("keys", State.BROKEN, "keys.device", detail(error))
    figures = [Figure(name="device", value=device.id[:16])]
    try:
        receipt = pinned_key(data)
    except ReceiptKeyUnfit as error:
        return found("keys", State.BROKEN, "keys.receipt", *figures, detail(error))
    known = StationMemory(data, receipt).recall()
    if known is None:
        return found("keys", State.BROKEN, "keys.unknown", *figures)
    until = known.station.keys.not_after
    figures += [
        Figure(name="sealing", value=known.keys.kid),
        Figure(name="until", value=f"{until:%d/%m/%Y}"),
    ]
    left = until - now
    if left <= timedelta(0):
        return found("keys", State.BROKEN, "keys.over", *figures)
    if left < SOON:
        return found("keys", State.ATTENTION, "keys.soon", *figures, days=left.days)
    return found("keys", State.OK, "keys.ok", *figures, days=left.days)


def examine_line(
    server: Server | None,
    address: str,
    *,
    clock: Clock,
    transport: httpx.BaseTransport | None = None,
) -> Line:
    """Return whether the server answers, knows this kiosk, and what time it has.

    Args:
        server: how the kiosk asks; None where it has no keys to ask with.
        address: of the server.
        clock: aware time.
        transport: what carries the question for the time; httpx's own where None.
    """
    offset = _offset(address, clock, transport)
    figures = [Figure(name="address", value=address)]
    if server is None:
        state = State.BROKEN if offset is None else State.ABSENT
        said = "server.away" if offset is None else "keys.unknown"
        return Line(check=found("server", state, said, *figures), offset=offset)
    began = time.monotonic()
    try:
        station = server.station()
    except Refused as error:
        sentence = doctor_words()["doctor.server.refused"]
        why = error.refusal.text
        check = replace(
            found("server", State.BROKEN, "server.refused", *figures, why=""),
            text=Text(vi=sentence.vi.format(why=why.vi), en=sentence.en.format(why=why.en)),
        )
    except NoNetwork:
        check = found("server", State.BROKEN, "server.away", *figures)
    except UplinkError:
        check = found("server", State.BROKEN, "server.foreign", *figures)
    else:
        took = round(1000 * (time.monotonic() - began))
        figures += [
            Figure(name="answered", value=took, unit="ms"),
            Figure(name="station", value=f"{station.code} {station.name}"),
        ]
        check = found("server", State.OK, "server.ok", *figures)
    return Line(check=check, offset=offset)


def _offset(address: str, clock: Clock, transport: httpx.BaseTransport | None) -> float | None:
    try:
        with httpx.Client(transport=transport, timeout=_TIMEOUT, trust_env=False) as client:
            before = clock()
            answer = client.head(address)
            after = clock()
        theirs = parsedate_to_datetime(answer.headers["Date"])
        # HTTP's dates are cut to whole seconds: half of one is lost on average.
        return ((before + (after - before) / 2) - theirs).total_seconds() - 0.5
    except (httpx.HTTPError, httpx.InvalidURL, KeyError, ValueError, TypeError):
        return None


def examine_models() -> Check:
    """Return whether every network is the one that was measured."""
    readers: dict[str, Callable[[], bytes]] = {
        name: partial(models.read, model) for name, model in models.MODELS.items()
    }
    readers["minutiae"] = extractor.network
    for name, read in readers.items():
        try:
            read()
        except RuntimeError:
            return found("models", State.BROKEN, "models.altered", name=name)
    figures = [
        Figure(name="networks", value=len(readers)),
        Figure(name="software", value=", ".join(_software())),
    ]
    return found("models", State.OK, "models.ok", *figures)


def _software() -> Iterator[str]:
    yield f"Python {platform.python_version()}"
    for distribution, name in _SOFTWARE.items():
        try:
            yield f"{name} {version(distribution)}"
        except PackageNotFoundError:
            continue
