"""Attended liveness follows one face through movements drawn by lot, and helps an officer judge."""

import hashlib
import itertools
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from numpy.typing import NDArray

from biometrics.capture import Liveness
from biometrics.face.following import GAP
from biometrics.face.judge import FrameInvalid, Verdict
from biometrics.face.landmarks import Landmarks
from biometrics.face.live import LiveJudge
from biometrics.face.liveness import (
    ACTION_SECONDS,
    BACK_SECONDS,
    CHALLENGES,
    HOLD,
    LOOK_HERE,
    TURNS,
    Action,
    Attendance,
    NobodyToFollow,
    Progress,
    SeedInvalid,
    challenge,
    new_seed,
    words,
)
from biometrics.face.relief import ENOUGH, FLAT_BELOW, Relief, relief, rigid
from hardware.camera.act import WELL, Act, Behaviour
from hardware.camera.sheet import Sheet, held
from hardware.camera.sitter import SitterCamera, draw, portrait
from kiosk.obedient import Obedient
from tests import faces

Pixels = NDArray[np.uint8]
SEED = "0123456789abcdef" * 2
FPS = 10
SIZE = (960, 540)
"""Of the frames of whole sessions: half the pixels, a third of the time."""
GOLDEN = (Action.COME_CLOSER, Action.TURN_RIGHT, Action.TURN_LEFT)
CHI_SQUARE_81 = 124.8
"""The 99.9 % point with 81 degrees of freedom."""


# Sessions


@lru_cache(maxsize=1)
def live() -> LiveJudge:
    return LiveJudge()


Frames = Callable[[float, Progress | None], Pixels]


def session(
    actions: tuple[Action, ...], frames: Frames, seconds: float = 40, fps: int = FPS
) -> tuple[Attendance, Progress]:
    """Attend to what `frames` shows after so many seconds, until it is over."""
    first = frames(0.0, None)
    attendance = Attendance(SEED, actions, faces.judge().judge(first), first)
    live().reset()
    progress: Progress | None = None
    for number in range(1, round(seconds * fps)):
        pixels = frames(number / fps, progress)
        progress = attendance.feed(pixels, live().judge(pixels), number / fps)
        if progress.done:
            break
    assert progress is not None
    return attendance, progress


def obedient(seed: int, fps: int = FPS) -> tuple[SitterCamera, Frames]:
    """A sitter who does what is asked; the frames leave a quarter of the usual rate out."""
    now = 0.0
    camera = SitterCamera(seed, SIZE, fps=fps, clock=lambda: now, sleep=lambda _: None)
    who = Obedient(WELL)

    def frames(at: float, progress: Progress | None) -> Pixels:
        nonlocal now
        passed, now = at - now, at
        asked = None if progress is None else f"liveness.{progress.action}"
        who.tick(camera, asked, passed)
        return camera.read().pixels

    return camera, frames


def posed(seed: int, acts: Callable[[float], Act]) -> Frames:
    return lambda at, _: draw(seed, acts(at), round(at * FPS), SIZE)


def move(act: Act, at: float, begins: float = 0.5, takes: float = 0.4) -> float:
    return min(1.0, max(0.0, (at - begins) / takes))


@lru_cache(maxsize=8)
def honest(seed: int) -> Liveness:
    return session((Action.TURN_LEFT,), obedient(seed)[1])[0].result()


# The challenge


def test_a_seed_is_drawn_anew_and_fits_into_the_capture() -> None:
    seeds = {new_seed() for _ in range(50)}
    assert len(seeds) == 50
    assert all(len(seed) == 32 and int(seed, 16) >= 0 for seed in seeds)


def test_an_auditor_works_the_challenge_out_from_what_the_capture_says() -> None:
    said = b"thunhan-liveness-1\0" + SEED.encode() + b"\0" + "hồ-sơ-1".encode()
    drawn = int.from_bytes(hashlib.sha256(said).digest(), "big") % len(CHALLENGES)
    assert challenge("hồ-sơ-1", SEED) == CHALLENGES[drawn]


def test_the_challenge_of_a_visit_never_changes_from_one_release_to_the_next() -> None:
    assert len(CHALLENGES) == 82
    assert challenge("3d594650-3436-453f-9f4f-1c3a9a8f7f10", SEED) == GOLDEN


