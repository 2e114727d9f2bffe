"""The stand-in citizen mends what is asked for as people do: late, in steps, one by one."""

from collections.abc import Callable
from itertools import pairwise

import pytest

from biometrics.face import hints
from hardware.camera.act import ACTS, WELL, Act, Behaviour
from hardware.camera.sitter import SitterCamera
from kiosk.fingers import FingerTaker
from kiosk.obedient import GESTURES, OFFICER_AFTER, REACTS_AFTER, STEPS, Obedient
from kiosk.rehearsal import NotUnderstood, Rehearsal, Role, role_of
from tests import faces

SIZE = (1280, 720)
TICK = 0.1
ENOUGH = 400
STARTS = [
    (Behaviour.FAR,),
    (Behaviour.NEAR,),
    (Behaviour.OFF_CENTRE,),
    (Behaviour.OFF_CENTRE_RIGHT,),
    (Behaviour.HIGH,),
    (Behaviour.LOW,),
    (Behaviour.TURN,),
    (Behaviour.TURN_RIGHT,),
    (Behaviour.CHIN_HIGH,),
    (Behaviour.CHIN_LOW,),
    (Behaviour.TILT,),
    (Behaviour.DARK,),
    (Behaviour.BRIGHT,),
    (Behaviour.AWAY, Behaviour.EYES_SHUT),
    (Behaviour.MOVING, Behaviour.MOUTH_OPEN),
    (Behaviour.BUSY, Behaviour.SIDE_LIGHT),
    (Behaviour.MASK,),
    (Behaviour.GLASSES, Behaviour.TILT),
    (Behaviour.FAR, Behaviour.TURN, Behaviour.SECOND_PERSON, Behaviour.COLOURED),
]


