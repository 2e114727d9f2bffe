"""Finger, iris and face image records: every byte in its place, every picture as it was put in."""

import io
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import wsq
from PIL import Image

from biometrics.capture import EyeSide, ImpressionKind
from biometrics.face import encoding
from biometrics.records import blocks, codings, face_image, finger_image, iris_image
from biometrics.records.codings import Coding
from biometrics.records.face_image import FaceImage
from biometrics.records.finger_image import FingerImage, RecordInvalid
from biometrics.records.iris_image import IrisImage
from hardware.finger.hand import SimulatedHand
from tests.records import AT, HEIGHT, WIDTH, colours, face, finger, iris, ridges

GOLDEN = Path(__file__).parents[1] / "golden/records"
KEPT = [Coding.RAW, Coding.PNG, Coding.JPEG2000]
PIXELS = WIDTH * HEIGHT

FINGER_BY_HAND = f"""
46495200           FIR, end of text
30323000           020, end of text
{16 + 46 + PIXELS:08x}           bytes
0001               one image
00                 no certificates
01                 one finger
{46 + PIXELS:08x}           bytes of this image
07ea 0b 18 02 1e 05 00fa     24 November 2026, 02:30:05.250 UTC
00                 technology unknown
0000 0000          vendor, device
01                 one quality
3d 000f 0000       61, NIST, product not said
02                 right index finger
00                 its first image
01                 resolutions are dpi
01fc 01fc          508 dpi, scan
01fc 01fc          508 dpi, image
08                 bits
00                 raw
00                 live, plain
0050 0060          80 x 96
{PIXELS:08x}           bytes of the picture
"""
IRIS_BY_HAND = f"""
49495200           IIR, end of text
30323000           020, end of text
{16 + 57 + PIXELS:08x}           bytes
0001               one image
00                 no certificates
01                 one eye
{57 + PIXELS:08x}           bytes of this image
07ea 0b 18 02 1e 05 00fa     24 November 2026, 02:30:05.250 UTC
00                 technology unknown
0000 0000          vendor, device
01                 one quality
47 0000 0000       71, vendor and product not said
0001               the first image
02                 left eye
01                 uncropped
02                 raw, grey
40                 orientation not said, without loss
0050 0060          80 x 96
08                 bits
0000               range not said
ffff ffff          roll and its uncertainty not known
0000 0000 0000 0000     centre not known
0000 0000          diameter not known
{PIXELS:08x}           bytes of the picture
"""
FACE_BY_HAND = """
46414300           FAC, end of text
30333000           030, end of text
{all:08x}           bytes
0001               one picture
00                 no certificates
0000               a picture alone
{part:08x}           bytes of this picture
07ea 0b 18 02 1e 05 00fa     24 November 2026, 02:30:05.250 UTC
00                 technology unknown
0000 0000          vendor, device
00                 no quality
0000               no landmarks
00 00 00 00        gender, eyes, hair, height not specified
000000 0000        properties, expression not specified
000000 000000      pose and its uncertainty not specified
00                 basic
02                 JPEG 2000 without loss
0050 0060          80 x 96
00 0000 00         sampling level, processing, cross-reference
01                 24-bit RGB
{image:08x}           bytes of the picture
"""


def by_hand(table: str) -> bytes:
    return bytes.fromhex("".join(line.split("   ")[0] for line in table.strip().splitlines()))


def patched(data: bytes, at: int, value: str) -> bytes:
    new = bytes.fromhex(value)
    return data[:at] + new + data[at + len(new) :]


def test_every_field_of_a_finger_stands_where_other_readers_have_it() -> None:
    """iso19794 0.1.0 reads the same values out of it (with Pillow 9.5)."""
    data = finger_image.encode([finger()], Coding.RAW)
    assert data == by_hand(FINGER_BY_HAND) + ridges().tobytes()


def test_every_field_of_an_eye_stands_where_other_readers_have_it() -> None:
    data = iris_image.encode([iris()], Coding.RAW)
    assert data == by_hand(IRIS_BY_HAND) + ridges().tobytes()


