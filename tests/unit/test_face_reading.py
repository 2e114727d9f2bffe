"""A process that holds keys decodes nothing: a sandbox does, and only pixels come back."""

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from biometrics.face import descriptor
from biometrics.face.compare import Comparer
from biometrics.face.images import ImageRefused, decode
from biometrics.face.reading import MAX_SIDE, Reader, prepare
from biometrics.sandbox import room
from biometrics.sandbox.room import Answer
from biometrics.sandbox.wire import Report
from hardware.camera.sitter import portrait
from tests import faces


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    made = Reader()
    made.start()
    yield made
    made.close()


@pytest.mark.parametrize("encode", [faces.jpeg, faces.png])
def test_the_pixels_that_come_back_are_those_of_the_picture(reader: Reader, encode: object) -> None:
    data = encode(portrait(1))  # type: ignore[operator]
    assert np.array_equal(reader.read(data), decode(data))


def test_a_large_picture_comes_back_smaller(reader: Reader) -> None:
    wide = faces.jpeg(np.full((1000, 4000, 3), 90, np.uint8))
    read = reader.read(wide)
    assert read.shape == (300, MAX_SIDE, 3)
    assert abs(float(read.mean()) - 90) < 2


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text",
        faces.jpeg(portrait(1))[:3000],
        faces.one_bit_png(8192),
        faces.with_jpeg_size(faces.jpeg(portrait(1)), 65_000, 65_000),
        b"\x89PNG\r\n\x1a\n" + bytes(100),
    ],
    ids=["empty", "text", "cut", "many pixels", "lying", "no header"],
)
def test_hostile_bytes_are_refused_and_the_next_picture_is_read(
    reader: Reader, data: bytes
) -> None:
    with pytest.raises(ImageRefused):
        reader.read(data)
    assert reader.read(faces.png(portrait(1))).shape == portrait(1).shape


def test_a_picture_that_may_not_even_be_asked_about_is_refused(reader: Reader) -> None:
    with pytest.raises(ImageRefused):
        reader.read(b"\xff\xd8\xff" + bytes(33 * 1024 * 1024))


@pytest.mark.parametrize(
    ("said", "beside"),
    [
        ({}, b""),
        ({"height": 2, "width": 2}, bytes(11)),
        ({"height": 2, "width": 2}, bytes(13)),
        ({"height": 0, "width": 2}, b""),
        ({"height": -1, "width": -1}, bytes(3)),
        ({"height": 2.0, "width": 2}, bytes(12)),
        ({"height": "2", "width": 2}, bytes(12)),
        ({"height": 1201, "width": 1}, bytes(3603)),
        ({"refused": "nothing we know", "why": 7}, b""),
        ({"refused": None}, b""),
    ],
)
def test_a_sandbox_that_was_taken_over_is_not_believed(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, said: dict[str, object], beside: bytes
) -> None:
    report = Report(code=0, overdue=False, cpu_seconds=0.0, peak=0)
    answer = Answer(said=said, beside=beside, report=report)
    monkeypatch.setattr(room.Room, "run", lambda *_: answer)
    with pytest.raises(ImageRefused):
        reader.read(b"\xff\xd8\xff")


def test_a_comparison_through_the_sandbox_is_the_same(reader: Reader) -> None:
    probe, reference = faces.jpeg(faces.frame(1)), faces.jpeg(portrait(1))
    inside = Comparer(descriptor.shipped(), reader.read)
    plain = Comparer(descriptor.shipped())
    close = inside.compare(probe, reference).distance
    expected = plain.compare(probe, reference).distance
    assert close is not None
    assert expected is not None
    # The frame is wider than what comes back, so it is shrunk twice.
    assert abs(close - expected) < 0.03
    assert inside.compare(b"", reference).outcome == "not_assessed"


def test_what_is_run_inside_reads_as_we_do() -> None:
    data = faces.png(portrait(2))
    said, beside = prepare()(data, "")
    assert (said["height"], said["width"]) == portrait(2).shape[:2]
    assert beside == decode(data).tobytes()
    refused, nothing = prepare()(b"", "")
    assert refused["refused"] == "empty"
    assert nothing == b""
    cv2.setNumThreads(-1)
