"""The whole way at the booth with each kind of reader, under its real driver and the real judge."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from biometrics.capture import AbsenceReason, Capture, EyeSide, ImpressionKind, Part
from biometrics.finger.judge import FingerJudge
from biometrics.seal.opening import open_packet
from hardware.errors import Broken
from hardware.finger.port import FingerReader
from kiosk import clock
from kiosk.booth import IRIS, READER
from kiosk.eyes import IrisTaker
from kiosk.fingers import FingerTaker
from kiosk.readers import Readers
from kiosk.rehearsal import Rehearsal, Role
from kiosk.screens import Screen
from kiosk.settings import Settings
from tests.conftest import absent
from tests.kiosk_stage import Stage, drawing, until, visit_of

PERSON = 5
WITHIN = 150.0


@pytest.fixture(scope="module")
def judge() -> Iterator[FingerJudge]:
    with FingerJudge() as made:
        yield made


class Devices(Stage):
    """A stage with readers in earnest, or their simulators, and a hand that presses on them."""

    def __init__(
        self, folder: Path, judge: FingerJudge, plan: dict[str, Any], **named: str
    ) -> None:
        self.judge, self.plan, self.named = judge, plan, named
        super().__init__(folder)

    def start(self) -> None:
        self.server.answer = visit_of(plan=self.plan)
        super().start()
        self.taker.stop()
        named = {"server": "http://127.0.0.1:1", "data": self.folder, "camera": "sitter:1"}
        settings = Settings.model_validate(named | self.named)
        self.readers = Readers(settings, clock.now)
        self._stack.callback(self.readers.close)
        self.booth.stand_ins.clear()
        self.taker = FingerTaker(
            self._reader, lambda works: self.booth.told(READER, working=works), lift_shown=0.5
        )
        self.rehearsal = Rehearsal(self.taker, lambda: False, Role(person=PERSON, finger=0))
        fitted: dict[str, object] = {"taker": self.taker, "finger_judge": self.judge}
        if settings.iris != "none":
            self.irises = IrisTaker(
                self.readers.irises, lambda works: self.booth.told(IRIS, working=works)
            )
            fitted["irises"] = self.irises
            eyes = self.readers.eyes()
            assert eyes is not None
            self.rehearsal.look_into(eyes)
        for name, part in fitted.items():
            object.__setattr__(self.booth.fittings, name, part)
        self.taker.start()
        self._stack.callback(self.taker.stop)
        until(lambda: self.taker.info is not None)
        if settings.iris != "none":
            self.irises.start()
            self._stack.callback(self.irises.stop)
        self.rehearsal.start()
        self._stack.callback(self.rehearsal.stop)

    def _reader(self) -> FingerReader:
        reader = self.readers.fingers()
        hand = self.readers.hand(reader)
        assert hand is not None
        self.rehearsal.lay(hand)
        return reader

    def go(self) -> Capture:
        """Go the whole way, and return what was sealed."""
        self.to_fingers()
        self.rehearsal.play(Role(person=PERSON))
        until(lambda: self.shows(Screen.READ_BACK, Screen.HELP), seconds=WITHIN)
        assert self.shows(Screen.READ_BACK), self.taker.standing
        self.press("to_sign")
        self.press("sign", signature=drawing())
        (entry,) = self.outbox.waiting()
        _, capture = open_packet(self.outbox.packet(entry).read_bytes(), self.opening, expect={})
        return capture


def plan(*fingers: int, rolled: bool = False, irises: bool = False) -> dict[str, Any]:
    return {
        "portrait_profile": "can-cuoc",
        "fingers": fingers,
        "impressions": ("plain", "rolled") if rolled else ("plain",),
        "irises": irises,
        "tries": 3,
        "accept_at": 40,
        "keep_from": 25,
    }


@pytest.fixture
def opened(tmp_path: Path, judge: FingerJudge) -> Iterator[Callable[..., Devices]]:
    made: list[Devices] = []

    def open_(wanted: dict[str, Any], **named: str) -> Devices:
        made.append(Devices(tmp_path, judge, wanted, **named))
        return made[-1]

    yield open_
    for one in made:
        one.stop()


@pytest.mark.timeout(240)
def test_the_whole_way_with_a_slap_scanner_and_an_iris_scanner_that_speak_sbi(
    opened: Callable[..., Devices],
) -> None:
    kiosk = opened(
        plan(*range(1, 11), rolled=True, irises=True),
        reader="sbi-simulated",
        iris="sbi-simulated",
    )
    capture = kiosk.go()
    flat = [one for one in capture.prints if one.kind is ImpressionKind.PLAIN]
    rolled = [one for one in capture.prints if one.kind is ImpressionKind.ROLLED]
    assert sorted(one.position for one in flat) == list(range(1, 11))
    assert sorted(one.position for one in rolled) == list(range(1, 11))
    assert {one.eye for one in capture.irises} == set(EyeSide)
    assert capture.absences == ()
    assert all(one.template for one in capture.prints)
    assert len(capture.simulated) == 2


@pytest.mark.timeout(180)
def test_the_whole_way_with_a_serial_module(opened: Callable[..., Devices]) -> None:
    capture = opened(plan(2, 7, rolled=True, irises=True), reader="simulated").go()
    assert [one.position for one in capture.prints] == [2, 7]
    assert {(one.part, one.reason) for one in capture.absences} == {
        (Part.ROLLED, AbsenceReason.NO_DEVICE),
        (Part.IRIS, AbsenceReason.NO_DEVICE),
    }
    assert all(one.template for one in capture.prints)
    assert len(capture.simulated) == 1


@pytest.mark.timeout(180)
def test_the_whole_way_with_a_reader_that_libfprint_drives(
    opened: Callable[..., Devices], tmp_path: Path
) -> None:
    settings = Settings(server="http://127.0.0.1:1", data=tmp_path, reader="libfprint-simulated")
    try:
        Readers(settings, clock.now).fingers().close()
    except Broken as error:
        absent(f"libfprint with its virtual reader ({error})")
    capture = opened(plan(2, 7), reader="libfprint-simulated").go()
    assert sorted(one.position for one in capture.prints) == [2, 7]
    assert all(one.template for one in capture.prints)


def test_a_face_device_that_speaks_sbi_is_the_kiosks_camera(tmp_path: Path) -> None:
    settings = Settings.model_validate(
        {"server": "http://127.0.0.1:1", "data": tmp_path, "camera": "sbi-simulated"}
    )
    readers = Readers(settings, clock.now)
    try:
        assert readers.simulated
        camera = readers.camera()
        sitter = readers.sitter(camera)
        assert sitter is not None
        first, second = camera.read(), camera.read()
        assert camera.info.simulated
        assert first.pixels.shape == (720, 1280, 3)
        assert second.number > first.number
        camera.close()
        with pytest.raises(Broken):
            camera.read()
    finally:
        readers.close()


@pytest.mark.parametrize("named", ["device:97", "sbi", "sbi:NOBODY-1"])
def test_a_camera_that_is_not_there_is_broken_and_nobody_sits_before_it(
    tmp_path: Path, named: str
) -> None:
    settings = Settings.model_validate(
        {
            "server": "http://127.0.0.1:1",
            "data": tmp_path,
            "camera": named,
            "reader": "libfprint",
        }
    )
    readers = Readers(settings, clock.now)
    assert not readers.simulated
    with pytest.raises(Broken):
        readers.camera()
    readers.close()
