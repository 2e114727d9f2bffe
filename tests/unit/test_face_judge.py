"""A sitter who sits well passes; one who does not is told what to mend first."""

import numpy as np
import pytest

from biometrics.face import pose
from biometrics.face.gates import ProfileUnknown, profile
from biometrics.face.hints import PortraitHint, words
from biometrics.face.judge import FrameInvalid, PortraitJudge
from biometrics.face.landmarks import Landmarks
from biometrics.face.measures import sharpness
from hardware.camera import scene
from hardware.camera.person import person
from hardware.camera.pose import Look
from hardware.camera.sitter import Behaviour
from tests import faces

PROFILES = ("can-cuoc", "assisted", "passport")


def test_every_hint_has_vietnamese_and_english_words() -> None:
    table = words()
    assert {f"portrait.{hint.value}" for hint in PortraitHint} == set(table)


@pytest.mark.parametrize("name", PROFILES)
def test_every_limit_of_a_profile_has_unit_source_hint_and_priority(name: str) -> None:
    gates = profile(name).gates
    assert len({gate.priority for gate in gates}) == len(gates)
    for gate in gates:
        assert gate.unit
        assert gate.source
        if gate.blocks:
            assert gate.limited
            assert (gate.lowest is None) == (gate.below is None)
            assert (gate.highest is None) == (gate.above is None)


@pytest.mark.parametrize("name", ["", "nothing", "../can-cuoc", "CAN-CUOC", "can-cuoc\0"])
def test_an_unknown_profile_is_refused(name: str) -> None:
    with pytest.raises(ProfileUnknown):
        profile(name)


def test_passport_asks_for_more_and_assisted_for_less() -> None:
    limits = {
        name: {gate.measure: gate.highest for gate in profile(name).gates} for name in PROFILES
    }
    yaws = [limits[name]["HeadPoseYaw"] or 0 for name in ("passport", "can-cuoc", "assisted")]
    assert yaws == sorted(yaws)
    assert len(set(yaws)) == 3


def test_an_empty_wall_has_no_face_and_nothing_else_was_assessed() -> None:
    seen = faces.verdict(1, Behaviour.AWAY)
    assert seen.hint is PortraitHint.NO_FACE
    assert (seen.ok, seen.faces, seen.box, seen.face, seen.sharpness) == (False, 0, None, None, 0.0)
    assert [finding.name for finding in seen.findings if finding.passed is not None] == [
        "FacePresence"
    ]


def test_what_was_not_assessed_neither_passes_nor_fails() -> None:
    gate = next(gate for gate in profile("can-cuoc").gates if gate.measure == "BackgroundShadow")
    finding = gate.judge(None)
    assert (finding.passed, finding.native, finding.score, finding.hint) == (None, None, None, None)


def test_the_hint_is_the_first_blocking_failure_by_priority() -> None:
    seen = faces.verdict(2, Behaviour.DARK)
    failed = [finding.hint for finding in seen.findings if finding.passed is False and finding.hint]
    assert len(failed) >= 2
    assert seen.hint is not None
    assert seen.hint.value == failed[0]


def test_the_same_frame_gives_the_same_verdict() -> None:
    first = faces.judge().judge(faces.frame(3))
    again = faces.judge().judge(faces.frame(3))
    assert first.findings == again.findings


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((720, 1280), np.uint8),
        np.zeros((720, 1280, 4), np.uint8),
        np.zeros((720, 1280, 3), np.float32),
        np.zeros((0, 0, 3), np.uint8),
        np.zeros((20, 2000, 3), np.uint8),
    ],
)
def test_what_is_not_a_colour_picture_is_refused(pixels: np.ndarray) -> None:
    with pytest.raises(FrameInvalid):
        faces.judge().judge(pixels)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_flat_frame_has_no_face(value: int) -> None:
    seen = faces.judge().judge(np.full((480, 640, 3), value, np.uint8))
    assert seen.hint is PortraitHint.NO_FACE


def test_noise_has_no_portrait() -> None:
    noise = np.random.default_rng(5).integers(0, 256, (480, 640, 3), np.uint8)
    assert not faces.judge().judge(noise).ok


def test_a_larger_copy_of_a_frame_is_judged_alike() -> None:
    import cv2  # noqa: PLC0415 - only here

    large = np.asarray(cv2.resize(faces.frame(2), (1920, 1080)), np.uint8)
    small, big = faces.verdict(2), faces.judge().judge(large)
    assert big.box is not None
    assert small.box is not None
    assert big.box[2] == pytest.approx(small.box[2] * 1.5, rel=0.05)
    assert abs(_native(big, "HeadPoseYaw") - _native(small, "HeadPoseYaw")) < 1.5
    assert _native(big, "EyesOpen") == pytest.approx(_native(small, "EyesOpen"), abs=0.008)


