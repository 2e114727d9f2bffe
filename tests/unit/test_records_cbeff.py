"""CBEFF as MOSIP's client writes it: element by element, and nothing hostile is parsed."""

from dataclasses import replace
from pathlib import Path
from uuid import UUID
from xml.etree.ElementTree import Element

import pytest
from defusedxml import ElementTree

from biometrics.records import cbeff
from biometrics.records.blocks import RecordInvalid
from biometrics.records.cbeff import Modality, Sample
from tests.records import AT

GOLDEN = Path(__file__).parents[1] / "golden/records/mosip.xml"
INDEX = UUID("11d5c6dc-1bc2-4eda-a7bf-4a3639b29e01")
SPACE = "{http://standards.iso.org/iso-iec/19785/-3/ed-2/}"


def sample(**changes: object) -> Sample:
    fields = {
        "modality": Modality.FINGER,
        "subtype": "Left IndexFinger",
        "record": b"FIR\x00020\x00 a record",
        "quality": 61,
        "index": INDEX,
        "at": AT,
        "retries": 2,
        "signature": "eyJh..c2ln",
        "payload": '{"bioValue":"<bioValue>"}',
        "spec": "0.9.5",
        **changes,
    }
    return Sample(**fields)  # type: ignore[arg-type]  # a test may name any field


SAMPLES = (
    sample(),
    sample(subtype="Right Thumb", record=None, quality=None, signature="", payload="", spec=""),
    sample(modality=Modality.IRIS, subtype="Left", forced=True),
    sample(modality=Modality.FACE, subtype="", quality=None, algorithm=("none", "not scored")),
    sample(modality=Modality.EXCEPTION_PHOTO, subtype="", quality=None),
)


def test_what_is_written_is_read_back() -> None:
    assert cbeff.read(cbeff.export(SAMPLES)) == SAMPLES


def test_the_document_is_the_golden_one() -> None:
    assert cbeff.export(SAMPLES) == GOLDEN.read_bytes()


def names(element: Element) -> list[str]:
    return [child.tag.removeprefix(SPACE) for child in element]


def test_elements_stand_in_the_order_of_the_schema() -> None:
    root = ElementTree.fromstring(cbeff.export(SAMPLES))
    assert root.tag == SPACE + "BIR"
    assert names(root) == ["BIRInfo", *["BIR"] * 5]
    first, missing = root[1], root[2]
    parts = ["Version", "CBEFFVersion", "BIRInfo", "BDBInfo"]
    assert names(first) == [*parts, "BDB", "SB", "others"]
    assert names(missing) == [*parts, "others"]
    info = first.find(SPACE + "BDBInfo")
    assert names(info) == [
        *("Index", "Format", "CreationDate", "Type", "Subtype", "Level", "Purpose", "Quality"),
    ]
    assert [child.text for child in info.find(SPACE + "Format")] == ["Mosip", "7"]
    assert info.find(SPACE + "CreationDate").text == "2026-11-24T02:30:05.250Z"
    keys = [entry.get("key") for entry in first.find(SPACE + "others")]
    assert keys == [
        *("EXCEPTION", "RETRIES", "SDK_SCORE", "FORCE_CAPTURED", "PAYLOAD", "SPEC_VERSION"),
    ]
    said = {bir.find(SPACE + "others")[0].text for bir in (root[1], root[3])}
    assert (said, missing.find(SPACE + "others")[0].text) == ({"false"}, "true")
    types = [bir.find(f"{SPACE}BDBInfo/{SPACE}Type").text for bir in root[1:]]
    assert types == ["Finger", "Finger", "Iris", "Face", "ExceptionPhoto"]


def test_a_document_of_mosips_mock_is_read() -> None:
    """Nanoseconds, line breaks inside base64, HMAC and SHA-256: as its test data have them."""
    data = (
        GOLDEN.read_bytes()
        .replace(b"05.250Z", b"05.124194800Z")
        .replace(b"<Organization>NIST<", b"<Organization>HMAC<")
        .replace(b"RklSADAyMAAg", b"RklSADAy\r\n   MAAg")
    )
    assert data != GOLDEN.read_bytes()
    first = cbeff.read(data)[0]
    assert first.at.microsecond == 124194
    assert first.algorithm == ("HMAC", "NFIQ 2")
    assert first.record == sample().record


