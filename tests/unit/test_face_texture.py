"""Blur, grain and blocks are told apart, at whatever size the picture comes."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests import faces, sights
from tests.sights import Pixels

SEEDS = (1, 4)


def grainy(pixels: Pixels, deviation: float) -> Pixels:
    draw = np.random.default_rng(5)
    return np.asarray(np.clip(pixels + draw.normal(0, deviation, pixels.shape), 0, 255), np.uint8)


def stored(pixels: Pixels, quality: int) -> Pixels:
    data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def resized(pixels: Pixels, scale: float) -> Pixels:
    return np.asarray(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))


@pytest.mark.parametrize("seed", SEEDS)
def test_more_grain_is_more_noise(seed: int) -> None:
    values = [sights.native("Noise", grainy(faces.frame(seed), d)) for d in (0, 4, 8, 16, 30)]
    assert values == sorted(values)
    assert sights.passes("Noise", faces.frame(seed))
    assert not sights.passes("Noise", grainy(faces.frame(seed), 16))


@pytest.mark.parametrize("seed", SEEDS)
def test_stored_smaller_is_more_compressed_and_told_after_resizing_too(seed: int) -> None:
    values = [
        sights.native("CompressionArtifacts", stored(faces.frame(seed), q)) for q in (95, 70, 30, 8)
    ]
    assert values == sorted(values)
    assert sights.passes("CompressionArtifacts", stored(faces.frame(seed), 85))
    assert not sights.passes("CompressionArtifacts", stored(faces.frame(seed), 8))
    assert not sights.passes("CompressionArtifacts", resized(stored(faces.frame(seed), 8), 0.85))


@pytest.mark.parametrize("angle", [0, 35, 90])
def test_what_moved_is_not_sharp_although_the_sensor_is_grainy(angle: int) -> None:
    values = []
    for length in (1, 7, 15, 25):
        kernel = np.zeros((27, 27), np.float32)
        away = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))]) * length / 2
        start, end = (tuple(int(v) for v in np.rint(13 + s * away)) for s in (-1, 1))
        cv2.line(kernel, start, end, 1)
        moved = cv2.filter2D(faces.frame(1), -1, kernel / kernel.sum())
        values.append(sights.native("Sharpness", grainy(np.asarray(moved, np.uint8), 2)))
    assert values[0] > 0.23
    assert max(values[1:]) < 0.19


def test_small_and_sharp_is_not_blurred_and_enlarged_is(shared: Path) -> None:
    small, enlarged = [], []
    for _, pixels in sights.pictures(shared, "london", "none"):
        small.append(sights.native("Sharpness", resized(pixels, 0.75)))
        tiny = resized(pixels, 0.3)
        back = cv2.resize(tiny, pixels.shape[1::-1], interpolation=cv2.INTER_CUBIC)
        enlarged.append(sights.native("Sharpness", np.asarray(back, np.uint8)))
    assert np.percentile(small, 5) > 0.2 > np.percentile(enlarged, 95)


@pytest.mark.parametrize(
    ("name", "defect", "limit"),
    [("Noise", "noise", 1.5), ("CompressionArtifacts", "jpeg8", 0.6)],
)
def test_a_gap_lies_between_sound_and_spoilt(
    shared: Path, name: str, defect: str, limit: float
) -> None:
    sound = [sights.native(name, p) for _, p in sights.pictures(shared, "london", "none")]
    spoilt = [sights.native(name, p) for _, p in sights.pictures(shared, "london_degraded", defect)]
    assert np.percentile(sound, 95) * 1.5 < limit < np.percentile(spoilt, 5) / 1.2
