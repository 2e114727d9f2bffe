"""One visit at the kiosk from the ticket to the sealed capture, and everything that ends it."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from biometrics.capture import MissingReason
from biometrics.seal.opening import open_packet
from hardware.camera.sitter import Behaviour
from hardware.errors import Silent, Unplugged
from kiosk.actions import ACTIONS, ActionUnknown
from kiosk.booth import Stale
from kiosk.life import LIFE, NotNow, VisitEvent, VisitState, after
from kiosk.paper import Confirmation, Paper
from kiosk.protocol import BothLanguages, Refusal
from kiosk.rehearsal import code_picture
from kiosk.screens import FIRST, Screen
from kiosk.sitting import STEADY
from kiosk.standing import Phase
from kiosk.uplink import NoNetwork, Refused
from kiosk.words import words
from tests import faces
from tests.kiosk_stage import (
    FAR,
    GOOD,
    NAME,
    TICKET,
    FakeReader,
    Stage,
    drawing,
    refused,
    stage,
    touch,
    until,
    visit_of,
)

WAYS: dict[Screen, Callable[[Stage], None]] = {
    Screen.CONFIRM: Stage.to_confirm,
    Screen.PREPARE: Stage.to_prepare,
    Screen.PORTRAIT: Stage.to_portrait,
    Screen.LIVENESS: Stage.to_liveness,
    Screen.LOOK: Stage.to_look,
    Screen.FINGERS: Stage.to_fingers,
    Screen.READ_BACK: Stage.to_read_back,
    Screen.SIGN: Stage.to_sign,
}


@pytest.fixture
def booth(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as made:
        yield made


# The life


def test_every_state_has_a_row_and_can_be_reached() -> None:
    assert set(LIFE) == set(VisitState)
    reached, new = {VisitState.WAITING}, {VisitState.WAITING}
    while new:
        new = {to for state in new for to in LIFE[state].values()} - reached
        reached |= new
    assert reached == set(VisitState)


def test_every_event_is_used_and_all_else_is_refused() -> None:
    assert {event for row in LIFE.values() for event in row} == set(VisitEvent)
    for state in VisitState:
        for event in set(VisitEvent) - set(LIFE[state]):
            with pytest.raises(NotNow):
                after(state, event)


@pytest.mark.parametrize("state", sorted(set(VisitState) - {VisitState.WAITING, VisitState.SEALED}))
def test_anybody_may_leave_from_every_step_before_the_seal(state: VisitState) -> None:
    for event in (VisitEvent.GIVE_UP, VisitEvent.TIME_OUT, VisitEvent.END):
        assert after(state, event) is VisitState.WAITING


@pytest.mark.parametrize("state", VisitState)
def test_help_comes_and_goes_everywhere_without_moving_the_step(state: VisitState) -> None:
    assert after(state, VisitEvent.CALL_OFFICER) is state
    assert after(state, VisitEvent.RESUME) is state
    assert state in FIRST


# The way


def test_the_whole_way_ends_in_a_capture_that_only_the_server_can_open(booth: Stage) -> None:
    booth.to_sealed()
    assert booth.shows(Screen.SEALED)
    entry = booth.outbox.of_visit(str(booth.booth.visit.present.visit_id))
    assert entry is not None
    header, capture = open_packet(booth.outbox.packet(entry).read_bytes(), booth.opening, expect={})
    assert header.simulated
    assert header.operator is None
    assert capture.simulated == ("fake reader",)
    assert [one.position for one in capture.prints] == [1, 2]
    assert capture.signature.startswith(b"\x89PNG")
    assert {"check_in", "agree", "portrait_taken", "finger_taken", "finger_confirmed"} <= {
        step.event for step in capture.journal
    }


def test_a_paper_is_printed_once_the_capture_is_durable_and_names_nobody(
    booth: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed: list[Confirmation] = []
    paper = Paper("simulated", lambda: None)
    monkeypatch.setattr(paper, "print_confirmation", printed.append)
    object.__setattr__(booth.booth.fittings, "paper", paper)
    booth.to_sign()
    assert printed == []
    booth.press("sign", signature=drawing())
    (taken_home,) = printed
    assert (taken_home.number, taken_home.dossier) == ("S01-000001", "DEMO.01-261124-000123")
    assert taken_home.rehearsal
    assert NAME not in repr(taken_home)


def test_the_plain_captures_are_gone_once_they_are_sealed(booth: Stage) -> None:
    booth.to_sealed()
    visit = booth.booth.visit
    assert (visit.portrait, visit.prints, visit.missing) == (None, (), ())
    assert booth.booth.face.portrait is None
    assert booth.taker.result() == ((), ())


def test_no_plain_picture_is_on_the_disk_at_any_step(booth: Stage) -> None:
    booth.to_sign()
    # The journal knows the name until the visit is over; pictures are in memory only.
    assert booth.traces() == ["visit.journal"]
    assert not any(
        mark in booth.files()[booth.folder / "visit.journal"] for mark in (b"PNG", b"\xff\xd8")
    )
    booth.press("sign", signature=drawing())
    booth.press("finish")
    assert booth.traces() == []


def test_the_receipt_screen_wipes_itself_and_the_next_person_begins_anew(booth: Stage) -> None:
    booth.to_sealed()
    booth.press("language", to="en")
    sitting = booth.booth.sitting
    booth.pass_time(19)
    assert booth.shows(Screen.SEALED)
    booth.pass_time(2)
    assert booth.shows(Screen.ATTRACT)
    assert booth.booth.visit.facts is None
    assert booth.booth.language == "vi"
    assert not booth.booth.same(sitting)


def test_a_ticket_held_up_checks_in_once(booth: Stage) -> None:
    picture = np.repeat(code_picture(TICKET)[:, :, None], 3, axis=2)
    booth.see(picture, 9)
    assert booth.shows(Screen.CONFIRM)
    assert [one.ticket for one in booth.server.asked] == [TICKET]


def test_a_refused_code_is_asked_about_once_while_it_is_held_up(booth: Stage) -> None:
    booth.server.answer = refused()
    picture = np.repeat(code_picture(TICKET)[:, :, None], 3, axis=2)
    for _ in range(8):
        booth.see(picture, 3)
        booth.pass_time(1)
    assert len(booth.server.asked) == 1
    assert booth.booth.message is not None
    booth.pass_time(6)
    booth.see(picture, 3)
    assert len(booth.server.asked) == 2


@pytest.mark.parametrize("answer", [refused(), NoNetwork("cut")])
def test_who_is_not_let_in_reads_why_and_may_try_again(booth: Stage, answer: Exception) -> None:
    booth.server.answer = answer
    booth.to_confirm()
    assert booth.shows(Screen.TYPE_CODE)
    assert booth.booth.message is not None
    booth.server.answer = visit_of()
    booth.press("code", ticket=TICKET)
    assert booth.shows(Screen.CONFIRM)


def test_a_wrong_code_is_refused_before_the_server_is_asked(booth: Stage) -> None:
    booth.press("type_code")
    for text in ("", "ABC", "x" * 5000, "ABCD-2345-EFGH-!"):
        booth.press("code", ticket=text)
        assert booth.shows(Screen.TYPE_CODE)
    assert booth.server.asked == []


def test_consent_is_not_taken_for_granted(booth: Stage) -> None:
    booth.to_confirm()
    booth.press("confirm")
    booth.press("agree")
    assert booth.shows(Screen.NOTICE)
    assert booth.booth.visit.consent is None
    booth.press("refuse")
    assert booth.booth.visit.facts is None
    assert booth.booth.parting == "refused"
    assert booth.traces() == []


def test_a_bad_picture_is_never_taken_and_says_what_to_mend(booth: Stage) -> None:
    booth.to_portrait()
    booth.see(FAR, STEADY * 2)
    assert booth.shows(Screen.PORTRAIT)
    assert booth.booth.asked() == "portrait.closer"


def test_a_retaken_portrait_replaces_the_first_and_keeps_the_fingers(booth: Stage) -> None:
    booth.to_read_back()
    prints = booth.booth.visit.prints
    booth.press("portrait_again")
    booth.sit()
    booth.press("retake")
    booth.sit()
    booth.press("keep")
    assert booth.shows(Screen.READ_BACK)
    assert booth.booth.visit.prints == prints


def test_a_full_disk_is_found_out_before_anybody_is_captured(tmp_path: Path) -> None:
    with stage(tmp_path) as booth:
        booth.stop()
        booth.least_free = 1 << 60
        booth.start()
        booth.to_confirm()
        assert booth.shows(Screen.ATTRACT)
        assert booth.booth.message is not None
        assert "bộ nhớ đầy" in booth.booth.message.vi
        assert booth.server.asked == []


# Presses that come twice, late or from elsewhere


def test_a_double_click_is_one_press(booth: Stage) -> None:
    booth.to_confirm()
    token = booth.booth.token
    booth.press("confirm", token)
    for _ in range(3):
        with pytest.raises(Stale):
            booth.press("confirm", token)
    assert booth.shows(Screen.NOTICE)


def test_no_press_of_an_earlier_visit_does_anything(booth: Stage) -> None:
    booth.to_confirm()
    token = booth.booth.token
    booth.press("not_me")
    booth.press("finish")
    for name in ACTIONS:
        for wrong in (token, "", ".", token.split(".")[0], "nonsense"):
            with pytest.raises(Stale):
                booth.press(name, wrong)
    assert booth.shows(Screen.ATTRACT)


def test_a_press_that_is_not_on_the_screen_does_nothing(booth: Stage) -> None:
    booth.to_confirm()
    elsewhere = [name for name, action in ACTIONS.items() if Screen.CONFIRM not in action.on]
    assert len(elsewhere) > 15
    for name in elsewhere:
        with pytest.raises(Stale):
            booth.press(name)
    assert booth.shows(Screen.CONFIRM)


def test_an_unknown_press_is_named_as_such(booth: Stage) -> None:
    with pytest.raises(ActionUnknown):
        booth.press("open_sesame")


def test_calling_an_officer_works_although_the_screen_has_just_moved_on(booth: Stage) -> None:
    booth.to_confirm()
    before = booth.booth.token
    booth.press("confirm")
    booth.press("call_officer", before)
    assert booth.shows(Screen.HELP)
    booth.press("resume")
    assert booth.shows(Screen.NOTICE)


# Leaving


@pytest.mark.parametrize("screen", WAYS)
def test_whoever_gives_up_leaves_nothing_behind(booth: Stage, screen: Screen) -> None:
    WAYS[screen](booth)
    assert booth.shows(screen)
    visit = booth.booth.visit.present.visit_id
    booth.press("give_up")
    assert booth.shows(Screen.FAREWELL)
    assert booth.traces() == []
    assert booth.taker.result() == ((), ())
    booth.errands.run()
    assert [(one.visit_id, one.reason) for one in booth.server.departed] == [(visit, "gave_up")]


@pytest.mark.parametrize("screen", [Screen.CONFIRM, Screen.FINGERS, Screen.SIGN])
def test_whoever_walks_away_is_asked_and_then_forgotten(booth: Stage, screen: Screen) -> None:
    WAYS[screen](booth)
    booth.pass_time(59)
    counted = [booth.booth.countdown]
    booth.pass_time(2)
    counted.append(booth.booth.countdown)
    booth.press("extend")
    counted.append(booth.booth.countdown)
    assert counted == [None, 19, None]
    booth.pass_time(81)
    assert booth.shows(Screen.FAREWELL)
    assert booth.booth.parting == "timed_out"
    assert booth.traces() == []
    booth.errands.run()
    assert [one.reason for one in booth.server.departed] == ["timed_out"]


def test_a_face_before_the_camera_counts_as_somebody_being_there(booth: Stage) -> None:
    booth.to_portrait()
    for _ in range(10):
        booth.pass_time(12)
        booth.see(FAR)
    assert booth.shows(Screen.PORTRAIT)
    for _ in range(14):
        booth.pass_time(12)
        booth.see(FAR)
    # Not for ever: a picture on the wall is no citizen.
    assert booth.shows(Screen.FAREWELL, Screen.ATTRACT)


def test_a_departure_waits_for_the_network_and_is_told_once(booth: Stage) -> None:
    booth.to_prepare()
    booth.server.down = True
    booth.press("give_up")
    booth.errands.run()
    booth.restart()
    assert booth.server.departed == []
    booth.server.down = False
    booth.errands.run()
    booth.errands.run()
    assert len(booth.server.departed) == 1


@pytest.mark.parametrize(
    ("status", "told_again"), [(401, True), (403, True), (429, True), (404, False), (409, False)]
)
def test_a_departure_is_kept_until_the_visit_is_over_there(
    booth: Stage, status: int, told_again: bool
) -> None:
    booth.to_prepare()
    no = Refused(Refusal(code="x", text=BothLanguages(vi="Không.", en="No.")), status)
    booth.server.no_leave = no
    booth.press("give_up")
    booth.errands.run()
    booth.server.no_leave = None
    booth.restart()
    assert len(booth.server.departed) == told_again


def test_whoever_left_while_the_server_was_asked_is_not_let_in(booth: Stage) -> None:
    waiting: list[Callable[[], None]] = []
    object.__setattr__(booth.booth.fittings, "spawn", waiting.append)
    booth.to_confirm()
    assert booth.shows(Screen.CHECKING)
    booth.press("give_up")
    waiting[0]()
    assert booth.shows(Screen.ATTRACT)
    assert booth.booth.visit.facts is None
    booth.errands.run()
    assert [one.reason for one in booth.server.departed] == ["gave_up"]


# Restarts


@pytest.mark.parametrize(
    ("screen", "back", "lost"),
    [
        (Screen.CONFIRM, Screen.CONFIRM, False),
        (Screen.PREPARE, Screen.PREPARE, False),
        (Screen.PORTRAIT, Screen.PREPARE, True),
        (Screen.FINGERS, Screen.PREPARE, True),
        (Screen.SIGN, Screen.PREPARE, True),
    ],
)
def test_a_restart_comes_back_to_the_step_that_needs_no_capture(
    booth: Stage, screen: Screen, back: Screen, lost: bool
) -> None:
    WAYS[screen](booth)
    consent = booth.booth.visit.consent
    booth.restart()
    assert booth.shows(back)
    assert booth.booth.visit.present.name == NAME
    assert booth.booth.visit.consent == consent
    assert (booth.booth.message is not None) is lost


def test_a_restart_after_the_seal_still_shows_the_number(booth: Stage) -> None:
    booth.to_sealed()
    booth.restart()
    assert booth.shows(Screen.SEALED)
    assert booth.booth.visit.closed is not None
    assert booth.booth.visit.closed.number == "S01-000001"


def test_power_lost_between_seal_and_journal_makes_no_second_capture(booth: Stage) -> None:
    booth.to_sign()
    journal = booth.folder / "visit.journal"
    before = journal.read_bytes()
    booth.press("sign", signature=drawing())
    booth.stop()
    journal.write_bytes(before)
    booth.start()
    assert booth.shows(Screen.SEALED)
    assert len(booth.outbox.waiting()) == 1


def test_power_lost_between_departure_and_journal_brings_nobody_back(booth: Stage) -> None:
    booth.to_prepare()
    journal = booth.folder / "visit.journal"
    before = journal.read_bytes()
    booth.server.down = True
    booth.press("give_up")
    booth.stop()
    journal.write_bytes(before)
    booth.start()
    assert booth.shows(Screen.ATTRACT)
    assert booth.traces() == []


@pytest.mark.parametrize("cut", [1, 7, 40])
def test_a_torn_last_line_costs_one_step_at_most(booth: Stage, cut: int) -> None:
    booth.to_prepare()
    booth.stop()
    journal = booth.folder / "visit.journal"
    journal.write_bytes(journal.read_bytes()[:-cut])
    booth.start()
    assert booth.shows(Screen.CONFIRM)
    assert booth.booth.visit.consent is None


@pytest.mark.parametrize(
    "junk", [b"\0" * 100, b"{}\n", b"[1]\n", b'{"at":"x","event":"agree"}\n', b"\xff" * 2_000_000]
)
def test_a_journal_that_is_none_is_let_go(booth: Stage, junk: bytes) -> None:
    booth.stop()
    (booth.folder / "visit.journal").write_bytes(junk)
    booth.start()
    assert booth.shows(Screen.ATTRACT)
    booth.to_confirm()
    assert booth.shows(Screen.CONFIRM)


# Fingers and officers


def test_the_same_finger_twice_is_noticed_and_named(booth: Stage) -> None:
    booth.to_fingers()
    booth.lay(1, 1)
    assert booth.wanted == (2,)
    (offered,) = booth.taker.standing.offered
    assert offered.same_as == 1


def test_swapped_fingers_are_noticed_before_the_citizen_leaves(booth: Stage) -> None:
    booth.to_fingers()
    booth.lay(2, 1)
    until(lambda: booth.taker.standing.control)
    booth.lay(*booth.wanted)
    assert booth.shows(Screen.FINGERS)
    assert booth.taken == []


def test_a_finger_that_cannot_be_had_calls_an_officer_who_records_why(booth: Stage) -> None:
    booth.to_fingers()
    booth.lay(1)
    booth.lay(2, nfiq2=10)
    booth.lay(2, nfiq2=10)
    until(lambda: booth.shows(Screen.HELP))
    for action in ("missing", "keep_finger", "reopen_finger"):
        with pytest.raises(Stale):
            booth.press(action, position="2", reason="worn")
    booth.press("pin", officer="cb01", pin="246810")
    booth.press("missing", position="2", reason="because")
    booth.press("missing", position="99", reason="worn")
    booth.press("missing", position="2", reason="bandaged:permanent")
    booth.press("missing", position="2", kind="smudged", reason="worn")
    assert booth.taker.standing.missing == ()
    booth.press("missing", position="2", reason="worn")
    booth.press("resume")
    until(lambda: booth.shows(Screen.READ_BACK))
    (missing,) = booth.booth.visit.missing
    assert (missing.position, missing.reason, missing.officer) == (2, MissingReason.WORN, "cb01")
    noted = [step.detail for step in booth.booth.visit.steps if step.event == "finger_missing"]
    assert noted == ["2 worn permanent"]
    booth.press("to_sign")
    booth.press("sign", signature=drawing())
    entry = booth.outbox.waiting()[0]
    header, _ = open_packet(booth.outbox.packet(entry).read_bytes(), booth.opening, expect={})
    assert header.operator == "cb01"


def test_what_an_officer_decides_about_a_finger_stands_in_the_journal_and_nothing_else(
    booth: Stage,
) -> None:
    booth.to_fingers()
    booth.lay(1)
    booth.lay(2, nfiq2=10)
    booth.lay(2, nfiq2=10)
    until(lambda: booth.shows(Screen.HELP))
    booth.press("pin", officer="cb01", pin="246810")
    booth.press("keep_finger", position="1")
    booth.press("reopen_finger", position="2")
    booth.press("resume")
    booth.lay(2, nfiq2=10)
    booth.lay(2, nfiq2=10)
    until(lambda: booth.shows(Screen.HELP))
    booth.press("pin", officer="cb01", pin="246810")
    booth.press("keep_finger", position="2")
    decided = {"finger_keep", "finger_missing", "finger_reopen"}
    steps = booth.booth.visit.steps
    assert [(s.event, s.detail) for s in steps if s.event in decided] == [
        ("finger_reopen", "2"),
        ("finger_keep", "2"),
    ]


def test_an_officer_may_accept_a_picture_that_no_gate_passes(booth: Stage) -> None:
    booth.to_portrait()
    booth.officer()
    booth.press("force_portrait", reason="ill")
    assert booth.shows(Screen.DESK)
    booth.see(FAR)
    booth.press("force_portrait", reason="ill")
    assert booth.shows(Screen.LOOK)
    booth.press("keep")
    assert booth.booth.visit.portrait is not None
    assert booth.booth.visit.portrait.forced_by == "cb01"


def test_a_picture_that_leaves_the_frame_is_not_forced_and_the_officer_reads_why(
    booth: Stage,
) -> None:
    booth.to_portrait()
    booth.see(faces.frame(1, Behaviour.NEAR))
    booth.officer()
    booth.press("force_portrait", reason="ill")
    assert booth.shows(Screen.DESK)
    assert booth.booth.help is not None
    assert booth.booth.help.text == words()["desk.does_not_fit"]


def test_the_shutter_does_not_fire_while_an_officer_helps(booth: Stage) -> None:
    booth.to_portrait()
    booth.press("call_officer")
    booth.see(GOOD, STEADY * 2)
    assert booth.booth.under is Screen.PORTRAIT
    booth.press("resume")
    booth.sit()
    assert booth.shows(Screen.LOOK)


def test_an_officer_signs_for_somebody_who_cannot(booth: Stage) -> None:
    booth.to_sign()
    booth.officer()
    booth.press("sign_for")
    assert booth.shows(Screen.SEALED)


def test_an_officer_ends_a_visit_and_nothing_is_kept(booth: Stage) -> None:
    booth.to_read_back()
    booth.officer()
    booth.press("end")
    booth.errands.run()
    assert booth.traces() == []
    assert [one.reason for one in booth.server.departed] == ["officer"]


def test_an_officer_who_goes_away_is_signed_out(booth: Stage) -> None:
    booth.to_fingers()
    booth.officer()
    assert booth.shows(Screen.DESK)
    booth.pass_time(121)
    assert booth.shows(Screen.HELP)
    booth.pass_time(600, step=1)
    assert booth.shows(Screen.FAREWELL, Screen.ATTRACT)


def test_nobody_leaves_a_sealed_capture_by_way_of_help(booth: Stage) -> None:
    booth.to_sealed()
    booth.press("call_officer")
    with pytest.raises(Stale):
        booth.press("give_up")
    booth.errands.run()
    assert booth.server.departed == []
    assert booth.booth.visit.state is VisitState.SEALED


# Devices that go away


@pytest.mark.parametrize("broken", [Unplugged("pulled"), Silent("no answer")])
def test_a_reader_lost_in_the_middle_is_said_and_survived(booth: Stage, broken: Exception) -> None:
    booth.to_fingers()
    booth.lay(1)
    lost, booth.reader = booth.reader, FakeReader()
    lost.touches.put(broken)  # type: ignore[arg-type]  # a Broken
    until(lambda: "reader" in booth.booth.trouble)
    assert booth.booth.waits_for_device == "reader"
    until(lambda: not booth.booth.trouble)
    booth.lay(2)
    assert booth.taken == [1, 2]
    events = [step.event for step in booth.booth.visit.steps]
    assert events.index("reader_lost") < events.index("reader_back")


def test_a_camera_lost_in_the_middle_is_said_and_survived(booth: Stage) -> None:
    booth.to_portrait()
    booth.booth.told("camera", working=False)
    assert booth.booth.waits_for_device == "camera"
    booth.pass_time(120)
    assert booth.shows(Screen.PORTRAIT)
    booth.booth.told("camera", working=True)
    booth.sit()
    assert booth.shows(Screen.LOOK)


def test_nobody_begins_while_a_device_is_broken(booth: Stage) -> None:
    booth.booth.told("camera", working=False)
    booth.to_confirm()
    assert booth.shows(Screen.ATTRACT)
    assert booth.server.asked == []


def test_a_touch_begun_before_help_was_called_is_thrown_away(booth: Stage) -> None:
    booth.to_fingers()
    until(booth.reader.asked.is_set)
    booth.press("call_officer")
    booth.reader.touches.put(touch(1))
    until(booth.reader.touches.empty)
    booth.press("resume")
    booth.lay(1)
    assert booth.taken == [1]
    assert booth.taker.result()[0][0].attempts == 1


def test_whose_touch_was_thrown_away_is_told_to_lift_the_finger(
    booth: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    lifted = threading.Event()
    monkeypatch.setattr(booth.reader, "wait_lifted", lambda *, deadline: lifted.wait(deadline))
    booth.to_fingers()
    until(booth.reader.asked.is_set)
    booth.press("call_officer")
    booth.reader.touches.put(touch(1))
    until(booth.reader.touches.empty)
    booth.press("resume")
    until(lambda: booth.taker.standing.phase is Phase.LIFT)
    assert booth.taken == []
    lifted.set()
    booth.lay(1)
    assert booth.taken == [1]


# Signing


@pytest.mark.parametrize(
    "text",
    [
        "",
        drawing(ink=False),
        drawing(3000, 300),
        "data:image/jpeg;base64,/9j/",
        "data:image/png;base64,%%%",
        "data:image/png;base64,iVBORw0KGgo=",
        "A" * 2_000_000,
        drawing()[:-400],
    ],
)
def test_what_is_no_signature_is_asked_for_again_and_nothing_is_lost(
    booth: Stage, text: str
) -> None:
    booth.to_sign()
    booth.press("sign", signature=text)
    assert booth.shows(Screen.SIGN)
    assert booth.booth.message is not None
    assert booth.outbox.waiting() == ()
    booth.press("sign", signature=drawing())
    assert booth.shows(Screen.SEALED)


def test_a_capture_that_cannot_be_kept_is_not_called_done_and_not_lost(
    booth: Stage,
) -> None:
    booth.to_sign()
    packets = booth.folder / "outbox" / "packets"
    packets.rename(packets.with_name("gone"))
    booth.press("sign", signature=drawing())
    assert booth.shows(Screen.HELP)
    assert booth.booth.under is Screen.SIGN
    packets.with_name("gone").rename(packets)
    booth.press("resume")
    booth.press("sign", signature=drawing())
    assert booth.shows(Screen.SEALED)
