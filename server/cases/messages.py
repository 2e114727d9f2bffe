"""What citizens are told outside of our pages: queued by key and values, handed to whoever sends.

It opens no connection: a worker sends, between two transactions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol
from uuid import UUID, uuid4

import sqlalchemy as sa
from babel import dates
from sqlalchemy.orm import Session

from scheduler import booking, reminders
from scheduler.booking import Appointment, AppointmentUnknown
from scheduler.life import AppointmentState
from server.clock import HERE
from server.rules.messages import Channel, MessageEvent, MessageState, after
from server.rules.texts import words
from server.store.tables import Dossier, Message

FIELDS: Mapping[Channel, str] = {
    Channel.SMS: "phone",
    Channel.ZALO: "phone",
    Channel.EMAIL: "email",
}
"""Which answer of a citizen is the address of a channel, what everybody has first."""
LEASE = timedelta(minutes=5)
"""[D] So long nobody else tries what one worker took; a worker that dies is forgotten after it."""
MOST_TRIES = 5
"""[D] With pauses that double from LEASE: a gateway may be down for more than an hour."""
KEPT = timedelta(days=90)
"""[D] So long it can be said whether somebody was told; then the address goes."""
LONGEST_TROUBLE = 200
LOCALES = {"vi": "vi_VN", "en": "en_GB"}


class Undelivered(Exception):
    """A message could not be handed on now; its text says why."""


class Sender(Protocol):
    """Whoever carries messages of one channel."""

    def send(self, message: "Outgoing") -> None:
        """Hand the message on.

        Raises:
            Undelivered: not now.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How a citizen is reached."""

    channel: Channel
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message in its words."""

    id: UUID
    channel: Channel
    address: str
    subject: str
    text: str


def reach(dossier: Dossier) -> Reach | None:
    """Return how the citizen wants to be told, or None where nothing was given or wanted."""
    wanted = dossier.answers.get("notify")
    if wanted == "none":
        return None
    ways = [c for c in FIELDS if c == wanted] or [c for c in FIELDS if c is not Channel.ZALO]
    for channel in ways:
        address = dossier.answers.get(FIELDS[channel])
        if address:
            return Reach(channel=channel, address=address)
    return None


def _in_words(value: object, language: str) -> str:
    """Return a value as it stands in a short message: ``08:15, Thứ Hai 30/11/2026``."""
    locale = LOCALES.get(language, LOCALES["vi"])
    match value:
        case datetime():
            form = "HH:mm, EEEE dd/MM/yyyy"
            return dates.format_datetime(value, form, tzinfo=HERE, locale=locale)
        case date():
            return dates.format_date(value, "EEEE dd/MM/yyyy", locale=locale)
    return str(value)


def queue(
    session: Session,
    dossier: Dossier,
    key: str,
    values: Mapping[str, object],
    *,
    now: datetime,
    about: Appointment | None = None,
) -> bool:
    """Queue the sentence `key` for the dossier's citizen; return whether there is a way to them.

    Args:
        session: a transaction that writes.
        dossier: whose citizen; their language and contact hold.
        key: of a sentence in the texts. `{code}` and `{url}` are filled in by us.
        values: what its other places are filled with; moments and days in the reader's form.
        now: the time. At night the message waits for the morning.
        about: an appointment that is spoken of: once it is cancelled, moved or over, the message
            is dropped.
    """
    way = reach(dossier)
    if way is None:
        return False
    filled = {name: _in_words(value, dossier.language) for name, value in values.items()}
    session.add(
        Message(
            id=uuid4(),
            dossier_id=dossier.id,
            appointment_id=about.id if about else None,
            starts_at=about.starts_at if about else None,
            key=key,
            filled={"code": dossier.code or "", **filled},
            language=dossier.language,
            channel=way.channel,
            address=way.address,
            state=MessageState.QUEUED,
            tries=0,
            queued_at=now,
            due_at=reminders.decent_from(now),
        )
    )
    session.flush()
    return True


def take(session: Session, *, url: str, now: datetime, limit: int) -> tuple[Outgoing, ...]:
    """Return messages to send now; each is tried again later unless `sent` is said of it.

    `url` is where citizens reach us.
    """
    rows = session.scalars(
        sa.select(Message)
        .where(Message.state == MessageState.QUEUED, Message.due_at <= now)
        .order_by(Message.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    true = [row for row in rows if _still_true(session, row, now)]
    for row in rows:
        if row in true:
            row.tries += 1
            row.due_at = now + LEASE * 2 ** (row.tries - 1)
        else:
            _happen(row, MessageEvent.DROP, now)
    session.flush()
    return tuple(_outgoing(row, url) for row in true)


def _still_true(session: Session, row: Message, now: datetime) -> bool:
    if row.appointment_id is None:
        return True
    try:
        there = booking.find(session, row.appointment_id)
    except AppointmentUnknown:
        return False
    stands = there.state is AppointmentState.BOOKED and there.starts_at == row.starts_at
    return stands and there.starts_at > now


def _outgoing(row: Message, url: str) -> Outgoing:
    return Outgoing(
        id=row.id,
        channel=row.channel,
        address=row.address,
        subject=words().say("reminder.subject", row.language),
        text=words().say(row.key, row.language, **{**row.filled, "url": url}),
    )


def _happen(row: Message, event: MessageEvent, now: datetime) -> None:
    row.state = after(row.state, event)
    row.ended_at = now


def sent(session: Session, message_id: UUID, *, now: datetime) -> None:
    """Note that the message was handed on."""
    row = session.get_one(Message, message_id, with_for_update=True)
    if row.state is MessageState.QUEUED:  # else another worker, who took it after us, was faster
        _happen(row, MessageEvent.SEND, now)
        row.trouble = None
        session.flush()


def failed(session: Session, message_id: UUID, why: str, *, now: datetime) -> None:
    """Note that the message could not be handed on; after `MOST_TRIES` it is given up."""
    row = session.get_one(Message, message_id, with_for_update=True)
    row.trouble = why[:LONGEST_TROUBLE]
    if row.state is MessageState.QUEUED and row.tries >= MOST_TRIES:
        _happen(row, MessageEvent.FAIL, now)
    session.flush()


def forget_old(session: Session, *, now: datetime, limit: int = 500) -> int:
    """Delete messages that ended long ago; return how many."""
    old = (
        sa.select(Message.id)
        .where(Message.state != MessageState.QUEUED, Message.ended_at < now - KEPT)
        .limit(limit)
    )
    gone = session.scalars(
        sa.delete(Message)
        .where(Message.id.in_(old))
        .returning(Message.id)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())
