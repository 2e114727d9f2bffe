"""A dossier on the waiting list or in a draw: its wish, what it is offered, what it answers.

Places are kept and counted in `scheduler`; how citizens are reached is known in `messages`.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import announcements, booking, draws, offering, places, wishes
from scheduler.announcements import Draw
from scheduler.life import AppointmentState
from scheduler.matching import Wanted
from scheduler.offering import Offer
from scheduler.tables_waiting import WishRow, WishState
from scheduler.wishes import Companion, Wish
from server.cases import appointments, filing, messages, needs
from server.cases.appointments import Booked, PersonUnknown
from server.cases.officers import Acting
from server.rules import tickets
from server.rules.dossier import DossierState, NotNow
from server.store import audit
from server.store.tables import Dossier


class NothingOffered(Exception):
    """There is no offer to answer: it was answered, its time is over, or the day was closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a dossier's wish stands."""

    wish: Wish
    offer: Offer | None
    ahead: int
    """Wishes before it in line for one of its stations."""


def wish(
    session: Session,
    dossier: Dossier,
    wanted: Wanted,
    *,
    stations: Sequence[str],
    now: datetime,
    draw: UUID | None = None,
    company: Collection[Dossier] = (),
) -> Wish:
    """Put a dossier on the waiting list or into a draw; a draft is filed, so that it is kept.

    Length, number of people and priority follow from their data, whatever `wanted` says.

    Raises:
        WishRefused: it is beyond what a wish may be.
        AlreadyWaiting: one of them waits already.
        AlreadyBooked: one of them has an appointment.
        PersonUnknown: nobody's data were checked.
        NotNow: a dossier is past booking.
    """
    everybody = (dossier, *company)
    found = [_needed(one, wanted.first_day) for one in everybody]
    for one in everybody:
        filing.give_back(session, one, now=now)
    made = wishes.make(
        session,
        Wish(
            whose=str(dossier.id),
            person_key=dossier.person_key or b"",
            purpose=dossier.purpose,
            places=tuple(stations),
            wanted=replace(
                wanted, people=len(everybody), minutes=max(need.minutes for need in found)
            ),
            companions=tuple(
                Companion(whose=str(one.id), person_key=one.person_key or b"", purpose=one.purpose)
                for one in company
            ),
            priority=any(need.goes_first for need in found),
            draw=draw,
        ),
        now=now,
    )
    for one in everybody:
        if one.state is DossierState.DRAFT:
            filing.file(session, one, now=now)
    return made


def _needed(dossier: Dossier, on: date) -> needs.Need:
    if dossier.state not in {DossierState.DRAFT, DossierState.FILED}:
        raise NotNow(f"nobody waits for a place for a dossier that is {dossier.state}")
    found = needs.of(dossier, on)
    if found is None or dossier.person_key is None:
        raise PersonUnknown
    return found


def standing(session: Session, dossier: Dossier) -> Standing | None:
    """Return where the wish it is part of stands, else its last; None where it never had one."""
    whose = str(dossier.id)
    last = wishes.live_of(session, whose) or wishes.last_of(session, whose)
    if last is None or last.id is None:
        return None
    waits = last.state is WishState.WAITING
    return Standing(
        wish=last,
        offer=offering.offer_of(session, last.id),
        ahead=wishes.ahead(session, last) if waits else 0,
    )


def to_return_to(session: Session, dossier: Dossier) -> Wish | None:
    """Return the wish that lives, or that ended unasked and may be made again; else None."""
    found = standing(session, dossier)
    kept = {*wishes.ALIVE, WishState.LAPSED}
    return found.wish if found is not None and found.wish.state in kept else None


def _live(session: Session, dossier: Dossier) -> UUID:
    found = wishes.live_of(session, str(dossier.id))
    if found is None or found.id is None:
        raise NothingOffered
    return found.id


@contextmanager
def _told() -> Iterator[None]:
    """Tell what the life of a wish and the engine refuse in one way."""
    try:
        yield
    except (wishes.NotNow, booking.SlotGone) as late:
        raise NothingOffered from late


def accept(
    session: Session, dossier: Dossier, *, secret: bytes, now: datetime
) -> tuple[Booked, ...]:
    """Take what is offered and hand out the tickets.

    Raises:
        NothingOffered: there is nothing to take any more.
        AlreadyBooked: one of them has an appointment by now.
    """
    wish_id = _live(session, dossier)
    asked = wishes.find(session, wish_id)
    for whose in (asked.whose, *(one.whose for one in asked.companions)):
        # Whoever was about to choose a time themselves gives that one back for this.
        filing.give_back(session, session.get_one(Dossier, UUID(whose)), now=now)
    with _told():
        made = offering.answer(session, wish_id, accept=True, now=now)
    return _hand_out(session, made, secret=secret, now=now)


def _hand_out(
    session: Session, made: Sequence[booking.Appointment], *, secret: bytes, now: datetime
) -> tuple[Booked, ...]:
    booked = []
    for appointment in made:
        dossier = session.get_one(Dossier, UUID(appointment.whose))
        booked.append(appointments.hand_out(session, dossier, appointment, secret=secret, now=now))
    return tuple(booked)