def test_every_field_of_a_face_stands_where_other_readers_have_it() -> None:
    count = len(face().image)
    table = FACE_BY_HAND.format(all=17 + 51 + count, part=51 + count, image=count)
    assert face_image.encode(face()) == by_hand(table) + face().image


def assert_same(one: FingerImage | IrisImage, other: FingerImage | IrisImage) -> None:
    assert (one.pixels == other.pixels).all()
    blank = np.zeros((1, 1), np.uint8)
    for name in one.__slots__:
        if name not in {"pixels", "coding"}:
            assert getattr(one, name) == getattr(other, name), name
    assert replace(one, pixels=blank).pixels.shape == (1, 1)


@pytest.mark.parametrize("coding", KEPT)
def test_a_finger_comes_back_pixel_for_pixel(coding: Coding) -> None:
    given = [finger(), finger(position=7, kind=None, quality=None, at=None, dpi=500), finger()]
    images = finger_image.decode(finger_image.encode(given, coding))
    assert [image.coding for image in images] == [coding] * 3
    assert_same(images[0], given[0])
    assert_same(images[1], replace(given[1], algorithm=blocks.UNSPECIFIED))


@pytest.mark.parametrize("coding", KEPT)
def test_an_eye_comes_back_pixel_for_pixel(coding: Coding) -> None:
    given = [iris(), iris(eye=EyeSide.RIGHT, quality=None), iris(eye=None, at=None)]
    images = iris_image.decode(iris_image.encode(given, coding))
    for image, was in zip(images, given, strict=True):
        assert_same(image, was)


@pytest.mark.parametrize("jp2", [True, False])
def test_a_face_comes_back_byte_for_byte(jp2: bool) -> None:
    assert face_image.decode(face_image.encode(face(jp2=jp2))) == face(jp2=jp2)


def decibels(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> float:
    error = np.mean((one.astype(np.float64) - other) ** 2)
    return float(10 * np.log10(255**2 / error))


def print_of(position: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return SimulatedHand(11).finger(position).impression(1)


def test_wsq_loses_little_of_a_print() -> None:
    """0.75 bits a pixel: what goes is mostly the reader's grain."""
    pixels = print_of(2)
    data = finger_image.encode([finger(pixels=pixels)], Coding.WSQ)
    (image,) = finger_image.decode(data)
    assert len(data) < pixels.size / 8
    assert decibels(image.pixels, pixels) > 26


def inside(data: bytes) -> bytes:
    return data[62:]


def test_others_read_our_wsq_and_jpeg_2000() -> None:
    """NBIS through the package wsq, and the OpenJPEG of Pillow instead of OpenCV's."""
    given = [finger(pixels=ridges(256, 288))]
    record = finger_image.encode(given, Coding.WSQ)
    kind = wsq.WsqImagePlugin.WsqImageFile.format
    with Image.open(io.BytesIO(inside(record)), formats=[kind]) as image:
        theirs = np.asarray(image)
    assert (theirs == finger_image.decode(record)[0].pixels).all()
    with Image.open(
        io.BytesIO(inside(finger_image.encode(given, Coding.JPEG2000))), formats=["JPEG2000"]
    ) as image:
        assert (np.asarray(image) == ridges(256, 288)).all()


def test_we_read_wsq_and_jpeg_2000_of_others() -> None:
    pixels = ridges(256, 288)
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "JPEG2000", irreversible=False)
    ours = codings.read(written.getvalue(), Coding.JPEG2000, width=256, height=288)
    assert (ours == pixels).all()
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "JPEG2000", no_jp2=True)
    ours = codings.read(written.getvalue(), Coding.JPEG2000, width=256, height=288)
    assert (ours == pixels).all()
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, wsq.WsqImagePlugin.WsqImageFile.format)
    ours = codings.read(written.getvalue(), Coding.WSQ, width=256, height=288)
    assert decibels(ours, pixels) > 30


def test_wsq_tells_nothing_but_the_picture() -> None:
    """NBIS's comment says 500 dpi whatever they are; ours says nothing."""
    data = codings.write(ridges(256, 288), Coding.WSQ)
    assert b"PPI" not in data
    assert b"NIST" not in data


