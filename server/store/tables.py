"""The server's tables. Appointments and slots stand in `scheduler`; here they are known by id.

It holds columns and constraints only: what may happen is decided in `server.rules`.
"""

import enum
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from scheduler.database import Base
from server.rules.dossier import DossierEvent, DossierState
from server.rules.messages import Channel, MessageState


class Verdict(enum.StrEnum):
    """What an officer decides of a capture."""

    ACCEPT = "accept"
    REJECT = "reject"
    ASK_RECAPTURE = "ask_recapture"
    ASK_CORRECTION = "ask_correction"


class Role(enum.StrEnum):
    """What an officer may do."""

    VERIFIER = "verifier"
    CAPTURER = "capturer"
    SUPERVISOR = "supervisor"
    AUDITOR = "auditor"


class Dossier(Base):
    """A citizen's request, from the first answer of the wizard to the card."""

    __tablename__ = "dossier"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str | None] = mapped_column(sa.String(40), unique=True)
    """Given at filing: DEMO.001.026-261124-000123."""
    state: Mapped[DossierState]
    profile: Mapped[str] = mapped_column(sa.String(32))
    """Which body of law applies: can-cuoc-2026."""
    purpose: Mapped[str] = mapped_column(sa.String(16))
    """Case code: NEW, EX_AGE, ..."""
    draft_token_hash: Mapped[bytes | None] = mapped_column(sa.LargeBinary(32), unique=True)
    person_key: Mapped[bytes | None] = mapped_column(sa.LargeBinary(32), index=True)
    """HMAC of the personal number."""
    personal_number: Mapped[str | None] = mapped_column(sa.String(12))
    full_name: Mapped[str | None] = mapped_column(sa.String(200))
    birth_date: Mapped[date | None]
    """The first of January where only the year is known (`birth_year_only`)."""
    birth_year_only: Mapped[bool] = mapped_column(default=False)
    answers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What the citizen entered (DC02), by field name."""
    person: Mapped[dict[str, Any] | None]
    """The person as the population registry gave it at the data check."""
    message: Mapped[dict[str, Any] | None]
    """The officer's last message to the citizen: {"code": ..., "text": ...}."""
    language: Mapped[str] = mapped_column(sa.String(2), default="vi")
    created_at: Mapped[datetime]
    filed_at: Mapped[datetime | None]
    due_on: Mapped[date | None]
    """The promised day, from the deadline table, set when the capture is stored."""


class Family(Base):
    """People who come together: one browser fills in for all, each has a dossier of their own."""

    __tablename__ = "family"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32), unique=True)
    answers: Mapped[dict[str, Any]]
    """What was said once for all of them: phone, e-mail, reminders; station and day."""
    language: Mapped[str] = mapped_column(sa.String(2))
    created_at: Mapped[datetime]


class FamilyMember(Base):
    """Whose dossier belongs to a family."""

    __tablename__ = "family_member"

    dossier_id: Mapped[UUID] = mapped_column(sa.ForeignKey("dossier.id"), primary_key=True)
    family_id: Mapped[UUID] = mapped_column(sa.ForeignKey("family.id"), index=True)
    position: Mapped[int]
    """From 1, in the order in which they were entered; numbers of who left are not used again."""


class DossierCounter(Base):
    """The running number of dossier codes, one row a unit and day."""

    __tablename__ = "dossier_counter"

    unit: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(default=0)


class Ticket(Base):
    """Which appointment a ticket points to; the ticket itself is never stored."""

    __tablename__ = "ticket"

    token_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32), primary_key=True)
    appointment_id: Mapped[UUID] = mapped_column(unique=True)
    dossier_id: Mapped[UUID] = mapped_column(sa.ForeignKey("dossier.id"), index=True)


