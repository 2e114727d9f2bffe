"""Face image records: every byte where ISO/IEC 19794-5:2005 has it, and nothing else is read."""

import struct
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biometrics.face import encoding, record
from biometrics.face.record import Angle, FaceRecord, Point, RecordInvalid, RecordRefused


@cache
def picture(*, jp2: bool = False) -> bytes:
    pixels = np.zeros((48, 40, 3), np.uint8)
    return encoding.jpeg2000(pixels) if jp2 else encoding.jpeg(pixels)


def whole(*, jp2: bool = False) -> FaceRecord:
    return FaceRecord(
        image=picture(jp2=jp2),
        width=40,
        height=48,
        image_type=record.ImageType.FULL_FRONTAL,
        colour=record.Colour.SRGB24,
        source=record.Source.PHOTOGRAPH_DIGITAL,
        device=0x1234,
        points=(Point(major=12, minor=1, x=25, y=19), Point(major=12, minor=2, x=14, y=20)),
        yaw=Angle(degrees=-4, uncertainty=5),
        pitch=Angle(degrees=6, uncertainty=None),
        expression=1,
    )


GOLDEN = """
46414300          FAC, end of text
30313000          010, end of text
{record:08x}      length of the record
0001              one facial image
{image:08x}       length of this image's data, this block included
0002              two feature points
00                gender: unspecified
00                eye colour: unspecified
00                hair colour: unspecified
000000            property mask: nothing specified
0001              expression: neutral
b3                yaw: -4 degrees, the 179th of 180 steps of two degrees
04                pitch: 6 degrees
00                roll: unspecified
06                uncertainty of the yaw: 5 degrees
00                uncertainty of the pitch: unspecified
00                uncertainty of the roll: unspecified
01 c1 0019 0013 0000   point of two coordinates, 12.1 (left eye), 25 across, 19 down, reserved
01 c2 000e 0014 0000   12.2 (right eye)
01                image type: full frontal
{data:02x}        image data: 00 JPEG, 01 JPEG 2000
0028              40 across
0030              48 down
01                colour space: 24-bit sRGB
02                source: photograph of a digital still camera
1234              device type, the vendor's own
0000              quality: unspecified
"""


@pytest.mark.parametrize("jp2", [False, True])
def test_every_field_stands_where_the_standard_has_it(jp2: bool) -> None:
    """Written by hand from the published layouts; read by the package iso19794 0.1.0 alike."""
    image = picture(jp2=jp2)
    table = GOLDEN.format(record=14 + 20 + 16 + 12 + len(image), image=48 + len(image), data=jp2)
    head = bytes.fromhex("".join(line[:22].split("  ")[0] for line in table.split("\n")))
    assert len(head) == 14 + 20 + 16 + 12
    assert whole(jp2=jp2).encode() == head + image


@pytest.mark.parametrize("jp2", [False, True])
def test_what_is_written_is_read_back(jp2: bool) -> None:
    assert FaceRecord.decode(whole(jp2=jp2).encode()) == whole(jp2=jp2)
    plain = FaceRecord(image=picture(), width=40, height=48)
    assert FaceRecord.decode(plain.encode()) == plain


@pytest.mark.parametrize(
    ("degrees", "code", "back"),
    [
        (0, 1, 0),
        (2, 2, 2),
        (3, 3, 4),
        (-2, 180, -2),
        (-4, 179, -4),
        (90, 46, 90),
        (180, 91, 180),
        (-180, 91, 180),
        (-178, 92, -178),
    ],
)
def test_an_angle_is_every_second_degree_of_the_turn(degrees: int, code: int, back: int) -> None:
    data = replace(whole(), yaw=Angle(degrees=degrees, uncertainty=0)).encode()
    assert (data[28], data[31]) == (code, 1)
    assert FaceRecord.decode(data).yaw == Angle(degrees=back, uncertainty=0)


@pytest.mark.parametrize(
    "change",
    [
        {"yaw": Angle(degrees=181, uncertainty=None)},
        {"roll": Angle(degrees=0, uncertainty=181)},
        {"pitch": Angle(degrees=0, uncertainty=-1)},
        {"width": 41},
        {"height": 0},
        {"width": 70_000},
        {"image": b""},
        {"image": b"\xff\xd8\xff\xe0"},
        {"image": b"BM no JPEG"},
        {"gender": 3},
        {"eye_colour": 9},
        {"hair_colour": 256},
        {"properties": 1 << 23},
        {"device": -1},
        {"quality": 65_536},
        {"points": (Point(major=12, minor=1, x=40, y=0),)},
        {"points": (Point(major=12, minor=1, x=0, y=48),)},
        {"points": (Point(major=12, minor=1, x=-1, y=0),)},
        {"points": (Point(major=0, minor=1, x=0, y=0),)},
        {"points": (Point(major=16, minor=1, x=0, y=0),)},
        {"points": (Point(major=2, minor=16, x=0, y=0),)},
        {"points": (Point(major=2, minor=1, x=0, y=0),) * 129},
    ],
)
def test_what_has_no_place_in_a_record_is_not_written(change: dict[str, object]) -> None:
    wrong = replace(whole(), **change)  # type: ignore[arg-type]
    if "properties" in change:
        assert FaceRecord.decode(wrong.encode()).properties == 1 << 23
        wrong = replace(whole(), properties=1 << 24)
    with pytest.raises(RecordInvalid):
        wrong.encode()


