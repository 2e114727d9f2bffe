"""At the glass: slaps, rolls and singles, by whatever the reader takes, and what may go wrong."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from biometrics.capture import AbsenceReason, ImpressionKind, MissingReason, Part
from biometrics.finger.hints import FingerHint
from biometrics.finger.judge import Seen
from biometrics.finger.plan import Touch
from biometrics.seal.opening import open_packet
from hardware.camera.port import Camera
from hardware.camera.sitter import SitterCamera
from hardware.finger.port import NoImage
from kiosk import glass
from kiosk.glass import EVERY, SETTLED, Glass
from kiosk.screens import Screen
from kiosk.standing import Mark, Phase
from kiosk.telling import instructions, telling
from kiosk.touches import lacking, planned
from tests.kiosk_stage import (
    ALL,
    PIN,
    SINGLE,
    ReadingJudge,
    Stage,
    drawing,
    impression,
    touch,
    until,
    visit_of,
)

TEN = tuple(range(1, 11))
RIGHT: tuple[int, ...] = (2, 3, 4, 5)
LEFT: tuple[int, ...] = (7, 8, 9, 10)
THUMBS: tuple[int, ...] = (1, 6)
FLAT = frozenset({Touch.SLAP, Touch.THUMBS, Touch.SINGLE})


class Kiosk(Stage):
    """A stage whose reader and plan are chosen before it starts."""

    def __init__(self, folder: Path, **chosen: Any) -> None:  # noqa: ANN401 - attributes of a stage
        self.chosen = chosen
        super().__init__(folder)

    def start(self) -> None:
        plan = {
            "portrait_profile": "can-cuoc",
            "fingers": self.chosen.get("fingers", TEN),
            "impressions": self.chosen.get("impressions", ("plain",)),
            "irises": False,
            "tries": 3,
            "accept_at": 50,
            "keep_from": 30,
        }
        self.takes = self.chosen.get("takes", FLAT)
        self.server.answer = visit_of(plan=plan)
        super().start()

    def _camera(self) -> Camera:
        return SitterCamera(1, (320, 180), fps=30)

    @property
    def marks(self) -> dict[int, Mark]:
        return dict(self.taker.standing.marks)

    def resume(self) -> None:
        """Go on after help; the touch that was under way before it is thrown away."""
        self.press("resume")
        self.reader.touches.put(NoImage.NO_FINGER)
        until(self.reader.touches.empty)

    def note(self) -> str:
        told = telling(self.taker.standing)
        return told.note.vi if told.note else ""

    def ask(self) -> str:
        until(lambda: self.taker.standing.phase is Phase.PLACE)
        return telling(self.taker.standing).text.vi

    def to_the_end_of_fingers(self) -> None:
        """Give whatever is asked for until nothing more is."""
        while self.shows(Screen.FINGERS):
            wanted = self.wanted
            if wanted:
                self.give(*wanted)


@pytest.fixture
def slaps(tmp_path: Path) -> Iterator[Kiosk]:
    kiosk = Kiosk(tmp_path)
    yield kiosk
    kiosk.stop()


@pytest.fixture
def all_kinds(tmp_path: Path) -> Iterator[Kiosk]:
    kiosk = Kiosk(tmp_path, takes=ALL, impressions=("plain", "rolled"))
    yield kiosk
    kiosk.stop()


def test_a_slap_scanner_is_asked_for_hands_and_thumbs_and_the_screen_says_which(
    slaps: Kiosk,
) -> None:
    slaps.to_fingers()
    assert slaps.wanted == RIGHT, "the right hand first"
    assert slaps.ask() == "Đặt bốn ngón tay phải (trỏ, giữa, áp út, út) lên mặt kính."
    slaps.give(*RIGHT)
    assert slaps.ask() == "Đặt bốn ngón tay trái (trỏ, giữa, áp út, út) lên mặt kính."
    slaps.give(*LEFT)
    assert slaps.ask() == "Đặt hai ngón cái lên mặt kính cùng lúc."
    slaps.give(*THUMBS)
    assert sorted(slaps.taken) == list(TEN)
    asked = [one.touch.value for one in slaps.reader.wanted[:3]]
    assert asked == ["slap", "slap", "thumbs"]


def test_of_a_slap_only_the_poor_fingers_are_asked_for_again_and_named(slaps: Kiosk) -> None:
    slaps.to_fingers()
    slaps.give(*RIGHT, poor=(3, 5))
    assert slaps.wanted == (3, 5)
    assert slaps.marks[2] is slaps.marks[4] is Mark.TAKEN
    assert slaps.marks[3] is slaps.marks[5] is Mark.AGAIN
    assert slaps.note().startswith("Ngón\u00a0giữa\u00a0phải: ")
    assert slaps.ask() == "Đặt cùng lúc ngón giữa và út của bàn tay phải lên mặt kính."
    slaps.give(3, 5)
    assert slaps.wanted == LEFT
    assert slaps.note() == "Đã thu nhận các ngón vừa đặt."


def test_where_rolls_are_wanted_and_can_be_had_a_visit_has_thirteen_touches(
    all_kinds: Kiosk,
) -> None:
    all_kinds.to_fingers()
    for hand in (RIGHT, LEFT, THUMBS):
        all_kinds.give(*hand)
    assert all_kinds.wanted == (1,)
    assert all_kinds.taker.standing.kind is ImpressionKind.ROLLED
    assert all_kinds.ask().startswith("Lăn ngón\u00a0cái\u00a0phải chậm và đều")
    all_kinds.to_the_end_of_fingers()
    prints = all_kinds.booth.visit.prints
    assert len(prints) == 20
    assert len({(one.position, one.kind) for one in prints}) == 20
    assert all_kinds.booth.visit.absences == ()
    all_kinds.press("to_sign")
    all_kinds.press("sign", signature=drawing())
    assert all_kinds.shows(Screen.SEALED)


def test_rolls_that_no_reader_here_can_take_are_recorded_as_absent(tmp_path: Path) -> None:
    kiosk = Kiosk(tmp_path, takes=SINGLE, fingers=(1, 2), impressions=("plain", "rolled"))
    kiosk.to_sealed()
    (entry,) = kiosk.outbox.waiting()
    _, capture = open_packet(kiosk.outbox.packet(entry).read_bytes(), kiosk.opening, expect={})
    assert [(one.part, one.reason, one.officer) for one in capture.absences] == [
        (Part.ROLLED, AbsenceReason.NO_DEVICE, None)
    ]
    assert [one.kind for one in capture.prints] == [ImpressionKind.PLAIN] * 2
    kiosk.stop()


def test_what_lacks_follows_from_the_plan_and_the_devices() -> None:
    plan = visit_of().plan.model_copy(update={"impressions": ("plain", "rolled"), "irises": True})
    assert lacking(plan, SINGLE_TAKES, iris=False) == (Part.ROLLED, Part.IRIS)
    assert lacking(plan, frozenset(Touch), iris=True) == ()
    assert lacking(plan.model_copy(update={"fingers": ()}), SINGLE_TAKES, iris=True) == ()
    assert len(planned(plan, frozenset(Touch))) == 4
    assert len(planned(plan, SINGLE_TAKES)) == 2


SINGLE_TAKES = frozenset({Touch.SINGLE})


class SlowJudge(ReadingJudge):
    """A judge that takes until it is told to be done."""

    def __init__(self) -> None:
        self.begun, self.done = threading.Event(), threading.Event()

    def judge(self, pixels: NDArray[np.uint8], dpi: int) -> Seen:
        self.begun.set()
        assert self.done.wait(20)
        return super().judge(pixels, dpi)


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[tuple[Kiosk, SlowJudge]]:
    kiosk, judge = Kiosk(tmp_path, takes=SINGLE, fingers=(1, 2)), SlowJudge()
    object.__setattr__(kiosk.booth.fittings, "finger_judge", judge)
    yield kiosk, judge
    judge.done.set()
    kiosk.stop()


def test_nobody_waits_for_the_judge(slow: tuple[Kiosk, SlowJudge]) -> None:
    """Not the screen, not an officer, not the end of the visit."""
    kiosk, judge = slow
    kiosk.to_fingers()
    kiosk.reader.touches.put(touch(1))
    assert judge.begun.wait(20)
    through = threading.Event()

    def meanwhile() -> None:
        kiosk.press("call_officer")
        kiosk.press("pin", officer="cb01", pin=PIN)
        kiosk.press("missing", position="2", reason="worn")
        assert kiosk.web.get("/").status_code == 200
        kiosk.press("resume")
        through.set()

    threading.Thread(target=meanwhile, daemon=True).start()
    assert through.wait(20)
    assert not judge.done.is_set()
    judge.done.set()


def test_a_touch_that_is_judged_while_help_comes_is_thrown_away(
    slow: tuple[Kiosk, SlowJudge],
) -> None:
    kiosk, judge = slow
    kiosk.to_fingers()
    kiosk.reader.touches.put(touch(1))
    assert judge.begun.wait(20)
    kiosk.press("call_officer")
    kiosk.press("resume")
    judge.done.set()
    until(lambda: kiosk.taker.standing.phase is Phase.PLACE)
    assert kiosk.taken == []
    kiosk.give(1)
    assert kiosk.taken == [1]
    assert kiosk.taker.result()[0][0].attempts == 1


def test_a_touch_that_is_judged_while_its_person_leaves_is_nobodys(
    slow: tuple[Kiosk, SlowJudge],
) -> None:
    kiosk, judge = slow
    kiosk.to_fingers()
    kiosk.reader.touches.put(touch(1))
    assert judge.begun.wait(20)
    kiosk.press("give_up")
    judge.done.set()
    kiosk.press("finish")
    assert kiosk.taker.result() == ((), ())
    assert kiosk.shows(Screen.ATTRACT)


# The live picture


def test_a_hint_of_the_live_picture_comes_once_two_looks_agree(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = {0: None, 1: FingerHint.CENTRE, 2: FingerHint.TOO_DRY, 3: FingerHint.NOT_A_FINGER}
    monkeypatch.setattr(glass, "preview", lambda pixels, dpi: _Saw(seen[int(pixels[0, 0])], dpi))
    said: list[FingerHint | None] = []
    look = Glass(said.append, 500)

    def show(*values: int) -> None:
        for value in values:
            for _ in range(EVERY):
                look(np.full((8, 8), value, np.uint8))

    show(*[1] * (SETTLED - 1))
    assert said == []
    show(1, 1, 1)
    assert said == [FingerHint.CENTRE]
    show(2, 1, 2, 1)
    assert said == [FingerHint.CENTRE]
    show(2, 2, 0, 0)
    assert said == [FingerHint.CENTRE, FingerHint.TOO_DRY, None]
    show(3, 3, 3)
    assert said == [FingerHint.CENTRE, FingerHint.TOO_DRY, None], "of an empty glass nothing"


class _Saw:
    def __init__(self, hint: FingerHint | None, dpi: int) -> None:
        self.hint, self.dpi = hint, dpi
        self.finger = hint is not FingerHint.NOT_A_FINGER


def test_what_the_live_picture_shows_is_said_before_the_touch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kiosk = Kiosk(tmp_path, takes=SINGLE, fingers=(1, 2))
    monkeypatch.setattr(glass, "preview", lambda _, dpi: _Saw(FingerHint.CENTRE, dpi))
    for _ in range(EVERY * SETTLED):
        kiosk.reader.views.put(np.full((50, 50), 255, np.uint8))
    kiosk.to_fingers()
    until(lambda: kiosk.taker.standing.live is FingerHint.CENTRE)
    assert kiosk.note() == "Vui lòng đặt ngón tay vào giữa mặt kính."
    kiosk.give(1)
    assert kiosk.note() == "Đã thu nhận ngón\u00a0cái\u00a0phải."
    kiosk.stop()


def test_four_fingers_at_once_are_not_judged_as_one(slaps: Kiosk) -> None:
    slaps.reader.views.put(np.full((50, 50), 255, np.uint8))
    slaps.to_fingers()
    slaps.give(*RIGHT)
    assert not slaps.reader.views.empty()


# Missing fingers and the picture that shows them


def test_an_officer_records_a_missing_finger_in_two_touches(slaps: Kiosk) -> None:
    slaps.to_fingers()
    slaps.officer()
    slaps.form("missing", position="4", reason="skin_disease:temporary", kind="plain")
    slaps.press("resume")
    assert slaps.wanted == (2, 3, 5)
    (missing,) = slaps.taker.result()[1]
    assert (missing.position, missing.reason, missing.permanent) == (
        4,
        MissingReason.SKIN_DISEASE,
        False,
    )


def test_an_amputated_hand_is_all_of_its_fingers(slaps: Kiosk) -> None:
    slaps.to_fingers()
    slaps.officer()
    slaps.press("missing", position="9", reason="bandaged")
    slaps.press("missing", position="8", reason="amputated_hand")
    assert set(slaps.taker.standing.missing) == {6, 7, 8, 9, 10}
    reasons = {one.position: one.reason for one in slaps.taker.result()[1]}
    assert reasons[9] is MissingReason.BANDAGED
    assert reasons[6] is MissingReason.AMPUTATED_HAND


def _with_a_finger_amputated(kiosk: Kiosk) -> None:
    kiosk.to_fingers()
    kiosk.officer()
    kiosk.press("missing", position="1", reason="amputated")


def test_what_can_be_seen_is_pictured_or_the_visit_does_not_go_on(slaps: Kiosk) -> None:
    _with_a_finger_amputated(slaps)
    slaps.resume()
    while slaps.wanted:
        slaps.give(*slaps.wanted)
    until(lambda: slaps.shows(Screen.HELP))
    for _ in range(3):
        slaps.press("resume")
        assert slaps.shows(Screen.HELP)
        assert slaps.booth.under is Screen.FINGERS
    slaps.press("pin", officer="cb01", pin=PIN)
    slaps.press("proof")
    assert slaps.booth.help is not None
    assert slaps.booth.help.text is not None
    assert "không cho ảnh" in slaps.booth.help.text.vi
    slaps.lens.start()
    until(lambda: slaps.lens.newest(0) is not None)
    slaps.press("proof")
    first = slaps.booth.visit.proof
    slaps.press("proof")
    assert slaps.web.get("/proof.jpg").data == slaps.booth.visit.proof
    assert first is not None
    slaps.press("resume")
    assert slaps.shows(Screen.READ_BACK)
    slaps.press("to_sign")
    slaps.press("sign", signature=drawing())
    (entry,) = slaps.outbox.waiting()
    _, capture = open_packet(slaps.outbox.packet(entry).read_bytes(), slaps.opening, expect={})
    assert capture.proof is not None
    assert capture.proof.startswith(b"\xff\xd8\xff")
    assert [step.event for step in capture.journal].count("proof_taken") == 2
    slaps.lens.stop()
    assert slaps.web.get("/proof.jpg").status_code == 404


def test_an_officer_may_let_the_picture_be_and_that_is_journalled(slaps: Kiosk) -> None:
    _with_a_finger_amputated(slaps)
    slaps.press("waive_proof")
    slaps.resume()
    slaps.to_the_end_of_fingers()
    assert slaps.shows(Screen.READ_BACK)
    assert slaps.booth.visit.proof is None
    waived = [step.detail for step in slaps.booth.visit.steps if step.event == "proof_waived"]
    assert waived == ["cb01"]


def test_a_picture_of_a_finger_that_is_there_after_all_is_let_go(slaps: Kiosk) -> None:
    _with_a_finger_amputated(slaps)
    slaps.lens.start()
    until(lambda: slaps.lens.newest(0) is not None)
    slaps.press("proof")
    slaps.lens.stop()
    slaps.press("reopen_finger", position="1")
    slaps.press("proof")
    slaps.resume()
    slaps.to_the_end_of_fingers()
    assert slaps.shows(Screen.READ_BACK)
    assert slaps.booth.visit.proof is None


def test_nobody_else_takes_or_sees_that_picture(slaps: Kiosk) -> None:
    slaps.to_fingers()
    assert slaps.web.get("/proof.jpg").status_code == 404
    slaps.officer()
    for action in ("proof", "waive_proof", "skip_irises", "enrol"):
        slaps.press(action)
        assert slaps.booth.visit.proof is None
        assert not slaps.booth.visit.proof_waived


# Words


def test_every_touch_is_asked_for_in_its_own_words() -> None:
    asked = list(instructions())
    assert len({text.vi for text in asked}) == len({text.en for text in asked}) == len(asked)
    assert not [text.vi for text in asked if "{" in text.vi or "{" in text.en]


def test_an_impression_says_which_finger_it_is() -> None:
    assert impression(3).position == 3
