"""What nobody foresaw at the kiosk: drivers with mistakes in them, input of no sensible shape."""

import base64
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from biometrics.capture import MAX_NAME, ImpressionKind
from biometrics.face.images import decode
from biometrics.finger import nfiq2
from biometrics.finger.plan import Touch, steps
from biometrics.finger.visit import FingerVisit, Offered
from hardware.errors import Unplugged
from hardware.finger.hand import SimulatedHand
from hardware.finger.port import Impression, NoImage, Preview, ReaderInfo, Wanted
from hardware.finger.synthesis import _master
from kiosk import signature
from kiosk.fingers import FingerTaker
from kiosk.portrait import Lens, Watch
from kiosk.rehearsal import NotUnderstood, Rehearsal, Role, role_of
from kiosk.settings import Settings, SettingsMissing
from kiosk.signature import NotSigned
from kiosk.standing import Standing
from kiosk.web.app import kiosk_app
from tests import faces
from tests.kiosk_stage import (
    GOOD,
    FakeCamera,
    FakeReader,
    ReadingJudge,
    Stage,
    impression,
    touch,
    until,
)

HALF: Final = "\ud800"
"""Half of a character: JSON can say it, UTF-8 cannot."""


@pytest.fixture
def kiosk(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.stop()


def one_finger() -> FingerVisit:
    return FingerVisit(
        steps=steps((1,), {ImpressionKind.PLAIN}, {Touch.SINGLE}),
        tries=3,
        accept_at=50,
        keep_from=30,
        judge=ReadingJudge(),
        rng=np.random.default_rng(1),
        controls=0,
    )


# Devices


class BuggyReader(FakeReader):
    """A driver with a mistake in it: what it raises is none of the port's words."""

    def capture(
        self,
        wanted: Wanted,
        *,
        deadline: float,
        progress: Callable[[float], None] | None = None,
        preview: Preview | None = None,
    ) -> tuple[Impression, ...] | NoImage:
        raise RuntimeError(f"{wanted} {deadline} {progress} {preview}")


def test_a_camera_that_fails_as_none_should_is_said_and_looked_for_again() -> None:
    camera, told = FakeCamera(), list[bool]()
    opened: list[bool] = []

    def open_() -> FakeCamera:
        opened.append(True)
        if len(opened) == 1:
            raise ValueError("no driver says this")
        return camera

    lens = Lens(open_, told.append)
    lens.start()
    until(lambda: told == [False])
    camera.frames.put(GOOD)
    until(lambda: told == [False, True])
    camera.frames.put(Unplugged("the test is over"))
    lens.stop()


def test_a_reader_that_fails_as_none_should_is_said_and_looked_for_again() -> None:
    told, offered = list[bool](), list[Offered]()
    first, second = BuggyReader(), FakeReader()
    readers = iter([first, second])

    def report(_: Standing, what: tuple[Offered, ...]) -> None:
        offered.extend(what)

    taker = FingerTaker(lambda: next(readers), told.append, lift_shown=0)
    taker.start()
    visit = one_finger()
    taker.begin(visit, report)
    until(lambda: told == [True, False, True])
    second.touches.put(touch(1))
    until(lambda: offered)
    assert visit.complete
    taker.stop()


def test_a_frame_that_fails_again_and_again_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    camera, looked = FakeCamera(), list[int]()
    lens = Lens(lambda: camera, lambda _: None)
    watch = Watch(lens)

    def eye(_: object) -> None:
        looked.append(1)
        raise ValueError("each time the same")

    watch.use(eye)
    lens.start()
    watch.start()
    with caplog.at_level(logging.ERROR, "kiosk.portrait"):
        for count in range(1, 4):
            camera.frames.put(GOOD)
            until(partial(lambda wanted: len(looked) == wanted, count))
    assert len(caplog.records) == 1
    camera.frames.put(Unplugged("the test is over"))
    watch.stop()
    lens.stop()


def test_a_readers_name_is_cut_to_what_a_capture_takes() -> None:
    reader = FakeReader()
    reader.info = ReaderInfo(
        name="n" * 100, serial="s" * 100, simulated=True, width=64, height=64, dpi=500
    )
    taker = FingerTaker(lambda: reader, lambda _: None, lift_shown=0)
    taker.start()
    visit = one_finger()
    taker.begin(visit, lambda *_: None)
    long = impression(1)
    reader.touches.put((replace(long, serial="s" * 100),))
    until(lambda: visit.complete)
    assert len(visit.prints()[0].reader) == MAX_NAME
    taker.stop()


def test_a_quality_worker_that_cannot_start_is_no_score_and_no_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "/there/is/no/such/python")
    with nfiq2.Worker() as worker:
        assert worker.score(np.full((100, 100), 255, np.uint8)) is None
        assert worker.process_id is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("READER", "serial:/dev/ttyUSB0,12345"),
        ("READER", "serial:/dev/ttyUSB0,"),
        ("CAMERA", "device:٣"),
        ("CAMERA", "sitter:"),
    ],
)
def test_a_device_that_can_never_be_opened_is_refused_at_the_start(
    name: str, value: str, tmp_path: Path
) -> None:
    environment = {
        "THUNHAN_KIOSK_SERVER": "https://intake.example.vn",
        "THUNHAN_KIOSK_DATA": str(tmp_path),
        f"THUNHAN_KIOSK_{name}": value,
    }
    with pytest.raises(SettingsMissing, match=name.lower()):
        Settings.from_environment(environment)
    environment[f"THUNHAN_KIOSK_{name}"] = {"READER": "serial:/dev/ttyS1,57600"}.get(
        name, "device:1"
    )
    Settings.from_environment(environment)


