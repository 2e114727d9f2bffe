"""A booth in earnest before a simulated sitter: camera, judges, coach, voice and page all run."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from werkzeug.serving import make_server

from biometrics.face import liveness
from biometrics.face.judge import PortraitJudge
from biometrics.face.live import LiveJudge
from biometrics.face.shutter import Shot
from hardware.camera.port import Camera
from hardware.camera.sitter import SitterCamera
from kiosk.rehearsal import Rehearsal, Role
from kiosk.screens import BUSY, SCANNING, Screen
from kiosk.sitting import Attending, Judges
from kiosk.web.app import kiosk_app
from tests.kiosk_stage import Stage, Time, until

TICK = 0.25


class RealTime(Time):
    """This machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - an entry point of its own

    def monotonic(self) -> float:
        return time.monotonic()


class LiveStage(Stage):
    """One kiosk whose sitter does what the screen asks, once told to."""

    def __init__(self, folder: Path, *, person: int = 1) -> None:
        self.person = person
        super().__init__(folder)

    def start(self) -> None:
        super().start()
        self.rehearsal = Rehearsal(
            self.taker,
            lambda: self.booth.screen in SCANNING | BUSY,
            Role(person=self.person, finger=0),
            self.booth.asked,
        )
        self.booth.fittings.speech.prepare()
        app = kiosk_app(self.booth, name="Máy 1", rehearsal=self.rehearsal)
        self.page = make_server("127.0.0.1", 0, app, threaded=True)
        self.url = f"http://127.0.0.1:{self.page.server_port}"
        for part in (self.lens, self.watch, self.rehearsal):
            part.start()
            self._stack.callback(part.stop)
        self._over = threading.Event()
        threading.Thread(target=self.page.serve_forever, daemon=True).start()
        threading.Thread(target=self._tick, daemon=True).start()
        self._stack.callback(self.page.server_close)
        self._stack.callback(self.page.shutdown)
        self._stack.callback(self._over.set)

    def to_confirm(self) -> None:
        super().to_confirm()
        until(lambda: self.shows(Screen.CONFIRM))

    def _tick(self) -> None:
        while not self._over.wait(TICK):
            self.booth.tick()

    def _clock(self) -> Time:
        return RealTime()

    def _judges(self, profile: str) -> Judges:
        return Judges(live=LiveJudge(profile), full=PortraitJudge(profile))

    def _attend(self, visit: str, shot: Shot) -> Attending:
        self.attended.append((visit, shot))
        seed = liveness.new_seed()
        return liveness.Attendance(seed, liveness.challenge(visit, seed), shot.verdict, shot.pixels)

    def _spawn(self, work: Callable[[], None]) -> None:
        threading.Thread(target=work, daemon=True).start()

    def _camera(self) -> Camera:
        camera = SitterCamera(self.person)
        self.rehearsal.seat(camera)
        return camera
