"""Light is told by ratios and clipping: worse light never scores better, darker skin no worse."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests import faces, sights
from tests.sights import Pixels

SEEDS = (1, 3)


def linear(pixels: Pixels) -> NDArray[np.float64]:
    return np.asarray((pixels / 255.0) ** 2.2)


def encoded(light: NDArray[np.float64]) -> Pixels:
    return np.asarray(np.rint(np.clip(light, 0, 1) ** (1 / 2.2) * 255), np.uint8)


def lit(pixels: Pixels, gain: float | NDArray[np.float64]) -> Pixels:
    return encoded(np.asarray(linear(pixels) * gain))


def darker_face(pixels: Pixels, share: float) -> Pixels:
    """The same light on skin that gives back less of it."""
    seen = sights.sight(pixels)
    x, y = seen.face.between_eyes
    rows, columns = np.mgrid[: seen.height, : seen.width]
    inside = np.hypot(columns - x, rows - y - seen.t / 3) < 0.9 * seen.t
    return lit(pixels, np.where(inside, share, 1.0)[..., None])


@pytest.mark.parametrize("seed", SEEDS)
def test_the_more_is_burnt_out_the_larger_the_share(seed: int) -> None:
    shares = [sights.native("HighlightClipping", lit(faces.frame(seed), g)) for g in (1, 2, 3, 5)]
    assert shares == sorted(shares)
    assert shares[0] < 0.01
    assert shares[-1] > 0.05


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("side", [-1, 1])
def test_the_more_the_light_comes_from_one_side_the_farther_from_nought(
    seed: int, side: int
) -> None:
    pixels = faces.frame(seed)
    x = (np.arange(pixels.shape[1]) - pixels.shape[1] / 2) / sights.sight(pixels).ied
    values = [
        side * sights.native("LightAcross", lit(pixels, 2.0 ** (stops * side * x)[None, :, None]))
        for stops in (0.0, 0.5, 1.0, 1.6)
    ]
    assert values == sorted(values)
    assert values[-1] > 0.8


@pytest.mark.parametrize("seed", SEEDS)
def test_all_colours_of_light_are_told_and_a_white_one_is_none(seed: int) -> None:
    pixels = faces.frame(seed)
    assert sights.native("ColourCast", pixels) < 3
    for lamp in ((0.55, 0.9, 1.2), (1.4, 1.0, 0.65), (0.85, 1.1, 0.72)):
        weak = lit(pixels, np.array(lamp) ** 0.4)
        strong = lit(pixels, np.array(lamp))
        assert sights.native("ColourCast", weak) < sights.native("ColourCast", strong)
        assert not sights.passes("ColourCast", strong)


@pytest.mark.parametrize("name", ["HighlightClipping", "LightAcross", "CheekBalance", "ColourCast"])
@pytest.mark.parametrize("share", [0.7, 0.4])
def test_a_darker_skin_in_the_same_light_passes_what_a_lighter_one_passes(
    name: str, share: float
) -> None:
    pixels = faces.frame(1)
    assert sights.passes(name, pixels)
    assert sights.passes(name, darker_face(pixels, share))


def test_real_faces_lit_from_one_side_lie_apart_from_evenly_lit_ones(shared: Path) -> None:
    even = [
        abs(sights.native("LightAcross", p)) for _, p in sights.pictures(shared, "london", "none")
    ]
    aside = [
        abs(sights.native("LightAcross", p))
        for _, p in sights.pictures(shared, "yale", "side_light")
    ]
    assert np.percentile(even, 95) < 0.6
    assert np.percentile(aside, 5) > 1.5


def test_coloured_light_lies_apart_from_coloured_walls(shared: Path) -> None:
    light = [
        sights.native("ColourCast", p)
        for _, p in sights.pictures(shared, "london_degraded", "colour_cast")
    ]
    wall = [
        sights.native("ColourCast", p)
        for _, p in sights.pictures(shared, "london_degraded", "bg_red")
    ]
    assert max(wall) < 6 < min(light)
