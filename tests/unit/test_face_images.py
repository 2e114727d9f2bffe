"""Pictures from outside are read whole or refused clearly."""

import struct

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biometrics.face.containers import ImageRefused, Reason, clean
from biometrics.face.images import MAX_BYTES, decode, decode_upright
from tests.bombs import (
    BOMBS,
    Bomb,
    after_header,
    after_start,
    chunk,
    exif,
    picture,
    progressive,
    segment,
)
from tests.faces import jpeg, one_bit_png, png, with_jpeg_size

PICTURE = np.random.default_rng(1).integers(0, 255, (60, 80, 3), np.uint8)
HARMLESS = [bomb for bomb in BOMBS if bomb.said is None and "megapixels" not in bomb.name]
NEEDS_A_LIMIT = {Reason.TOO_HEAVY, Reason.TOO_SMALL}
"""What the sandbox says; without one such a picture is merely slow, or no portrait."""


def reason_of(data: bytes) -> Reason:
    with pytest.raises(ImageRefused) as caught:
        decode(data)
    return caught.value.reason


def plainly(data: bytes) -> np.ndarray:
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR))


def test_a_png_comes_back_pixel_for_pixel() -> None:
    assert np.array_equal(decode(png(PICTURE)), PICTURE)


def test_a_jpeg_comes_back_as_the_plain_decoder_reads_it() -> None:
    for data in (jpeg(PICTURE), progressive(333, 111)):
        assert np.array_equal(decode(data), plainly(data))


def test_a_grey_picture_comes_back_in_three_channels() -> None:
    assert decode(png(PICTURE[..., :1])).shape == (60, 80, 3)
    assert decode(jpeg(PICTURE[..., :1])).shape == (60, 80, 3)


def test_sixteen_bits_a_channel_come_back_as_eight() -> None:
    deep = PICTURE.astype(np.uint16) * 257
    assert np.array_equal(decode(png(deep)), PICTURE)  # type: ignore[arg-type] # uint16


def test_transparency_and_palettes_are_read_as_colours() -> None:
    see_through = np.dstack([PICTURE, np.full((60, 80), 255, np.uint8)])
    assert np.array_equal(decode(png(see_through)), PICTURE)


@pytest.mark.parametrize(
    "bomb", [b for b in BOMBS if b.said not in {None, *NEEDS_A_LIMIT}], ids=lambda b: b.name
)
def test_a_bomb_is_refused_for_what_it_is(bomb: Bomb) -> None:
    if bomb.said is Reason.TOO_LARGE:
        assert len(bomb.data) > 10 * 1024 * 1024
    else:
        assert reason_of(bomb.data) is bomb.said


@pytest.mark.parametrize("bomb", HARMLESS, ids=lambda b: b.name)
def test_what_is_disarmed_is_read_like_any_picture(bomb: Bomb) -> None:
    assert decode(bomb.data).ndim == 3


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(b"\xff\xd8\xff", Reason.CUT_SHORT, id="only a JPEG's first bytes"),
        pytest.param(b"\x89PNG\r\n\x1a\n", Reason.CUT_SHORT, id="only a PNG's first bytes"),
        pytest.param(
            one_bit_png(8192), Reason.TOO_MANY_PIXELS, id="67 megapixels within the sides"
        ),
        pytest.param(with_jpeg_size(jpeg(PICTURE), 0, 60), Reason.BROKEN, id="a JPEG of no width"),
        pytest.param(
            b"\xff\xd8\xff\xe0\x00\x02" * 30 + bytes(9), Reason.BROKEN, id="JPEGs within a JPEG"
        ),
        pytest.param(
            b"\xff\xd8" + segment(0xE0, b"") * 30 + b"\xff\xd9",
            Reason.BROKEN,
            id="a JPEG of markers only",
        ),
        pytest.param(jpeg(PICTURE) + bytes(MAX_BYTES), Reason.TOO_LARGE, id="over 32 MiB"),
    ],
)
def test_what_is_not_a_sound_picture_is_refused(data: bytes, said: Reason) -> None:
    assert reason_of(data) is said


@pytest.mark.parametrize(
    "data", [jpeg(PICTURE), progressive(64, 48), png(PICTURE)], ids=["JPEG", "progressive", "PNG"]
)
def test_a_picture_cut_off_anywhere_is_refused(data: bytes) -> None:
    places = sorted({*range(1, 40), *range(40, len(data) - 1, 97), len(data) - 2, len(data) - 1})
    for end in places:
        with pytest.raises(ImageRefused):
            decode(data[:end])