def test_every_challenge_turns_the_head_and_repeats_nothing_at_once() -> None:
    assert len(set(CHALLENGES)) == len(CHALLENGES)
    for actions in CHALLENGES:
        assert 2 <= len(actions) <= 3
        assert TURNS & set(actions)
        assert all(one != other for one, other in itertools.pairwise(actions))
    assert {action for actions in CHALLENGES for action in actions} == set(Action)


@pytest.mark.parametrize("what", ["visit", "seed"])
def test_challenges_are_drawn_evenly_whichever_of_both_changes(what: str) -> None:
    draws = 100 * len(CHALLENGES)
    counted = Counter(
        challenge("a visit", f"{n:032x}") if what == "seed" else challenge(f"visit {n}", SEED)
        for n in range(draws)
    )
    expected = draws / len(CHALLENGES)
    spread = sum((counted[one] - expected) ** 2 / expected for one in CHALLENGES)
    assert spread < CHI_SQUARE_81
    assert spread > 40, "more even than chance"


@pytest.mark.parametrize(
    ("visit", "seed"),
    [
        ("v", ""),
        ("v", "0" * 31),
        ("v", "0" * 33),
        ("v", "G" * 32),
        ("v", "A" * 32),
        ("v", "０" * 32),
        ("", SEED),
        ("v" * 65, SEED),
        ("\ud800", SEED),
    ],
)
def test_what_is_no_visit_or_no_seed_draws_nothing(visit: str, seed: str) -> None:
    with pytest.raises(SeedInvalid):
        challenge(visit, seed)


def test_everything_that_is_asked_has_its_sentence_in_both_languages() -> None:
    assert set(words()) == {f"liveness.{one}" for one in (*Action, LOOK_HERE)}


# Honest sitters


@pytest.mark.parametrize("seed", [1, 3])
@pytest.mark.parametrize("action", list(Action))
def test_an_honest_sitter_is_seen_to_do_what_is_asked(action: Action, seed: int) -> None:
    attendance, progress = session((action,), obedient(seed)[1])
    seen = attendance.result()
    assert progress == Progress(action=None, number=1, of=1, share=1.0, lost=False, done=True)
    assert (seen.actions, seen.met, seen.same_face) == ((action.value,), (True,), True)
    assert 0.5 < seen.seconds < ACTION_SECONDS


def test_a_whole_challenge_is_asked_one_by_one_with_the_way_back_between() -> None:
    actions = (Action.BLINK, Action.TURN_RIGHT, Action.COME_CLOSER)
    _, frames = obedient(2)
    asked: list[str | None] = []

    def watched(at: float, progress: Progress | None) -> Pixels:
        if progress is not None and (not asked or asked[-1] != progress.action):
            asked.append(progress.action)
            assert progress.of == 3
        return frames(at, progress)

    seen = session(actions, watched)[0].result()
    assert asked == ["blink", LOOK_HERE, "turn_right", LOOK_HERE, "come_closer", LOOK_HERE]
    assert seen.seed == SEED
    assert seen.met == (True, True, True)
    assert seen.same_face is True
    assert seen.relief is not None
    assert seen.relief > FLAT_BELOW


def test_the_share_grows_with_the_movement_until_it_is_held() -> None:
    frames = posed(1, lambda at: Act(yaw=30 * move(WELL, at, takes=1.0)))
    shares: list[float] = []

    def watched(at: float, progress: Progress | None) -> Pixels:
        if progress is not None and progress.action == Action.TURN_LEFT:
            shares.append(progress.share)
        return frames(at, progress)

    session((Action.TURN_LEFT,), watched, seconds=2.5)
    assert shares[0] < 0.1
    assert max(shares) > 0.6
    assert all(later >= one - 0.05 for one, later in itertools.pairwise(shares))


# What is not what was asked


@pytest.mark.parametrize(
    ("asked", "act"),
    [
        (Action.TURN_LEFT, Act(yaw=-32)),
        (Action.TURN_RIGHT, Act(yaw=32)),
        (Action.TURN_LEFT, Act(pitch=-24)),
        (Action.LOOK_UP, Act(pitch=24)),
        (Action.LOOK_UP, Act(yaw=30)),
        (Action.COME_CLOSER, Act(size=0.11)),
        (Action.BLINK, Act(mouth_open=1.0)),
        (Action.TURN_LEFT, Act(yaw=8)),
    ],
    ids=str,
)
def test_another_movement_is_not_the_one_that_was_asked_for(asked: Action, act: Act) -> None:
    def acts(at: float) -> Act:
        share = move(act, at)
        return Act(
            yaw=share * act.yaw,
            pitch=share * act.pitch,
            size=WELL.size + share * (act.size - WELL.size),
            mouth_open=share * act.mouth_open,
        )

    attendance, progress = session((asked,), posed(1, acts), seconds=1.8)
    assert progress.action == asked
    assert progress.share < 1
    assert attendance.result().met == ()


