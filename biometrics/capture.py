"""A capture: what one visit produced, as one value that is sealed and opened whole.

It is not the sealed packet (see `biometrics.seal`) and judges nothing.
"""

import enum
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Self

import cbor2

MAX_BYTES = 32 * 1024 * 1024
MAX_IMAGE_BYTES = 8 * 1024 * 1024
FINGERS = range(1, 11)
FORMAT = 1


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
class Portrait:
    """The chosen portrait.

    Attributes:
        image: JPEG, the master crop.
        findings: every measure that was taken of it.
        profile: which gates it was judged by.
        forced_by: officer who accepted it although a gate refused, else None.
    """

    image: bytes
    width: int
    height: int
    profile: str
    findings: tuple[Finding, ...]
    forced_by: str | None


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

    def encode(self) -> bytes:
        """Return deterministic CBOR (RFC 8949, section 4.2)."""
        return cbor2.dumps({"format": FORMAT, **asdict(self)}, canonical=True)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Return the capture in `data`.

        Raises:
            CaptureInvalid: truncated, over `MAX_BYTES`, not canonical, of another
                format, with missing or unknown fields, of wrong types, with a finger
                outside 1..10 or named twice. Nothing is half read.
        """
        raise NotImplementedError
