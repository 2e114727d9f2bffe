"""A second person is found however small, wherever they stand; nobody is dreamt of."""

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

PLACES = ((150.0, 140.0), (1130.0, 200.0), (330.0, 330.0), (1000.0, 90.0), (905.0, 260.0))


def together(size: float, at: tuple[float, float], *, busy: bool = False, seed: int = 1) -> Pixels:
    """A sitter with somebody behind who is `size` times as large."""
    pixels = (scene.room if busy else scene.wall)(1280, 720).copy()
    scene.put(pixels, scene.sitting(person(seed + 7), Look()), size, at)
    scene.put(pixels, scene.sitting(person(seed), Look()), 1.0, (640.0, 330.0))
    return pixels


@pytest.mark.parametrize("at", PLACES)
@pytest.mark.parametrize("size", [1 / 6, 1 / 4, 1 / 2])
def test_a_second_person_is_found_at_every_size_and_place(
    size: float, at: tuple[float, float]
) -> None:
    ratio = sights.native("SingleFacePresent", together(size, at))
    assert ratio == pytest.approx(size**2, rel=0.35)
    assert not sights.passes("SingleFacePresent", together(size, at))


def test_a_small_face_before_shelves_is_found() -> None:
    found = [
        not sights.passes("SingleFacePresent", together(1 / 5, at, busy=True)) for at in PLACES
    ]
    assert sum(found) >= 4


def test_the_sitter_is_told_of_a_person_far_behind() -> None:
    assert faces.judge().judge(together(0.2, PLACES[0])).hint is PortraitHint.SECOND_PERSON


def test_a_larger_second_face_is_a_larger_ratio() -> None:
    ratios = [
        sights.native("SingleFacePresent", together(size, PLACES[1])) for size in (0.2, 0.35, 0.6)
    ]
    assert ratios == sorted(ratios)


@pytest.mark.parametrize("seed", [1, 5, 6, 8, 12])
@pytest.mark.parametrize(
    "behaviour", [Behaviour.WELL, Behaviour.BUSY, Behaviour.CHIN_LOW, Behaviour.GLASSES]
)
def test_one_person_is_one(seed: int, behaviour: Behaviour) -> None:
    assert sights.native("SingleFacePresent", faces.frame(seed, behaviour)) == 0


def test_company_is_not_assessed_where_none_was_looked_for() -> None:
    seen = sights.sight(faces.frame(1))
    followed = Sight(seen.networks, seen.pixels, seen.work, seen.factor, (), seen.face)
    assert MEASURES["SingleFacePresent"].native(followed) is None


@pytest.mark.parametrize("size", [(64, 64), (40, 900), (900, 40), (33, 33)])
def test_a_picture_of_any_shape_can_be_searched(size: tuple[int, int]) -> None:
    small = np.asarray(cv2.resize(faces.frame(1), size, interpolation=cv2.INTER_AREA), np.uint8)
    seen = sights.sight(faces.frame(1))
    odd = Sight(seen.networks, small, small, 1.0, seen.found, seen.face.scaled(0.05))
    assert MEASURES["SingleFacePresent"].native(odd) is not None


def test_nobody_is_dreamt_of_in_pictures_of_one_person(shared: Path) -> None:
    files = [
        *sights.pictures(shared, "london", "none", "smile"),
        *sights.pictures(shared, "london_degraded", "bg_busy", "noise", "hat", "low_res"),
        *sights.pictures(shared, "yale", "none", "mouth_open", "side_light"),
    ]
    assert len(files) == 184
    dreamt = [file for file, pixels in files[::2] if sights.native("SingleFacePresent", pixels) > 0]
    assert dreamt == []


def test_every_second_face_of_the_development_set_is_found(shared: Path) -> None:
    pictures = list(sights.pictures(shared, "london_degraded", "second_face"))
    assert len(pictures) == 9
    assert not any(sights.passes("SingleFacePresent", pixels) for _, pixels in pictures)