@pytest.mark.parametrize(
    ("shut", "blinked"),
    [((1.0, 1.2), True), ((1.0, 1.9), True), ((1.0, 2.6), False), ((0.0, 1.0), False)],
)
def test_a_blink_is_open_shut_and_open_again_within_a_second(
    shut: tuple[float, float], *, blinked: bool
) -> None:
    frames = posed(1, lambda at: Act(eyes_shut=shut[0] <= at - 0.05 < shut[1]) if at else WELL)
    attendance, _ = session((Action.BLINK,), frames, seconds=3.4)
    assert (attendance.result().met == (True,)) is blinked


def test_while_a_second_person_is_there_no_movement_counts() -> None:
    frames = posed(1, lambda at: Act(yaw=30 * move(WELL, at), company=at > 0.3))
    attendance, progress = session((Action.TURN_LEFT,), frames, seconds=2.0)
    assert attendance.result().met == ()
    assert progress.action == Action.TURN_LEFT


def test_whoever_does_nothing_is_let_go_in_time_and_nothing_is_held_against_their_face() -> None:
    pixels, verdict = faces.frame(1), faces.verdict(1)
    attendance = Attendance(SEED, (Action.TURN_LEFT, Action.BLINK), verdict, pixels)
    at, progress = 0.0, None
    while progress is None or not progress.done:
        at += 0.2
        progress = attendance.feed(pixels, verdict, at)
        assert at < 60
    seen = attendance.result()
    assert seen.met == (False, False)
    assert seen.same_face is True
    assert seen.relief is None
    assert at < 2 * (ACTION_SECONDS + BACK_SECONDS)
    assert attendance.feed(pixels, verdict, at + 1) == progress


def test_whoever_never_comes_back_is_let_go_in_time_too() -> None:
    first, turned = faces.frame(1), draw(1, Act(yaw=26), 3, faces.SIZE)
    attendance = Attendance(SEED, (Action.TURN_LEFT,), faces.verdict(1), first)
    verdict = faces.judge().judge(turned)
    attendance.feed(first, faces.verdict(1), 0.0)
    at, progress = 0.0, None
    while progress is None or not progress.done:
        at += 0.2
        progress = attendance.feed(turned, verdict, at)
        assert at < 30
    assert attendance.result().met == (True,)
    assert attendance.result().same_face is None, "no straight look to compare"


def test_given_up_half_way_the_record_says_what_was_seen_until_then() -> None:
    attendance, _ = session((Action.BLINK, Action.TURN_LEFT), obedient(1)[1], seconds=1.8)
    seen = attendance.result()
    assert seen.actions == ("blink", "turn_left")
    assert seen.met == (True,)
    assert seen.same_face is None
    assert Attendance(SEED, (Action.BLINK,), faces.verdict(1), faces.frame(1)).result() == Liveness(
        seed=SEED, actions=("blink",), met=(), same_face=None, relief=None, seconds=0.0
    )


# One face from the first to the last


@pytest.mark.parametrize("other", [2, 4])
def test_another_person_who_slips_in_between_two_frames_is_told(other: int) -> None:
    camera, frames = obedient(1)

    def swapped(at: float, progress: Progress | None) -> Pixels:
        if at >= 1.0:
            camera.become(other)
        return frames(at, progress)

    attendance, _ = session((Action.TURN_LEFT,), swapped)
    assert attendance.result().same_face is False


@pytest.mark.parametrize("seeds", [(3, 5), (4, 6)])
def test_a_person_who_was_swapped_before_the_first_frame_does_not_pass_for_the_same(
    seeds: tuple[int, int],
) -> None:
    camera, frames = obedient(seeds[0])

    def swapped(at: float, progress: Progress | None) -> Pixels:
        if at > 0:
            camera.become(seeds[1])
        return frames(at, progress)

    attendance, _ = session((Action.TURN_RIGHT,), swapped, seconds=3)
    assert attendance.result().same_face is not True