@pytest.mark.parametrize(
    "change",
    [
        {"subtype": "Left"},
        {"subtype": ""},
        {"modality": Modality.FACE},
        {"modality": Modality.IRIS, "subtype": "Both"},
        {"quality": 101},
        {"retries": -1},
        {"at": AT.replace(tzinfo=None)},
        {"payload": "\0"},
        {"payload": "ngón tay"},
        {"spec": "x" * 100_001},
        {"signature": "\n"},
        {"record": b""},
    ],
    ids=str,
)
def test_what_has_no_place_in_a_document_is_not_written(change: dict[str, object]) -> None:
    with pytest.raises(RecordInvalid):
        cbeff.export([sample(**change)])
    with pytest.raises(RecordInvalid):
        cbeff.export([])
    with pytest.raises(RecordInvalid):
        cbeff.export([sample()] * 65)


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
HOSTILE = {
    "nothing": b"",
    "no XML": b"FIR\0",
    "a billion laughs": f'<!DOCTYPE B [<!ENTITY l0 "ha">{LAUGHS}]><B>&l9;</B>'.encode(),
    "a file of ours": b'<!DOCTYPE B [<!ENTITY x SYSTEM "file:///etc/passwd">]><B>&x;</B>',
    "a document type": b"<!DOCTYPE B>" + GOLDEN.read_bytes().partition(b"?>")[2],
    "a deep one": b"<B>" * 4000 + b"</B>" * 4000,
    "a wide one": b"<B>" + b"<C/>" * 9000 + b"</B>",
    "another encoding": "<B/>".encode("utf-16"),
    "a lie about its encoding": b"<?xml version='1.0' encoding='cp037'?>\x4c\xc2\x61\x6e",
    "another root": b"<B/>",
    "no namespace": GOLDEN.read_bytes().replace(b" xmlns", b" ymlns"),
    "no samples": b"<BIR xmlns='http://standards.iso.org/iso-iec/19785/-3/ed-2/'/>",
    "half": GOLDEN.read_bytes()[:900],
    "too much": bytes(cbeff.MAX_BYTES + 1),
}


@pytest.mark.parametrize("name", list(HOSTILE))
def test_what_is_hostile_or_no_document_is_refused(name: str) -> None:
    with pytest.raises(RecordInvalid):
        cbeff.read(HOSTILE[name])


@pytest.mark.parametrize(
    ("was", "now"),
    [
        (b"Left IndexFinger", b"Left BigToe"),
        (b"<Type>Finger<", b"<Type>Tail<"),
        (b"11d5c6dc", b"zzzzzzzz"),
        (b"<Score>61<", b"<Score>161<"),
        (b"<Score>61<", b"<Score>many<"),
        (b"<Score>61<", b"<Score>6_1<"),
        (b"<Score>61<", b"<Score> 61<"),
        (b"<Score>61<", b"<Score>" + b"1" * 5000 + b"<"),
        (b"2026-11-24T", b"2026-13-24T"),
        (b"05.250Z", b"05.250"),
        (b"RklSADAy", b"RklS*DAy"),
        (b'"EXCEPTION">false', b'"EXCEPTION">true'),
        (b'"RETRIES">2', b'"RETRIES">-2'),
        (b"BDBInfo", b"BDBinfo"),
        (b"Quality>", b"Kwality>"),
    ],
)
def test_a_value_that_is_none_is_refused(was: bytes, now: bytes) -> None:
    data = GOLDEN.read_bytes()
    assert was in data
    with pytest.raises(RecordInvalid):
        cbeff.read(data.replace(was, now))


def test_the_time_is_written_in_utc_whatever_its_zone() -> None:
    (back,) = cbeff.read(cbeff.export([replace(sample(), at=AT.astimezone())]))
    assert back.at == AT
