"""Starts one kiosk: `python -m kiosk`, its settings in THUNHAN_KIOSK_... (see `settings`).

It is the only place where devices, threads, keys and clocks meet.
"""

import logging
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache, partial
from typing import Protocol

import cv2
from werkzeug.serving import make_server

from biometrics.capture import Finding
from biometrics.face import liveness, ofiq
from biometrics.face.images import ImageRefused
from biometrics.face.judge import PortraitJudge
from biometrics.face.live import LiveJudge
from biometrics.face.shutter import Shot
from biometrics.face.sight import Networks
from biometrics.finger.judge import FingerJudge
from hardware.camera.port import Camera
from hardware.codes.open import open_code_reader
from hardware.finger.port import FingerReader
from hardware.iris.port import IrisReader
from kiosk import clock
from kiosk.booth import CAMERA, IRIS, READER, Booth
from kiosk.clock import HERE
from kiosk.codes import NO_SCANNER, Scanner
from kiosk.departures import Departures
from kiosk.device import Device, DeviceKeyUnfit
from kiosk.doctor import record
from kiosk.errands import Errands
from kiosk.eyes import IrisTaker
from kiosk.fingers import FingerTaker
from kiosk.fittings import Clock, Fittings
from kiosk.journal import Journal
from kiosk.officers import Desk
from kiosk.outbox import Outbox, OutboxBusy
from kiosk.paper import NO_PRINTER, Paper
from kiosk.portrait import Lens, Watch
from kiosk.readers import NONE as NO_READER
from kiosk.readers import SITTER, Readers
from kiosk.receipts import ReceiptKeyUnfit, pinned_key
from kiosk.references import FOLDER as REFERENCES
from kiosk.references import References, officers_key
from kiosk.rehearsal import Rehearsal, Role
from kiosk.screens import BUSY, SCANNING
from kiosk.settings import Settings, SettingsMissing
from kiosk.sitting import Attending, Judges
from kiosk.speech import FOLDER, Speech
from kiosk.station import StationMemory
from kiosk.steps import SENSES, number_of
from kiosk.uplink import Uplink
from kiosk.uploader import Uploader
from kiosk.visit import Closed, CurrentVisit
from kiosk.web.app import kiosk_app

log = logging.getLogger("kiosk")

SOFTWARE = "thunhan-kiosk 0.1.0"
TICK = 0.25
LOOK_EVERY = 30.0
"""Seconds between two looks for what other kiosks of the station have seen, and for the night."""


