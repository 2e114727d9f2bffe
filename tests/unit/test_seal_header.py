"""A header is read strictly: one form, all fields, nothing else, every field within its bounds."""

import math
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biometrics.seal.errors import HeaderInvalid
from biometrics.seal.header import MAX_BYTES, MAX_CONTENT, SUITE, Header
from tests.captures import AT, bench

HEADER = bench().sealed().header
NAMES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=64
)
HEADERS = st.builds(
    Header,
    v=st.just(1),
    suite=st.just(SUITE),
    kid=st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,30}[a-z0-9])?", fullmatch=True),
    packet_id=st.binary(min_size=16, max_size=16),
    dossier=NAMES,
    appointment=NAMES,
    visit=NAMES,
    station=NAMES,
    device=st.binary(min_size=32, max_size=32).map(bytes.hex),
    sequence=st.integers(1, 2**53),
    captured_at=st.datetimes(timezones=st.just(UTC)),
    mono=st.floats(0, allow_infinity=False, allow_nan=False),
    boot_id=st.just("") | NAMES,
    length=st.integers(1, MAX_CONTENT),
    modalities=st.integers(1, 64),
    consent=st.binary(min_size=32, max_size=32),
    software=NAMES,
    operator=st.none() | NAMES,
    previous=st.none() | st.binary(min_size=32, max_size=32),
    trust=st.sampled_from(["software", "tpm"]),
    simulated=st.booleans(),
)


def table() -> dict[str, Any]:
    return {field.name: getattr(HEADER, field.name) for field in fields(Header)}


def written(**changes: object) -> bytes:
    return cbor2.dumps({**table(), **changes}, canonical=True)


@given(HEADERS)
@settings(deadline=None)
def test_what_was_written_is_read_again(header: Header) -> None:
    data = header.encode()
    assert Header.decode(data) == header
    assert len(data) <= MAX_BYTES


@pytest.mark.parametrize("name", [field.name for field in fields(Header)])
def test_a_missing_field_is_refused(name: str) -> None:
    whole = table()
    del whole[name]
    with pytest.raises(HeaderInvalid, match=name):
        Header.decode(cbor2.dumps(whole, canonical=True))


@pytest.mark.parametrize("name", [field.name for field in fields(Header)])
@pytest.mark.parametrize("value", [[], {}, -1, 2**64, b"", b"x" * 65, "x" * 65, math.nan, math.inf])
def test_a_field_of_wrong_type_or_size_is_refused(name: str, value: object) -> None:
    with pytest.raises(HeaderInvalid):
        Header.decode(written(**{name: value}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("v", 2),
        ("v", True),
        ("v", 1.0),
        ("suite", "P256/none"),
        ("kid", "../keys"),
        ("kid", "-"),
        ("kid", "Ingest"),
        ("dossier", ""),
        ("dossier", "a\0b"),
        ("device", "A" * 64),
        ("device", "a" * 63),
        ("sequence", 0),
        ("captured_at", cbor2.CBORTag(0, "2026-11-24T09:30:00+07:00")),
        ("captured_at", cbor2.CBORTag(0, "2026-11-24T02:30:00")),
        ("captured_at", cbor2.CBORTag(0, "2026-11-24T02:30:00.000000Z")),
        ("captured_at", cbor2.CBORTag(1, 1795433666)),
        ("captured_at", "2026-11-24T02:30:00Z"),
        ("mono", -0.5),
        ("mono", True),
        ("length", 0),
        ("length", MAX_CONTENT + 1),
        ("modalities", 0),
        ("consent", bytes(31)),
        ("operator", ""),
        ("previous", bytes(33)),
        ("trust", "hsm"),
        ("simulated", 1),
        ("simulated", None),
        ("more", 1),
    ],
)
def test_a_value_that_is_not_allowed_is_refused(name: str, value: object) -> None:
    with pytest.raises(HeaderInvalid):
        Header.decode(written(**{name: value}))


def test_a_header_in_another_order_or_form_is_refused() -> None:
    assert Header.decode(written()) == HEADER
    with pytest.raises(HeaderInvalid):
        Header.decode(cbor2.dumps(table()))
    with pytest.raises(HeaderInvalid, match="canonical"):
        Header.decode(written().replace(b"\x61v\x01", b"\x61v\x18\x01"))


def test_a_header_over_the_limit_is_refused() -> None:
    with pytest.raises(HeaderInvalid, match=str(MAX_BYTES)):
        Header.decode(bytes(MAX_BYTES + 1))


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_no_bytes_at_all_make_it_fall(data: bytes) -> None:
    with pytest.raises(HeaderInvalid):
        Header.decode(data)


@pytest.mark.parametrize(
    "changes",
    [
        {"sequence": 0},
        {"captured_at": AT.astimezone(timezone(timedelta(hours=7)))},
        {"captured_at": datetime(2026, 11, 24, 2, 30)},  # noqa: DTZ001 - the naive time is the point
        {"trust": "none"},
        {"dossier": object()},
        {"station": "\ud800"},
        {"mono": math.nan},
    ],
)
def test_what_could_not_be_read_again_is_not_written(changes: dict[str, Any]) -> None:
    with pytest.raises(HeaderInvalid):
        replace(HEADER, **changes).encode()
