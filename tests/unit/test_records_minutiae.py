"""Minutiae records: every byte where the readers of others have it, and nothing else is read."""

import math
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biometrics import capture
from biometrics.capture import ImpressionKind
from biometrics.finger.compare import SAME_FROM, compare
from biometrics.finger.minutiae import Minutiae
from biometrics.records import blocks, minutiae
from biometrics.records.minutiae import Edition, MinutiaType, Point, RecordInvalid, View
from tests.records import view

GOLDEN = Path(__file__).parents[1] / "golden/records"
EDITIONS: tuple[Edition, ...] = (2005, 2011)

BY_HAND_2011 = """
464d5200           FMR, end of text
30333000           030, end of text
00000048           72 bytes
0001               one view
00                 no certificates
00000039           57 bytes of this view
07ea 0b 18 02 1e 05 00fa     24 November 2026, 02:30:05.250 UTC
00                 technology unknown
0000 0000          vendor, device
01                 one quality
3d 000f 0000       61, NIST, product not said
07                 left index finger
00                 its first view
00c5 00c5          197 pixels on a centimetre across and down
01                 rolled
0100 0120          256 x 288
61                 six bytes a minutia, endings are ends of ridges
03                 three minutiae
400c 0022 00 5b    ending at 12, 34, to the right, quality 91
80ff 011f 40 fe    bifurcation at 255, 287, upwards, not reported
0000 0000 c0 07    other at 0, 0, downwards, quality 7
0000               no extended data
"""
BY_HAND_2005 = """
464d5200           FMR, end of text
20323000           space, 20, end of text
00000030           48 bytes
0000               equipment not said
0100 0120          256 x 288
00c5 00c5          197 pixels on a centimetre across and down
01                 one view
00                 reserved
07                 left index finger
01                 its first view, rolled
3d                 quality 61
03                 three minutiae
400c 0022 00 5b    ending at 12, 34, to the right, quality 91
80ff 011f 40 00    bifurcation at 255, 287, upwards, not reported
0000 0000 c0 07    other at 0, 0, downwards, quality 7
0000               no extended data
"""


def by_hand(table: str) -> bytes:
    return bytes.fromhex("".join(line.split("   ")[0] for line in table.strip().splitlines()))


@pytest.mark.parametrize(("edition", "table"), [(2011, BY_HAND_2011), (2005, BY_HAND_2005)])
def test_every_field_stands_where_other_readers_have_it(edition: Edition, table: str) -> None:
    data = minutiae.encode([view()], edition)
    assert data == by_hand(table)
    assert data == (GOLDEN / f"minutiae-{edition}.fmr").read_bytes()


@pytest.mark.parametrize("edition", EDITIONS)
def test_what_is_written_is_read_back(edition: Edition) -> None:
    record = minutiae.decode(minutiae.encode([view(), view(position=2)], edition))
    kept = view() if edition == 2011 else view(at=None, algorithm=blocks.UNSPECIFIED)
    assert record.edition == edition
    assert record.views == (kept, replace(kept, position=2))


points = st.builds(
    Point,
    x=st.integers(0, 255),
    y=st.integers(0, 287),
    angle=st.floats(-10, 10),
    quality=st.none() | st.integers(0, 100),
    type=st.sampled_from(MinutiaType),
)
views = st.builds(
    View,
    position=st.integers(0, 10),
    kind=st.sampled_from(ImpressionKind),
    quality=st.none() | st.integers(0, 100),
    width=st.integers(256, 16383),
    height=st.integers(288, 16383),
    dpi=st.integers(250, 2000),
    points=st.lists(points, min_size=1, max_size=255).map(tuple),
)


@given(views, st.sampled_from(EDITIONS))
def test_reading_and_writing_again_changes_nothing(one: View, edition: Edition) -> None:
    data = minutiae.encode([one], edition)
    (back,) = minutiae.decode(data).views
    assert minutiae.encode([back], edition) == data
    assert (back.width, back.height, back.position) == (one.width, one.height, one.position)
    for was, now in zip(one.points, back.points, strict=True):
        assert (was.x, was.y, was.type) == (now.x, now.y, now.type)
        assert abs(math.remainder(was.angle - now.angle, 2 * math.pi)) <= math.pi / 256 + 1e-9
    assert abs(back.dpi - one.dpi) <= 2.54 / 2 + 1


def test_2005_cannot_say_that_a_quality_is_zero() -> None:
    low = view(quality=0, points=(Point(x=1, y=1, angle=0, quality=0),))
    (back,) = minutiae.decode(minutiae.encode([low], 2005)).views
    assert (back.quality, back.points[0].quality) == (None, 1)
    (back,) = minutiae.decode(minutiae.encode([low], 2011)).views
    assert (back.quality, back.points[0].quality) == (0, 0)


