"""A wall is plain, light and even; the sitter's own curls are not held against it."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests import faces, sights
from tests.sights import Pixels

WALL = ("BackgroundGradient", "BackgroundLightness", "BackgroundChroma", "BackgroundShadow")


def before(pixels: Pixels, behind: NDArray[np.float64]) -> Pixels:
    """The sitter before another wall, height x width x 3 or a colour."""
    seen = sights.sight(pixels)
    back = cv2.warpAffine(
        seen.person, seen.view_window, seen.work.shape[1::-1], flags=cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    share = np.clip(np.asarray(cv2.resize(back, pixels.shape[1::-1])) * 2 - 0.4, 0, 1)[..., None]
    return np.asarray(np.rint(pixels * share + behind * (1 - share)), np.uint8)


@pytest.mark.parametrize("grey", [200, 225, 250])
def test_a_plain_light_wall_passes(grey: int) -> None:
    pixels = before(faces.frame(1), np.full(3, float(grey)))
    assert all(sights.passes(name, pixels) for name in WALL)


@pytest.mark.parametrize("grey", [20, 60, 110])
def test_a_dark_wall_is_a_fault_of_the_wall_and_not_of_the_light(grey: int) -> None:
    pixels = before(faces.frame(1), np.full(3, float(grey)))
    assert not sights.passes("BackgroundLightness", pixels)
    assert sights.passes("FrameBrightness", pixels)


@pytest.mark.parametrize("colour", [(200, 140, 140), (140, 200, 140), (150, 150, 215)])
def test_a_coloured_wall_is_no_coloured_light(colour: tuple[int, int, int]) -> None:
    pixels = before(faces.frame(1), np.array(colour, float))
    assert not sights.passes("BackgroundChroma", pixels)
    assert sights.passes("ColourCast", pixels)


def test_the_deeper_the_folds_of_a_curtain_the_busier() -> None:
    pixels = faces.frame(1)
    folds = np.sin(np.arange(pixels.shape[1]) / 8)[None, :, None]
    values = [
        sights.native(
            "BackgroundGradient", before(pixels, 215 + depth * folds * np.ones((720, 1, 3)))
        )
        for depth in (0, 5, 12, 25)
    ]
    assert values == sorted(values)
    assert not sights.passes(
        "BackgroundGradient", before(pixels, 215 + 25 * folds * np.ones((720, 1, 3)))
    )


def test_a_door_beside_the_head_is_no_hair() -> None:
    pixels = faces.frame(1)
    seen = sights.sight(pixels)
    behind = np.full(pixels.shape, 220.0)
    x = int(seen.face.between_eyes[0] + 1.05 * seen.ied)
    behind[:, x : x + int(0.4 * seen.ied)] = 60
    with_door = before(pixels, behind)
    assert not all(sights.passes(name, with_door) for name in WALL)


def test_curls_before_a_plain_wall_are_not_held_against_it(shared: Path) -> None:
    refused = [
        name
        for name, pixels in sights.pictures(shared, "london", "none")
        if not all(sights.passes(measure, pixels) for measure in WALL)
    ]
    assert len(refused) <= 1


@pytest.mark.parametrize("defect", ["bg_busy", "bg_dark", "bg_red", "bg_shadow"])
def test_spoilt_walls_are_refused(shared: Path, defect: str) -> None:
    for name, pixels in sights.pictures(shared, "london_degraded", defect):
        assert not all(sights.passes(measure, pixels) for measure in WALL), name