@pytest.mark.parametrize("seed", [1, 4])
def test_more_blur_never_looks_sharper(seed: int) -> None:
    import cv2  # noqa: PLC0415 - only here

    values = []
    for sigma in (0.0, 1.0, 2.0, 3.5, 6.0):
        pixels = faces.frame(seed)
        if sigma:
            pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), np.uint8)
        values.append(faces.judge().judge(pixels).sharpness)
    assert values == sorted(values, reverse=True)
    assert values[0] - values[2] > 0.1


def test_a_blurred_sitter_is_asked_to_hold_still() -> None:
    import cv2  # noqa: PLC0415 - only here

    pixels = np.asarray(cv2.GaussianBlur(faces.frame(1), (0, 0), 3.0), np.uint8)
    assert faces.judge().judge(pixels).hint is PortraitHint.BLUR


def test_a_strip_without_edges_is_not_sharp() -> None:
    assert sharpness.crete(np.full((96, 256), 90, np.uint8)) == pytest.approx(0.0)


@pytest.mark.parametrize("tone", [1.0, 0.75, 0.55])
def test_the_tone_of_the_skin_never_gates_the_light(tone: float) -> None:
    """The head alone is darkened, down to less than a third of its light; the wall stays."""
    layer = scene.sitting(person(2), Look()).copy()
    layer[..., :3] = np.rint(layer[..., :3] * tone)
    pixels = scene.wall(1280, 720).copy()
    scene.put(pixels, layer, 1.0, (640.0, 310.0))
    seen = faces.judge().judge(pixels)
    light = {"FrameBrightness", "OverExposurePrevention", "CheekBalance", "BackgroundLightness"}
    assert {f.name for f in seen.findings if f.name in light and f.passed is not True} == set()


def test_a_shadow_on_half_the_face_is_said() -> None:
    pixels = faces.frame(2).astype(np.float32)
    ramp = np.clip((np.arange(1280) - 560) / 160, 0.0, 1.0) * 0.7 + 0.3
    pixels[:, 500:780] *= ramp[None, 500:780, None]
    seen = faces.judge().judge(pixels.astype(np.uint8))
    assert seen.hint is PortraitHint.SHADOW


def test_a_washed_out_face_is_said() -> None:
    pixels = np.clip(faces.frame(2).astype(np.float32) * 2.4, 0, 255).astype(np.uint8)
    assert faces.judge().judge(pixels).hint is PortraitHint.TOO_BRIGHT


@pytest.mark.parametrize(
    ("look", "hint"),
    [
        (Look(yaw=25), PortraitHint.TURN_RIGHT),
        (Look(yaw=-25), PortraitHint.TURN_LEFT),
        (Look(pitch=22), PortraitHint.CHIN_UP),
        (Look(pitch=-24), PortraitHint.CHIN_DOWN),
        (Look(roll=14), PortraitHint.HEAD_STRAIGHT),
        (Look(roll=-14), PortraitHint.HEAD_STRAIGHT),
    ],
)
def test_every_turn_of_the_head_has_its_own_hint(look: Look, hint: PortraitHint) -> None:
    pixels = scene.wall(1280, 720).copy()
    scene.put(pixels, scene.sitting(person(2), look), 1.0, (640.0, 330.0))
    assert faces.judge().judge(pixels).hint is hint


@pytest.mark.parametrize(
    ("eyes", "scale", "hint"),
    [
        ((250.0, 310.0), 1.0, PortraitHint.LEFT),
        ((1030.0, 310.0), 1.0, PortraitHint.RIGHT),
        ((640.0, 170.0), 1.0, PortraitHint.DOWN),
        ((640.0, 460.0), 1.0, PortraitHint.UP),
        ((640.0, 330.0), 0.6, PortraitHint.CLOSER),
        ((640.0, 330.0), 1.5, PortraitHint.FARTHER),
    ],
)
def test_every_wrong_place_has_its_own_hint(
    eyes: tuple[float, float], scale: float, hint: PortraitHint
) -> None:
    """The camera does not mirror: a face on the picture's left sits too far to its own right."""
    pixels = scene.wall(1280, 720).copy()
    scene.put(pixels, scene.sitting(person(2), Look()), scale, eyes)
    assert faces.judge().judge(pixels).hint is hint


def test_a_level_mesh_looks_straight() -> None:
    points = faces.verdict(1).face
    assert points is not None
    turned = pose.estimate(points)
    assert abs(turned.yaw) < 6
    assert abs(turned.roll) < 3


def test_landmarks_scale_with_the_picture() -> None:
    points = faces.verdict(1).face
    assert isinstance(points, Landmarks)
    assert points.scaled(2).eye_distance == pytest.approx(2 * points.eye_distance)


def test_the_assisted_profile_lets_pass_what_a_sitter_cannot_help() -> None:
    relaxed = PortraitJudge("assisted")
    assert faces.judge().judge(faces.frame(1, Behaviour.TURN)).hint is PortraitHint.TURN_RIGHT
    assert relaxed.judge(faces.frame(1, Behaviour.TURN)).hint is not PortraitHint.TURN_RIGHT


def _native(seen: object, name: str) -> float:
    native = seen.finding(name).native  # type: ignore[attr-defined]
    assert native is not None
    return float(native)
