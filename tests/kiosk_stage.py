"""A booth with scripted devices, server and clock: what a citizen does is one call."""

import base64
import queue
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import cv2
import numpy as np
from argon2 import PasswordHasher
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from numpy.typing import NDArray
from werkzeug.test import TestResponse

from biometrics.capture import Finding, Liveness
from biometrics.face.judge import Verdict
from biometrics.face.liveness import Progress
from biometrics.face.shutter import Shot
from biometrics.finger.hints import FingerHint
from biometrics.finger.judge import Seen
from biometrics.finger.minutiae import Minutiae
from biometrics.finger.quality import Quality
from biometrics.finger.visit import Offered
from biometrics.seal.keys import PrivateKeys
from hardware.camera.port import Camera, CameraInfo, Frame
from hardware.camera.sitter import Behaviour
from hardware.errors import Broken, Unplugged
from hardware.finger.port import Impression, NoImage, Preview, ReaderInfo, Touch, Wanted
from hardware.iris.port import Eye, IrisInfo, IrisPicture
from hardware.iris.port import NoImage as IrisNoImage
from kiosk.actions import act
from kiosk.booth import CAMERA, IRIS, READER, Booth
from kiosk.departures import Departures
from kiosk.device import Device
from kiosk.errands import Errands
from kiosk.eyes import IrisTaker
from kiosk.fingers import FingerTaker
from kiosk.fittings import Clock, Fittings
from kiosk.journal import Journal
from kiosk.officers import Desk
from kiosk.outbox import Outbox
from kiosk.portrait import Lens, Watch
from kiosk.protocol import (
    BothLanguages,
    CheckIn,
    LeaveVisit,
    Refusal,
    RosterOfficer,
    SealingKeys,
    Station,
    Visit,
)
from kiosk.receipts import message_of
from kiosk.references import FOLDER as REFERENCES
from kiosk.references import References, officers_key
from kiosk.screens import Screen
from kiosk.settings import Settings
from kiosk.sitting import STEADY, Attending, Judges
from kiosk.speech import FOLDER, Speech
from kiosk.station import StationMemory
from kiosk.steps import SENSES, number_of
from kiosk.uplink import NoNetwork, Refused
from kiosk.visit import Closed, CurrentVisit
from kiosk.web.app import kiosk_app
from tests import faces

if TYPE_CHECKING:
    from flask.testing import FlaskClient

AT = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
TICKET = "ABCD2345EFGHT"
NAME = "Nguyễn Thị Giả Định"
PIN = "246810"
BLANK = 0
POOR = 10
WIDTH, HEIGHT = 300, 340
SINGLE = frozenset({Touch.SINGLE})
ALL = frozenset(Touch)
GOOD = faces.frame(1)
FAR = faces.frame(1, Behaviour.FAR)


@cache
def pin_hash() -> str:
    return PasswordHasher(time_cost=1, memory_cost=64).hash(PIN)


class Time:
    """A clock that stands until it is told to go on."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> datetime:
        return AT + timedelta(seconds=self.seconds - 1000)

    def monotonic(self) -> float:
        return self.seconds


def visit_of(**changes: object) -> Visit:
    both = BothLanguages(vi="Cấp đổi thẻ căn cước", en="Exchange of the card")
    fields: dict[str, Any] = {
        "visit_id": uuid4(),
        "dossier": "DEMO.01-261124-000123",
        "appointment": UUID("5f0c7a32-93f5-4a55-8cb1-1f0d4a3b2c11"),
        "station": "S01",
        "name": NAME,
        "birth_date": "05/09/1990",
        "purpose": both,
        "starts_at": AT,
        "plan": {
            "portrait_profile": "can-cuoc",
            "fingers": (1, 2),
            "impressions": ("plain",),
            "irises": False,
            "tries": 2,
            "accept_at": 50,
            "keep_from": 30,
        },
        "notice": {"version": "2026-07", "sha256": "ab" * 32, "text": both},
    }
    return Visit.model_validate({**fields, **changes})


@dataclass
class FakeServer:
    """The transport's other end, as an object."""

    keys: SealingKeys
    answer: Visit | Exception = field(default_factory=visit_of)
    down: bool = False
    asked: list[CheckIn] = field(default_factory=list)
    departed: list[LeaveVisit] = field(default_factory=list)
    no_leave: Refused | None = None

    def station(self) -> Station:
        self._reach()
        officer = RosterOfficer(officer="cb01", name="Lê Văn An", pin_hash=pin_hash())
        return Station(code="S01", name="Giả Định", keys=self.keys, officers=(officer,))

    def check_in(self, who: CheckIn) -> Visit:
        self._reach()
        self.asked.append(who)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def leave(self, leave: LeaveVisit) -> None:
        self._reach()
        if self.no_leave is not None:
            raise self.no_leave
        if leave.visit_id not in {one.visit_id for one in self.departed}:
            self.departed.append(leave)

    def _reach(self) -> None:
        if self.down:
            raise NoNetwork("the line is cut")


