"""The simulated sitter does as told, passes when sitting well, and is somebody else by seed."""

import numpy as np
import pytest

from biometrics.face.compare import NO_MATCH_ABOVE, describe
from biometrics.face.hints import PortraitHint
from hardware.camera.person import person
from hardware.camera.photograph import PhotographMissing
from hardware.camera.photograph import astronaut as photograph
from hardware.camera.sitter import Behaviour, SitterCamera, draw, portrait
from hardware.errors import Unplugged
from tests import faces

SEEDS = (1, 2, 3, 12, 33, 77, 500)
REASONS = {
    Behaviour.TURN: PortraitHint.TURN_RIGHT,
    Behaviour.TILT: PortraitHint.HEAD_STRAIGHT,
    Behaviour.BLINK: PortraitHint.EYES_OPEN,
    Behaviour.MOUTH_OPEN: PortraitHint.MOUTH_CLOSED,
    Behaviour.FAR: PortraitHint.CLOSER,
    Behaviour.OFF_CENTRE: PortraitHint.RIGHT,
    Behaviour.DARK: PortraitHint.TOO_DARK,
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
    assert set(REASONS) == set(Behaviour) - {Behaviour.WELL}


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
