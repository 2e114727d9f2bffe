"""The master picture is levelled and framed, and never painted beyond the frame."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from biometrics.face import crop
from biometrics.face.crop import DoesNotFit, NothingToCrop
from biometrics.face.images import decode
from biometrics.face.judge import Verdict
from biometrics.face.landmarks import Landmarks
from tests import faces


def _moved(verdict: Verdict, x: float, y: float, *, larger: float = 1.0) -> Verdict:
    face = verdict.face
    assert face is not None
    middle = np.array([*face.between_eyes, 0], np.float32)
    points = (face.points - middle) * larger + middle + np.array([x, y, 0], np.float32)
    return replace(
        verdict, face=Landmarks(points=points.astype(np.float32), presence=face.presence)
    )


@pytest.mark.parametrize(("x", "y", "side"), [(-500, 0, 0), (0, -140, 1), (500, 0, 2), (0, 140, 3)])
def test_where_the_frame_ends_inside_the_picture_there_is_none(x: int, y: int, side: int) -> None:
    """A border that is smeared on or painted black would be a part of a face nobody has."""
    verdict = _moved(faces.verdict(1), x, y)
    assert verdict.face is not None
    over = crop.reach(verdict.face, *faces.SIZE)
    assert over.index(max(over)) == side
    assert not crop.fits(verdict.face, *faces.SIZE)
    with pytest.raises(DoesNotFit):
        crop.crop(faces.frame(1), verdict)


def test_a_face_too_near_does_not_fit_and_a_refusal_is_one_a_kiosk_knows() -> None:
    with pytest.raises(NothingToCrop):
        crop.crop(faces.frame(1), _moved(faces.verdict(1), 0, 0, larger=1.5))


def test_the_frames_very_edge_is_still_inside() -> None:
    verdict = faces.verdict(1)
    assert verdict.face is not None
    room = -crop.reach(verdict.face, *faces.SIZE)[1]
    at_edge = _moved(verdict, 0, -room)
    assert at_edge.face is not None
    assert crop.fits(at_edge.face, *faces.SIZE)
    beyond = _moved(verdict, 0, -room - 3)
    assert beyond.face is not None
    assert not crop.fits(beyond.face, *faces.SIZE)


@pytest.mark.parametrize("degrees", [-7, 0, 7])
def test_a_tilted_head_comes_out_level(degrees: int) -> None:
    around = (faces.SIZE[0] / 2, faces.SIZE[1] / 2)
    turn = cv2.getRotationMatrix2D(around, degrees, 0.8)
    tilted = np.asarray(cv2.warpAffine(faces.frame(1), turn, faces.SIZE), np.uint8)
    verdict = faces.judge().judge(tilted)
    assert verdict.face is not None
    assert abs(verdict.face.level + degrees) < 4
    again = faces.judge().judge(decode(crop.crop(tilted, verdict).image))
    assert again.face is not None
    assert abs(again.face.level) < 1.5


def test_a_frame_larger_than_the_master_is_averaged_and_not_picked_from() -> None:
    """Of noise, the mean of nine pixels keeps a third; four neighbours would keep two thirds."""
    verdict = faces.verdict(1)
    assert verdict.face is not None
    times = 6
    noise = np.random.default_rng(1).integers(0, 256, (720 * times, 1280 * times), np.uint8)
    large = np.repeat(noise[..., None], 3, 2)
    picture = crop.crop(large, replace(verdict, face=verdict.face.scaled(times)))
    grey = decode(picture.image)[..., 0]
    assert grey.mean() == pytest.approx(127, abs=2)
    assert grey.std() < 0.45 * noise.std()
