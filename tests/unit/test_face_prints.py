"""Prints, JPEG 2000 and white balance: right in size, and nothing in them but the picture."""

import struct
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from biometrics.capture import Finding, Portrait
from biometrics.face import balance, crop, encoding, outputs, prints, record
from biometrics.face.images import decode
from biometrics.face.outputs import Output
from biometrics.face.segment import PersonSegmenter
from tests import faces

Pixels = NDArray[np.uint8]
RATIO = 15


@cache
def master() -> bytes:
    return crop.crop(faces.frame(1), faces.verdict(1)).image


@cache
def portrait() -> Portrait:
    verdict = faces.verdict(1)
    return Portrait(
        image=master(),
        width=crop.WIDTH,
        height=crop.HEIGHT,
        profile=verdict.profile.name,
        profile_sha256=verdict.profile.sha256,
        findings=verdict.findings,
        forced_by=None,
        liveness=None,
    )


def segments(jpeg: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and content of each segment before the scan: a walker of the test's own."""
    assert jpeg[:2] == b"\xff\xd8"
    at = 2
    while jpeg[at + 1] != 0xDA:
        assert jpeg[at] == 0xFF
        (length,) = struct.unpack(">H", jpeg[at + 2 : at + 4])
        yield jpeg[at + 1], jpeg[at + 4 : at + 2 + length]
        at += 2 + length
    assert jpeg.endswith(b"\xff\xd9")


def boxes(data: bytes) -> dict[bytes, bytes]:
    found, at = {}, 0
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        assert 8 <= length <= len(data) - at
        found[kind] = data[at + 8 : at + length]
        at += length
    return found


@pytest.mark.parametrize(
    ("name", "width", "height", "millimetres"), [("3x4", 354, 472, 30), ("4x6", 472, 709, 40)]
)
def test_a_print_has_its_size_and_the_face_where_the_format_wants_it(
    name: str, width: int, height: int, millimetres: int
) -> None:
    wanted = prints.formats()[name]
    assert (wanted.width, wanted.height) == (width, height)
    assert round(wanted.width_mm / 25.4 * wanted.dpi) == width
    assert round(wanted.height_mm / 25.4 * wanted.dpi) == height
    assert wanted.width_mm == millimetres
    assert wanted.source
    pixels = prints.make(decode(master()), wanted)
    assert pixels is not None
    assert pixels.shape == (height, width, 3)
    face = faces.judge().judge(pixels).face
    assert face is not None
    assert face.between_eyes[0] == pytest.approx(width / 2, abs=0.02 * width)
    assert face.between_eyes[1] == pytest.approx(wanted.eye_line * height, abs=0.02 * height)
    assert face.eye_to_chin == pytest.approx(wanted.chin_share * height, rel=0.05)
    assert abs(face.level) < 1.5


def test_a_print_is_a_part_of_the_master_in_its_own_proportions() -> None:
    for wanted in prints.formats().values():
        held = prints.region(wanted, crop.WIDTH, crop.HEIGHT)
        assert held is not None
        left, top, right, bottom = held
        assert 0 <= left < right <= crop.WIDTH
        assert 0 <= top < bottom <= crop.HEIGHT
        assert (right - left) / (bottom - top) == pytest.approx(
            wanted.width / wanted.height, rel=0.005
        )


@pytest.mark.parametrize("name", ["3x4", "4x6"])
def test_the_higher_the_hair_the_more_room_a_print_has_above_it(name: str) -> None:
    wanted = prints.formats()[name]
    for hair in (0.9, 1.0, 1.1, 1.15, 1.2):
        chin_share, eye_line = prints.geometry(wanted, hair)
        assert eye_line / chin_share >= hair + wanted.headroom - 1e-9
        assert prints.region(wanted, crop.WIDTH, crop.HEIGHT, hair) is not None
    assert prints.geometry(wanted, None) == (wanted.chin_share, wanted.eye_line)
    assert prints.geometry(wanted, 1.0) == (wanted.chin_share, wanted.eye_line)
    loosest = (wanted.chin_share_for_hair, wanted.eye_line_for_hair)
    assert prints.geometry(wanted, 5.0) == pytest.approx(loosest)
    assert prints.region(wanted, crop.WIDTH, crop.HEIGHT, 5.0) is not None


def test_the_crown_is_seen_where_the_head_ends() -> None:
    pixels, segmenter = decode(master()), PersonSegmenter()
    top = prints.crown(pixels, segmenter)
    assert top is not None
    assert 0.8 < top < 1.3
    taller = pixels.copy()
    rows = slice(round(crop.EYE_LINE * crop.HEIGHT - (top + 0.12) * crop.CHIN_SHARE * 1200), 300)
    taller[rows, 400:500] = (20, 20, 25)
    higher = prints.crown(taller, segmenter)
    assert higher is not None
    assert higher > top
    assert prints.crown(np.full((1200, 900, 3), 230, np.uint8), segmenter) is None


@pytest.mark.parametrize(
    "change", [{"chin_share": 0.27}, {"eye_line": 0.55}, {"eye_line": 0.32}, {"width": 750}]
)
def test_a_print_the_master_does_not_hold_is_none_and_not_painted(
    change: dict[str, float],
) -> None:
    wanted = replace(prints.formats()["4x6"], **change)  # type: ignore[arg-type]
    assert prints.make(decode(master()), wanted) is None


@pytest.mark.parametrize("output", [Output.PRINT_3X4, Output.PRINT_4X6])
def test_a_jpeg_holds_its_resolution_and_no_word_about_anybody(output: Output) -> None:
    made = outputs.make(output, portrait())
    assert made is not None
    found = list(segments(made.data))
    applications = [(marker, body) for marker, body in found if 0xE0 <= marker <= 0xEF]
    assert [marker for marker, _ in applications] == [0xE0]
    assert applications[0][1] == b"JFIF\x00\x01\x01" + struct.pack(">BHHBB", 1, 300, 300, 0, 0)
    # Tables, frame, and nothing like a comment.
    assert {marker for marker, _ in found} <= {0xE0, 0xDB, 0xC0, 0xC4}
    assert made.kind == "image/jpeg"


def test_the_master_itself_holds_no_metadata() -> None:
    assert {marker for marker, _ in segments(master())} <= {0xE0, 0xDB, 0xC0, 0xC4}


def test_a_jp2_file_holds_picture_size_colour_and_resolution_alone() -> None:
    pixels = prints.make(decode(master()), prints.formats()["3x4"])
    assert pixels is not None
    data = encoding.jpeg2000(pixels, dpi=300)
    found = boxes(data)
    assert list(found) == [b"jP  ", b"ftyp", b"jp2h", b"jp2c"]
    header = boxes(found[b"jp2h"])
    assert list(header) == [b"ihdr", b"colr", b"res "]
    assert struct.unpack(">II", header[b"ihdr"][:8]) == (472, 354)
    # Method 1, enumerated colour space 16: sRGB.
    assert header[b"colr"] == b"\x01\x00\x00" + struct.pack(">I", 16)
    down, below = struct.unpack(">HH", boxes(header[b"res "])[b"resd"][:4])
    assert down / below * 0.0254 == pytest.approx(300, abs=0.05)
    assert b"OpenJPEG" not in data
    # Every pixel is back.
    back = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert np.array_equal(np.asarray(back), pixels)


@pytest.mark.parametrize("at_most", [100_000, 20_000])
def test_a_jp2_file_fits_where_it_has_to(at_most: int) -> None:
    pixels = decode(master())
    data = encoding.jpeg2000(pixels, at_most=at_most)
    assert at_most / 2 < len(data) <= at_most
    back = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert back is not None
    assert cv2.PSNR(back, pixels) > 30


def test_what_cannot_fit_or_is_too_small_is_said() -> None:
    with pytest.raises(encoding.EncodingInvalid):
        encoding.jpeg2000(np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(encoding.EncodingInvalid):
        encoding.jpeg2000(decode(master()), at_most=200)


@pytest.mark.parametrize("length", [0, 1, 3, 11, 12, 20, 40, 60, 100, 158])
def test_a_cut_picture_has_no_size(length: int) -> None:
    jp2 = encoding.jpeg2000(np.zeros((64, 64, 3), np.uint8))
    jpeg = encoding.jpeg(np.zeros((64, 64, 3), np.uint8))
    assert encoding.size(jp2) == encoding.size(jpeg) == (64, 64)
    with pytest.raises(encoding.EncodingInvalid):
        encoding.size(jp2[: min(length, 40)])
    with pytest.raises(encoding.EncodingInvalid):
        encoding.size(jpeg[:length])


def test_the_record_an_office_takes_is_read_back_with_eyes_and_pose() -> None:
    made = outputs.make(Output.RECORD, portrait())
    assert made is not None
    found = record.FaceRecord.decode(made.data)
    assert len(found.image) <= crop.WIDTH * crop.HEIGHT * 3 / RATIO
    assert (found.width, found.height) == (crop.WIDTH, crop.HEIGHT)
    assert found.image_type is record.ImageType.FULL_FRONTAL
    assert found.colour is record.Colour.SRGB24
    assert (found.gender, found.eye_colour, found.hair_colour) == (0, 0, 0)
    left, right = found.points
    assert (left.major, left.minor, right.major, right.minor) == (12, 1, 12, 2)
    # The sitter's left eye lies on the picture's right.
    assert left.x > crop.WIDTH / 2 > right.x
    assert left.y == pytest.approx(crop.EYE_LINE * crop.HEIGHT, abs=12)
    yaw = faces.verdict(1).finding("HeadPoseYaw").native
    assert yaw is not None
    assert found.yaw is not None
    assert found.yaw.degrees == pytest.approx(yaw, abs=2)
    assert found.roll == record.Angle(degrees=0, uncertainty=outputs.UNCERTAINTY)


def test_a_record_of_a_refused_portrait_does_not_claim_to_be_full_frontal() -> None:
    failed = Finding(name="EyesOpen", native=0.0, unit="T", score=0, passed=False, hint="eyes_open")
    findings = (failed, *(f for f in portrait().findings if f.name != "EyesOpen"))
    for changed in ({"forced_by": "v.an"}, {"findings": findings}):
        made = outputs.make(Output.RECORD, replace(portrait(), **changed))
        assert made is not None
        assert record.FaceRecord.decode(made.data).image_type is record.ImageType.BASIC


def test_only_a_blocking_gate_refuses_and_every_one_where_the_profile_is_unknown() -> None:
    failed = tuple(
        Finding(name=name, native=0.0, unit="", score=0, passed=False, hint=None)
        for name in ("EyesOpen", "NaturalColour")
    )
    assert outputs.refused(replace(portrait(), findings=failed)) == ("EyesOpen",)
    unknown = replace(portrait(), findings=failed, profile="another")
    assert outputs.refused(unknown) == ("EyesOpen", "NaturalColour")
    assert outputs.refused(portrait()) == ()


@pytest.mark.parametrize("output", Output)
@pytest.mark.parametrize("image", [b"\xff\xd8\xff", b"\xff\xd8\xff\xe0 no picture", b"\x89PNG"])
def test_of_a_master_that_cannot_be_read_nothing_is_made(output: Output, image: bytes) -> None:
    assert outputs.make(output, replace(portrait(), image=image)) is None


@pytest.mark.parametrize("output", Output)
def test_of_a_master_that_lies_or_is_huge_nothing_is_made(output: Output) -> None:
    assert outputs.make(output, replace(portrait(), width=899)) is None
    huge = encoding.jpeg(np.full((2404, 1803, 3), 200, np.uint8))
    assert outputs.make(output, replace(portrait(), image=huge, width=1803, height=2404)) is None


@pytest.mark.parametrize("output", Output)
def test_a_master_without_a_face_makes_prints_and_a_record_without_eyes(output: Output) -> None:
    blank = encoding.jpeg(np.full((1200, 900, 3), 200, np.uint8))
    made = outputs.make(output, replace(portrait(), image=blank))
    assert made is not None
    if output is Output.RECORD:
        found = record.FaceRecord.decode(made.data)
        assert (found.points, found.roll) == ((), None)


# White balance.

WALL_LEFT = (slice(None), slice(0, 100))


def scene(wall: tuple[int, int, int], person: tuple[int, int, int]) -> tuple[Pixels, Pixels]:
    """A picture, 200 x 300, whose left third is wall, and where the wall is."""
    pixels = np.empty((200, 300, 3), np.uint8)
    pixels[:] = person
    pixels[WALL_LEFT] = wall
    mask = np.zeros((200, 300), bool)
    mask[WALL_LEFT] = True
    return pixels, mask.astype(np.uint8)


def balanced(wall: tuple[int, int, int], person: tuple[int, int, int]) -> balance.Balanced:
    pixels, mask = scene(wall, person)
    return balance.balance(pixels, mask > 0)


def test_a_cast_on_a_grey_wall_is_taken_out_and_the_light_stays() -> None:
    warm = (188, 200, 205)
    found = balanced(warm, (120, 150, 190))
    assert found.done == "balanced"
    wall = found.pixels[0, 0].astype(int)
    assert np.ptp(wall) <= 1
    before, after = (
        cv2.cvtColor(np.array([[colour]], np.uint8), cv2.COLOR_BGR2LAB)[0, 0, 0]
        for colour in (warm, found.pixels[0, 0])
    )
    assert abs(int(before) - int(after)) <= 2
    # What is not wall is moved by the same light.
    assert found.pixels[0, 200, 0] > 120
    assert found.pixels[0, 200, 2] < 190


def test_balancing_again_changes_nothing() -> None:
    first = balanced((188, 200, 205), (120, 150, 190))
    mask = scene((0, 0, 0), (0, 0, 0))[1] > 0
    again = balance.balance(first.pixels, mask)
    assert again.done == "neutral_already"
    assert again.pixels is first.pixels


@pytest.mark.parametrize("skin", [(60, 80, 110), (150, 180, 230), (10, 255, 10)])
def test_whoever_sits_before_the_wall_drives_nothing(skin: tuple[int, int, int]) -> None:
    assert balanced((188, 200, 205), skin).gains == balanced((188, 200, 205), (90, 90, 90)).gains
    assert balanced((200, 200, 200), skin).done == "neutral_already"


@pytest.mark.parametrize(
    ("wall", "done"),
    [
        ((220, 150, 90), "wall_not_grey"),
        ((100, 120, 200), "wall_not_grey"),
        ((255, 255, 255), "too_little_wall"),
        ((20, 20, 30), "too_little_wall"),
        ((252, 240, 230), "too_little_wall"),
    ],
)
def test_a_painted_dark_or_clipped_wall_is_left_alone(
    wall: tuple[int, int, int], done: str
) -> None:
    found = balanced(wall, (120, 150, 190))
    assert found.done == done
    assert (found.pixels == scene(wall, (120, 150, 190))[0]).all()


def test_without_enough_wall_nothing_is_done() -> None:
    pixels, mask = scene((188, 200, 205), (120, 150, 190))
    mask[:, 10:] = 0
    assert balance.balance(pixels, mask > 0).done == "too_little_wall"


def test_a_print_is_balanced_when_asked_by_the_wall_the_network_finds() -> None:
    cast = decode(master()).astype(np.float32) * np.array([0.93, 1.0, 1.04], np.float32)
    image = encoding.jpeg(np.clip(cast, 0, 255).astype(np.uint8), quality=98)
    plain, asked = (
        outputs.make(Output.PRINT_3X4, replace(portrait(), image=image), balanced=wanted)
        for wanted in (False, True)
    )
    assert plain is not None
    assert asked is not None
    assert plain.done["balance"] == "off"
    assert asked.done["balance"] == "balanced"
    assert plain.data != asked.data
    lab = cv2.cvtColor(decode(asked.data), cv2.COLOR_BGR2LAB)[:60, :60, 1:].astype(float)
    assert np.abs(lab.mean((0, 1)) - 128).max() < 2
    gains = asked.done["gains"]
    assert isinstance(gains, list)
    assert gains[0] > 1 > gains[2]


def test_the_wall_is_where_the_person_is_not() -> None:
    wall = balance.wall_of(decode(master()), PersonSegmenter())
    assert wall.shape == (crop.HEIGHT, crop.WIDTH)
    assert wall[:100, :100].all()
    assert not wall[300:1000, 300:600].any()
