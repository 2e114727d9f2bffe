"""A capture is read strictly: what was written comes back, and nothing else is a capture."""

import math
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import cbor2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biometrics import capture as captures
from biometrics.capture import (
    JPEG,
    MINUTIAE,
    PNG,
    Absence,
    AbsenceReason,
    Capture,
    CaptureInvalid,
    Consent,
    EyeSide,
    Finding,
    ImpressionKind,
    Iris,
    Liveness,
    Missing,
    MissingReason,
    Part,
    Portrait,
    Print,
    Step,
)
from tests.captures import AT, capture, picture

TIMES = st.datetimes(
    min_value=datetime(2000, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=7))]),
)
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
NAMES = WORDS.filter(bool)
WHOLE = st.integers(0, 100)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
PNGS = st.binary(max_size=80).map(lambda rest: PNG + rest)
RECORDS = st.none() | st.binary(max_size=80).map(lambda rest: MINUTIAE + rest)
LASTING = [(reason, permanent) for reason in MissingReason for permanent in reason.lasting]
WORN = Missing(position=1, reason=MissingReason.WORN, permanent=True, officer="cb-01", at=AT)
FINDINGS = st.builds(
    Finding,
    name=NAMES,
    native=st.none() | FLOATS,
    unit=WORDS,
    score=st.none() | WHOLE,
    passed=st.none() | st.booleans(),
    hint=st.none() | NAMES,
)
ACTIONS = ("turn_left", "turn_right", "look_up", "blink", "come_closer")
LIVENESS = st.builds(
    Liveness,
    seed=st.binary(min_size=16, max_size=16).map(bytes.hex),
    actions=st.just(ACTIONS),
    met=st.lists(st.booleans(), max_size=len(ACTIONS)).map(tuple),
    same_face=st.none() | st.booleans(),
    relief=st.none() | FLOATS,
    seconds=FLOATS,
)
PORTRAITS = st.builds(
    Portrait,
    image=st.binary(max_size=80).map(lambda rest: JPEG + rest),
    width=st.integers(1, 8192),
    height=st.integers(1, 8192),
    profile=NAMES,
    profile_sha256=st.binary(min_size=32, max_size=32).map(bytes.hex),
    findings=st.lists(FINDINGS, max_size=4).map(tuple),
    forced_by=st.none() | NAMES,
    liveness=st.none() | LIVENESS,
)


@st.composite
def whole_captures(draw: st.DrawFn) -> Capture:
    positions = draw(st.permutations(list(captures.FINGERS)))
    split = draw(st.integers(0, 10))
    end = draw(st.integers(split, 10))
    return Capture(
        visit=draw(NAMES),
        dossier=draw(NAMES),
        appointment=draw(NAMES),
        portrait=draw(PORTRAITS),
        prints=tuple(
            Print(
                position=position,
                kind=kind,
                image=draw(PNGS),
                width=draw(st.integers(1, 8192)),
                height=draw(st.integers(1, 8192)),
                dpi=draw(st.integers(1, 2000)),
                nfiq2=draw(st.none() | WHOLE),
                estimate=draw(FLOATS),
                minutiae=draw(st.integers(0, 1000)),
                template=draw(RECORDS),
                support=draw(RECORDS),
                agreement=draw(st.none() | FLOATS),
                attempts=draw(st.integers(1, 20)),
                reader=draw(NAMES),
            )
            for position in positions[:split]
            for kind in draw(st.sets(st.sampled_from(ImpressionKind), min_size=1).map(sorted))
        ),
        missing=tuple(
            Missing(
                position=position,
                reason=reason,
                permanent=permanent,
                officer=draw(NAMES),
                at=draw(TIMES),
            )
            for position in positions[split:end]
            for reason, permanent in (draw(st.sampled_from(LASTING)),)
        ),
        proof=draw(st.none() | st.binary(max_size=80).map(lambda rest: JPEG + rest)),
        irises=tuple(
            Iris(
                eye=eye,
                image=draw(PNGS),
                width=draw(st.integers(1, 8192)),
                height=draw(st.integers(1, 8192)),
                quality=draw(st.none() | WHOLE),
                reader=draw(NAMES),
            )
            for eye in draw(st.sets(st.sampled_from(EyeSide)).map(sorted))
        ),
        absences=tuple(
            Absence(
                part=part,
                reason=draw(st.sampled_from(AbsenceReason)),
                officer=draw(st.none() | NAMES),
                at=draw(TIMES),
            )
            for part in draw(st.sets(st.sampled_from(Part)).map(sorted))
        ),
        signature=draw(PNGS),
        consent=Consent(
            version=draw(NAMES), sha256=draw(st.binary(min_size=32, max_size=32)).hex(), at=AT
        ),
        journal=tuple(
            draw(st.lists(st.builds(Step, at=TIMES, event=NAMES, detail=WORDS), max_size=5))
        ),
        simulated=tuple(draw(st.lists(NAMES, max_size=3, unique=True))),
    )