def decline(session: Session, dossier: Dossier, *, now: datetime) -> None:
    """Let the offer go to the next, and wait on.

    Raises:
        NothingOffered: there is nothing to decline.
    """
    with _told():
        offering.answer(session, _live(session, dossier), accept=False, now=now)


def withdraw(session: Session, dossier: Dossier, *, now: datetime) -> None:
    """Wait no longer; the dossier stays.

    Raises:
        NothingOffered: it does not wait.
    """
    with _told():
        wishes.withdraw(session, _live(session, dossier), now=now)


def offer(session: Session, place: str, *, now: datetime) -> int:
    """Offer what a place has to who waits, and tell them; return how many."""
    asked = offering.offer_next(session, place, now=now)
    name = places.find(session, place).name
    for one in asked:
        kept = None if one.id is None else offering.offer_of(session, one.id)
        if kept is not None:
            values = {"when": kept.slot.starts_at, "place": name, "until": kept.answer_by}
            _tell(session, one, "waiting.message.offer", values, now=now)
    return len(asked)


def pass_on(session: Session, *, now: datetime, limit: int) -> int:
    """Take offers back that nobody answered, end wishes that are over, and tell whose."""
    unanswered = offering.pass_due(session, now=now, limit=limit)
    for one in unanswered:
        over = one.state is WishState.LAPSED
        key = "waiting.message.over" if over else "waiting.message.missed"
        _tell(session, one, key, {}, now=now)
    booked = wishes.withdraw_booked(session, now=now, limit=limit)
    for one in booked:
        if one.companions:  # one of them booked alone, and the others are to know
            _tell(session, one, "waiting.message.booked", {}, now=now)
    lapsed = wishes.lapse_due(session, now=now, limit=limit)
    for one in lapsed:
        _tell(session, one, "waiting.message.over", {}, now=now)
    return max(len(unanswered), len(booked), len(lapsed))


def announce(
    session: Session,
    *,
    place: str,
    lane: str,
    days: tuple[date, date],
    closes_at: datetime,
    beacon: str,
    beacon_at: datetime | None,
    officer: Acting,
    now: datetime,
) -> Draw:
    """Announce a draw and write down who did.

    Raises:
        DrawRefused: it cannot be announced as it is.
    """
    made = draws.announce(
        session,
        place=place,
        lane=lane,
        first_day=days[0],
        last_day=days[1],
        closes_at=closes_at,
        beacon=beacon,
        beacon_at=beacon_at,
        by=officer.actor,
        now=now,
    )
    _write_down(session, made, "announce", officer.actor, now=now)
    return made


def cancel_draw(session: Session, draw_id: UUID, *, officer: Acting, now: datetime) -> Draw:
    """Call a draw off and write down who did.

    Raises:
        DrawUnknown: there is none of this id.
        NotNow: it was drawn or called off before.
    """
    cancelled = draws.cancel(session, draw_id, now=now)
    _write_down(session, cancelled, "cancel", officer.actor, now=now)
    return cancelled


def _write_down(session: Session, draw: Draw, what: str, actor: str, *, now: datetime) -> None:
    audit.append(
        session,
        at=now,
        actor=actor,
        action=f"draw.{what}",
        subject=f"draw:{draw.id}",
        detail={"place": draw.place, "commitment": draw.commitment},
    )


def draw(
    session: Session,
    draw_id: UUID,
    *,
    secret: bytes,
    now: datetime,
    beacon_value: str = "",
    actor: str | None = None,
) -> Draw:
    """Draw, hand out the tickets of who got a place, and tell everybody.

    Raises:
        DrawUnknown: there is none of this id.
        NotNow: it cannot be drawn now.
        DrawRefused: the public number is missing, or none was announced.
    """
    drawn = draws.draw(session, draw_id, now=now, beacon_value=beacon_value)
    if actor is not None:
        _write_down(session, drawn, "draw", actor, now=now)
    place = places.find(session, drawn.place).name
    rows = session.scalars(sa.select(WishRow).where(WishRow.drawn == draw_id)).all()
    for row in rows:
        people = [booking.live_of(session, one.whose) for one in wishes.everybody(row)]
        made = [one for one in people if one is not None and one.state is AppointmentState.BOOKED]
        asked = wishes.find(session, row.id)
        if row.state is WishState.PLACED:
            booked = _hand_out(session, made, secret=secret, now=now)
            shown = tickets.show(booked[0].ticket)
            values = {"when": made[0].starts_at, "place": place, "ticket": shown}
            _tell(session, asked, "waiting.message.drawn", values, now=now)
        elif row.state is WishState.WAITING:
            _tell(session, asked, "waiting.message.not_drawn", {"place": place}, now=now)
    return drawn


def draw_of(session: Session, draw_id: UUID) -> Draw | None:
    """Return the draw, or None."""
    try:
        return announcements.find(session, draw_id)
    except announcements.DrawUnknown:
        return None


def _tell(
    session: Session, asked: Wish, key: str, values: Mapping[str, object], *, now: datetime
) -> None:
    dossier = session.get(Dossier, UUID(asked.whose))
    if dossier is not None:
        messages.queue(session, dossier, key, values, now=now)