@pytest.mark.parametrize(("dpi", "count"), [(250, 98), (500, 197), (508, 200), (1000, 394)])
def test_a_resolution_is_whole_pixels_on_a_centimetre(dpi: int, count: int) -> None:
    data = minutiae.encode([view(dpi=dpi)])
    assert data[41:45] == struct.pack(">HH", count, count)
    assert minutiae.decode(data).views[0].dpi == dpi


@pytest.mark.parametrize("edition", EDITIONS)
def test_several_views_of_a_finger_are_numbered(edition: Edition) -> None:
    data = minutiae.encode([view(), view(), view(position=3), view()], edition)
    assert len(minutiae.decode(data).views) == 4
    first, each, shift = {2011: (40, 57, 0), 2005: (25, 24, 4)}[edition]
    assert [data[first + each * n] >> shift for n in range(4)] == [0, 1, 0, 2]


def cloud(count: int, seed: int = 3) -> Minutiae:
    rng = np.random.default_rng(seed)
    rows = rng.uniform([0, 0, -np.pi, 0.5], [250, 280, np.pi, 1], (count, 4)).astype(np.float32)
    order = np.argsort(-rows[:, 3], kind="stable")
    return Minutiae(points=rows[order], endings=rng.random(count).astype(np.float32))


def of(found: Minutiae, dpi: int = 500) -> View:
    size = (round(256 * dpi / 500), round(288 * dpi / 500))
    return minutiae.of(
        found,
        position=1,
        kind=ImpressionKind.PLAIN,
        quality=50,
        width=size[0],
        height=size[1],
        dpi=dpi,
    )


@pytest.mark.parametrize("dpi", [500, 508, 1000])
@pytest.mark.parametrize("edition", EDITIONS)
def test_a_print_is_the_same_finger_after_its_record(edition: Edition, dpi: int) -> None:
    found = cloud(60)
    data = minutiae.encode([of(found, dpi)], edition)
    back = minutiae.as_minutiae(minutiae.decode(data).views[0])
    assert len(back) == 60
    apart = np.abs(back.points[:, None, :2] - found.points[None, :, :2]).max(axis=2).min(axis=1)
    assert apart.max() <= 0.5 * 500 / dpi + 0.01
    assert compare(found, back) > 0.8 * compare(found, found) > SAME_FROM
    assert (np.diff(back.points[:, 3]) <= 0).all()


def test_the_strongest_255_points_are_kept() -> None:
    found = cloud(400)
    kept = of(found).points
    assert len(kept) == 255
    weakest = min(point.quality for point in kept if point.quality is not None)
    assert weakest >= round(100 * float(found.points[255, 3])) - 1


def test_a_type_is_claimed_only_where_it_is_sure() -> None:
    rows = np.array([[10, 10, 0, 0.9], [20, 10, 0, 0.8], [30, 10, 0, 0.7]], np.float32)
    found = Minutiae(points=rows, endings=np.array([0.9, 0.5, 0.1], np.float32))
    types = [point.type for point in of(found).points]
    assert types == [MinutiaType.ENDING, MinutiaType.OTHER, MinutiaType.BIFURCATION]
    back = minutiae.as_minutiae(of(found)).endings
    assert back is not None
    assert back.tolist() == [1.0, 0.5, 0.0]
    assert minutiae.as_minutiae(of(Minutiae(points=rows))).endings is None


def test_points_beyond_the_impression_are_left_out_and_those_on_its_edge_are_not() -> None:
    rows = np.array(
        [[255.6, 10, 0, 0.9], [10, 287.9, 0, 0.8], [300, 10, 0, 0.7], [-3, 10, 0, 0.6]], np.float32
    )
    kept = of(Minutiae(points=rows)).points
    assert [(point.x, point.y) for point in kept] == [(255, 10), (10, 287)]


def test_a_capture_takes_the_record_as_a_template() -> None:
    data = minutiae.encode([of(cloud(255))])
    assert data.startswith(capture.MINUTIAE)
    assert len(data) <= capture.MAX_RECORD


@pytest.mark.parametrize(
    "change",
    [
        {"position": 11},
        {"position": -1},
        {"width": 0},
        {"height": 20_000},
        {"dpi": 249},
        {"dpi": 2001},
        {"points": ()},
        {"points": (Point(x=1, y=1, angle=0.0),) * 256},
        {"points": (Point(x=256, y=1, angle=0.0),)},
        {"points": (Point(x=1, y=-1, angle=0.0),)},
        {"points": (Point(x=1, y=1, angle=math.nan),)},
        {"points": (Point(x=1, y=1, angle=0.0, quality=101),)},
        {"quality": 101},
        {"quality": -1},
    ],
    ids=str,
)
@pytest.mark.parametrize("edition", EDITIONS)
def test_what_has_no_place_in_a_record_is_not_written(
    edition: Edition, change: dict[str, object]
) -> None:
    with pytest.raises(RecordInvalid):
        minutiae.encode([view(**change)], edition)


