"""The simulated sitter does as told, passes when sitting well, and is somebody else by seed."""

import numpy as np
import pytest

from biometrics.face.compare import NO_MATCH_ABOVE, describe
from biometrics.face.hints import PortraitHint
from hardware.camera.act import WELL, Act, Behaviour, between, combined
from hardware.camera.person import person
from hardware.camera.photograph import PhotographMissing
from hardware.camera.photograph import astronaut as photograph
from hardware.camera.sitter import SitterCamera, draw, portrait
from hardware.errors import Unplugged
from tests import faces

SEEDS = (1, 2, 3, 12, 33, 77, 500)
ADVISED = {Behaviour.SMILE, Behaviour.MASK, Behaviour.GLASSES, Behaviour.COLOURED}
"""Drawn, but told to the sitter by heuristics that not every profile makes a reason."""
REASONS = {
    Behaviour.TURN: PortraitHint.TURN_RIGHT,
    Behaviour.TURN_RIGHT: PortraitHint.TURN_LEFT,
    Behaviour.CHIN_HIGH: PortraitHint.CHIN_DOWN,
    Behaviour.CHIN_LOW: PortraitHint.CHIN_UP,
    Behaviour.TILT: PortraitHint.HEAD_STRAIGHT,
    Behaviour.EYES_SHUT: PortraitHint.EYES_OPEN,
    Behaviour.MOUTH_OPEN: PortraitHint.MOUTH_CLOSED,
    Behaviour.FAR: PortraitHint.CLOSER,
    Behaviour.NEAR: PortraitHint.FARTHER,
    Behaviour.OFF_CENTRE: PortraitHint.RIGHT,
    Behaviour.OFF_CENTRE_RIGHT: PortraitHint.LEFT,
    Behaviour.HIGH: PortraitHint.DOWN,
    Behaviour.LOW: PortraitHint.UP,
    Behaviour.MOVING: PortraitHint.BLUR,
    Behaviour.DARK: PortraitHint.TOO_DARK,
    Behaviour.BRIGHT: PortraitHint.TOO_BRIGHT,
    Behaviour.SIDE_LIGHT: PortraitHint.SHADOW,
    Behaviour.BUSY: PortraitHint.BACKGROUND,
    Behaviour.SECOND_PERSON: PortraitHint.SECOND_PERSON,
    Behaviour.AWAY: PortraitHint.NO_FACE,
}


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("number", [0, 9, 31])
def test_told_to_sit_well_a_sitter_passes(seed: int, number: int) -> None:
    seen = faces.verdict(seed, Behaviour.WELL, number)
    assert seen.hint is None
    assert seen.ok


def test_every_behaviour_but_sitting_well_has_its_reason() -> None:
    assert set(REASONS) == set(Behaviour) - ADVISED - {Behaviour.WELL}


@pytest.mark.parametrize("behaviour", sorted(REASONS))
@pytest.mark.parametrize("seed", SEEDS[:5])
def test_told_otherwise_a_sitter_fails_for_that_reason(seed: int, behaviour: Behaviour) -> None:
    assert faces.verdict(seed, behaviour).hint is REASONS[behaviour]


def test_the_same_seed_is_the_same_person_and_picture() -> None:
    person.cache_clear()
    first = person(5), draw(5, Behaviour.WELL, 4, (640, 360))
    person.cache_clear()
    assert person(5) == first[0]
    assert np.array_equal(draw(5, Behaviour.WELL, 4, (640, 360)), first[1])


def test_the_first_people_are_strangers_and_everybody_knows_their_own_portrait() -> None:
    seeds = range(1, 9)
    references = [describe(portrait(seed)) for seed in seeds]
    probes = [describe(faces.frame(seed)) for seed in seeds]
    assert all(numbers is not None for numbers in (*references, *probes))
    distances = np.array(
        [[np.linalg.norm(a - b) for b in probes] for a in references]  # type: ignore[operator]
    )
    mates = np.diag(distances)
    strangers = distances[~np.eye(len(distances), dtype=bool)]
    assert mates.max() < 0.3
    assert strangers.min() > mates.max() + 0.15
    assert np.median(strangers) > NO_MATCH_ABOVE


def test_later_seeds_are_people_too() -> None:
    assert len({person(seed) for seed in range(100, 140)}) == 40


