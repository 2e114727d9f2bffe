"""Closed eyes, winks, eyes that look elsewhere and parted lips are told from their opposites."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from biometrics.face.measures import MEASURES
from hardware.camera.act import Act
from hardware.camera.sitter import draw
from tests import faces, sights
from tests.sights import Pixels

# Pictures of the development set whose eyes are all but shut, whatever their label says.
SHUT_IN_TRUTH = {"yale/y05_sad.jpg", "yale/y15_rightlight.jpg"}


def mirrored(pixels: Pixels) -> Pixels:
    return np.ascontiguousarray(pixels[:, ::-1])


def looking_aside(pixels: Pixels, degrees: float) -> Pixels:
    """Both irises moved within their lids, as eyeballs of 12 mm turn in lids 30 mm long."""
    seen = sights.sight(pixels)
    result = pixels.copy()
    for lids, iris in zip(seen.eyes, seen.irises, strict=True):
        length = float(np.linalg.norm(lids[0] - lids[8]))
        shift = 0.37 * np.sin(np.radians(degrees)) * length
        radius = float(np.linalg.norm(iris[1:] - iris[0], axis=1).mean()) * 1.12
        opening, disc = np.zeros((2, *pixels.shape[:2]), np.uint8)
        rim = np.rint(np.vstack([lids[0:9], lids[15:8:-1]])).astype(np.int32)
        cv2.fillPoly(opening, [rim], 1)
        cv2.circle(disc, [round(float(v)) for v in iris[0]], round(radius), 1, -1)
        white = np.percentile(pixels[(opening > disc)], 70, axis=0)
        move = np.array([[1, 0, shift], [0, 1, 0]], np.float32)
        size = (pixels.shape[1], pixels.shape[0])
        moved, there = cv2.warpAffine(pixels, move, size), cv2.warpAffine(disc, move, size)
        result[(opening & disc) > 0] = white
        result[(opening & there) > 0] = moved[(opening & there) > 0]
    return result


@pytest.mark.parametrize("seed", [1, 2, 3, 12])
def test_closing_the_lids_closes_the_eyes(seed: int) -> None:
    wide, shut = (
        sights.native("EyesOpen", draw(seed, Act(eyes_shut=shut), 3, faces.SIZE))
        for shut in (False, True)
    )
    assert shut < sights.gate("EyesOpen").lowest < wide  # type: ignore[operator]
    assert wide > 2 * shut


@pytest.mark.parametrize("name", ["EyesOpen", "EyesAlike", "LipsParted"])
@pytest.mark.parametrize("seed", [1, 3])
def test_a_mirrored_face_is_as_open(name: str, seed: int) -> None:
    pixels = faces.frame(seed)
    kept, turned = sights.native(name, pixels), sights.native(name, mirrored(pixels))
    assert turned == pytest.approx(kept, abs={"EyesAlike": 0.12}.get(name, 0.015))


def test_a_mirrored_face_looks_to_the_other_side() -> None:
    aside = looking_aside(faces.frame(1), 25)
    there, back = sights.native("GazeAcross", aside), sights.native("GazeAcross", mirrored(aside))
    assert there == pytest.approx(-back, abs=5)
    assert there > 8


@pytest.mark.parametrize("seed", [1, 4])
def test_eyes_turned_farther_are_measured_farther(seed: int) -> None:
    pixels = faces.frame(seed)
    turned = [
        sights.native("GazeAcross", looking_aside(pixels, degrees)) for degrees in (-20, 0, 20)
    ]
    assert turned == sorted(turned)
    assert turned[2] - turned[0] > 15


@pytest.mark.parametrize("seed", [1, 2, 5])
def test_a_mouth_that_opens_is_measured_more_open(seed: int) -> None:
    parted = [
        sights.native("LipsParted", draw(seed, Act(mouth_open=share), 3, faces.SIZE))
        for share in (0.0, 0.5, 1.0)
    ]
    assert parted == sorted(parted)
    assert parted[0] < sights.gate("LipsParted").highest < parted[2]  # type: ignore[operator]


def test_every_closed_eye_is_caught_and_no_open_one(shared: Path) -> None:
    shut = [pixels for _, pixels in sights.pictures(shared, "yale", "eyes_closed")]
    assert len(shut) == 8
    assert not any(sights.passes("EyesOpen", pixels) for pixels in shut)
    alarms, seen = [], 0
    for of, defects in (("london", ("none", "smile")), ("yale", ("none", "glasses", "sad"))):
        for file, pixels in sights.pictures(shared, of, *defects):
            seen += 1
            look = sights.sight(pixels)
            alarms += [
                file
                for name in ("EyesOpen", "EyesAlike")
                if sights.gate(name).judge(MEASURES[name].native(look)).passed is False
            ]
    assert seen == 140
    assert set(alarms) <= SHUT_IN_TRUTH


def test_nearly_every_wink_is_caught(shared: Path) -> None:
    caught = [
        not (sights.passes("EyesOpen", pixels) and sights.passes("EyesAlike", pixels))
        for _, pixels in sights.pictures(shared, "yale", "wink")
    ]
    assert len(caught) == 8
    assert sum(caught) >= 7


def test_plainly_open_mouths_are_caught_and_no_full_lips_are(shared: Path) -> None:
    opened = [pixels for _, pixels in sights.pictures(shared, "yale", "mouth_open")]
    assert len(opened) == 8
    assert sum(not sights.passes("LipsParted", pixels) for pixels in opened) >= 6
    closed = [
        *sights.pictures(shared, "london", "none"),
        *sights.pictures(shared, "yale", "none", "sad"),
    ]
    assert len(closed) == 78
    refused = [file for file, pixels in closed if not sights.passes("LipsParted", pixels)]
    assert refused == []
    limit = sights.gate("LipsParted").highest
    assert limit is not None
    widest = max(sights.native("LipsParted", pixels) or 0.0 for _, pixels in closed)
    assert widest < 0.8 * limit


def test_sitters_of_the_studio_look_into_the_lens(shared: Path) -> None:
    pictures = list(sights.pictures(shared, "london", "none"))[::3]
    angles = [sights.native("GazeAcross", pixels) for _, pixels in pictures]
    assert len(angles) == 18
    assert max(map(abs, angles)) < 8
    aside = [sights.native("GazeAcross", looking_aside(pixels, 20)) for _, pixels in pictures[:9]]
    assert min(aside) > max(angles)