@pytest.mark.parametrize("name", ["png", "jpeg2000", "wsq"])
def test_the_golden_finger_is_read(name: str) -> None:
    """Written once; an encoder may change its bytes, a decoder not what they mean."""
    (image,) = finger_image.decode((GOLDEN / f"finger-{name}.fir").read_bytes())
    if name == "wsq":
        assert decibels(image.pixels, ridges()) > 25
        assert_same(image, replace(finger(), pixels=image.pixels))
    else:
        assert_same(image, finger())


def test_the_golden_eye_and_face_are_read() -> None:
    assert_same(iris_image.decode((GOLDEN / "iris-png.iir").read_bytes())[0], iris())
    record = face_image.decode((GOLDEN / "face-jpeg2000.fac").read_bytes())
    assert (record.width, record.height, record.at) == (WIDTH, HEIGHT, AT)


def of_2005(coding: int, picture: bytes, quality: int = 61) -> bytes:
    """A record as jMRTD writes it."""
    view = struct.pack(">IBBBBBHHB", 14 + len(picture), 2, 1, 1, quality, 1, WIDTH, HEIGHT, 0)
    head = struct.pack(">HHBBHHHHBBH", 0, 31, 1, 2, 197, 197, 197, 197, 8, coding, 0)
    body = head + view + picture
    return b"FIR\x00010\x00\0\0" + struct.pack(">I", 14 + len(body)) + body


@pytest.mark.parametrize(
    ("code", "coding"), [(0, Coding.RAW), (4, Coding.LOSSY_JPEG2000), (5, Coding.PNG)]
)
def test_a_finger_record_of_2005_is_read(code: int, coding: Coding) -> None:
    how = Coding.JPEG2000 if coding is Coding.LOSSY_JPEG2000 else coding
    (image,) = finger_image.decode(of_2005(code, codings.write(ridges(), how)))
    assert (image.pixels == ridges()).all()
    assert (image.position, image.kind, image.dpi) == (2, ImpressionKind.ROLLED, 500)
    assert (image.quality, image.coding, image.at) == (61, coding, None)
    unknown = of_2005(0, ridges().tobytes(), quality=254)
    assert finger_image.decode(unknown)[0].quality is None


def test_a_jpeg_inside_is_read() -> None:
    data = cv2.imencode(".jpg", ridges(), [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    (image,) = finger_image.decode(of_2005(3, data))
    assert decibels(image.pixels, ridges()) > 30


def test_what_follows_a_picture_and_certificates_are_passed_over() -> None:
    """MOSIP's mock puts a block of 60 bytes there."""
    data = finger_image.encode([finger()], Coding.RAW)
    part = data[20:40] + b"\2" + b"\0\1\2" * 2 + data[40:] + bytes(60)
    size = struct.pack(">I", 4 + len(part))
    whole = data[:8] + struct.pack(">I", 20 + len(part)) + data[12:14] + b"\1\1" + size + part
    assert_same(finger_image.decode(whole)[0], finger())


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (0, "46495300"),
        (4, "30333000"),
        (8, "00000000"),
        (12, "0000"),
        (12, "0002"),
        (12, "ffff"),
        (14, "02"),
        (16, "00000003"),
        (16, "ffffffff"),
        (22, "00"),
        (23, "20"),
        (34, "ff"),
        (35, "65"),
        (40, "0b"),
        (40, "15"),
        (42, "00"),
        (47, "0000"),
        (47, "01fd"),
        (51, "10"),
        (52, "01"),
        (52, "02"),
        (52, "05"),
        (52, "06"),
        (52, "07"),
        (53, "1e"),
        (54, "0000"),
        (54, "ffffffff"),
        (54, "00510060"),
        (58, "ffffffff"),
    ],
)
def test_a_field_of_a_finger_that_lies_is_refused(at: int, value: str) -> None:
    data = finger_image.encode([finger()], Coding.RAW)
    with pytest.raises(RecordInvalid):
        finger_image.decode(patched(data, at, value))


