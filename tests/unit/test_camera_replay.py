"""Folders and videos play back as a camera; what is broken says so."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from hardware.camera.__main__ import main
from hardware.camera.capture import DeviceCamera
from hardware.camera.open import CameraUnknown, open_camera
from hardware.camera.replay import FolderCamera, VideoCamera
from hardware.errors import Garbled, Unplugged
from tests import faces

GREYS = (10, 90, 200)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, grey in enumerate(GREYS):
        picture = np.full((48, 64, 3), grey, np.uint8)
        (tmp_path / f"{number}.png").write_bytes(faces.png(picture))
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path


@pytest.fixture
def video(tmp_path: Path) -> Path:
    file = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"MJPG"), 25, (64, 48))
    for grey in GREYS:
        writer.write(np.full((48, 64, 3), grey, np.uint8))
    writer.release()
    return file


def _greys(camera: FolderCamera | VideoCamera, count: int) -> list[int]:
    return [round(float(camera.read().pixels.mean())) for _ in range(count)]


def test_a_folder_plays_over_and_over_in_order(folder: Path) -> None:
    camera = FolderCamera(folder, fps=1000)
    assert _greys(camera, 5) == [10, 90, 200, 10, 90]
    assert camera.info.simulated
    assert (camera.info.width, camera.info.height) == (64, 48)


def test_a_video_plays_over_and_over(video: Path) -> None:
    camera = VideoCamera(video, sleep=lambda _: None)
    assert _greys(camera, 4) == pytest.approx([10, 90, 200, 10], abs=3)
    assert camera.info.simulated
    camera.close()


def test_a_folder_without_pictures_is_unplugged(tmp_path: Path) -> None:
    with pytest.raises(Unplugged, match="no pictures"):
        FolderCamera(tmp_path)
    with pytest.raises(Unplugged, match="not a folder"):
        FolderCamera(tmp_path / "none")


@pytest.mark.parametrize("data", [b"", b"text", b"\x89PNG\r\n\x1a\n", faces.one_bit_png(30_000)])
def test_a_broken_picture_is_garbled(folder: Path, data: bytes) -> None:
    camera = FolderCamera(folder, fps=1000)
    (folder / "1.png").write_bytes(data)
    camera.read()
    with pytest.raises(Garbled):
        camera.read()
    assert round(float(camera.read().pixels.mean())) == 200


def test_a_picture_that_went_away_is_said_and_the_next_one_comes(folder: Path) -> None:
    camera = FolderCamera(folder, fps=1000)
    (folder / "0.png").unlink()
    with pytest.raises(Unplugged):
        camera.read()
    assert round(float(camera.read().pixels.mean())) == 90


@pytest.mark.parametrize("data", [b"", b"text", b"RIFF\0\0\0\0AVI LIST"])
def test_what_is_no_video_is_unplugged(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "clip.avi"
    file.write_bytes(data)
    with pytest.raises(Unplugged):
        VideoCamera(file)


def test_a_closed_camera_is_unplugged(folder: Path) -> None:
    camera = FolderCamera(folder)
    camera.close()
    camera.close()
    with pytest.raises(Unplugged):
        camera.read()


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "sitter",
        "sitter:",
        "sitter:x",
        "sitter:-1",
        "device:1234567890",
        "none:1",
        ":1",
        "a" * 500,
    ],
)
def test_an_unknown_camera_is_refused(spec: str) -> None:
    with pytest.raises(CameraUnknown):
        open_camera(spec)


def test_cameras_open_by_name(folder: Path) -> None:
    sitter, played = open_camera("sitter:3"), open_camera(f"folder:{folder}")
    assert sitter.info.name == "simulated sitter"
    assert played.info.name.startswith("pictures of")


@pytest.mark.parametrize("index", [97, "/dev/v4l/by-id/usb-none-video-index0"])
def test_a_device_that_is_not_there_is_unplugged(index: int | str) -> None:
    with pytest.raises(Unplugged, match="check its cable"):
        DeviceCamera(index)
    with pytest.raises(Unplugged, match="check its cable"):
        open_camera(f"device:{index}")


def test_the_command_writes_a_registry_portrait(tmp_path: Path) -> None:
    out = tmp_path / "1.jpg"
    assert main(["portrait", "--seed", "1", "--out", str(out)]) == 0
    picture = cv2.imread(str(out))
    assert picture is not None
    assert picture.shape == (800, 600, 3)
    assert main(["frame", "--seed", "1", "--out", str(tmp_path / "no/1.jpg")]) == 1


def test_the_command_writes_many_portraits_by_name(tmp_path: Path) -> None:
    assert main(["portraits", "--folder", str(tmp_path), "001=1", "002=2"]) == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == ["001.jpg", "002.jpg"]


@pytest.mark.parametrize("who", ["1", "../x=1", "=1", "a=", "a=-1", "a=1=1"])
def test_a_name_that_leaves_the_folder_is_refused(tmp_path: Path, who: str) -> None:
    with pytest.raises(SystemExit):
        main(["portraits", "--folder", str(tmp_path), who])