@pytest.mark.parametrize(("away", "same"), [(0.4, True), (GAP + 0.5, False)])
def test_a_face_may_be_out_of_sight_for_a_moment_only(away: float, *, same: bool) -> None:
    camera, frames = obedient(1)
    lost: list[bool] = []

    def hidden(at: float, progress: Progress | None) -> Pixels:
        lost.append(progress is not None and progress.lost)
        pixels = frames(at, progress)
        if 0.45 < at < 0.45 + away:
            return draw(1, Behaviour.AWAY, camera._number, SIZE)
        return pixels

    attendance, progress = session((Action.TURN_LEFT,), hidden)
    assert any(lost)
    assert progress.done
    assert attendance.result().same_face is same
    assert attendance.result().met == (True,), "it is attended to all the same"


def test_a_face_that_leaps_is_not_believed_at_once() -> None:
    pixels, leapt = faces.frame(1), draw(1, Act(across=0.4), 3, faces.SIZE)
    attendance = Attendance(SEED, (Action.TURN_LEFT,), faces.verdict(1), pixels)
    assert not attendance.feed(pixels, faces.verdict(1), 0.0).lost
    assert attendance.feed(leapt, faces.judge().judge(leapt), 0.1).lost
    assert not attendance.feed(pixels, faces.verdict(1), 0.2).lost


def test_frames_of_another_camera_are_a_cut() -> None:
    small = draw(1, WELL, 3, (640, 360))
    verdict = faces.judge().judge(small)
    attendance = Attendance(SEED, (Action.BLINK,), faces.verdict(1), faces.frame(1))
    for n in range(12):
        assert attendance.feed(small, verdict, n / 10).lost
    assert attendance.result().same_face is False


# Flat pictures


def turned_print(seed: int, bend: float = 0.0, angle: float = 38.0) -> Liveness:
    picture = portrait(seed)

    def frames(at: float, _: Progress | None) -> Pixels:
        sheet = Sheet(yaw=angle * move(WELL, at), bend=bend)
        return held(picture, sheet, SIZE, grain=round(at * FPS))

    return session((Action.TURN_LEFT,), frames, seconds=1.6)[0].result()


def test_a_turned_print_has_less_relief_than_a_turned_head_by_a_gap() -> None:
    heads = [honest(seed).relief for seed in (1, 2, 3)]
    prints = [turned_print(seed) for seed in (1, 2, 3)]
    flat = [seen.relief for seen in prints]
    assert min(head or 0.0 for head in heads) > FLAT_BELOW > max(one or 1.0 for one in flat)
    assert min(head or 0.0 for head in heads) > max(one or 1.0 for one in flat) + 0.15
    assert {seen.met for seen in prints} == {()}, "nor does the mesh see it turn"


def test_a_bent_print_has_more_relief_than_a_flat_one_as_the_page_admits() -> None:
    flat, bent = turned_print(2).relief, turned_print(2, bend=2.0).relief
    assert flat is not None
    assert bent is not None
    assert bent > flat + 0.1


def test_too_little_movement_says_nothing_of_relief() -> None:
    assert turned_print(1, angle=8.0).relief is None
    assert Relief(change=ENOUGH * 0.99, residual=0.04).native is None
    assert Relief(change=ENOUGH, residual=ENOUGH).native == 1.0


def _face() -> Landmarks:
    face = faces.verdict(1).face
    assert face is not None
    return face


def _with(points: NDArray[np.floating]) -> Landmarks:
    full = np.zeros((468, 3), np.float32)
    full[:, : points.shape[1]] = points
    return Landmarks(points=full, presence=1.0)


def test_any_view_of_a_plane_has_no_relief() -> None:
    face = _face()
    kept = rigid(face)
    plane = np.array([[0.8, 0.05, 30], [-0.1, 1.1, 5], [2e-4, 1e-4, 1]])
    laid = np.column_stack([face.points[:, :2], np.ones(468)]) @ plane.T
    found = relief(face, _with(laid[:, :2] / laid[:, 2:]), kept)
    assert found.change > ENOUGH
    assert found.native is not None
    assert found.native < 0.01


def test_a_turned_head_has_and_the_more_the_more_depth_it_has() -> None:
    face = _face()
    kept = rigid(face)
    angle = math.radians(20)
    middle = face.points.mean(0)
    about = np.array(
        [[math.cos(angle), 0, -math.sin(angle)], [0, 1, 0], [math.sin(angle), 0, math.cos(angle)]]
    )

    def turned(depth: float) -> float:
        points = (face.points - middle) * (1, 1, depth)
        return relief(face, _with((points @ about.T + middle)[:, :2]), kept).residual

    assert turned(0.0) < 0.001 < turned(0.5) < turned(1.0)