@pytest.mark.parametrize(
    ("at", "value"),
    [(14, "01"), (42, "03"), (43, "00"), (44, "04"), (44, "0a"), (46, "0051"), (50, "10")],
)
def test_a_field_of_an_eye_that_lies_is_refused(at: int, value: str) -> None:
    data = iris_image.encode([iris()], Coding.RAW)
    with pytest.raises(RecordInvalid):
        iris_image.decode(patched(data, at, value))


@pytest.mark.parametrize(
    ("at", "value"),
    [(12, "0002"), (14, "01"), (36, "ffff"), (53, "80"), (54, "00"), (54, "03"), (55, "0051")],
)
def test_a_field_of_a_face_that_lies_is_refused(at: int, value: str) -> None:
    with pytest.raises(RecordInvalid):
        face_image.decode(patched(face_image.encode(face()), at, value))


def test_records_cut_anywhere_or_with_more_behind_them_are_refused() -> None:
    finger_ = finger_image.encode([finger()], Coding.RAW)
    eye = iris_image.encode([iris()], Coding.RAW)
    portrait = face_image.encode(face())
    for data, decode in (
        (finger_, finger_image.decode),
        (of_2005(0, ridges().tobytes()), finger_image.decode),
        (eye, iris_image.decode),
        (portrait, face_image.decode),
    ):
        for cut in (*range(80), len(data) // 2, len(data) - 1):
            with pytest.raises(RecordInvalid):
                decode(data[:cut])
        with pytest.raises(RecordInvalid):
            decode(data + b"\0")


@pytest.mark.parametrize(
    "change",
    [
        {"position": 11},
        {"position": 25},
        {"dpi": 100},
        {"dpi": 70_000},
        {"quality": 101},
        {"at": AT.replace(tzinfo=None)},
        {"pixels": np.zeros((0, 9), np.uint8)},
        {"pixels": np.zeros((9, 9, 3), np.uint8)},
        {"pixels": np.zeros((9, 9), np.float32)},
        {"pixels": np.zeros((2, 5000), np.uint8)},
        {"pixels": np.zeros((4000, 4000), np.uint8)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_has_no_place_in_a_record_is_not_written(change: dict[str, object]) -> None:
    with pytest.raises(RecordInvalid):
        finger_image.encode([finger(**change)], Coding.RAW)


def test_what_could_not_be_read_again_is_not_written() -> None:
    most = np.random.default_rng(4).integers(0, 256, (3000, 3000)).astype(np.uint8)
    one = finger(pixels=most)
    (back,) = finger_image.decode(finger_image.encode([one], Coding.RAW))
    assert (back.pixels == most).all()
    # Noise does not shrink: 9 MB, where a picture may have 8.
    with pytest.raises(RecordInvalid, match="at most"):
        finger_image.encode([one], Coding.PNG)
    with pytest.raises(RecordInvalid, match="at most"):
        finger_image.encode([one] * 4, Coding.RAW)
    with pytest.raises(RecordInvalid, match="at most"):
        iris_image.encode([iris(pixels=most)] * 2, Coding.RAW)


def test_what_is_too_many_or_in_a_coding_that_is_only_read_is_not_written() -> None:
    for images, coding in (
        ([], Coding.RAW),
        ([finger()] * 21, Coding.RAW),
        ([finger()], Coding.JPEG),
        ([finger()], Coding.LOSSY_JPEG2000),
        ([finger(pixels=ridges(63, 200))], Coding.WSQ),
        ([finger(pixels=ridges(31, 200))], Coding.JPEG2000),
    ):
        with pytest.raises(RecordInvalid):
            finger_image.encode(images, coding)
    for eyes, coding in (([], Coding.RAW), ([iris()] * 5, Coding.RAW), ([iris()], Coding.WSQ)):
        with pytest.raises(RecordInvalid):
            iris_image.encode(eyes, coding)
    jpeg = encoding.jpeg(colours())
    for image, width in ((b"", 80), (jpeg, 81), (ridges().tobytes(), 80), (jpeg[:30], 80)):
        with pytest.raises(RecordInvalid):
            face_image.encode(FaceImage(image=image, width=width, height=HEIGHT))
    with pytest.raises(RecordInvalid):
        face_image.encode(replace(face(), quality=101))
