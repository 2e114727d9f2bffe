"""What a capture is made of: pictures, prints, findings, and who decided what.

It reads and writes nothing: see `biometrics.capture`.
"""

import enum
from dataclasses import dataclass
from datetime import datetime

MAX_IMAGE_BYTES = 8 * 1024 * 1024
MAX_SIDE = 8192
"""Pixels; the pictures themselves are decoded elsewhere, behind `biometrics.face.images`."""
FINGERS = range(1, 11)
MAX_PRINTS = 20
"""Ten plain and ten rolled."""
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
JPEG = b"\xff\xd8\xff"
PNG = b"\x89PNG\r\n\x1a\n"
MINUTIAE = b"FMR\x00"
"""How a minutiae record (ISO/IEC 19794-2) begins."""


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