class Journal(Base):
    """What happened to a dossier; append-only."""

    __tablename__ = "journal"

    id: Mapped[int] = mapped_column(primary_key=True)
    dossier_id: Mapped[UUID] = mapped_column(sa.ForeignKey("dossier.id"), index=True)
    at: Mapped[datetime]
    event: Mapped[DossierEvent]
    state_after: Mapped[DossierState]
    actor: Mapped[str] = mapped_column(sa.String(80))
    """citizen, kiosk:NAME, officer:ID, system."""
    note: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Message(Base):
    """Something a citizen is told outside of our pages; its words stand in the texts, by key."""

    __tablename__ = "message"
    __table_args__ = (sa.Index("ix_message_due", "state", "due_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    dossier_id: Mapped[UUID] = mapped_column(sa.ForeignKey("dossier.id"), index=True)
    appointment_id: Mapped[UUID | None]
    """What it speaks of; None: of the dossier alone."""
    starts_at: Mapped[datetime | None]
    """When that appointment began, as it was told: once it is moved, this is untrue."""
    key: Mapped[str] = mapped_column(sa.String(64))
    filled: Mapped[dict[str, Any]]
    """What the sentence's places are filled with, in the reader's language."""
    language: Mapped[str] = mapped_column(sa.String(2))
    channel: Mapped[Channel]
    address: Mapped[str] = mapped_column(sa.String(254))
    state: Mapped[MessageState]
    tries: Mapped[int] = mapped_column(default=0)
    queued_at: Mapped[datetime]
    due_at: Mapped[datetime]
    """When it is tried next."""
    ended_at: Mapped[datetime | None]
    """When it was sent, given up or dropped."""
    trouble: Mapped[str | None] = mapped_column(sa.String(200))
    """Why the last try failed."""


class Audit(Base):
    """Every read of biometrics and every decision, chained; append-only."""

    __tablename__ = "audit"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(sa.String(80))
    action: Mapped[str] = mapped_column(sa.String(40))
    subject: Mapped[str] = mapped_column(sa.String(120))
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    prev_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32))


class AuditHead(Base):
    """The last entry of the audit chain: one row, locked by each append."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int]
    hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32))


class Officer(Base):
    """Somebody who works here."""

    __tablename__ = "officer"

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    station: Mapped[str] = mapped_column(sa.String(16))
    role: Mapped[Role]
    password_hash: Mapped[str] = mapped_column(sa.String(200))
    totp_secret: Mapped[str] = mapped_column(sa.String(120))
    """Encrypted, see `server.store.totp`."""
    totp_last_step: Mapped[int] = mapped_column(default=0)
    """The last time step accepted, so that a code works once."""
    pin_hash: Mapped[str | None] = mapped_column(sa.String(200))
    """Argon2id of the PIN used at kiosks."""
    active: Mapped[bool] = mapped_column(default=True)
    failures: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]


class OfficerSession(Base):
    """A signed-in officer; the cookie holds the token, the row only its hash."""

    __tablename__ = "officer_session"

    token_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32), primary_key=True)
    officer_id: Mapped[str] = mapped_column(sa.ForeignKey("officer.id"), index=True)
    csrf: Mapped[str] = mapped_column(sa.String(64))
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Device(Base):
    """A kiosk that may check people in and send captures."""

    __tablename__ = "device"

    id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    """SHA-256 of the public key, hex."""
    name: Mapped[str] = mapped_column(sa.String(80), unique=True)
    station: Mapped[str] = mapped_column(sa.String(16), index=True)
    public_key: Mapped[bytes]
    """SubjectPublicKeyInfo, DER."""
    trust: Mapped[str] = mapped_column(sa.String(16))
    """software or tpm."""
    enrolled_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class Nonce(Base):
    """A request a device has signed, kept until its signature is too old to be sent again."""

    __tablename__ = "nonce"

    device_id: Mapped[str] = mapped_column(sa.ForeignKey("device.id"), primary_key=True)
    nonce: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    until: Mapped[datetime] = mapped_column(index=True)


class VisitRow(Base):
    """Somebody checked in at a kiosk."""

    __tablename__ = "visit"
    __table_args__ = (
        sa.Index(
            "ix_visit_open",
            "dossier_id",
            unique=True,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    dossier_id: Mapped[UUID] = mapped_column(sa.ForeignKey("dossier.id"), index=True)
    appointment_id: Mapped[UUID]
    device_id: Mapped[str] = mapped_column(sa.ForeignKey("device.id"))
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    how: Mapped[str | None] = mapped_column(sa.String(20))
    """sealed, gave_up, timed_out, officer, revoked (the device was), superseded, abandoned."""


class Upload(Base):
    """A packet on its way up; its bytes are a file named by its digest."""

    __tablename__ = "upload"

    digest: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    device_id: Mapped[str] = mapped_column(sa.ForeignKey("device.id"))
    size: Mapped[int]
    offset: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[datetime]


class CaptureRow(Base):
    """A sealed capture that is stored; the web tiers hold no key to it."""

    __tablename__ = "capture"
    __table_args__ = (
        sa.UniqueConstraint("device_id", "sequence"),
        sa.UniqueConstraint("digest", "helped_by"),
    )

    digest: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    device_id: Mapped[str] = mapped_column(sa.ForeignKey("device.id"))
    sequence: Mapped[int] = mapped_column(sa.BigInteger)
    dossier_id: Mapped[UUID] = mapped_column(sa.ForeignKey("dossier.id"), index=True)
    visit_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("visit.id"), unique=True)
    appointment_id: Mapped[UUID]
    station: Mapped[str] = mapped_column(sa.String(16), index=True)
    operator: Mapped[str | None] = mapped_column(sa.String(40))
    """The officer who helped at the kiosk, who therefore may not decide."""
    helped_by: Mapped[str] = mapped_column(
        sa.String(40), sa.Computed("coalesce(operator, '')", persisted=True)
    )
    """The operator again, empty where nobody helped: what a decision's key can point to."""
    simulated: Mapped[bool]
    size: Mapped[int]
    captured_at: Mapped[datetime]
    received_at: Mapped[datetime]
    receipt: Mapped[dict[str, Any]]