@given(whole_captures())
@settings(deadline=None, max_examples=100)
def test_what_was_written_is_read_again(whole: Capture) -> None:
    data = whole.encode()
    assert Capture.decode(data) == whole
    assert Capture.decode(data).encode() == data


@given(st.binary(max_size=400))
@settings(deadline=None, max_examples=300)
def test_no_bytes_at_all_make_it_fall(data: bytes) -> None:
    with pytest.raises(CaptureInvalid):
        Capture.decode(data)


def test_altered_bytes_are_refused_or_are_another_whole_capture() -> None:
    data = capture(size=60).encode()
    assert Capture.decode(data) == capture(size=60)
    rng = np.random.default_rng(20261124)
    refused = 0
    for _ in range(4000):
        altered = bytearray(data)
        for _ in range(int(rng.integers(1, 4))):
            altered[int(rng.integers(len(altered)))] = int(rng.integers(256))
        try:
            other = Capture.decode(bytes(altered))
        except CaptureInvalid:
            refused += 1
        else:
            assert other.encode() == bytes(altered)
    assert refused > 1000


@pytest.mark.parametrize("cut", range(0, 2900, 97))
def test_a_truncated_capture_is_refused(cut: int) -> None:
    data = capture(size=60).encode()
    with pytest.raises(CaptureInvalid):
        Capture.decode(data[: min(cut, len(data) - 1)])


def test_a_byte_behind_a_capture_is_refused() -> None:
    with pytest.raises(CaptureInvalid, match="follow"):
        Capture.decode(capture().encode() + b"\0")


def test_a_capture_over_the_limit_is_refused_before_it_is_read() -> None:
    with pytest.raises(CaptureInvalid, match="at most"):
        Capture.decode(bytes(captures.MAX_BYTES + 1))


def tree() -> dict[str, Any]:
    return {"format": 1, **asdict(capture(size=60))}


def with_(path: tuple[str | int, ...], value: object) -> bytes:
    """A capture's bytes with one value changed; written canonically all the same."""
    whole = tree()
    place: Any = whole
    for step in path[:-1]:
        if isinstance(place[step], tuple):
            place[step] = list(place[step])
        place = place[step]
    place[path[-1]] = value
    return cbor2.dumps(whole, canonical=True)


def test_the_tree_of_these_tests_is_a_capture_as_it_stands() -> None:
    assert Capture.decode(with_(("format",), 1)) == capture(size=60)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("format",), 2),
        (("format",), True),
        (("visit",), ""),
        (("visit",), "x" * 65),
        (("visit",), "a\0b"),
        (("visit",), 7),
        (("unknown",), 1),
        (("portrait",), None),
        (("portrait", "image"), b""),
        (("portrait", "image"), PNG + b"x"),
        (("portrait", "image"), JPEG + bytes(captures.MAX_IMAGE_BYTES)),
        (("portrait", "width"), 0),
        (("portrait", "width"), 8193),
        (("portrait", "height"), -1),
        (("portrait", "height"), 900.0),
        (("portrait", "findings"), [{}] * 257),
        (("portrait", "findings", 0, "native"), math.nan),
        (("portrait", "findings", 0, "native"), math.inf),
        (("portrait", "findings", 0, "native"), "12"),
        (("portrait", "findings", 0, "score"), 101),
        (("portrait", "findings", 0, "passed"), 1),
        (("prints", 0, "position"), 0),
        (("prints", 0, "position"), 11),
        (("prints", 0, "position"), 6),
        (("prints", 0, "position"), 7),
        (("prints", 0, "image"), JPEG + b"x"),
        (("prints", 0, "nfiq2"), -1),
        (("prints", 0, "estimate"), -math.inf),
        (("prints", 0, "attempts"), 0),
        (("prints", 0, "dpi"), 2**70),
        (("prints",), [{}] * 11),
        (("missing", 0, "position"), 6),
        (("missing", 0, "reason"), "tired"),
        (("missing", 0, "at"), "2026-11-24T02:30:00Z"),
        (("missing", 0, "at"), cbor2.CBORTag(0, "2026-11-24T02:30:00")),
        (("missing", 0, "at"), cbor2.CBORTag(0, "2026-11-24T02:30:00+00:00")),
        (("missing", 0, "at"), cbor2.CBORTag(0, "yesterday")),
        (("missing", 0, "at"), cbor2.CBORTag(1, 1795433666)),
        (("missing", 0, "at"), cbor2.CBORTag(0, 3)),
        (("signature",), b""),
        (("consent", "sha256"), "A" * 64),
        (("consent", "sha256"), "a" * 63),
        (("journal",), {}),
        (("journal", 0), []),
        (("journal", 0, "detail"), "x" * 2001),
        (("simulated",), ["camera", "camera"]),
        (("simulated",), [""]),
        (("simulated",), [1]),
    ],
)
def test_a_field_that_is_not_what_it_must_be_is_refused(
    path: tuple[str | int, ...], value: object
) -> None:
    with pytest.raises(CaptureInvalid):
        Capture.decode(with_(path, value))


