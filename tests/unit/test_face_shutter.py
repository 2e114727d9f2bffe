"""The shutter fires after a steady burst, with its sharpest frame; the crop frames it."""

from dataclasses import replace

import numpy as np
import pytest

from biometrics.face.crop import CHIN_SHARE, EYE_LINE, HEIGHT, WIDTH, NothingToCrop, crop
from biometrics.face.images import decode
from biometrics.face.shutter import Shutter
from hardware.camera.sitter import Behaviour
from tests import faces

FRAME = np.zeros((8, 8, 3), np.uint8)


def _seen(sharpness: float, *, ok: bool = True) -> object:
    return replace(faces.verdict(1), sharpness=sharpness, ok=ok)


def test_the_sharpest_of_a_steady_burst_is_taken() -> None:
    shutter = Shutter(steady=3)
    shots = [
        shutter.feed(FRAME + value, _seen(sharp))  # type: ignore[arg-type]
        for value, sharp in ((1, 0.5), (2, 0.7), (3, 0.6))
    ]
    assert shots[:2] == [None, None]
    assert shots[2] is not None
    assert shots[2].pixels[0, 0, 0] == 2
    assert shutter.steady_share == 0


def test_one_bad_frame_begins_the_burst_anew() -> None:
    shutter = Shutter(steady=2)
    assert shutter.feed(FRAME + 9, _seen(0.9)) is None  # type: ignore[arg-type]
    assert shutter.steady_share == 0.5
    assert shutter.feed(FRAME, _seen(0.9, ok=False)) is None  # type: ignore[arg-type]
    assert shutter.steady_share == 0
    assert shutter.feed(FRAME + 1, _seen(0.4)) is None  # type: ignore[arg-type]
    shot = shutter.feed(FRAME + 2, _seen(0.3))  # type: ignore[arg-type]
    assert shot is not None
    assert shot.pixels[0, 0, 0] == 1


def test_a_shot_is_a_copy_the_camera_cannot_overwrite() -> None:
    shutter, pixels = Shutter(steady=1), FRAME.copy()
    shot = shutter.feed(pixels, _seen(0.5))  # type: ignore[arg-type]
    pixels[:] = 255
    assert shot is not None
    assert shot.pixels.max() == 0


def test_a_burst_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Shutter(steady=0)


def test_the_crop_is_levelled_and_framed_by_eyes_and_chin() -> None:
    pixels = faces.frame(1)
    picture = crop(pixels, faces.verdict(1))
    assert (picture.width, picture.height) == (WIDTH, HEIGHT)
    again = faces.judge().judge(decode(picture.image))
    assert again.face is not None
    assert abs(again.face.level) < 1.5
    assert again.face.between_eyes[0] == pytest.approx(WIDTH / 2, abs=0.03 * WIDTH)
    assert again.face.between_eyes[1] == pytest.approx(EYE_LINE * HEIGHT, abs=0.03 * HEIGHT)
    assert again.face.eye_to_chin == pytest.approx(CHIN_SHARE * HEIGHT, rel=0.06)
    assert b"Exif" not in picture.image


def test_without_a_face_there_is_nothing_to_crop() -> None:
    with pytest.raises(NothingToCrop):
        crop(faces.frame(1, Behaviour.AWAY), faces.verdict(1, Behaviour.AWAY))
