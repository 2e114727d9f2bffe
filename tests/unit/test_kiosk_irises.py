"""The iris step: only where it is wanted and can be had, never in anybody's way."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from biometrics.capture import AbsenceReason, EyeSide, Part
from biometrics.seal.opening import open_packet
from hardware.errors import Unplugged
from hardware.iris.port import Eye
from kiosk.booth import IRIS
from kiosk.eyes import TRIES
from kiosk.screens import Screen
from kiosk.web.view import state
from tests.kiosk_stage import PIN, FakeScanner, Stage, drawing, until, visit_of


class Kiosk(Stage):
    """A stage with an iris scanner, for a procedure that wants irises."""

    def __init__(self, folder: Path, *, both: bool = True, wanted: bool = True) -> None:
        self.wants, self.both = wanted, both
        super().__init__(folder)

    def start(self) -> None:
        self.iris, self.both_eyes = True, self.both
        plan = visit_of().plan.model_copy(update={"irises": self.wants})
        self.server.answer = visit_of(plan=plan.model_dump())
        super().start()

    def to_irises(self) -> None:
        self.to_fingers()
        self.lay(1, 2)
        until(lambda: self.taker.standing.control or not self.shows(Screen.FINGERS))
        if self.shows(Screen.FINGERS):
            self.lay(*self.wanted)
        until(lambda: self.shows(Screen.IRISES))

    def look(self, *eyes: Eye) -> None:
        before = self.irises.looked
        self.scanner.looks.put(eyes)
        until(lambda: self.irises.looked != before or not self.shows(Screen.IRISES))

    def says(self) -> str:
        return str(state(self.booth)["irises"]["hint"]["vi"])


@pytest.fixture
def kiosk(tmp_path: Path) -> Iterator[Kiosk]:
    made = Kiosk(tmp_path)
    yield made
    made.stop()


def test_both_eyes_come_into_the_capture(kiosk: Kiosk) -> None:
    kiosk.to_irises()
    assert "mống mắt" in kiosk.says()
    kiosk.look(Eye.RIGHT, Eye.LEFT)
    until(lambda: kiosk.shows(Screen.READ_BACK))
    assert "Mắt trái" in kiosk.web.get("/").get_data(as_text=True)
    kiosk.press("to_sign")
    kiosk.press("sign", signature=drawing())
    (entry,) = kiosk.outbox.waiting()
    _, capture = open_packet(kiosk.outbox.packet(entry).read_bytes(), kiosk.opening, expect={})
    assert {one.eye for one in capture.irises} == set(EyeSide)
    assert all(one.image.startswith(b"\x89PNG") for one in capture.irises)
    assert capture.absences == ()
    assert "fake scanner" in capture.simulated
    assert kiosk.booth.visit.irises == ()


def test_an_eye_that_was_taken_is_not_asked_for_again(kiosk: Kiosk) -> None:
    kiosk.to_irises()
    kiosk.look(Eye.LEFT)
    assert kiosk.shows(Screen.IRISES)
    kiosk.look(Eye.RIGHT)
    until(lambda: kiosk.shows(Screen.READ_BACK))
    assert kiosk.scanner.asked[-1] == (Eye.RIGHT,)


def test_a_scanner_for_one_eye_is_asked_for_one_after_the_other(tmp_path: Path) -> None:
    kiosk = Kiosk(tmp_path, both=False)
    kiosk.to_irises()
    until(lambda: "mắt phải" in kiosk.says())
    kiosk.look(Eye.RIGHT)
    until(lambda: "mắt trái" in kiosk.says())
    kiosk.look(Eye.LEFT)
    until(lambda: kiosk.shows(Screen.READ_BACK))
    assert kiosk.scanner.asked == [(Eye.RIGHT,), (Eye.LEFT,)]
    kiosk.stop()


def test_whoever_cannot_is_helped_and_an_officer_may_let_it_be(kiosk: Kiosk) -> None:
    kiosk.to_irises()
    for _ in range(TRIES):
        assert kiosk.shows(Screen.IRISES)
        kiosk.look()
    until(lambda: kiosk.shows(Screen.HELP))
    kiosk.press("pin", officer="cb01", pin=PIN)
    assert "skip_irises" in kiosk.web.get("/").get_data(as_text=True)
    kiosk.press("skip_irises")
    until(lambda: kiosk.shows(Screen.READ_BACK))
    (absence,) = kiosk.booth.visit.absences
    assert (absence.part, absence.reason, absence.officer) == (
        Part.IRIS,
        AbsenceReason.NOT_CAPTURED,
        "cb01",
    )
    assert "irises_let_be" in {step.event for step in kiosk.booth.visit.steps}
    assert "cán bộ cho bỏ qua" in kiosk.web.get("/").get_data(as_text=True)


def test_a_look_that_was_under_way_when_help_was_called_is_thrown_away(kiosk: Kiosk) -> None:
    kiosk.to_irises()
    until(lambda: kiosk.scanner.asked)
    kiosk.press("call_officer")
    kiosk.scanner.looks.put((Eye.RIGHT, Eye.LEFT))
    until(kiosk.scanner.looks.empty)
    kiosk.press("resume")
    assert kiosk.shows(Screen.IRISES)
    kiosk.look(Eye.RIGHT, Eye.LEFT)
    until(lambda: kiosk.shows(Screen.READ_BACK))


def test_where_no_irises_are_wanted_nobody_is_asked(tmp_path: Path) -> None:
    kiosk = Kiosk(tmp_path, wanted=False)
    kiosk.to_read_back()
    assert kiosk.scanner.asked == []
    assert kiosk.booth.visit.absences == ()
    kiosk.stop()


def test_a_scanner_that_goes_away_is_said_survived_and_keeps_nobody_from_beginning(
    kiosk: Kiosk,
) -> None:
    lost, kiosk.scanner = kiosk.scanner, FakeScanner()
    kiosk.to_irises()
    until(lambda: lost.asked)
    lost.looks.put(Unplugged("pulled"))
    until(lambda: IRIS in kiosk.booth.trouble)
    assert kiosk.booth.waits_for_device == IRIS
    until(lambda: IRIS not in kiosk.booth.trouble)
    kiosk.look(Eye.RIGHT, Eye.LEFT)
    until(lambda: kiosk.shows(Screen.READ_BACK))
    kiosk.booth.told(IRIS, working=False)
    kiosk.press("give_up")
    kiosk.press("finish")
    kiosk.to_confirm()
    assert kiosk.shows(Screen.CONFIRM)


def test_nothing_of_an_eye_is_left_when_somebody_leaves(kiosk: Kiosk) -> None:
    kiosk.to_irises()
    kiosk.look(Eye.LEFT)
    kiosk.press("give_up")
    assert kiosk.irises.looked.irises == ()
    assert kiosk.booth.visit.irises == ()
    assert kiosk.traces() == []


def test_a_retaken_portrait_keeps_the_irises(kiosk: Kiosk) -> None:
    kiosk.to_irises()
    kiosk.look(Eye.RIGHT, Eye.LEFT)
    until(lambda: kiosk.shows(Screen.READ_BACK))
    irises = kiosk.booth.visit.irises
    kiosk.press("portrait_again")
    kiosk.sit()
    kiosk.press("keep")
    until(lambda: kiosk.shows(Screen.READ_BACK))
    assert kiosk.booth.visit.irises == irises
