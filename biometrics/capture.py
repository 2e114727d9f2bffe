"""A capture: what one visit produced, as one value that is sealed and opened whole.

It is not the sealed packet (see `biometrics.seal`) and judges nothing.
"""

import enum
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Self

import cbor2

from biometrics.seal.cbor import Fields, NotPlain, read

MAX_BYTES = 32 * 1024 * 1024
MAX_IMAGE_BYTES = 8 * 1024 * 1024
MAX_SIDE = 8192
"""Pixels; the pictures themselves are decoded elsewhere, behind `biometrics.face.images`."""
FINGERS = range(1, 11)
FORMAT = 1
MAX_ID = 64
MAX_NAME = 128
MAX_DETAIL = 2000
MAX_FINDINGS = 256
MAX_STEPS = 4096
MAX_DEVICES = 16
MAX_ACTIONS = 8
MAX_COUNT = 100_000
HELPED = "officer"
"""The journal's step that an officer helps from now on; its detail is who."""
JPEG = b"\xff\xd8\xff"
PNG = b"\x89PNG\r\n\x1a\n"


class CaptureInvalid(ValueError):
    """The bytes are not a capture: truncated, too large, of wrong types or with unknown fields."""


class MissingReason(enum.StrEnum):
    """Why a finger could not be captured; only an officer may say so."""

    AMPUTATED = "amputated"
    AMPUTATED_HAND = "amputated_hand"
    BANDAGED = "bandaged"
    DEFORMED = "deformed"
    WORN = "worn"
    SKIN_DISEASE = "skin_disease"
    DEVICE = "device"

    @property
    def temporary(self) -> bool:
        """True where a later visit could bring the finger."""
        return self in {MissingReason.BANDAGED, MissingReason.DEVICE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One measure of quality; `passed` is None where it could not be assessed."""

    name: str
    native: float | None
    unit: str
    score: int | None
    passed: bool | None
    hint: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Liveness:
    """What the sitter was asked to do after the portrait was taken, and what was seen.

    It helps an officer and refuses nobody (docs/liveness.md).

    Attributes:
        seed: 32 hex digits drawn for this visit; with the visit's id they give the actions.
        actions: what was asked, in this order.
        met: for each action whether it was seen; shorter where the sitter gave up.
        same_face: one face was followed from the portrait to the end without a cut; None where
            nothing was followed.
        relief: how far the turned face is from a flat picture, native value of
            `biometrics.face.liveness`; None where the head was never turned far enough.
        seconds: from the first action to the last.
    """

    seed: str
    actions: tuple[str, ...]
    met: tuple[bool, ...]
    same_face: bool | None
    relief: float | None
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Portrait:
    """The chosen portrait.

    Attributes:
        image: JPEG, the master crop.
        findings: every measure that was taken of it.
        profile: which gates it was judged by.
        profile_sha256: of the limits themselves, see `biometrics.face.gates.Profile`.
        forced_by: officer who accepted it although a gate refused, else None.
        liveness: None where it was not tried.
    """

    image: bytes
    width: int
    height: int
    profile: str
    profile_sha256: str
    findings: tuple[Finding, ...]
    forced_by: str | None
    liveness: Liveness | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Print:
    """The chosen impression of one finger: PNG, 8-bit grey, flat."""

    position: int
    image: bytes
    width: int
    height: int
    dpi: int
    nfiq2: int | None
    estimate: float
    minutiae: int
    attempts: int
    reader: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A finger that an officer recorded as not capturable."""

    position: int
    reason: MissingReason
    officer: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """Which notice was shown and agreed to, and when."""

    version: str
    sha256: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of the visit's journal."""

    at: datetime
    event: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """What one visit produced."""

    visit: str
    dossier: str
    appointment: str
    portrait: Portrait
    prints: tuple[Print, ...]
    missing: tuple[Missing, ...]
    signature: bytes
    """PNG of what the citizen signed on the screen."""
    consent: Consent
    journal: tuple[Step, ...]
    simulated: tuple[str, ...]
    """Names of the stand-in devices that took part; empty in earnest."""

    @property
    def helpers(self) -> frozenset[str]:
        """Every officer who took part; the header's operator is only the last of them."""
        named = {step.detail for step in self.journal if step.event == HELPED}
        named |= {missing.officer for missing in self.missing}
        if self.portrait.forced_by is not None:
            named.add(self.portrait.forced_by)
        return frozenset(named)

    def encode(self) -> bytes:
        """Return deterministic CBOR (RFC 8949, section 4.2).

        Raises:
            CaptureInvalid: `decode` would refuse it, so it must not be sealed.
        """
        data = _write(self)
        if Capture.decode(data) != self:
            raise CaptureInvalid("the capture would not be read as it was written")
        return data

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Return the capture in `data`.

        Raises:
            CaptureInvalid: truncated, over `MAX_BYTES`, not canonical, of another
                format, with missing or unknown fields, of wrong types, with a number that is
                none, a time without offset, a picture of wrong kind or size, or with a finger
                outside 1..10 or named twice. Nothing is half read.
        """
        if len(data) > MAX_BYTES:
            raise CaptureInvalid(f"a capture has at most {MAX_BYTES} bytes")
        try:
            capture = cls._read(Fields(read(data), "capture"))
        except NotPlain as error:
            raise CaptureInvalid(str(error)) from error
        positions = [print_.position for print_ in capture.prints]
        positions += [missing.position for missing in capture.missing]
        if len(set(positions)) != len(positions):
            raise CaptureInvalid("a finger is named twice")
        # Also where a time or float is legal but not in the one form that we write.
        if _write(capture) != data:
            raise CaptureInvalid("the capture is not canonical")
        return capture

    @classmethod
    def _read(cls, fields: Fields) -> Self:
        fields.whole("format", FORMAT, FORMAT)
        capture = cls(
            visit=fields.text("visit", MAX_ID),
            dossier=fields.text("dossier", MAX_ID),
            appointment=fields.text("appointment", MAX_ID),
            portrait=_portrait(fields.value("portrait")),
            prints=tuple(_print(row) for row in fields.rows("prints", len(FINGERS))),
            missing=tuple(_missing(row) for row in fields.rows("missing", len(FINGERS))),
            signature=_picture(fields, "signature", PNG),
            consent=_consent(fields.value("consent")),
            journal=tuple(_step(row) for row in fields.rows("journal", MAX_STEPS)),
            simulated=tuple(_name(row, "device") for row in fields.rows("simulated", MAX_DEVICES)),
        )
        fields.close()
        if len(set(capture.simulated)) != len(capture.simulated):
            raise NotPlain("a device is named twice")
        return capture


def _write(capture: Capture) -> bytes:
    try:
        return cbor2.dumps({"format": FORMAT, **asdict(capture)}, canonical=True)
    except (cbor2.CBOREncodeError, ValueError, TypeError, OverflowError) as error:
        raise CaptureInvalid("a field of the capture cannot be written") from error


def _picture(fields: Fields, name: str, magic: bytes) -> bytes:
    image = fields.octets(name, len(magic), MAX_IMAGE_BYTES)
    if not image.startswith(magic):
        raise NotPlain(f"{name} is a picture of another kind")
    return image


def _hex(fields: Fields, name: str, digits: int) -> str:
    text = fields.text(name, digits, shortest=digits)
    if not set(text) <= set("0123456789abcdef"):
        raise NotPlain(f"{name} is not lower-case hex")
    return text


def _portrait(value: object) -> Portrait:
    fields = Fields(value, "portrait")
    portrait = Portrait(
        image=_picture(fields, "image", JPEG),
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
        actions=tuple(_name(row, "action") for row in fields.rows("actions", MAX_ACTIONS)),
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


def _print(value: object) -> Print:
    fields = Fields(value, "print")
    impression = Print(
        position=fields.whole("position", FINGERS[0], FINGERS[-1]),
        image=_picture(fields, "image", PNG),
        width=fields.whole("width", 1, MAX_SIDE),
        height=fields.whole("height", 1, MAX_SIDE),
        dpi=fields.whole("dpi", 1, 2000),
        nfiq2=fields.whole_or_none("nfiq2", 0, 100),
        estimate=fields.number("estimate"),
        minutiae=fields.whole("minutiae", 0, MAX_COUNT),
        attempts=fields.whole("attempts", 1, MAX_COUNT),
        reader=fields.text("reader", MAX_NAME),
    )
    fields.close()
    return impression


def _missing(value: object) -> Missing:
    fields = Fields(value, "missing")
    position = fields.whole("position", FINGERS[0], FINGERS[-1])
    try:
        reason = MissingReason(fields.text("reason", MAX_NAME))
    except ValueError:
        raise NotPlain("missing: the reason is unknown") from None
    missing = Missing(
        position=position,
        reason=reason,
        officer=fields.text("officer", MAX_ID),
        at=fields.time("at"),
    )
    fields.close()
    return missing


def _consent(value: object) -> Consent:
    fields = Fields(value, "consent")
    consent = Consent(
        version=fields.text("version", MAX_NAME),
        sha256=_hex(fields, "sha256", 64),
        at=fields.time("at"),
    )
    fields.close()
    return consent


def _step(value: object) -> Step:
    fields = Fields(value, "step")
    step = Step(
        at=fields.time("at"),
        event=fields.text("event", MAX_NAME),
        detail=fields.text("detail", MAX_DETAIL, shortest=0),
    )
    fields.close()
    return step


def _name(value: object, what: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME:
        raise NotPlain(f"{what}: no name, or too long a one")
    return value
