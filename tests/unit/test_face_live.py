"""A live picture is judged as a single one is, with less work; whom it follows is never old."""

import numpy as np
import pytest

from biometrics.face.hints import PortraitHint
from biometrics.face.judge import FrameInvalid, Verdict
from biometrics.face.live import SCENE_EVERY, LiveJudge
from biometrics.face.measures import MEASURES
from biometrics.face.measures.measure import Cadence
from hardware.camera.sitter import Behaviour
from tests import faces


def run(judge: LiveJudge, behaviour: Behaviour, frames: int, *, seed: int = 1) -> list[Verdict]:
    return [judge.judge(faces.frame(seed, behaviour, number)) for number in range(frames)]


@pytest.fixture(scope="module")
def judge() -> LiveJudge:
    return LiveJudge()


@pytest.fixture
def live(judge: LiveJudge) -> LiveJudge:
    judge.reset()
    return judge


@pytest.mark.parametrize(
    "behaviour",
    [Behaviour.WELL, Behaviour.TURN, Behaviour.TILT, Behaviour.MOUTH_OPEN, Behaviour.BUSY],
)
def test_a_followed_face_is_judged_as_a_single_frame_is(
    live: LiveJudge, behaviour: Behaviour
) -> None:
    followed = run(live, behaviour, SCENE_EVERY - 1)[-1]
    single = faces.verdict(1, behaviour, SCENE_EVERY - 2)
    assert followed.hint == single.hint
    assert [f.name for f in followed.findings] == [f.name for f in single.findings]
    near = {"HeadPoseYaw": 2.0, "HeadPoseRoll": 2.0, "EyesOpen": 0.01, "InterEyeDistance": 4.0}
    for name, by in near.items():
        assert followed.finding(name).native == pytest.approx(
            single.finding(name).native, abs=by
        ), name


def test_every_gate_is_answered_from_the_first_frame_on(live: LiveJudge) -> None:
    for seen in run(live, Behaviour.WELL, 3):
        assert [f.name for f in seen.findings if f.native is None] == [
            f.name for f in faces.verdict(1).findings if f.native is None
        ]


def test_a_sitter_who_leaves_is_gone_within_a_scene(live: LiveJudge) -> None:
    run(live, Behaviour.WELL, 3)
    gone = run(live, Behaviour.AWAY, SCENE_EVERY + 1)
    assert gone[-1].hint is PortraitHint.NO_FACE
    assert gone[-1].face is None


def test_whoever_comes_back_is_seen_at_once(live: LiveJudge) -> None:
    run(live, Behaviour.AWAY, 2)
    assert live.judge(faces.frame(1)).faces == 1


def test_a_second_person_is_seen_within_a_scene(live: LiveJudge) -> None:
    run(live, Behaviour.WELL, 2)
    assert run(live, Behaviour.SECOND_PERSON, SCENE_EVERY)[-1].hint is PortraitHint.SECOND_PERSON


def test_a_wall_that_changes_is_seen_within_a_scene(live: LiveJudge) -> None:
    run(live, Behaviour.WELL, 2)
    assert run(live, Behaviour.BUSY, SCENE_EVERY)[-1].hint is PortraitHint.BACKGROUND


def test_a_jump_to_another_place_is_followed(live: LiveJudge) -> None:
    run(live, Behaviour.WELL, 3)
    jumped = run(live, Behaviour.OFF_CENTRE, SCENE_EVERY + 1)[-1]
    single = faces.verdict(1, Behaviour.OFF_CENTRE)
    assert jumped.face is not None
    assert single.face is not None
    apart = jumped.face.between_eyes - single.face.between_eyes
    assert float(np.abs(apart).max()) < 0.5 * single.face.eye_distance


def test_the_expensive_measures_are_taken_once_a_scene(
    live: LiveJudge, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    segmenter = live._networks.segmenter
    share = segmenter.share

    def counted(pixels: np.ndarray) -> np.ndarray:
        looks.append(1)
        return share(pixels)

    monkeypatch.setattr(segmenter, "share", counted)
    run(live, Behaviour.WELL, 3 * SCENE_EVERY)
    assert len(looks) == 3
    assert {m.cadence for m in MEASURES.values()} == set(Cadence)


@pytest.mark.parametrize("pixels", [np.zeros((720, 1280), np.uint8), np.zeros((8, 8, 3), np.uint8)])
def test_what_is_no_frame_is_refused_and_nobody_forgotten(
    live: LiveJudge, pixels: np.ndarray
) -> None:
    run(live, Behaviour.WELL, 2)
    with pytest.raises(FrameInvalid):
        live.judge(pixels)
    assert live.judge(faces.frame(1)).faces == 1


def test_frames_of_another_size_are_seen_too(live: LiveJudge) -> None:
    run(live, Behaviour.WELL, 2)
    small = np.ascontiguousarray(faces.frame(1)[::2, ::2])
    for _ in range(SCENE_EVERY + 1):
        seen = live.judge(small)
    assert seen.face is not None
    single = faces.judge().judge(small).face
    assert single is not None
    assert seen.face.eye_distance == pytest.approx(single.eye_distance, rel=0.05)