class Grant(Base):
    """Leave to open one capture once, written with its audit entry; the unsealer asks for it."""

    __tablename__ = "grant"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(sa.ForeignKey("capture.digest"), index=True)
    officer_id: Mapped[str] = mapped_column(sa.ForeignKey("officer.id"))
    granted_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Review(Base):
    """What the unsealing process computed from a capture: figures only, no image."""

    __tablename__ = "review"

    digest: Mapped[str] = mapped_column(sa.ForeignKey("capture.digest"), primary_key=True)
    at: Mapped[datetime]
    distance: Mapped[float | None]
    outcome: Mapped[str] = mapped_column(sa.String(16))
    """match, unsure, no_match, not_assessed."""
    model: Mapped[str] = mapped_column(sa.String(120))
    """Empty where nothing was compared, and then without hash and limits."""
    model_sha256: Mapped[str | None] = mapped_column(sa.String(64))
    match_at_most: Mapped[float | None]
    no_match_above: Mapped[float | None]
    summary: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Decision(Base):
    """What an officer decided of a capture; one that ends it, after any corrections asked for.

    The database itself refuses the officer who helped: `helped_by` must be the capture's own.
    """

    __tablename__ = "decision"
    __table_args__ = (
        sa.ForeignKeyConstraint(["digest", "helped_by"], ["capture.digest", "capture.helped_by"]),
        sa.CheckConstraint("officer_id <> helped_by", name="four_eyes"),
        sa.Index(
            "ix_decision_final",
            "digest",
            unique=True,
            sqlite_where=sa.text("verdict <> 'ask_correction'"),
            postgresql_where=sa.text("verdict <> 'ask_correction'"),
        ),
    )

    digest: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    turn: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    """1, and one more each time the dossier came back corrected."""
    officer_id: Mapped[str] = mapped_column(sa.ForeignKey("officer.id"))
    helped_by: Mapped[str] = mapped_column(sa.String(40))
    verdict: Mapped[Verdict]
    reason: Mapped[str | None] = mapped_column(sa.String(40))
    text: Mapped[str | None] = mapped_column(sa.String(500))
    comparison: Mapped[dict[str, Any] | None]
    """What the comparison said that the officer saw: distance, outcome, model, SHA-256, limits."""
    seen: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What the officer's own eyes said of ears, head and glasses, and what they confirmed to have
    seen (`server.rules.concerns`); empty unless accepted."""
    refused: Mapped[list[str]] = mapped_column(sa.JSON, default=list)
    """Gates of the portrait that had refused it."""
    at: Mapped[datetime]


class KeyKind(enum.StrEnum):
    """Whose program books through the programs' door."""

    HOTLINE = "hotline"
    """Ours on the telephone: may change every appointment."""
    PARTNER = "partner"
    """Somebody else's: may change what it booked itself."""


class ApiKey(Base):
    """A program that may book for citizens; the key itself is never stored."""

    __tablename__ = "api_key"
    __table_args__ = (sa.CheckConstraint("a_minute > 0", name="a_minute"),)

    digest: Mapped[bytes] = mapped_column(sa.LargeBinary(32), primary_key=True)
    """SHA-256; the key has 256 random bits, so that nothing slower is needed."""
    name: Mapped[str] = mapped_column(sa.String(40), unique=True)
    """Stands in the history of what it books: hotline:NAME, partner:NAME."""
    kind: Mapped[KeyKind]
    a_minute: Mapped[int]
    """How many requests it may make."""
    added_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class Throttle(Base):
    """Counted tries in a window, in the database so that every worker sees them."""

    __tablename__ = "throttle"

    bucket: Mapped[str] = mapped_column(sa.String(120), primary_key=True)
    window: Mapped[int] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(default=0)