class FakeReader:
    """A glass that is pressed by a list."""

    def __init__(self, simulated: bool = True, takes: frozenset[Touch] = SINGLE) -> None:
        self.info = ReaderInfo(
            name="fake reader",
            serial="F1",
            simulated=simulated,
            width=WIDTH,
            height=HEIGHT,
            dpi=500,
            takes=takes,
        )
        self.touches: queue.Queue[tuple[Impression, ...] | NoImage | Broken] = queue.Queue()
        self.views: queue.Queue[NDArray[np.uint8]] = queue.Queue()
        """Live pictures that come before the next touch."""
        self.asked = threading.Event()
        """Set once a finger is awaited."""
        self.wanted: list[Wanted] = []

    def capture(
        self,
        wanted: Wanted,
        *,
        deadline: float,
        progress: Callable[[float], None] | None = None,
        preview: Preview | None = None,
    ) -> tuple[Impression, ...] | NoImage:
        self.wanted.append(wanted)
        self.asked.set()
        while preview is not None and not self.views.empty():
            preview(self.views.get())
        try:
            touch = self.touches.get(timeout=deadline)
        except queue.Empty:
            return NoImage.NO_FINGER
        if isinstance(touch, Broken):
            raise touch
        if isinstance(touch, NoImage):
            return touch
        if progress is not None:
            progress(0.5)
        if len(touch) == 1:
            # Of one finger a reader repeats what was asked.
            return (replace(touch[0], position=wanted.positions[0]),)
        return touch

    def wait_lifted(self, *, deadline: float) -> bool:
        return deadline > 0

    def close(self) -> None:
        self.touches.put(Unplugged("closed"))


class FakeScanner:
    """An iris scanner that sees by a list."""

    def __init__(self, *, both: bool = True) -> None:
        self.info = IrisInfo(name="fake scanner", serial="I1", simulated=True, both=both)
        self.looks: queue.Queue[tuple[Eye, ...] | Broken] = queue.Queue()
        """Which eyes are before it; none is nobody."""
        self.asked: list[tuple[Eye, ...]] = []

    def capture(
        self,
        eyes: tuple[Eye, ...],
        *,
        deadline: float,
        preview: Preview | None = None,  # noqa: ARG002 - it has no live picture
    ) -> tuple[IrisPicture, ...] | IrisNoImage:
        self.asked.append(eyes)
        try:
            seen = self.looks.get(timeout=deadline)
        except queue.Empty:
            return IrisNoImage.NO_EYE
        if isinstance(seen, Broken):
            raise seen
        pixels = np.full((48, 64), 90, np.uint8)
        return tuple(
            IrisPicture(eye=eye, pixels=pixels, claimed=80, at=0.0, serial="I1")
            for eye in seen
            if eye in eyes
        )

    def close(self) -> None:
        self.looks.put(Unplugged("closed"))


class FakeCamera:
    """Gives the frames it is given."""

    def __init__(self) -> None:
        self.info = CameraInfo(name="fake camera", simulated=True, width=1280, height=720)
        self.frames: queue.Queue[NDArray[np.uint8] | Broken] = queue.Queue()
        self.count = 0

    def read(self) -> Frame:
        frame = self.frames.get(timeout=30)
        if isinstance(frame, Broken):
            raise frame
        self.count += 1
        return Frame(pixels=frame, at=0.0, number=self.count)

    def close(self) -> None:
        self.frames.put(Unplugged("closed"))


