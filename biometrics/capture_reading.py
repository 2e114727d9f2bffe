"""Reads the parts of a capture strictly: of the right types and sizes, and nothing beside them.

Every function raises `NotPlain` for what is not such a part; the whole stands in `capture`.
"""

import enum
from typing import TypeVar

from biometrics.capture_parts import (
    FINGERS,
    JPEG,
    MAX_ACTIONS,
    MAX_COUNT,
    MAX_DETAIL,
    MAX_FINDINGS,
    MAX_ID,
    MAX_IMAGE_BYTES,
    MAX_NAME,
    MAX_RECORD,
    MAX_SIDE,
    MINUTIAE,
    PNG,
    Absence,
    AbsenceReason,
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
from biometrics.seal.cbor import Fields, NotPlain

Kind = TypeVar("Kind", bound=enum.StrEnum)


def read_picture(fields: Fields, name: str, magic: bytes) -> bytes:
    """Return a picture that begins as one of its kind."""
    image = fields.octets(name, len(magic), MAX_IMAGE_BYTES)
    if not image.startswith(magic):
        raise NotPlain(f"{name} is a picture of another kind")
    return image


def read_picture_or_none(fields: Fields, name: str, magic: bytes) -> bytes | None:
    """Return such a picture, or None."""
    image = fields.octets_or_none(name, len(magic), MAX_IMAGE_BYTES)
    if image is not None and not image.startswith(magic):
        raise NotPlain(f"{name} is a picture of another kind")
    return image


def _record_or_none(fields: Fields, name: str) -> bytes | None:
    record = fields.octets_or_none(name, len(MINUTIAE), MAX_RECORD)
    if record is not None and not record.startswith(MINUTIAE):
        raise NotPlain(f"{name} is no minutiae record")
    return record


def _named(fields: Fields, name: str, kind: type[Kind]) -> Kind:
    try:
        return kind(fields.text(name, MAX_NAME))
    except ValueError:
        raise NotPlain(f"{name} is none of ours") from None


def _hex(fields: Fields, name: str, digits: int) -> str:
    text = fields.text(name, digits, shortest=digits)
    if not set(text) <= set("0123456789abcdef"):
        raise NotPlain(f"{name} is not lower-case hex")
    return text


def read_portrait(value: object) -> Portrait:
    """Return the portrait."""
    fields = Fields(value, "portrait")
    portrait = Portrait(
        image=read_picture(fields, "image", JPEG),
        width=fields.whole("width", 1, MAX_SIDE),
        height=fields.whole("height", 1, MAX_SIDE),
        profile=fields.text("profile", MAX_NAME),
        profile_sha256=_hex(fields, "profile_sha256", 64),
        findings=tuple(_finding(row) for row in fields.rows("findings", MAX_FINDINGS)),
        forced_by=fields.text_or_none("forced_by", MAX_ID),
        liveness=None if (seen := fields.value("liveness")) is None else _liveness(seen),
    )
    fields.close()
    return portrait


def _liveness(value: object) -> Liveness:
    fields = Fields(value, "liveness")
    liveness = Liveness(
        seed=_hex(fields, "seed", 32),
        actions=tuple(read_name(row, "action") for row in fields.rows("actions", MAX_ACTIONS)),
        met=tuple(row is True for row in fields.rows("met", MAX_ACTIONS)),
        same_face=fields.flag_or_none("same_face"),
        relief=fields.number_or_none("relief"),
        seconds=fields.number("seconds"),
    )
    fields.close()
    if len(liveness.met) > len(liveness.actions):
        raise NotPlain("liveness: more was seen than was asked")
    return liveness


def _finding(value: object) -> Finding:
    fields = Fields(value, "finding")
    finding = Finding(
        name=fields.text("name", MAX_NAME),
        native=fields.number_or_none("native"),
        unit=fields.text("unit", MAX_NAME, shortest=0),
        score=fields.whole_or_none("score", 0, 100),
        passed=fields.flag_or_none("passed"),
        hint=fields.text_or_none("hint", MAX_NAME),
    )
    fields.close()
    return finding


def read_print(value: object) -> Print:
    """Return one print."""
    fields = Fields(value, "print")
    impression = Print(
        position=fields.whole("position", FINGERS[0], FINGERS[-1]),
        kind=_named(fields, "kind", ImpressionKind),
        image=read_picture(fields, "image", PNG),
        width=fields.whole("width", 1, MAX_SIDE),
        height=fields.whole("height", 1, MAX_SIDE),
        dpi=fields.whole("dpi", 1, 2000),
        nfiq2=fields.whole_or_none("nfiq2", 0, 100),
        estimate=fields.number("estimate"),
        minutiae=fields.whole("minutiae", 0, MAX_COUNT),
        template=_record_or_none(fields, "template"),
        support=_record_or_none(fields, "support"),
        agreement=fields.number_or_none("agreement"),
        attempts=fields.whole("attempts", 1, MAX_COUNT),
        reader=fields.text("reader", MAX_NAME),
    )
    fields.close()
    return impression


def read_missing(value: object) -> Missing:
    """Return one missing finger."""
    fields = Fields(value, "missing")
    missing = Missing(
        position=fields.whole("position", FINGERS[0], FINGERS[-1]),
        reason=_named(fields, "reason", MissingReason),
        permanent=fields.flag("permanent"),
        officer=fields.text("officer", MAX_ID),
        at=fields.time("at"),
    )
    fields.close()
    if missing.permanent not in missing.reason.lasting:
        raise NotPlain("missing: the reason does not last so long, or so short")
    return missing


def read_iris(value: object) -> Iris:
    """Return one iris."""
    fields = Fields(value, "iris")
    iris = Iris(
        eye=_named(fields, "eye", EyeSide),
        image=read_picture(fields, "image", PNG),
        width=fields.whole("width", 1, MAX_SIDE),
        height=fields.whole("height", 1, MAX_SIDE),
        quality=fields.whole_or_none("quality", 0, 100),
        reader=fields.text("reader", MAX_NAME),
    )
    fields.close()
    return iris


def read_absence(value: object) -> Absence:
    """Return one absence."""
    fields = Fields(value, "absence")
    absence = Absence(
        part=_named(fields, "part", Part),
        reason=_named(fields, "reason", AbsenceReason),
        officer=fields.text_or_none("officer", MAX_ID),
        at=fields.time("at"),
    )
    fields.close()
    return absence


def read_consent(value: object) -> Consent:
    """Return the consent."""
    fields = Fields(value, "consent")
    consent = Consent(
        version=fields.text("version", MAX_NAME),
        sha256=_hex(fields, "sha256", 64),
        at=fields.time("at"),
    )
    fields.close()
    return consent


def read_step(value: object) -> Step:
    """Return one line of the journal."""
    fields = Fields(value, "step")
    step = Step(
        at=fields.time("at"),
        event=fields.text("event", MAX_NAME),
        detail=fields.text("detail", MAX_DETAIL, shortest=0),
    )
    fields.close()
    return step


def read_name(value: object, what: str) -> str:
    """Return a name."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME:
        raise NotPlain(f"{what}: no name, or too long a one")
    return value