# What comes in


@pytest.mark.parametrize(("width", "height"), [(32, 2400), (64, 2000), (800, 320)])
def test_a_signature_of_odd_shape_stays_one_that_can_be_read_again(width: int, height: int) -> None:
    paper = np.full((height, width), 255, np.uint8)
    paper[height // 4 : height * 3 // 4, width // 4 : width // 4 + 8] = 0
    found = signature.read(signature.DATA_URL + base64.b64encode(faces.png(paper)).decode())
    assert not isinstance(found, NotSigned)
    assert max(decode(found.image).shape) == signature.WIDTH


@pytest.mark.parametrize(
    "values", [{"finger": []}, {"finger": {"a": 1}}, {"ticket": HALF}, {"ticket": f"1|{HALF}|2"}]
)
def test_a_role_of_no_sensible_shape_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(NotUnderstood):
        role_of(values, Role())


def test_a_role_may_hold_up_a_card_with_accents() -> None:
    assert role_of({"ticket": "079|x|Nguyễn Văn Ạ"}, Role()).code.endswith("Ạ")


def test_half_characters_are_refused_and_break_nothing(kiosk: Stage) -> None:
    rehearsal = Rehearsal(kiosk.taker, lambda: True, Role())
    web = kiosk_app(kiosk.booth, name="Máy 1", rehearsal=rehearsal).test_client()
    step = kiosk.booth.token
    for body in ({"step": HALF + "." + step}, {"step": step, "code": HALF}):
        assert web.post("/press/type_code", json=body).status_code == 400
    assert web.post("/rehearsal", json={"ticket": HALF}).status_code == 422
    assert web.post("/press/type_code", json={"step": step}).status_code == 200


# What is made ready


def test_the_quality_worker_runs_before_the_first_finger_and_is_the_one_that_is_used() -> None:
    with nfiq2.Worker() as worker:
        worker.start()
        early = worker.process_id
        assert early is not None
        worker.score(np.full((100, 100), 255, np.uint8))
        assert worker.process_id == early


def test_a_worker_that_cannot_be_started_early_is_no_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "/there/is/no/such/python")
    with nfiq2.Worker() as worker:
        worker.start()
        assert worker.process_id is None


def test_a_rehearsed_hand_is_grown_before_it_is_asked_for(kiosk: Stage) -> None:
    person = 777_001
    rehearsal = Rehearsal(kiosk.taker, lambda: True, Role(person=person))
    before = _master.cache_info().misses
    rehearsal.start()
    until(lambda: _master.cache_info().misses >= before + 10, seconds=60)
    rehearsal.stop()
    misses = _master.cache_info().misses
    assert SimulatedHand(person).finger(10).master.any()
    assert _master.cache_info().misses == misses
