"""A capture: what one visit produced, as one value that is sealed and opened whole.

It is not the sealed packet (see `biometrics.seal`) and judges nothing.
"""

import enum
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Self, TypeVar

import cbor2

from biometrics.seal.cbor import Fields, NotPlain, read

MAX_BYTES = 32 * 1024 * 1024
MAX_IMAGE_BYTES = 8 * 1024 * 1024
MAX_SIDE = 8192
"""Pixels; the pictures themselves are decoded elsewhere, behind `biometrics.face.images`."""
FINGERS = range(1, 11)
MAX_PRINTS = 20
"""Ten plain and ten rolled."""
FORMAT = 1
MAX_ID = 64
MAX_NAME = 128
MAX_DETAIL = 2000
MAX_FINDINGS = 256
MAX_STEPS = 4096
MAX_DEVICES = 16
MAX_ACTIONS = 8
MAX_COUNT = 100_000
MAX_RECORD = 65_536
"""Bytes of one minutiae record."""
HELPED = "officer"
"""The journal's step that an officer helps from now on; its detail is who."""
Kind = TypeVar("Kind", bound=enum.StrEnum)
JPEG = b"\xff\xd8\xff"
PNG = b"\x89PNG\r\n\x1a\n"
MINUTIAE = b"FMR\x00"
"""How a minutiae record (ISO/IEC 19794-2) begins."""


class CaptureInvalid(ValueError):
    """The bytes are not a capture: truncated, too large, of wrong types or with unknown fields."""


class ImpressionKind(enum.StrEnum):
    """How a finger lay on the glass; ISO/IEC 19794-4 impression types 0 and 1."""

    PLAIN = "plain"
    ROLLED = "rolled"


class EyeSide(enum.StrEnum):
    """Whose eye it is, as its owner says."""

    RIGHT = "right"
    LEFT = "left"


class Part(enum.StrEnum):
    """What a procedure may ask for beside the portrait and plain fingers."""

    ROLLED = "rolled"
    IRIS = "iris"


class AbsenceReason(enum.StrEnum):
    """Why a part that was asked for is not in the capture."""

    NO_DEVICE = "no_device"
    NOT_CAPTURED = "not_captured"
    """An officer let it be."""


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
    def lasting(self) -> tuple[bool, ...]:
        """Return which of permanent (True) and temporary (False) it may be, the usual one first."""
        return _LASTING[self]

    @property
    def shown(self) -> bool:
        """True where a picture proves it: the finger is not there, or not as others are."""
        return self in _SHOWN


_LASTING = {
    MissingReason.AMPUTATED: (True,),
    MissingReason.AMPUTATED_HAND: (True,),
    MissingReason.BANDAGED: (False,),
    MissingReason.DEFORMED: (True,),
    MissingReason.WORN: (True, False),
    MissingReason.SKIN_DISEASE: (False, True),
    MissingReason.DEVICE: (False,),
}
_SHOWN = {MissingReason.AMPUTATED, MissingReason.AMPUTATED_HAND, MissingReason.DEFORMED}


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
    """The chosen impression of one finger: PNG, 8-bit grey.

    Attributes:
        minutiae: how many were seen in it.
        template: ISO/IEC 19794-2:2011 record of them, None where there was nothing to record.
        support: such a record of the other impression of this finger that agrees best with it
            (another attempt, or the control press), None where there was no other.
        agreement: score of `biometrics.finger.compare` between the two.
        attempts: impressions of this finger that were looked at.
    """

    position: int
    kind: ImpressionKind
    image: bytes
    width: int
    height: int
    dpi: int
    nfiq2: int | None
    estimate: float
    minutiae: int
    template: bytes | None
    support: bytes | None
    agreement: float | None
    attempts: int
    reader: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A finger that an officer recorded as not capturable.

    Attributes:
        permanent: False where a later visit could bring the finger.
    """

    position: int
    reason: MissingReason
    permanent: bool
    officer: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Iris:
    """One eye's iris: PNG, 8-bit grey; `quality` is what the device claims, 0..100."""

    eye: EyeSide
    image: bytes
    width: int
    height: int
    quality: int | None
    reader: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """A part that was asked for and is not here; `officer` None where nobody had to decide."""

    part: Part
    reason: AbsenceReason
    officer: str | None
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
    proof: bytes | None
    """JPEG of the citizen with both hands, where a finger is missing for a reason one can see."""
    irises: tuple[Iris, ...]
    absences: tuple[Absence, ...]
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
        named |= {absence.officer for absence in self.absences if absence.officer is not None}
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
                none, a time without offset, a picture of wrong kind or size, with a finger
                outside 1..10, or with a finger, an eye or a part named twice. Nothing is half
                read.
        """
        if len(data) > MAX_BYTES:
            raise CaptureInvalid(f"a capture has at most {MAX_BYTES} bytes")
        try:
            capture = cls._read(Fields(read(data), "capture"))
        except NotPlain as error:
            raise CaptureInvalid(str(error)) from error
        missing = [missing.position for missing in capture.missing]
        present = {one.position for one in capture.prints}
        _once("a finger", [*((one.position, one.kind) for one in capture.prints)])
        _once("a finger", [*missing, *present])
        _once("an eye", [one.eye for one in capture.irises])
        _once("a part", [one.part for one in capture.absences])
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
            prints=tuple(_print(row) for row in fields.rows("prints", MAX_PRINTS)),
            missing=tuple(_missing(row) for row in fields.rows("missing", len(FINGERS))),
            proof=_picture_or_none(fields, "proof", JPEG),
            irises=tuple(_iris(row) for row in fields.rows("irises", len(EyeSide))),
            absences=tuple(_absence(row) for row in fields.rows("absences", len(Part))),
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


def _picture_or_none(fields: Fields, name: str, magic: bytes) -> bytes | None:
    image = fields.octets_or_none(name, len(magic), MAX_IMAGE_BYTES)
    if image is not None and not image.startswith(magic):
        raise NotPlain(f"{name} is a picture of another kind")
    return image


def _record_or_none(fields: Fields, name: str) -> bytes | None:
    record = fields.octets_or_none(name, len(MINUTIAE), MAX_RECORD)
    if record is not None and not record.startswith(MINUTIAE):
        raise NotPlain(f"{name} is no minutiae record")
    return record


def _once(what: str, named: Sequence[object]) -> None:
    if len(set(named)) != len(named):
        raise CaptureInvalid(f"{what} is named twice")


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
        kind=_named(fields, "kind", ImpressionKind),
        image=_picture(fields, "image", PNG),
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


def _missing(value: object) -> Missing:
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


def _iris(value: object) -> Iris:
    fields = Fields(value, "iris")
    iris = Iris(
        eye=_named(fields, "eye", EyeSide),
        image=_picture(fields, "image", PNG),
        width=fields.whole("width", 1, MAX_SIDE),
        height=fields.whole("height", 1, MAX_SIDE),
        quality=fields.whole_or_none("quality", 0, 100),
        reader=fields.text("reader", MAX_NAME),
    )
    fields.close()
    return iris


def _absence(value: object) -> Absence:
    fields = Fields(value, "absence")
    absence = Absence(
        part=_named(fields, "part", Part),
        reason=_named(fields, "reason", AbsenceReason),
        officer=fields.text_or_none("officer", MAX_ID),
        at=fields.time("at"),
    )
    fields.close()
    return absence


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
