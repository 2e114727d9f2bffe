"""Pictures from outside are read whole or refused clearly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biometrics.face.images import MAX_BYTES, ImageRefused, decode
from tests.faces import jpeg, one_bit_png, png, with_jpeg_size

PICTURE = np.random.default_rng(1).integers(0, 255, (60, 80, 3), np.uint8)
GIF = bytes.fromhex("47494638396101000100800000000000ffffff2c00000000010001000002024401003b")


def test_a_png_comes_back_pixel_for_pixel() -> None:
    assert np.array_equal(decode(png(PICTURE)), PICTURE)


def test_a_jpeg_comes_back_in_its_size() -> None:
    assert decode(jpeg(PICTURE)).shape == (60, 80, 3)


def test_a_grey_picture_comes_back_in_three_channels() -> None:
    assert decode(png(PICTURE[..., :1])).shape == (60, 80, 3)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\xff\xd8\xff", id="only a JPEG's first bytes"),
        pytest.param(b"\x89PNG\r\n\x1a\n", id="only a PNG's first bytes"),
        pytest.param(b"<html>no picture</html>" * 50, id="text"),
        pytest.param(GIF, id="GIF"),
        pytest.param(b"RIFF\x00\x00\x00\x00WEBPVP8 " + bytes(50), id="WebP"),
        pytest.param(one_bit_png(30_000), id="30 000 x 30 000 of one bit"),
        pytest.param(one_bit_png(8192), id="67 megapixels within the sides"),
        pytest.param(with_jpeg_size(jpeg(PICTURE), 65_000, 65_000), id="huge declared JPEG"),
        pytest.param(with_jpeg_size(jpeg(PICTURE), 0, 60), id="JPEG of no width"),
        pytest.param(jpeg(PICTURE)[:-40], id="truncated JPEG"),
        pytest.param(jpeg(PICTURE)[: len(jpeg(PICTURE)) // 3], id="a third of a JPEG"),
        pytest.param(png(PICTURE)[:-30], id="truncated PNG"),
        pytest.param(b"\xff\xd8\xff\xe0\x00\x02" * 30 + b"\xff\xd9", id="JPEG of markers only"),
        pytest.param(jpeg(PICTURE) + bytes(MAX_BYTES), id="over 32 MiB"),
    ],
)
def test_what_is_not_a_sound_picture_is_refused(data: bytes) -> None:
    with pytest.raises(ImageRefused):
        decode(data)


def test_a_refusal_needs_no_memory_for_the_declared_size() -> None:
    import tracemalloc  # noqa: PLC0415 - only here

    data = one_bit_png(30_000)
    tracemalloc.start()
    with pytest.raises(ImageRefused):
        decode(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"]))
def test_any_bytes_are_read_or_refused(data: bytes, start: bytes) -> None:
    try:
        pixels = decode(start + data)
    except ImageRefused:
        return
    assert pixels.ndim == 3


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2000), st.integers(0, 255))
def test_one_changed_byte_is_read_or_refused(at: int, value: int) -> None:
    data = bytearray(png(PICTURE[:20, :20]))
    data[at % len(data)] = value
    try:
        pixels = decode(bytes(data))
    except ImageRefused:
        return
    assert pixels.shape == (20, 20, 3)