class _Devices:
    """Opens camera, reader and scanner, and seats whoever plays the citizen before stand-ins."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._readers = Readers(settings, clock.now)
        self.rehearsal: Rehearsal | None = None

    @property
    def simulated(self) -> bool:
        return self._readers.simulated

    @property
    def role(self) -> Role:
        seed = self._settings.camera.removeprefix(SITTER)
        return Role(person=int(seed)) if seed.isdigit() else Role()

    def camera(self) -> Camera:
        camera = self._readers.camera()
        sitter = self._readers.sitter(camera)
        if sitter is not None and self.rehearsal is not None:
            self.rehearsal.seat(sitter)
        return camera

    def reader(self) -> FingerReader:
        reader = self._readers.fingers()
        hand = self._readers.hand(reader)
        if hand is not None and self.rehearsal is not None:
            self.rehearsal.lay(hand)
        return reader

    def scanner(self) -> IrisReader:
        eyes = self._readers.eyes()
        if eyes is not None and self.rehearsal is not None:
            self.rehearsal.look_into(eyes)
        return self._readers.irises()

    def close(self) -> None:
        self._readers.close()


class _Part(Protocol):
    def start(self) -> None: ...

    def stop(self) -> None: ...


def _spawn(work: Callable[[], None]) -> None:
    threading.Thread(target=work, daemon=True).start()


@cache
def _networks() -> Networks:
    # The camera's watching thread alone uses them, so that all judges share one set.
    return Networks.load()


def _judges(profile: str) -> Judges:
    networks = _networks()
    return Judges(live=LiveJudge(profile, networks), full=PortraitJudge(profile, networks))


def _attend(visit: str, shot: Shot) -> Attending:
    seed = liveness.new_seed()
    return liveness.Attendance(seed, liveness.challenge(visit, seed), shot.verdict, shot.pixels)


def _reference(image: bytes) -> tuple[Finding, ...]:
    if not ofiq.available():
        return ()
    try:
        return ofiq.findings(image)
    except (ofiq.NoReference, ImageRefused):
        log.exception("the reference implementation said nothing of a portrait")
        return ()


def run(settings: Settings) -> None:
    """Run the kiosk until it is told to end.

    Raises:
        DeviceKeyUnfit, ReceiptKeyUnfit: the data folder lacks a key.
        OutboxBusy: another kiosk uses the folder.
    """
    # A frame takes one core 25 ms; two threads of OpenCV's would wait for each other, and for
    # whoever else has a core, in each of its steps.
    cv2.setNumThreads(1)
    device = Device.load(settings.data)
    receipt_key = pinned_key(settings.data)
    with ExitStack() as stack:
        outbox = stack.enter_context(Outbox(settings.data / "outbox", device))
        uplink = stack.enter_context(Uplink(settings.server, device, receipt_key, clock=clock.now))
        departures = Departures(settings.data / "departures")
        memory = StationMemory(settings.data, receipt_key)
        errands = Errands(uplink, memory, departures)
        uploader = Uploader(outbox, uplink, clock=clock.now)
        devices = _Devices(settings)
        stack.callback(devices.close)
        references = References(
            settings.references or settings.data / REFERENCES,
            settings.data,
            officers_key(device.key),
        )
        booth = _booth(settings, devices, outbox, uplink, departures, errands, references, stack)
        rehearsal = devices.rehearsal
        app = kiosk_app(booth, name=settings.name, rehearsal=rehearsal)
        server = make_server("127.0.0.1", settings.port, app, threaded=True)
        fittings = booth.fittings
        fittings.speech.prepare_beside()
        parts: list[_Part] = [errands, uploader, fittings.lens, fittings.watch, fittings.taker]
        more = (fittings.paper, fittings.scanner, fittings.irises)
        parts += [part for part in more if part is not None]
        if rehearsal is not None:
            parts.append(rehearsal)
        for part in parts:
            part.start()
            stack.callback(part.stop)
        over = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: over.set())
        threading.Thread(target=server.serve_forever, name="page", daemon=True).start()
        stack.callback(server.shutdown)
        log.info("%s: http://127.0.0.1:%d", settings.name, settings.port)
        last = record.last(settings.data)
        if last is None or last.due(clock.now()):
            log.warning("not examined today: http://127.0.0.1:%d/doctor", settings.port)
        looked = -LOOK_EVERY
        while not over.wait(TICK):
            booth.tick()
            if clock.monotonic() - looked >= LOOK_EVERY:
                looked = clock.monotonic()
                _look_up(references, errands)


def _look_up(references: References, errands: Errands) -> None:
    references.refresh(clock.now().astimezone(HERE).date())
    try:
        references.retire({one.officer for one in errands.officers()})
    except OSError:
        log.exception("an officer who left could not be forgotten yet")


def _paper(settings: Settings, told: Callable[[], None]) -> Paper | None:
    return None if settings.printer == NO_PRINTER else Paper(settings.printer, told)


def _scanner(settings: Settings, report: Callable[[str], None]) -> Scanner | None:
    if settings.code_reader == NO_SCANNER:
        return None
    return Scanner(partial(open_code_reader, settings.code_reader), report)


def _booth(
    settings: Settings,
    devices: _Devices,
    outbox: Outbox,
    uplink: Uplink,
    departures: Departures,
    errands: Errands,
    references: References,
    stack: ExitStack,
) -> Booth:
    def sealed(visit: str) -> Closed | None:
        entry = outbox.of_visit(visit)
        known = errands.known
        if entry is None or known is None:
            return None
        return Closed(number=number_of(known.station.code, entry.sequence), digest=entry.digest)

    # Devices report to a booth that is made of them; they are started once it stands.
    lens = Lens(devices.camera, lambda works: booth.told(CAMERA, working=works))
    taker = FingerTaker(devices.reader, lambda works: booth.told(READER, working=works))
    irises = None
    if settings.iris != NO_READER:
        irises = IrisTaker(devices.scanner, lambda works: booth.told(IRIS, working=works))
    visit = CurrentVisit(
        Journal(settings.data / "visit.journal"),
        at=clock.now(),
        sealed=sealed,
        left=departures.__contains__,
    )
    fittings = Fittings(
        settings=settings,
        clock=Clock(now=clock.now, monotonic=clock.monotonic, boot_id=clock.boot_id()),
        lens=lens,
        watch=Watch(lens),
        taker=taker,
        judges=cache(_judges),
        attend=_attend,
        reference=_reference if settings.reference else lambda _: (),
        speech=Speech(settings.data / FOLDER),
        finger_judge=stack.enter_context(FingerJudge()),
        references=references,
        irises=irises,
        server=uplink,
        outbox=outbox,
        departures=departures,
        errands=errands,
        desk=Desk(errands.officers),
        software=SOFTWARE,
        spawn=_spawn,
        paper=_paper(settings, lambda: booth.changed()),  # noqa: PLW0108 - it is made of this
        scanner=_scanner(settings, lambda text: SENSES.scanned(booth, text)),
    )
    booth = Booth(fittings, visit, senses=SENSES)
    if devices.simulated:
        devices.rehearsal = Rehearsal(
            taker, lambda: booth.screen in SCANNING | BUSY, devices.role, booth.asked
        )
    return booth


def main() -> int:
    """Run the kiosk of this environment."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    for noisy in ("werkzeug", "httpx"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        run(Settings.from_environment())
    except (SettingsMissing, DeviceKeyUnfit, ReceiptKeyUnfit, OutboxBusy, OSError) as error:
        sys.stderr.write(f"kiosk: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
