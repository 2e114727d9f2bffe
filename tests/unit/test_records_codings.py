"""Pictures inside records: whatever the bytes are, they are decoded within limits or refused."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from biometrics.face import encoding
from biometrics.records import codings
from biometrics.records.blocks import RecordInvalid
from biometrics.records.codings import Coding
from tests.bombs import chunk, swelling
from tests.faces import one_bit_png, png
from tests.records import HEIGHT, WIDTH, colours, ridges

MEGA = 1024 * 1024


def written(coding: Coding) -> bytes:
    return codings.write(ridges(), coding)


def read(data: bytes, coding: Coding, width: int = WIDTH, height: int = HEIGHT) -> None:
    codings.read(data, coding, width=width, height=height)


@pytest.mark.parametrize("coding", [Coding.RAW, Coding.PNG, Coding.JPEG2000, Coding.WSQ])
@pytest.mark.parametrize("size", [(0, 96), (80, 0), (96, 81), (79, 96), (5000, 1), (4000, 4000)])
def test_a_picture_of_another_size_than_said_is_refused(
    coding: Coding, size: tuple[int, int]
) -> None:
    with pytest.raises(RecordInvalid):
        read(written(coding), coding, *size)


@pytest.mark.parametrize("said", [Coding.PNG, Coding.JPEG, Coding.JPEG2000, Coding.WSQ])
@pytest.mark.parametrize("coding", [Coding.RAW, Coding.PNG, Coding.JPEG2000, Coding.WSQ])
def test_a_picture_of_another_kind_than_said_is_refused(coding: Coding, said: Coding) -> None:
    if coding is not said:
        with pytest.raises(RecordInvalid):
            read(written(coding), said)


@pytest.mark.parametrize("coding", [Coding.PNG, Coding.JPEG2000, Coding.WSQ])
def test_half_a_picture_is_refused_or_read_as_one_of_its_size(coding: Coding) -> None:
    """WSQ says nowhere how long it is: what is missing may come out grey."""
    data = written(coding)
    for cut in (0, 1, 2, 20, 60, 100, 150, len(data) // 2, len(data) - 1):
        try:
            pixels = codings.read(data[:cut], coding, width=WIDTH, height=HEIGHT)
        except RecordInvalid:
            continue
        assert coding is Coding.WSQ
        assert pixels.shape == (HEIGHT, WIDTH)


def siz(data: bytes, at: int, value: int) -> bytes:
    """A JPEG 2000 whose codestream claims another extent; `at` counts 32-bit fields."""
    place = data.index(b"\xff\x4f\xff\x51") + 8 + 4 * at
    return data[:place] + struct.pack(">I", value) + data[place + 4 :]


def test_a_jpeg_2000_that_claims_to_be_vast_is_refused_before_it_is_decoded() -> None:
    data = written(Coding.JPEG2000)
    for at, value in ((0, 60_000), (1, 60_000), (2, 40), (0, 0xFFFFFFFF), (2, 0xFFFFFFFF)):
        with pytest.raises(RecordInvalid, match=r"size|tile"):
            read(siz(data, at, value), Coding.JPEG2000)


@pytest.mark.parametrize(("side", "why"), [(1, "at most"), (40, "missing"), (0, "no size")])
def test_a_jpeg_2000_without_all_its_tiles_is_refused(side: int, why: str) -> None:
    data = siz(siz(written(Coding.JPEG2000), 4, side), 5, side)
    with pytest.raises(RecordInvalid, match=why):
        read(data, Coding.JPEG2000)


def test_colours_and_depths_that_a_finger_does_not_have_are_refused() -> None:
    for kind, coding in ((".jp2", Coding.JPEG2000), (".png", Coding.PNG), (".jpg", Coding.JPEG)):
        with pytest.raises(RecordInvalid):
            read(cv2.imencode(kind, colours())[1].tobytes(), coding)
    deep = ridges().astype(np.uint16) * 257
    for kind, coding in ((".jp2", Coding.JPEG2000), (".png", Coding.PNG)):
        with pytest.raises(RecordInvalid):
            read(cv2.imencode(kind, deep)[1].tobytes(), coding)


def test_a_lossy_picture_is_not_read_as_a_lossless_one() -> None:
    held = io.BytesIO()
    Image.fromarray(ridges()).save(held, "JPEG2000", irreversible=True, quality_layers=[20])
    with pytest.raises(RecordInvalid, match="lossy"):
        read(held.getvalue(), Coding.JPEG2000)
    read(held.getvalue(), Coding.LOSSY_JPEG2000)
    assert not codings.keeps_pixels(held.getvalue())
    assert codings.keeps_pixels(written(Coding.JPEG2000))
    with pytest.raises(RecordInvalid):
        codings.keeps_pixels(b"no picture")


def _swollen() -> bytes:
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 0, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
    return start + chunk(b"IDAT", swelling(150 * MEGA)) + chunk(b"IEND", b"")


def test_a_png_whose_data_swell_is_read_as_far_as_its_size_goes() -> None:
    assert not codings.read(_swollen(), Coding.PNG, width=WIDTH, height=HEIGHT).any()


def test_a_png_with_a_profile_of_150_megabytes_is_refused() -> None:
    data = written(Coding.PNG)
    bomb = chunk(b"iCCP", b"p\0\0" + swelling(150 * MEGA))
    with pytest.raises(RecordInvalid):
        read(data[:33] + bomb + data[33:], Coding.PNG)
    with pytest.raises(RecordInvalid):
        read(one_bit_png(30_000), Coding.PNG)
    with pytest.raises(RecordInvalid):
        read(data + bytes(9 * MEGA), Coding.PNG)


# A second frame that WSQ's own reader looks at first, and tables that lie about their length.
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xa0",
        b"\xff\xa0\xff\xa2\0\x11",
        b"\xff\xa0\xff\xa4\0\0" * 9,
        b"\xff\xa0\xff\xa4\xff\xff" + bytes(20),
        b"\xff\xa0\xff\xa3" + bytes(60),
        b"\xff\xa0" + b"\xff\xa8\0\2" * 100_000,
    ],
)
def test_a_wsq_without_a_frame_is_refused(data: bytes) -> None:
    with pytest.raises(RecordInvalid):
        read(data, Coding.WSQ)


def test_a_damaged_wsq_takes_only_its_own_process_down() -> None:
    """These make the package wsq overrun its heap and abort: here, they are refused or read."""
    whole = written(Coding.WSQ)
    rng = np.random.default_rng(4)
    for _ in range(40):
        data = bytearray(whole)
        for at in rng.integers(2, len(data), 4):
            data[at] = rng.integers(256)
        try:
            pixels = codings.read(bytes(data), Coding.WSQ, width=WIDTH, height=HEIGHT)
        except RecordInvalid:
            continue
        assert pixels.shape == (HEIGHT, WIDTH)


def test_colours_are_read_from_jpeg_and_jpeg_2000() -> None:
    pixels = np.asarray(cv2.GaussianBlur(colours(), (0, 0), 4), np.uint8)
    data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    apart = np.abs(codings.read_colours(data).astype(int) - pixels)
    assert apart.mean() < 3
    assert (codings.read_colours(encoding.jpeg2000(pixels)) == pixels).all()
    grey = codings.read_colours(written(Coding.JPEG2000))
    assert (grey == ridges()[..., None]).all()
    vast = siz(encoding.jpeg2000(pixels), 0, 60_000)
    for other in (b"", data[:50], png(colours()), zlib.compress(data), vast):
        with pytest.raises(RecordInvalid):
            codings.read_colours(other)