class RememberingJudge:
    """The judge in earnest, asked once for each picture."""

    def __init__(self) -> None:
        self._said: dict[int, Verdict] = {}

    def judge(self, pixels: NDArray[np.uint8]) -> Verdict:
        if id(pixels) not in self._said:
            self._said[id(pixels)] = faces.judge().judge(pixels)
        return self._said[id(pixels)]

    def reset(self) -> None:
        """Nothing is followed from frame to frame."""


class Movements:
    """Two movements, each made once its frame was seen `MOVED` times."""

    MOVED = 3

    def __init__(self) -> None:
        self.actions = ("turn_left", "blink")
        self.seen = 0

    def feed(self, pixels: NDArray[np.uint8], verdict: Verdict, at: float) -> Progress:
        assert pixels.ndim == 3
        assert at >= 0
        self.seen += verdict.faces > 0
        made = min(self.seen // self.MOVED, len(self.actions))
        return Progress(
            action=self.actions[made] if made < len(self.actions) else None,
            number=made + 1,
            of=len(self.actions),
            share=(self.seen % self.MOVED) / self.MOVED,
            lost=not verdict.faces,
            done=made == len(self.actions),
        )

    def result(self) -> Liveness:
        made = min(self.seen // self.MOVED, len(self.actions))
        return Liveness(
            seed="0" * 32,
            actions=self.actions,
            met=(True,) * made,
            same_face=True,
            relief=None,
            seconds=1.5,
        )


def touch(*fingers: int, nfiq2: int = 70, poor: Collection[int] = ()) -> tuple[Impression, ...]:
    """A touch whose impressions say which finger they are of, and how good."""
    return tuple(impression(one, POOR if one in poor else nfiq2) for one in fingers)


def impression(finger: int, nfiq2: int = 70) -> Impression:
    """An impression that says which finger it is of, and how good it is; no two are the same."""
    pixels = np.full((HEIGHT, WIDTH), 255, np.uint8)
    pixels[0, :2] = (finger, nfiq2)
    pixels[1, :8] = np.frombuffer(next(_NUMBERS).to_bytes(8, "little"), np.uint8)
    return Impression(pixels=pixels, dpi=500, at=0.0, serial="F1", position=finger)


_NUMBERS = count(1)


class ReadingJudge:
    """Judges the impressions of `touch`."""

    def judge(self, pixels: NDArray[np.uint8], dpi: int) -> Seen:
        assert dpi == 500
        finger, nfiq2 = (int(value) for value in pixels[0, :2])
        quality = Quality(
            nfiq2=nfiq2,
            estimate=float(nfiq2),
            hint=None if nfiq2 > 40 else FingerHint.TOO_DRY,
            findings=(),
            finger=finger != BLANK,
        )
        rng = np.random.default_rng(finger)
        points = rng.uniform([9, 9, -np.pi, 0.6], [WIDTH - 9, HEIGHT - 9, np.pi, 1.0], (40, 4))
        return Seen(quality=quality, minutiae=Minutiae(points=points.astype(np.float32)))


def drawing(width: int = 800, height: int = 320, *, ink: bool = True) -> str:
    """What the canvas sends."""
    paper = np.full((height, width, 3), 255, np.uint8)
    if ink:
        line = np.array([[x, height // 2 + (x % 60) - 30] for x in range(80, width - 80, 15)])
        cv2.polylines(paper, [line], False, (0, 0, 0), 5)
    return "data:image/png;base64," + base64.b64encode(faces.png(paper)).decode()


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.005)


class Stage:
    """One kiosk in a folder; `start` after `stop` is a restart."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.time = self._clock()
        self.device = Device.create(folder)
        self.opening = PrivateKeys.create("k1")
        self._receipts = ec.generate_private_key(ec.SECP256R1())
        self.server = FakeServer(keys=self._signed_keys())
        self.least_free = 0
        self.liveness = True
        self.takes = SINGLE
        """What the reader can take."""
        self.iris = False
        """Whether there is an iris scanner."""
        self.both_eyes = True
        self.reference: tuple[Finding, ...] = ()
        self.attended: list[tuple[str, Shot]] = []
        """Whose movements were asked for, and after which shot."""
        self.start()

    def _signed_keys(self) -> SealingKeys:
        public = self.opening.public
        unsigned = SealingKeys(
            kid=public.kid,
            p256=base64.b64encode(public.p256).decode(),
            pq=base64.b64encode(public.pq).decode(),
            not_after=AT + timedelta(days=60),
            signature="",
        )
        signature = self._receipts.sign(message_of(unsigned), ec.ECDSA(hashes.SHA256()))
        return unsigned.model_copy(update={"signature": base64.b64encode(signature).decode()})

    def start(self) -> None:
        self._stack = ExitStack()
        self.outbox = self._stack.enter_context(Outbox(self.folder / "outbox", self.device))
        self.departures = Departures(self.folder / "departures")
        memory = StationMemory(self.folder, self._receipts.public_key())
        self.errands = Errands(self.server, memory, self.departures)
        self.errands.run()
        self.reader = FakeReader(takes=self.takes)
        self.references = References(
            self.folder / REFERENCES, self.folder, officers_key(self.device.key)
        )
        self.scanner = FakeScanner(both=self.both_eyes)
        self.irises = IrisTaker(
            lambda: self.scanner, lambda works: self.booth.told(IRIS, working=works)
        )
        self.taker = FingerTaker(
            lambda: self.reader,
            lambda works: self.booth.told(READER, working=works),
            lift_shown=0,
        )
        self.lens = Lens(self._camera, lambda works: self.booth.told(CAMERA, working=works))
        self.watch = Watch(self.lens)
        settings = Settings(
            server="http://127.0.0.1:1",
            data=self.folder,
            camera="sitter:1",
            reader="simulated",
            least_free=self.least_free,
            liveness=self.liveness,
        )
        visit = CurrentVisit(
            Journal(self.folder / "visit.journal"),
            at=self.time.now(),
            sealed=self._sealed,
            left=self.departures.__contains__,
        )
        fittings = Fittings(
            settings=settings,
            clock=Clock(now=self.time.now, monotonic=self.time.monotonic, boot_id="boot"),
            lens=self.lens,
            watch=self.watch,
            taker=self.taker,
            judges=cache(self._judges),
            attend=self._attend,
            reference=lambda _: self.reference,
            speech=Speech(self.folder / FOLDER),
            finger_judge=ReadingJudge(),
            references=self.references,
            irises=self.irises if self.iris else None,
            server=self.server,
            outbox=self.outbox,
            departures=self.departures,
            errands=self.errands,
            desk=Desk(self.errands.officers),
            software="test",
            spawn=self._spawn,
        )
        self.booth = Booth(fittings, visit, senses=SENSES)
        self.taker.start()
        until(lambda: self.taker.info is not None)
        self._stack.callback(self.taker.stop)
        if self.iris:
            self.irises.start()
            self._stack.callback(self.irises.stop)
        self.web: FlaskClient = kiosk_app(self.booth, name="Máy 1", rehearsal=None).test_client()

    # What is scripted here, and is in earnest in a browser

    def _clock(self) -> Time:
        return Time()

    def _judges(self, profile: str) -> Judges:
        assert profile
        remembering = RememberingJudge()
        return Judges(live=remembering, full=remembering)

    def _spawn(self, work: Callable[[], None]) -> None:
        work()

    def _attend(self, visit: str, shot: Shot) -> Attending:
        self.attended.append((visit, shot))
        return Movements()

    def _camera(self) -> Camera:
        raise Unplugged("nobody starts it here")

    def _sealed(self, visit: str) -> Closed | None:
        entry = self.outbox.of_visit(visit)
        if entry is None:
            return None
        return Closed(number=number_of("S01", entry.sequence), digest=entry.digest)

    def stop(self) -> None:
        self._stack.close()

    def restart(self) -> None:
        self.stop()
        self.start()

    # What a citizen does

    @property
    def screen(self) -> Screen:
        return self.booth.screen

    def shows(self, *screens: Screen) -> bool:
        return self.booth.screen in screens

    def press(self, action: str, token: str | None = None, **values: str) -> None:
        with self.booth.lock:  # a page is drawn under it too
            act(self.booth, action, self.booth.token if token is None else token, values)

    def see(self, pixels: NDArray[np.uint8], times: int = 1) -> None:
        """The camera's newest frames, looked at with the eye of the moment, 15 in a second."""
        for _ in range(times):
            self.time.seconds += 1 / 15
            eye = self.watch._eye
            if eye is not None:
                eye(Frame(pixels=pixels, at=self.time.seconds, number=0))

    def lay(self, *fingers: int, nfiq2: int = 70) -> None:
        """Put one finger after another on the glass, and wait until each was judged."""
        for finger in fingers:
            self.give(finger, nfiq2=nfiq2)

    def give(self, *fingers: int, nfiq2: int = 70, poor: Collection[int] = ()) -> None:
        """Put fingers on the glass together, and wait until they were judged."""
        before = self.taker.standing.offered
        self.reader.touches.put(touch(*fingers, nfiq2=nfiq2, poor=poor))
        until(partial(self._judged, before))

    def _judged(self, before: tuple[Offered, ...]) -> bool:
        now = self.taker.standing.offered
        return not self.shows(Screen.FINGERS) or (bool(now) and now is not before)

    @property
    def wanted(self) -> tuple[int, ...]:
        """The positions that are asked for now."""
        step = self.taker.standing.wanted
        return step.positions if step else ()

    @property
    def taken(self) -> list[int]:
        """The positions of every print that is there."""
        return [item.position for item, _ in self.taker.standing.scores]

    def pass_time(self, seconds: float, step: float = 0.25) -> None:
        for _ in range(round(seconds / step)):
            self.time.seconds += step
            self.booth.tick()

    def to_confirm(self) -> None:
        self.press("type_code")
        self.press("code", ticket=TICKET)

    def to_prepare(self) -> None:
        self.to_confirm()
        self.press("confirm")
        self.press("agree", agreed="yes")

    def to_portrait(self) -> None:
        self.to_prepare()
        self.press("sit_down")

    def to_liveness(self) -> None:
        self.to_portrait()
        self.see(GOOD, STEADY)

    def sit(self) -> None:
        """Sit well until the picture is taken and the movements are made."""
        self.see(GOOD, STEADY)
        self.see(GOOD, 2 * Movements.MOVED)

    def to_look(self) -> None:
        self.to_portrait()
        self.sit()

    def to_fingers(self) -> None:
        self.to_look()
        self.press("keep")

    def to_read_back(self) -> None:
        self.to_fingers()
        self.lay(1, 2)
        until(lambda: self.taker.standing.control or self.screen is Screen.READ_BACK)
        self.lay(*self.wanted)
        until(lambda: self.screen is Screen.READ_BACK)

    def to_sign(self) -> None:
        self.to_read_back()
        self.press("to_sign")

    def to_sealed(self) -> None:
        self.to_sign()
        self.press("sign", signature=drawing())

    def officer(self) -> None:
        self.press("call_officer")
        self.press("pin", officer="cb01", pin=PIN)

    # What is left

    def files(self) -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}

    def traces(self) -> list[str]:
        """Files of the kiosk's disk that hold a picture or the citizen's name."""
        marks = (b"\xff\xd8\xff\xe0", b"\xff\xd8\xff\xdb", b"\x89PNG", NAME.encode())
        return [
            path.name for path, data in self.files().items() if any(mark in data for mark in marks)
        ]

    def form(self, action: str, step: str | None = None, **values: str) -> TestResponse:
        with self.booth.lock:  # as a page that is drawn under it
            token = self.booth.token
        data = {"step": token if step is None else step, **values}
        return self.web.post(f"/press/{action}", data=data)


@contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    made = Stage(folder)
    try:
        yield made
    finally:
        made.stop()


def refused() -> Refused:
    text = BothLanguages(vi="Không tìm thấy lịch hẹn.", en="No such booking.")
    return Refused(Refusal(code="unknown", text=text), 404)