class Clock:
    """Time that passes only when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def camera(clock: Clock, size: tuple[int, int] = (160, 90)) -> SitterCamera:
    return SitterCamera(2, size, fps=10, clock=clock, sleep=lambda _: None)


def rehearsal(role: Role, instruction: Callable[[], str | None]) -> Rehearsal:
    def no_reader() -> None:
        raise AssertionError

    taker = FingerTaker(no_reader, lambda _: None)  # type: ignore[arg-type]
    return Rehearsal(taker, lambda: True, role, instruction)


@pytest.mark.parametrize("start", STARTS, ids="+".join)
def test_whoever_obeys_comes_from_any_bad_start_to_a_good_picture(
    start: tuple[Behaviour, ...],
) -> None:
    asked: str | None = None
    role = Role(person=2, behaviour=start[0], also=start[1:], obeys=True)
    play = rehearsal(role, lambda: asked)
    sitter = camera(Clock(), SIZE)
    play.seat(sitter)
    heard = []
    for _ in range(30):
        verdict = faces.judge().judge(sitter.read().pixels)
        if verdict.ok:
            break
        assert verdict.hint is not None
        asked = f"portrait.{verdict.hint}"
        heard.append(asked)
        before = sitter.act
        # Until the person has moved and sits still again; the frames between are not looked at.
        for _ in range(30):
            play.tick(TICK)
            if sitter.act != before:
                break
        sitter.pose(sitter.act, seconds=0)
        asked = None
    assert verdict.ok, heard
    assert heard


def test_the_same_person_never_mends_anything_unasked() -> None:
    play = rehearsal(Role(behaviour=Behaviour.FAR, obeys=True), lambda: None)
    sitter = camera(Clock())
    play.seat(sitter)
    for _ in range(100):
        play.tick(TICK)
    assert sitter.act == ACTS[Behaviour.FAR]


def test_who_does_not_obey_stays_as_they_are() -> None:
    play = rehearsal(Role(behaviour=Behaviour.FAR), lambda: "portrait.closer")
    sitter = camera(Clock())
    play.seat(sitter)
    for _ in range(100):
        play.tick(TICK)
    assert sitter.act == ACTS[Behaviour.FAR]


def test_a_person_reacts_after_a_while_and_step_by_step() -> None:
    sitter, who = camera(Clock()), Obedient(ACTS[Behaviour.FAR])
    sizes = []
    for _ in range(40):
        who.tick(sitter, "portrait.closer", TICK)
        sizes.append(who.act.size)
    moves = [at for at in range(1, 40) if sizes[at] != sizes[at - 1]]
    assert moves[0] == pytest.approx(REACTS_AFTER / TICK, abs=1)
    assert all(later - one >= 8 for one, later in pairwise(moves))
    assert 3 <= len(moves) <= 4


def test_lamps_take_an_officer_longer_than_a_person_needs_to_move() -> None:
    sitter, who = camera(Clock()), Obedient(ACTS[Behaviour.DARK])
    for _ in range(round(REACTS_AFTER / TICK) + 2):
        who.tick(sitter, "portrait.too_dark", TICK)
    assert who.act.light == ACTS[Behaviour.DARK].light
    for _ in range(round(OFFICER_AFTER / TICK)):
        who.tick(sitter, "portrait.too_dark", TICK)
    assert who.act.light > ACTS[Behaviour.DARK].light


def test_a_sentence_that_changes_before_it_was_read_moves_nobody() -> None:
    sitter, who = camera(Clock()), Obedient(ACTS[Behaviour.FAR])
    for at in range(60):
        who.tick(sitter, ("portrait.closer", "portrait.left")[at // 3 % 2], TICK)
    assert who.act == ACTS[Behaviour.FAR]


def test_each_sentence_moves_the_person_the_way_it_says_in_their_own_directions() -> None:
    assert STEPS["portrait.left"](WELL).across > 0
    assert STEPS["portrait.right"](WELL).across < 0
    assert STEPS["portrait.up"](WELL).down < 0
    assert STEPS["portrait.turn_left"](WELL).yaw > 0
    assert STEPS["portrait.chin_up"](WELL).pitch < 0
    assert STEPS["portrait.closer"](WELL).size > WELL.size


@pytest.mark.parametrize("key", sorted(STEPS))
def test_a_person_who_is_asked_for_ever_stays_within_the_room(key: str) -> None:
    sitter, who = camera(Clock()), Obedient()
    for _ in range(ENOUGH):
        who.tick(sitter, key, TICK)
    assert 0.04 <= who.act.size <= 0.3
    assert abs(who.act.across) <= 0.6
    assert abs(who.act.yaw) <= 45
    assert 0.05 <= who.act.light <= 3


def test_every_sentence_a_person_reacts_to_is_one_the_kiosk_can_say() -> None:
    assert {key for key in STEPS if key not in hints.words()} == set()


@pytest.mark.parametrize("key", sorted(GESTURES))
def test_a_gesture_is_made_while_asked_for_and_then_left_off(key: str) -> None:
    sitter, who = camera(Clock()), Obedient()
    shut = False
    for _ in range(12):
        who.tick(sitter, key, TICK)
        shut = shut or sitter._now().eyes_shut
        sitter.read()
    assert (sitter.act != WELL) is (key != "liveness.blink")
    assert shut is (key == "liveness.blink")
    for _ in range(12):
        who.tick(sitter, "liveness.look_here", TICK)
        sitter.read()
    assert sitter.act == WELL == who.act
    assert not sitter._now().eyes_shut


def test_asked_to_blink_for_long_a_person_blinks_again() -> None:
    sitter, who = camera(Clock()), Obedient()
    shut = []
    for _ in range(60):
        who.tick(sitter, "liveness.blink", TICK)
        shut.append(sitter._now().eyes_shut)
        sitter.read()
    begun = sum(now and not before for before, now in pairwise(shut))
    assert 2 <= begun <= 4


def test_a_role_obeys_and_has_several_faults_as_told_by_a_form_or_a_script() -> None:
    role = role_of({"behaviour": "far", "also": ["turn", "dark"], "obeys": True}, Role())
    assert role == Role(behaviour=Behaviour.FAR, also=(Behaviour.TURN, Behaviour.DARK), obeys=True)
    assert role_of({"obeys": "1", "also": "turn, dark", "behaviour": "far"}, Role()) == role
    assert role_of({}, role) == role
    assert role_of({"obeys": "0", "also": ""}, role) == Role(behaviour=Behaviour.FAR)


@pytest.mark.parametrize(
    "values",
    [{"obeys": "perhaps"}, {"obeys": []}, {"also": "flying"}, {"also": [[]]}, {"also": {"a": 1}}],
)
def test_what_nobody_can_play_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(NotUnderstood):
        role_of(values, Role())


def test_a_new_role_sits_down_anew_but_a_read_code_only_goes_away() -> None:
    reading = True
    taker = FingerTaker(lambda: None, lambda _: None)  # type: ignore[arg-type,return-value]
    role = Role(behaviour=Behaviour.FAR, obeys=True, code="ABC")
    play = Rehearsal(taker, lambda: reading, role, lambda: "portrait.closer")
    sitter = camera(Clock())
    play.seat(sitter)
    for _ in range(12):
        play.tick(TICK)
    nearer = sitter.act
    assert nearer.size > ACTS[Behaviour.FAR].size
    reading = False
    play.tick(TICK)
    assert play.role.code == ""
    assert play.role.obeys
    assert sitter.act == nearer
    play.play(Role(behaviour=Behaviour.TURN, obeys=True))
    assert sitter.act == Act(yaw=24.0)