def test_what_one_edition_cannot_hold_is_not_written_in_it() -> None:
    with pytest.raises(RecordInvalid, match="says how the finger lay"):
        minutiae.encode([view(kind=None)], 2005)
    with pytest.raises(RecordInvalid, match="one size"):
        minutiae.encode([view(), view(width=300)], 2005)
    assert minutiae.decode(minutiae.encode([view(kind=None)])).views[0].kind is None
    with pytest.raises(RecordInvalid):
        minutiae.encode([view(at=view().at.replace(tzinfo=None))])  # type: ignore[union-attr]
    with pytest.raises(RecordInvalid):
        minutiae.encode([])
    with pytest.raises(RecordInvalid):
        minutiae.encode([view()] * 17)


@pytest.mark.parametrize("edition", EDITIONS)
def test_a_record_cut_anywhere_or_with_more_behind_it_is_refused(edition: Edition) -> None:
    data = minutiae.encode([view()], edition)
    for cut in range(len(data)):
        with pytest.raises(RecordInvalid):
            minutiae.decode(data[:cut])
    for more in (b"\0", data):
        with pytest.raises(RecordInvalid):
            minutiae.decode(data + more)
    with pytest.raises(RecordInvalid):
        minutiae.decode(data + bytes(minutiae.MAX_BYTES))


def patched(data: bytes, at: int, value: str) -> bytes:
    new = bytes.fromhex(value)
    return data[:at] + new + data[at + len(new) :]


@pytest.mark.parametrize(
    ("edition", "at", "value"),
    [
        (2011, 0, "464d5300"),
        (2011, 4, "30323000"),
        (2011, 8, "ffffffff"),
        (2011, 12, "0000"),
        (2011, 12, "ffff"),
        (2011, 14, "02"),
        (2011, 15, "00000000"),
        (2011, 15, "ffffffff"),
        (2011, 21, "0d"),
        (2011, 33, "ff"),
        (2011, 34, "65"),
        (2011, 39, "0b"),
        (2011, 41, "0000"),
        (2011, 41, "00c6"),
        (2011, 45, "1e"),
        (2011, 46, "0000"),
        (2011, 50, "71"),
        (2011, 50, "62"),
        (2011, 51, "00"),
        (2011, 51, "04"),
        (2011, 52, "c00c"),
        (2011, 54, "8022"),
        (2011, 57, "65"),
        (2011, 70, "0001"),
        (2005, 4, "20313000"),
        (2005, 18, "00000000"),
        (2005, 22, "00"),
        (2005, 22, "02"),
        (2005, 24, "0b"),
        (2005, 25, "1a"),
        (2005, 26, "65"),
        (2005, 27, "00"),
        (2005, 27, "ff"),
        (2005, 46, "0001"),
    ],
)
def test_a_field_that_lies_is_refused(edition: Edition, at: int, value: str) -> None:
    data = minutiae.encode([view()], edition)
    with pytest.raises(RecordInvalid):
        minutiae.decode(patched(data, at, value))


def test_certificates_extended_data_and_bare_minutiae_of_others_are_read() -> None:
    data = by_hand(BY_HAND_2011)
    head, body, minutia = data[12:15], data[19:34], data[52:57]
    qualities = bytes.fromhex("02 ff 0001 0002 3d 000f 0000")
    certificates = bytes.fromhex("01 0001 02")
    fields = data[39:50] + bytes.fromhex("50 01")
    extended = bytes.fromhex("0006 0001 0006 abcd")
    assert len(body) == 15
    part = body[:14] + qualities + certificates + fields + minutia + extended
    whole = data[:8] + struct.pack(">I", 19 + len(part)) + head[:2] + b"\1"
    record = minutiae.decode(whole + struct.pack(">I", 4 + len(part)) + part)
    (one,) = record.views
    assert one.quality is None
    assert one.points == (Point(x=12, y=34, angle=0.0, quality=None, type=MinutiaType.ENDING),)


@pytest.mark.parametrize("date", ["ffffffffffffffffff", "000000000000000000", "07eaffffffffffffff"])
def test_a_time_that_is_not_known_is_none(date: str) -> None:
    assert minutiae.decode(patched(by_hand(BY_HAND_2011), 19, date)).views[0].at is None


def test_the_template_that_nbis_py_writes_is_refused() -> None:
    """Resolution 0 x 0, no views, headers of two bytes: SourceAFIS refuses it as well."""
    head = b"FMR\x00 20\x00" + struct.pack(">IHHHHHBB", 32, 0, 256, 288, 0, 0, 0, 0)
    with pytest.raises(RecordInvalid):
        minutiae.decode(head + bytes(8))
