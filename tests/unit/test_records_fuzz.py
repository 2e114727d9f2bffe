"""10,000 records with something wrong: each is read or refused; none crashes or hangs."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from biometrics.records import cbeff, face_image, finger_image, iris_image, minutiae
from biometrics.records.blocks import RecordInvalid
from biometrics.records.codings import Coding
from tests.records import face, finger, iris, ridges, view

GOLDEN = Path(__file__).parents[1] / "golden/records"
TOTAL = 10_000
SMALL = ridges(34, 40)
"""About the least that JPEG 2000 is written for."""
PRINT = ridges(64, 72)


def _minutiae(data: bytes) -> None:
    record = minutiae.decode(data)
    minutiae.encode(record.views)
    for one in record.views:
        minutiae.as_minutiae(one)


def _fingers(data: bytes) -> None:
    finger_image.encode(finger_image.decode(data), Coding.RAW)


def _eyes(data: bytes) -> None:
    iris_image.encode(iris_image.decode(data), Coding.RAW)


def _face(data: bytes) -> None:
    face_image.encode(face_image.decode(data))


def _cbeff(data: bytes) -> None:
    cbeff.export(cbeff.read(data))


def _finger(coding: Coding) -> bytes:
    pixels = PRINT if coding is Coding.WSQ else SMALL
    return finger_image.encode([finger(pixels=pixels)], coding)


Kind = tuple[int, int, Callable[[bytes], None], Callable[[], bytes]]
"""How many are damaged anywhere, how many inside the picture, what is tried, the whole record."""
KINDS: dict[str, Kind] = {
    "minutiae 2005": (2000, 0, _minutiae, lambda: minutiae.encode([view(), view()], 2005)),
    "minutiae 2011": (2000, 0, _minutiae, lambda: minutiae.encode([view(), view()])),
    "finger raw": (1000, 0, _fingers, lambda: _finger(Coding.RAW)),
    "finger png": (300, 300, _fingers, lambda: _finger(Coding.PNG)),
    "finger jpeg2000": (300, 500, _fingers, lambda: _finger(Coding.JPEG2000)),
    "finger wsq": (300, 500, _fingers, lambda: _finger(Coding.WSQ)),
    "iris raw": (600, 0, _eyes, lambda: iris_image.encode([iris(pixels=SMALL)], Coding.RAW)),
    "iris png": (200, 0, _eyes, lambda: iris_image.encode([iris(pixels=SMALL)], Coding.PNG)),
    "face": (700, 300, _face, lambda: face_image.encode(face())),
    "cbeff": (1000, 0, _cbeff, (GOLDEN / "mosip.xml").read_bytes),
}
PICTURE: int = 62
"""Where the picture begins in a record of one."""


@cache
def whole(name: str) -> bytes:
    return KINDS[name][3]()


def _changed(data: bytearray, rng: np.random.Generator) -> bytearray:
    """Return the bytes with one thing wrong, in the header as often as anywhere."""
    reach = len(data) if rng.random() < 0.5 else min(len(data), 120)
    at = int(rng.integers(reach))
    end = at + int(rng.integers(1, 40))
    what = int(rng.integers(7))
    if what == 0:
        data[at] = int(rng.integers(256))
    elif what == 1:
        data[at] ^= 1 << int(rng.integers(8))
    elif what == 2:
        return data[:at]
    elif what == 3:
        return data[:at] + data[end:]
    elif what == 4:
        return data[:at] + rng.bytes(int(rng.integers(1, 20))) + data[at:]
    elif what == 5:
        return data[:at] + data[at:end] + data[at:]
    else:
        extreme = (b"\0" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff", b"\0\0\xff\xff")
        data[at : at + 4] = extreme[int(rng.integers(len(extreme)))]
    return data


def damaged(name: str, seed: int) -> bytes:
    rng = np.random.default_rng([seed, *name.encode()])
    data = bytearray(whole(name))
    for _ in range(int(rng.integers(1, 4))):
        data = _changed(data, rng) if data else data
    return bytes(data)


def damaged_inside(name: str, seed: int) -> bytes:
    """A record that is whole, around a picture that is not."""
    rng = np.random.default_rng([seed, *name.encode()])
    data = bytearray(whole(name))
    for _ in range(int(rng.integers(1, 6))):
        at = int(rng.integers(PICTURE, len(data)))
        data[at] = int(rng.integers(256)) if rng.random() < 0.5 else data[at] ^ 1 << seed % 8
    return bytes(data)


def test_the_records_are_as_many_as_is_said() -> None:
    assert sum(anywhere + inside for anywhere, inside, _, _ in KINDS.values()) == TOTAL


def refusals(name: str, damage: Callable[[str, int], bytes], count: int) -> int:
    refused = 0
    for seed in range(count):
        try:
            KINDS[name][2](damage(name, seed))
        except RecordInvalid:
            refused += 1
    return refused


@pytest.mark.parametrize("name", list(KINDS))
def test_a_damaged_record_is_read_or_refused(name: str) -> None:
    KINDS[name][2](whole(name))
    count = KINDS[name][0]
    # Where nothing were refused, or everything, nothing would be tried.
    assert count // 3 < refusals(name, damaged, count) < count


@pytest.mark.parametrize("name", [name for name, (_, inside, _, _) in KINDS.items() if inside])
def test_a_damaged_picture_inside_a_record_is_read_or_refused(name: str) -> None:
    assert refusals(name, damaged_inside, KINDS[name][1]) > 0
