"""A finger that is somebody else's is noticed while the person stands there, and by officers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.booth import Stale
from kiosk.enrolment import FINGERS
from kiosk.screens import Screen
from kiosk.touches import today
from tests.kiosk_stage import PIN, Stage, touch, until, visit_of

HELPER = {2: 72, 7: 77, 1: 71, 6: 76}
"""Position and what the officer's own fingers are called by the stage."""


class Kiosk(Stage):
    """A stage at which an officer has given their own fingers."""

    def enrol(self) -> None:
        self.officer()
        self.press("enrol")
        while self.shows(Screen.ENROL):
            wanted = self.wanted
            if not wanted:
                continue
            self._enrol_one(wanted[0])

    def _enrol_one(self, position: int) -> None:
        before = self.taker.standing
        self.reader.touches.put(touch(HELPER[position]))
        until(lambda: self.taker.standing.wanted != before.wanted or not self.shows(Screen.ENROL))

    def noted(self, event: str) -> list[str]:
        return [step.detail for step in self.booth.visit.steps if step.event == event]

    def page(self) -> str:
        return self.web.get("/").get_data(as_text=True)


@pytest.fixture
def kiosk(tmp_path: Path) -> Iterator[Kiosk]:
    made = Kiosk(tmp_path)
    yield made
    made.stop()


def test_an_officer_gives_their_own_fingers_and_the_kiosk_says_so(kiosk: Kiosk) -> None:
    assert not kiosk.references.enrolled("cb01")
    kiosk.enrol()
    assert kiosk.shows(Screen.ATTRACT)
    assert kiosk.booth.message is not None
    assert "Đã ghi vân tay cán bộ" in kiosk.booth.message.vi
    assert kiosk.references.enrolled("cb01")
    assert len(FINGERS) == len(HELPER)
    assert kiosk.taker.result() == ((), ())
    kiosk.officer()
    assert "Ghi lại sẽ thay bản cũ" in kiosk.page()


def test_enrolling_that_is_given_up_keeps_nothing(kiosk: Kiosk) -> None:
    kiosk.officer()
    kiosk.press("enrol")
    assert "data-finger" in kiosk.page()
    kiosk._enrol_one(kiosk.wanted[0])
    kiosk.press("give_up")
    assert kiosk.shows(Screen.ATTRACT)
    assert not kiosk.references.enrolled("cb01")
    assert kiosk.taker.result() == ((), ())


def test_an_officer_who_goes_away_while_enrolling_is_forgotten(kiosk: Kiosk) -> None:
    kiosk.officer()
    kiosk.press("enrol")
    kiosk.pass_time(90)
    assert kiosk.shows(Screen.ATTRACT)
    assert not kiosk.references.enrolled("cb01")


def test_nobody_enrols_while_a_citizen_is_being_captured(kiosk: Kiosk) -> None:
    kiosk.to_fingers()
    kiosk.officer()
    kiosk.press("enrol")
    assert kiosk.shows(Screen.DESK)


def test_an_officers_finger_calls_an_officer_and_is_not_taken(kiosk: Kiosk) -> None:
    kiosk.enrol()
    kiosk.to_fingers()
    kiosk.reader.touches.put(touch(HELPER[2]))
    until(lambda: kiosk.shows(Screen.HELP))
    assert kiosk.taken == []
    assert "cb01" not in kiosk.page(), "whose finger it is, only officers read"
    assert "kiểm tra vân tay" in kiosk.page()
    assert "/press/resume" not in kiosk.page()
    with pytest.raises(Stale):
        kiosk.press("resume")
    kiosk.press("pin", officer="cb01", pin=PIN)
    assert "là của cán bộ cb01" in kiosk.page()
    assert kiosk.noted("finger_alert") == ["1 officer cb01"]
    kiosk.press("resume")
    assert kiosk.shows(Screen.FINGERS)
    kiosk.lay(1)
    assert kiosk.taken == [1]


def test_a_finger_seen_today_for_another_dossier_calls_an_officer_who_decides(
    kiosk: Kiosk,
) -> None:
    kiosk.to_sealed()
    kiosk.press("finish")
    kiosk.server.answer = visit_of(dossier="DEMO.01-261124-000999")
    kiosk.to_fingers()
    kiosk.reader.touches.put(touch(1))
    until(lambda: kiosk.shows(Screen.HELP))
    assert "000123" not in kiosk.page()
    kiosk.press("pin", officer="cb01", pin=PIN)
    assert "DEMO.01-261124-000123" in kiosk.page()
    assert kiosk.noted("finger_alert") == ["1 seen_today DEMO.01-261124-000123"]
    assert kiosk.taken == []


def test_the_same_dossiers_second_visit_raises_no_alarm(kiosk: Kiosk) -> None:
    kiosk.to_sealed()
    kiosk.press("finish")
    kiosk.to_fingers()
    kiosk.lay(1)
    assert kiosk.taken == [1]
    assert kiosk.noted("finger_alert") == []


def test_bit_for_bit_the_same_image_is_no_touch(kiosk: Kiosk) -> None:
    kiosk.to_fingers()
    again = touch(1, nfiq2=20)
    kiosk.reader.touches.put(again)
    until(lambda: kiosk.taker.standing.offered)
    kiosk.reader.touches.put(again)
    until(lambda: kiosk.shows(Screen.HELP))
    assert kiosk.noted("finger_alert") == ["1 replay"]


def test_whoever_leaves_before_the_seal_is_not_remembered(kiosk: Kiosk) -> None:
    kiosk.to_read_back()
    kiosk.press("give_up")
    kiosk.press("finish")
    assert list((kiosk.folder / "references").glob("*")) == []
    assert today(kiosk.booth).isoformat() == "2026-11-24"