def patched(at: int, form: str, *values: int | bytes) -> bytes:
    data = bytearray(whole().encode())
    struct.pack_into(form, data, at, *values)
    return bytes(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"FAC\0",
        picture(),
        patched(0, ">4s", b"FIR\0"),
        patched(4, ">4s", b"030\0"),
        patched(4, ">4s", b"020\0"),
        patched(8, ">I", 0),
        patched(8, ">I", 0xFFFFFFFF),
        patched(12, ">H", 0),
        patched(12, ">H", 2),
        patched(12, ">H", 0xFFFF),
        patched(14, ">I", 0),
        patched(14, ">I", 0xFFFFFFFF),
        patched(18, ">H", 3),
        patched(18, ">H", 0xFFFF),
        patched(20, ">B", 9),
        patched(21, ">B", 8),
        patched(22, ">B", 10),
        patched(28, ">B", 181),
        patched(31, ">B", 182),
        patched(33, ">B", 1),
        patched(34, ">B", 2),
        patched(35, ">B", 0x01),
        patched(36, ">H", 40),
        patched(38, ">H", 48),
        patched(40, ">H", 1),
        patched(50, ">B", 3),
        patched(51, ">B", 1),
        patched(51, ">B", 2),
        patched(52, ">H", 41),
        patched(54, ">H", 0),
        patched(56, ">B", 5),
        patched(57, ">B", 8),
        patched(62, ">H", 0),
        whole().encode() + b"\0",
        whole().encode() * 2,
        bytes(record.MAX_BYTES + 1),
    ],
)
def test_a_lying_strange_or_huge_record_is_refused(data: bytes) -> None:
    with pytest.raises(RecordRefused):
        FaceRecord.decode(data)


def test_two_images_in_one_record_are_refused() -> None:
    """A whole and true record of two: it is not that it lies, but that one is looked for."""
    one = whole().encode()
    both = one[14:] * 2
    data = struct.pack(">4s4sIH", b"FAC\0", b"010\0", 14 + len(both), 2) + both
    with pytest.raises(RecordRefused, match="2 images"):
        FaceRecord.decode(data)


@pytest.mark.parametrize("jp2", [False, True])
def test_a_record_cut_anywhere_is_refused(jp2: bool) -> None:
    data = whole(jp2=jp2).encode()
    for length in range(len(data)):
        with pytest.raises(RecordRefused):
            FaceRecord.decode(data[:length])


def test_a_cut_record_whose_lengths_were_put_right_is_refused_while_its_size_is_gone() -> None:
    data = whole().encode()
    for length in range(34, len(data) - len(picture()) + 20):
        cut = bytearray(data[:length])
        struct.pack_into(">I", cut, 8, length)
        struct.pack_into(">I", cut, 14, length - 14)
        with pytest.raises(RecordRefused):
            FaceRecord.decode(bytes(cut))


@given(st.binary(max_size=200))
def test_noise_is_refused(data: bytes) -> None:
    with pytest.raises(RecordRefused):
        FaceRecord.decode(data)


@given(st.booleans(), st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=6))
def test_flipped_bytes_are_read_whole_or_refused(jp2: bool, flips: list[tuple[int, int]]) -> None:
    data = bytearray(whole(jp2=jp2).encode())
    for at, value in flips:
        data[at % len(data)] = value
    try:
        found = FaceRecord.decode(bytes(data))
    except RecordRefused:
        return
    # Whatever is let in can be written again, byte for byte.
    assert found.encode() == bytes(data)


@given(
    st.builds(
        replace,
        st.just(whole()),
        points=st.lists(
            st.builds(
                Point,
                major=st.integers(1, 15),
                minor=st.integers(0, 15),
                x=st.integers(0, 39),
                y=st.integers(0, 47),
            ),
            max_size=5,
        ).map(tuple),
        yaw=st.none()
        | st.builds(
            Angle,
            degrees=st.integers(-89, 90).map(lambda step: 2 * step),
            uncertainty=st.none() | st.integers(0, 180),
        ),
        image_type=st.sampled_from(record.ImageType),
        source=st.sampled_from(record.Source),
        quality=st.integers(0, 65_535),
        properties=st.integers(0, (1 << 24) - 1),
        gender=st.sampled_from([0, 1, 2, 255]),
    )
)
def test_any_record_comes_back_as_it_was(made: FaceRecord) -> None:
    assert FaceRecord.decode(made.encode()) == made
