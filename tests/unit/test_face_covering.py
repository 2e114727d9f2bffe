"""What covers a face is told whatever its colour; tone of skin, beards and make-up are not it."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from biometrics.face.hints import PortraitHint
from biometrics.face.measures import MEASURES
from biometrics.face.sight import Sight
from hardware.camera import scene
from hardware.camera.act import Behaviour
from hardware.camera.person import person
from hardware.camera.pose import Look
from tests import faces, sights
from tests.sights import Pixels

COVERED = ("FaceOcclusionPrevention", "EyesVisible", "LowerFaceColour", "MouthOcclusionPrevention")
CLOTHS = {
    "light blue": (205, 190, 160),
    "white": (238, 240, 242),
    "black": (28, 28, 30),
    "navy": (80, 50, 35),
    "green": (120, 170, 130),
}
_EDGE = (195, 116, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 345)
"""Outline of a mask over the nose, indices of the mesh."""


def painted(seen: Sight, rim: tuple[int, ...], colour: tuple[float, float, float]) -> Pixels:
    """A picture with a shaded, grained patch between these points of the mesh."""
    canvas = np.zeros(seen.pixels.shape[:2], np.uint8)
    cv2.fillPoly(canvas, [np.rint(seen.face.points[list(rim), :2]).astype(np.int32)], 255)
    share = np.asarray(cv2.GaussianBlur(canvas, (0, 0), 1.0), np.float32)[..., None] / 255
    light = np.asarray(cv2.GaussianBlur(seen.pixels, (0, 0), seen.ied / 3), np.float32).mean(
        -1, keepdims=True
    )
    shade = 0.6 + 0.4 * light / light[canvas > 0].mean()
    grain = np.random.default_rng(3).normal(0, 2, seen.pixels.shape)
    cloth = np.array(colour, np.float32) * shade + grain
    return np.asarray(np.clip(seen.pixels * (1 - share) + cloth * share, 0, 255), np.uint8)


def dark_glasses(seen: Sight, clear: float) -> Pixels:
    """Two lenses that let `clear` of the light through."""
    lenses = np.zeros(seen.pixels.shape[:2], np.uint8)
    for middle in (seen.face.right_eye, seen.face.left_eye):
        x, y = (round(float(v)) for v in middle + np.array([0, 0.07]) * seen.ied)
        axes = (round(0.4 * seen.ied), round(0.3 * seen.ied))
        cv2.ellipse(lenses, (x, y), axes, 0, 0, 360, 255, -1)
    gain = 1 - (1 - clear) * lenses[..., None] / 255.0
    return np.asarray(seen.pixels * gain, np.uint8)


def refused(pixels: Pixels, *names: str) -> set[str]:
    seen = sights.sight(pixels)
    return {
        name
        for name in names
        if sights.gate(name).judge(MEASURES[name].native(seen)).passed is False
    }


@pytest.mark.parametrize("seed", [1, 3, 12])
@pytest.mark.parametrize("cloth", sorted(CLOTHS))
def test_a_mask_of_any_colour_is_told(cloth: str, seed: int) -> None:
    pixels = painted(sights.sight(faces.frame(seed)), _EDGE, CLOTHS[cloth])
    seen = faces.judge().judge(pixels)
    finding = seen.finding("FaceOcclusionPrevention")
    assert (seen.ok, finding.passed, finding.hint) == (False, False, PortraitHint.UNCOVER.value)


@pytest.mark.parametrize("seed", [2, 33])
def test_a_mask_of_the_skins_own_colour_is_told_by_the_nostrils_it_hides(seed: int) -> None:
    seen = sights.sight(faces.frame(seed))
    x, y = (round(float(v)) for v in seen.face.points[205, :2])
    blue, green, red = (float(v) for v in np.median(seen.pixels[y - 4 : y, x - 4 : x], (0, 1)))
    pixels = painted(seen, _EDGE, (blue, green, red))
    assert "FaceOcclusionPrevention" in refused(pixels, *COVERED)
    assert "LowerFaceColour" not in refused(pixels, *COVERED)


@pytest.mark.parametrize(
    ("behaviour", "name"),
    [(Behaviour.MASK, "FaceOcclusionPrevention"), (Behaviour.GLASSES, "EyesVisible")],
)
@pytest.mark.parametrize("seed", [1, 2, 3, 77])
def test_a_sitter_behind_cloth_or_dark_glasses_is_not_let_pass(
    seed: int, behaviour: Behaviour, name: str
) -> None:
    seen = faces.verdict(seed, behaviour)
    finding = seen.finding(name)
    assert (seen.ok, finding.passed, finding.hint) == (False, False, PortraitHint.UNCOVER.value)


@pytest.mark.parametrize("seed", [1, 5])
def test_darker_glasses_never_show_more_of_the_eyes(seed: int) -> None:
    seen = sights.sight(faces.frame(seed))
    shown = [
        sights.native("EyesVisible", dark_glasses(seen, clear)) for clear in (1, 0.4, 0.15, 0.04)
    ]
    assert shown == sorted(shown, reverse=True)
    assert shown[3] < sights.gate("EyesVisible").lowest < shown[0]  # type: ignore[operator]


@pytest.mark.parametrize("tone", [1.0, 0.75, 0.55])
@pytest.mark.parametrize("seed", [2, 5])
def test_the_tone_of_the_skin_covers_nothing(tone: float, seed: int) -> None:
    layer = scene.sitting(person(seed), Look()).copy()
    layer[..., :3] = np.rint(layer[..., :3] * tone)
    pixels = scene.wall(1280, 720).copy()
    scene.put(pixels, layer, 1.0, (640.0, 310.0))
    assert refused(pixels, *COVERED, "Glasses") == set()


def test_colour_is_not_asked_of_a_grey_picture() -> None:
    grey = cv2.cvtColor(cv2.cvtColor(faces.frame(1), cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    seen = sights.sight(np.asarray(grey, np.uint8))
    assert MEASURES["LowerFaceColour"].native(seen) is None
    assert MEASURES["EarsVisible"].native(seen) is None
    assert MEASURES["FaceOcclusionPrevention"].native(seen) is not None


def test_ears_of_a_turned_head_are_not_looked_for() -> None:
    assert MEASURES["EarsVisible"].native(sights.sight(faces.frame(1, Behaviour.TURN))) is None


def test_rims_round_the_eyes_are_seen() -> None:
    seen = sights.sight(faces.frame(2))
    bare = sights.native("Glasses", faces.frame(2))
    rims = seen.pixels.copy()
    width = max(1, round(0.03 * seen.ied))
    centres = []
    for middle in (seen.face.right_eye, seen.face.left_eye):
        x, y = (round(float(v)) for v in middle + np.array([0, 0.06]) * seen.ied)
        centres.append((x, y))
        axes = (round(0.38 * seen.ied), round(0.3 * seen.ied))
        cv2.ellipse(rims, (x, y), axes, 0, 0, 360, (40, 40, 45), width, cv2.LINE_AA)
    cv2.line(rims, centres[0], centres[1], (40, 40, 45), width, cv2.LINE_AA)
    assert bare < sights.gate("Glasses").highest < sights.native("Glasses", rims)  # type: ignore[operator]


def test_what_advises_stops_nobody() -> None:
    for name in ("Glasses", "NoHeadCoverings", "EarsVisible", "ExpressionNeutrality"):
        assert not sights.gate(name).blocks
    assert not sights.gate("CameraDistance").limited


def test_a_sitter_twice_as_far_is_measured_twice_as_far() -> None:
    near, far = scene.wall(1280, 720).copy(), scene.wall(1280, 720).copy()
    scene.put(near, scene.sitting(person(1), Look()), 1.2, (640.0, 330.0))
    scene.put(far, scene.sitting(person(1), Look()), 0.6, (640.0, 330.0))
    ratio = sights.native("CameraDistance", far) / sights.native("CameraDistance", near)
    assert ratio == pytest.approx(2, rel=0.1)


def test_no_bare_face_of_the_studio_is_covered(shared: Path) -> None:
    """Bearded men, made-up women and every tone of skin are among them."""
    alarms, seen = [], 0
    for file, pixels in sights.pictures(shared, "london", "none", "smile"):
        seen += 1
        alarms += [file] if refused(pixels, *COVERED) else []
    assert seen == 108
    assert alarms == []


def test_masks_of_skin_colour_and_of_cloth_are_told_on_every_face(shared: Path) -> None:
    for number, (file, pixels) in enumerate(sights.pictures(shared, "london", "none")):
        if number % 4:
            continue
        cloth = list(CLOTHS.values())[number // 4 % len(CLOTHS)]
        masked = painted(sights.sight(pixels), _EDGE, cloth)
        assert "FaceOcclusionPrevention" in refused(masked, *COVERED), file


def test_drawn_masks_and_sunglasses_are_refused_and_hats_are_noticed(shared: Path) -> None:
    for defect, names in (("mask", COVERED), ("sunglasses", ("EyesVisible",))):
        pictures = list(sights.pictures(shared, "london_degraded", defect))
        assert len(pictures) == 9
        assert all(refused(pixels, *names) for _, pixels in pictures)
    for _, pixels in sights.pictures(shared, "london_degraded", "hat"):
        assert refused(pixels, "NoHeadCoverings")


def test_real_glasses_are_noticed(shared: Path) -> None:
    pictures = list(sights.pictures(shared, "yale", "glasses"))
    assert len(pictures) == 8
    assert all(refused(pixels, "Glasses", "EyesVisible") for _, pixels in pictures)
