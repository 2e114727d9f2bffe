"""What kiosk and server say to each other: one message down at check-in, one sealed capture up.

Wire models only (strict, frozen, no unknown fields); no behaviour, no I/O.
"""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

SCHEME = "THUNHAN:1:"
"""A ticket's QR holds this and the ticket, nothing else: a pointer, never an authority."""

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256 in lower-case hex."""
Base64 = Annotated[str, Field(max_length=8192, pattern=r"^[A-Za-z0-9+/=]*$")]
TicketText = Annotated[str, Field(min_length=1, max_length=40)]
FingerPosition = Annotated[int, Field(ge=1, le=10)]
"""ISO/IEC 19794: 1 right thumb .. 5 right little, 6 left thumb .. 10 left little."""


class Message(BaseModel):
    """A frozen wire model that knows its fields and refuses any other."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class BothLanguages(Message):
    """One sentence in Vietnamese and English."""

    vi: str
    en: str


class CardClaim(Message):
    """What an identity card's QR says: it finds an appointment, it proves nobody."""

    personal_number: Annotated[str, Field(pattern=r"^\d{12}$")]
    birth_date: date


class CheckIn(Message):
    """Kiosk -> server: somebody is here, with a ticket or a card."""

    ticket: TicketText | None = None
    card: CardClaim | None = None


class CapturePlan(Message):
    """What to capture and when to be content."""

    portrait_profile: Literal["can-cuoc", "assisted", "passport"]
    fingers: tuple[FingerPosition, ...]
    impressions: tuple[Literal["plain", "rolled"], ...]
    """How each finger is wanted; what no reader here can take is recorded as absent."""
    irises: bool
    tries: Annotated[int, Field(ge=1, le=10)]
    accept_at: Annotated[int, Field(ge=0, le=100)]
    """NFIQ 2 at which an impression is taken at once."""
    keep_from: Annotated[int, Field(ge=0, le=100)]
    """NFIQ 2 below which, after all tries, an officer decides."""


class PrivacyNotice(Message):
    """The notice a citizen agrees to; its hash goes into the sealed header."""

    version: str
    sha256: Digest
    text: BothLanguages


class Visit(Message):
    """Server -> kiosk: everything the kiosk needs until the capture is sealed, nothing more."""

    visit_id: UUID
    dossier: str
    appointment: UUID
    station: str
    name: str
    birth_date: str
    """As it is shown: dd/MM/yyyy, or yyyy where only the year is known."""
    purpose: BothLanguages
    starts_at: datetime
    plan: CapturePlan
    notice: PrivacyNotice


class Refusal(Message):
    """Server -> kiosk: no, why, and what to do next."""

    code: str
    text: BothLanguages


class SealingKeys(Message):
    """Server -> kiosk: the public keys a capture is sealed to, signed by the receipt key."""

    kid: str
    p256: Base64
    """SubjectPublicKeyInfo, DER."""
    pq: Base64
    """Raw ML-KEM-768 + X25519 public key."""
    not_after: datetime
    signature: Base64


class RosterOfficer(Message):
    """An officer who may help at this station's kiosks."""

    officer: str
    name: str
    pin_hash: str
    """Argon2id, in its own text form."""


class Station(Message):
    """Server -> kiosk: what a kiosk keeps so that it can work without a network."""

    code: str
    name: str
    keys: SealingKeys
    officers: tuple[RosterOfficer, ...]


class UploadStart(Message):
    """Kiosk -> server: I am going to send this packet."""

    digest: Digest
    size: Annotated[int, Field(ge=1, le=64 * 1024 * 1024)]


class Receipt(Message):
    """Server -> kiosk: the capture is stored; the kiosk may let its copy go after its grace."""

    number: str
    digest: Digest
    device: str
    sequence: int
    received_at: datetime
    signature: Base64
    """ECDSA P-256 by the server's receipt key over the canonical JSON of the other fields."""


class UploadState(Message):
    """Server -> kiosk: so much of it is here; with the receipt once all of it is stored."""

    digest: Digest
    offset: int
    receipt: Receipt | None = None


class LeaveVisit(Message):
    """Kiosk -> server: the person walked away or stopped; nothing was kept."""

    visit_id: UUID
    reason: Literal["gave_up", "timed_out", "officer"]