def test_the_camera_announces_itself_and_counts_its_frames() -> None:
    clock = Clock()
    camera = SitterCamera(1, (320, 180), fps=10, clock=clock, sleep=clock.sleep)
    frames = [camera.read() for _ in range(3)]
    assert camera.info.simulated
    assert (camera.info.width, camera.info.height) == (320, 180)
    assert [frame.number for frame in frames] == [0, 1, 2]
    assert frames[2].at - frames[0].at == pytest.approx(0.2)
    assert frames[0].pixels.shape == (180, 320, 3)


def test_a_sitter_told_something_else_does_it_from_the_next_frame_on() -> None:
    clock = Clock()
    camera = SitterCamera(1, clock=clock, sleep=clock.sleep)
    assert faces.judge().judge(camera.read().pixels).ok
    camera.tell(Behaviour.AWAY)
    assert faces.judge().judge(camera.read().pixels).hint is PortraitHint.NO_FACE
    camera.tell(Behaviour.WELL)
    camera.become(2)
    assert np.array_equal(camera.read().pixels, draw(2, Behaviour.WELL, 2, (1280, 720)))


def test_a_sitter_passes_softly_from_one_act_to_the_other() -> None:
    clock = Clock()
    camera = SitterCamera(1, (320, 180), fps=10, clock=clock, sleep=clock.sleep)
    camera.pose(Act(across=0.4), seconds=0.4)
    assert camera.act == Act(across=0.4)
    middles = []
    for _ in range(5):
        dark = np.nonzero(camera.read().pixels[-1].min(axis=1) < 120)[0]
        middles.append(float(dark.mean()))
    steps = np.diff([160, *middles])
    assert (steps[:4] > 2).all()
    assert middles[3] - 160 > 40
    assert abs(steps[4]) < 2


def test_what_is_told_during_a_move_begins_where_the_move_has_come() -> None:
    clock = Clock()
    camera = SitterCamera(1, (320, 180), fps=10, clock=clock, sleep=clock.sleep)
    camera.pose(Act(size=0.25), seconds=1.0)
    for _ in range(4):
        camera.read()
    there = camera._now().size
    camera.pose(WELL, seconds=1.0)
    assert WELL.size < camera._now().size <= there < 0.25


def test_a_blink_shuts_the_eyes_for_a_moment() -> None:
    clock = Clock()
    camera = SitterCamera(1, clock=clock, sleep=clock.sleep)
    camera.blink()
    opened = [faces.judge().judge(camera.read().pixels).finding("EyesOpen") for _ in range(4)]
    assert [finding.passed for finding in opened] == [False, False, False, True]


def test_acts_combine_and_the_later_one_decides() -> None:
    mixed = combined(Behaviour.DARK, Behaviour.FAR, Behaviour.NEAR)
    assert mixed == Act(light=0.2, size=0.25)
    assert combined() == combined(Behaviour.WELL) == WELL


def test_half_way_between_two_acts_is_half_of_each() -> None:
    half = between(WELL, Act(yaw=20, busy=True), 0.5)
    assert half == Act(yaw=10, busy=True)
    assert not between(WELL, Act(busy=True), 0.49).busy
    assert between(WELL, half, 1) is half


def test_a_held_up_picture_is_seen_until_it_is_taken_away() -> None:
    clock = Clock()
    camera = SitterCamera(1, (640, 360), clock=clock, sleep=clock.sleep)
    sheet = np.zeros((50, 50), np.uint8)
    camera.hold_up(sheet)
    held = camera.read().pixels
    camera.hold_up(None)
    free = camera.read().pixels
    assert held[202, 320].max() < 12
    assert free[202, 320].max() > 12


@pytest.mark.parametrize(
    "picture",
    [np.zeros((0, 5), np.uint8), np.zeros((5, 5), np.float32), np.zeros((5,), np.uint8)],
)
def test_what_is_no_picture_cannot_be_held_up(picture: np.ndarray) -> None:
    with pytest.raises(ValueError, match="uint8"):
        SitterCamera(1, (320, 180)).hold_up(picture)


def test_a_closed_camera_is_unplugged() -> None:
    camera = SitterCamera(1, (320, 180))
    camera.close()
    camera.close()
    with pytest.raises(Unplugged):
        camera.read()


def test_another_photograph_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hardware.camera.photograph.SHA256", "0" * 64)
    with pytest.raises(PhotographMissing):
        photograph()