def test_a_refusal_needs_no_memory_for_the_declared_size() -> None:
    import tracemalloc  # noqa: PLC0415 - only here

    data = one_bit_png(30_000)
    tracemalloc.start()
    with pytest.raises(ImageRefused):
        decode(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_the_decoder_sees_no_metadata() -> None:
    secret = b"21.0278N 105.8342E"
    photo = after_start(jpeg(PICTURE), segment(0xE1, b"Exif\0\0" + secret) + segment(0xFE, secret))
    drawn = after_header(png(PICTURE), chunk(b"tEXt", b"place\0" + secret) + chunk(b"eXIf", secret))
    for data in (photo, photo + secret, drawn, drawn + secret):
        assert secret in data
        assert secret not in clean(data).data


def test_what_phones_put_behind_a_photo_does_not_matter() -> None:
    """Motion photos end in a film, depth maps in a second JPEG."""
    data = jpeg(PICTURE)
    for behind in (b"\0\0\0\x18ftypmp42" + bytes(3000), data, b"\xff\xd9\xff\xd9"):
        assert np.array_equal(decode(data + behind), decode(data))


def _corner(pixels: np.ndarray) -> tuple[int, int]:
    """Where the one bright quarter is: 0 or 1 down, 0 or 1 across."""
    height, width = pixels.shape[:2]
    quarters = pixels[..., 0].reshape(2, height // 2, 2, width // 2).mean((1, 3))
    down, across = np.unravel_index(int(np.argmax(quarters)), (2, 2))
    return int(down), int(across)


ORIENTATIONS = {
    1: (0, 0),
    2: (0, 1),
    3: (1, 1),
    4: (1, 0),
    5: (0, 0),
    6: (0, 1),
    7: (1, 1),
    8: (1, 0),
}
"""Where the stored picture's first corner is seen, Exif 2.32: 6 is "0th row right, column top"."""


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_phone_s_orientation_is_followed_but_not_by_plain_decoding(orientation: int) -> None:
    marked = np.zeros((60, 80, 3), np.uint8)
    marked[:30, :40] = 255
    photo = after_start(jpeg(marked), exif(orientation))
    drawn = after_header(png(marked), chunk(b"eXIf", exif(orientation)[10:]))
    for data in (photo, drawn):
        upright = decode_upright(data)
        assert upright.shape == ((80, 60, 3) if orientation > 4 else (60, 80, 3))
        assert _corner(upright) == ORIENTATIONS[orientation]
        assert _corner(decode(data)) == (0, 0)


def test_opencv_turns_pictures_the_same_way() -> None:
    for orientation in range(1, 9):
        data = after_start(jpeg(PICTURE), exif(orientation))
        assert np.array_equal(decode_upright(data), plainly(data))


@pytest.mark.parametrize(
    "tiff",
    [
        b"",
        b"II*\0",
        b"XX*\0\x08\0\0\0\x01\0",
        b"II*\0\xff\xff\xff\xff",
        b"II*\0\x08\0\0\0\xff\xff",
        b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHIHH", 0x0112, 3, 1, 9, 0),
        b"MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHIHH", 0x0112, 4, 1, 6, 0),
    ],
)
def test_an_orientation_that_makes_no_sense_is_upright(tiff: bytes) -> None:
    assert clean(after_start(jpeg(PICTURE), segment(0xE1, b"Exif\0\0" + tiff))).orientation == 1


def test_a_very_large_photo_comes_out_in_half_its_size() -> None:
    large = jpeg(cv2.resize(picture(), (5000, 3601)))  # type: ignore[arg-type] # Mat
    assert decode_upright(large).shape == (1801, 2500, 3)
    assert decode(large).shape == (3601, 5000, 3)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"]))
def test_any_bytes_are_read_or_refused(data: bytes, start: bytes) -> None:
    try:
        pixels = decode_upright(start + data)
    except ImageRefused:
        return
    assert pixels.ndim == 3


@settings(max_examples=200, deadline=None)
@given(
    st.integers(0, 20_000),
    st.integers(0, 255),
    st.sampled_from([png(PICTURE[:20, :20]), jpeg(PICTURE), progressive(64, 48)]),
)
def test_one_changed_byte_is_read_or_refused(at: int, value: int, data: bytes) -> None:
    changed = bytearray(data)
    changed[at % len(data)] = value
    try:
        pixels = decode_upright(bytes(changed))
    except ImageRefused:
        return
    assert pixels.ndim == 3
