"""ANSI/NIST-ITL transactions, read back by the package that IDEMIA gives away."""

from dataclasses import replace
from typing import Any

import nistitl
import pytest

from biometrics.records import codings, nist
from biometrics.records.blocks import RecordInvalid
from biometrics.records.codings import Coding
from biometrics.records.nist import MissingFinger, Portrait, Transaction
from tests.records import AT, HEIGHT, WIDTH, face, finger, iris, ridges

ABOUT = Transaction(
    kind="ENROL",
    destination="VN-C06",
    origin="VN-HN-01",
    number="5b2a6a52-6c2b-4f27-9f57-8a6f3a1d0c11",
    reference="TN-7Q4K-9M2P",
    at=AT,
)


def parsed(data: bytes) -> Any:  # noqa: ANN401 - untyped package
    message = nistitl.Message()
    message.parse(data)
    return message


def whole(**changes: object) -> bytes:
    portrait = Portrait(image=face(jp2=False).image, width=WIDTH, height=HEIGHT)
    fields = {
        "prints": [finger(), finger(position=7, quality=None, dpi=500)],
        "missing": [MissingFinger(position=3, code=nist.AMPUTATED)],
        "irises": [iris()],
        "portrait": portrait,
        **changes,
    }
    return nist.export(ABOUT, **fields)  # type: ignore[arg-type]  # a test may name any


def test_everything_that_was_given_stands_in_the_transaction() -> None:
    message = parsed(whole())
    head = message[0]
    assert [record.type for record in message] == [1, 2, 14, 14, 14, 17, 10]
    assert (
        *("0500", "ENROL", "20261124"),
        "20261124023005Z",
    ) == (head.VER, head.TOT, head.DAT, head.GMT)
    assert ("VN-C06", "VN-HN-01", ABOUT.number) == (head.DAI, head.ORI, head.TCN)
    assert [pair[1] for pair in head.CNT[1:]] == ["0", "1", "2", "3", "4", "5"]
    assert message[1][3].value == "TN-7Q4K-9M2P"
    right, left, missing = message[2], message[3], message[4]
    assert ("0", "2", str(WIDTH), str(HEIGHT)) == (right.IMP, right.FGP, right.HLL, right.VLL)
    assert (right.SLC, right.THPS, right.TVPS, right.BPX) == ("1", "508", "508", "8")
    assert right.FQM == [["2", "61", "000F", "0"]]
    assert left["FQM"] is None
    assert (missing.FGP, missing.AMP, missing["DATA"]) == ("3", [["3", "XX"]], None)
    assert message[5][3].value == "2"
    assert face(jp2=False).image == message[6].DATA


@pytest.mark.parametrize(
    ("coding", "name"),
    [(Coding.RAW, "NONE"), (Coding.PNG, "PNG"), (Coding.JPEG2000, "JP2L"), (Coding.WSQ, "WSQ20")],
)
def test_a_finger_inside_is_the_one_that_was_given(coding: Coding, name: str) -> None:
    record = parsed(whole(coding=coding))[2]
    assert name == record.CGA
    pixels = codings.read(record.DATA, coding, width=WIDTH, height=HEIGHT)
    assert coding is Coding.WSQ or (pixels == ridges()).all()


def test_the_same_capture_gives_the_same_bytes() -> None:
    assert whole() == whole()


@pytest.mark.parametrize(
    "change",
    [
        {"kind": ""},
        {"kind": "ENROL\x1d1.005:20200101"},
        {"destination": "Hà Nội"},
        {"origin": "a" * 65},
        {"number": "\x1c"},
        {"reference": "-"},
        {"at": AT.replace(tzinfo=None)},
    ],
    ids=str,
)
def test_text_that_could_be_taken_for_a_field_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(RecordInvalid):
        nist.export(replace(ABOUT, **change), prints=[finger()])


def test_a_transaction_of_nothing_or_in_a_coding_that_is_only_read_is_refused() -> None:
    with pytest.raises(RecordInvalid, match="something"):
        nist.export(ABOUT, prints=[])
    with pytest.raises(RecordInvalid):
        whole(coding=Coding.JPEG)
    with pytest.raises(RecordInvalid):
        whole(missing=[MissingFinger(position=1, code="??")])