@pytest.mark.parametrize(
    "path",
    [(name,) for name in tree()]
    + [("portrait", name) for name in tree()["portrait"]]
    + [("prints", 0, name) for name in tree()["prints"][0]]
    + [("missing", 0, name) for name in tree()["missing"][0]]
    + [("consent", name) for name in tree()["consent"]]
    + [("journal", 0, name) for name in tree()["journal"][0]],
    ids=lambda path: ".".join(map(str, path)),
)
def test_a_missing_field_is_refused(path: tuple[str | int, ...]) -> None:
    whole = tree()
    place: Any = whole
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    with pytest.raises(CaptureInvalid):
        Capture.decode(cbor2.dumps(whole, canonical=True))


def test_a_key_named_twice_or_out_of_order_is_refused() -> None:
    pair = cbor2.dumps("format") + cbor2.dumps(1)
    for data in (b"\xa2" + pair + pair, cbor2.dumps({"format": 1, "visit": "x"})):
        with pytest.raises(CaptureInvalid, match="ascending"):
            Capture.decode(data)


def test_a_capture_written_in_another_form_is_refused() -> None:
    with pytest.raises(CaptureInvalid):
        Capture.decode(cbor2.dumps(tree()))
    longer = capture(size=60).encode().replace(b"\x66format\x01", b"\x66format\x18\x01")
    with pytest.raises(CaptureInvalid, match="canonical"):
        Capture.decode(longer)


@pytest.mark.parametrize(
    "data",
    [
        b"\x9b" + b"\xff" * 8,
        b"\x5b" + b"\xff" * 8,
        b"\x7b" + b"\xff" * 8,
        b"\xbb" + b"\xff" * 8,
        b"\x9a\x00\xff\xff\xff" + b"\x80" * 70000,
        b"\x81" * 100_000,
        b"\xa1" * 100_000,
        b"\x9a\x00\x0f\x42\x40" + b"\x80" * 1_000_000,
        b"\x9f\xff",
        b"\xf7",
        b"\xf8\xff",
        b"\xfc",
        b"\x1c",
        b"\xd8\x1c\x80",
        b"\xc2\x58\x40" + b"\xff" * 64,
        b"\x61\xff",
    ],
    ids=lambda data: data[:4].hex(),
)
def test_hostile_lengths_and_forms_are_refused_without_being_followed(data: bytes) -> None:
    with pytest.raises(CaptureInvalid):
        Capture.decode(data)


@pytest.mark.parametrize(
    "changes",
    [
        {"visit": ""},
        {"signature": b"not a picture"},
        {"simulated": ("camera", "camera")},
        {"missing": (WORN,)},
        {"missing": (replace(WORN, position=7), replace(WORN, position=7, permanent=False))},
        {"missing": (replace(WORN, position=7, reason=MissingReason.AMPUTATED, permanent=False),)},
        {"proof": b"not a picture"},
        {"irises": capture().irises * 2},
        {"absences": capture().absences * 2},
        {"prints": capture().prints[:1] * 2},
        {"prints": (replace(capture().prints[0], template=b"FMR 20"),)},
        {"consent": Consent(version="1", sha256="0" * 64, at=AT.replace(tzinfo=None))},
        {"journal": (Step(at=AT, event="x", detail="\0"),)},
        {"prints": (replace(capture().prints[0], estimate=math.nan),)},
        {"visit": object()},
        {"visit": "\ud800"},
    ],
)
def test_what_could_not_be_read_again_is_not_written(changes: dict[str, object]) -> None:
    with pytest.raises(CaptureInvalid):
        replace(capture(), **changes).encode()  # type: ignore[arg-type]  # that is the point


def test_a_whole_number_may_stand_where_a_fraction_may() -> None:
    whole = capture(prints=(replace(capture().prints[0], estimate=58),))
    assert Capture.decode(whole.encode()) == whole


def test_the_largest_pictures_fit() -> None:
    image = picture(JPEG, 1, captures.MAX_IMAGE_BYTES - len(JPEG))
    whole = capture(portrait=replace(capture().portrait, image=image))
    assert Capture.decode(whole.encode()) == whole