@pytest.mark.parametrize(
    "points",
    [np.zeros((468, 2)), np.full((468, 2), np.nan), np.arange(936).reshape(468, 2) * [1, 0]],
    ids=["one point", "no numbers", "a line"],
)
def test_points_that_are_no_face_have_no_relief(points: NDArray[np.floating]) -> None:
    face = _face()
    assert relief(face, _with(points), rigid(face)).native in {None, 1.0}
    assert relief(_with(points), face, rigid(face)).native in {None, 1.0}


# Bad input


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((720, 1280), np.uint8),
        np.zeros((720, 1280, 4), np.uint8),
        np.zeros((720, 1280, 3), np.float32),
        np.zeros((0, 0, 3), np.uint8),
    ],
)
def test_what_is_no_frame_is_refused_and_nothing_is_lost(pixels: Pixels) -> None:
    with pytest.raises(FrameInvalid):
        Attendance(SEED, (Action.BLINK,), faces.verdict(1), pixels)
    attendance = Attendance(SEED, (Action.BLINK,), faces.verdict(1), faces.frame(1))
    attendance.feed(faces.frame(1), faces.verdict(1), 0.0)
    with pytest.raises(FrameInvalid):
        attendance.feed(pixels, faces.verdict(1), 0.1)
    assert not attendance.feed(faces.frame(1), faces.verdict(1), 0.2).lost


def test_nobody_can_be_followed_from_a_portrait_without_a_face() -> None:
    empty = faces.frame(1, Behaviour.AWAY)
    with pytest.raises(NobodyToFollow):
        Attendance(SEED, (Action.BLINK,), faces.verdict(1, Behaviour.AWAY), empty)
    with pytest.raises(NobodyToFollow):
        Attendance(SEED, (Action.BLINK,), faces.verdict(1), np.zeros((720, 1280, 3), np.uint8))
    with pytest.raises(ValueError, match="at least one"):
        Attendance(SEED, (), faces.verdict(1), faces.frame(1))


@pytest.mark.parametrize("at", [1.0, 0.5, -1.0, math.nan, math.inf, -math.inf])
def test_a_frame_that_comes_out_of_order_is_not_looked_at(at: float) -> None:
    attendance = Attendance(SEED, (Action.BLINK,), faces.verdict(1), faces.frame(1))
    attendance.feed(faces.frame(1), faces.verdict(1), 1.0)
    before = attendance.result()
    attendance.feed(faces.frame(2), faces.verdict(2), at)
    assert attendance.result() == before


@pytest.mark.parametrize("points", [np.nan, -5000.0, 1e9])
def test_points_that_lie_nowhere_are_no_face(points: float) -> None:
    def astray(verdict: Verdict) -> Verdict:
        assert verdict.face is not None
        return replace(verdict, face=_with(np.full((468, 3), points, np.float32)))

    attendance = Attendance(SEED, (Action.BLINK,), faces.verdict(1), faces.frame(1))
    assert attendance.feed(faces.frame(1), astray(faces.verdict(1)), 0.0).lost
    assert not attendance.feed(faces.frame(1), faces.verdict(1), 0.1).lost


def test_eyes_that_could_not_be_assessed_for_a_moment_were_not_shut() -> None:
    def blind(verdict: Verdict) -> Verdict:
        return replace(
            verdict,
            findings=tuple(replace(finding, native=None) for finding in verdict.findings),
        )

    pixels, verdict = faces.frame(1), faces.verdict(1)
    attendance = Attendance(SEED, (Action.BLINK,), verdict, pixels)
    for n in range(9):
        attendance.feed(pixels, blind(verdict) if n == 4 else verdict, n / 10)
    assert attendance.result().met == ()
    shut = faces.frame(1, Behaviour.EYES_SHUT)
    attendance.feed(shut, faces.judge().judge(shut), 0.9)
    attendance.feed(pixels, verdict, 1.0)
    assert attendance.result().met == (True,)


def test_a_profile_that_does_not_look_at_eyes_sees_no_blink_but_all_else() -> None:
    def blind(verdict: Verdict) -> Verdict:
        return replace(verdict, findings=())

    attendance = Attendance(SEED, (Action.BLINK,), blind(faces.verdict(1)), faces.frame(1))
    for n in range(HOLD * 2):
        progress = attendance.feed(faces.frame(1), blind(faces.verdict(1)), n / 10)
    assert progress.action == Action.BLINK
    assert attendance.result().met == ()
