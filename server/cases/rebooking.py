"""Other times for people whose time the calendar took away: offered, chosen, told, called.

Who they are is written down in `scheduler.stranded`; nobody loses an appointment here without
having said so.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice

from sqlalchemy.orm import Session

from scheduler import booking, offers, parties, places, search, stranded
from scheduler.booking import Appointment, SlotRef
from scheduler.life import AppointmentState
from scheduler.places import Place
from scheduler.stranded import Stranded
from server.cases import appointments, hours, messages, needs
from server.cases.hours import Losing
from server.clock import HERE
from server.rules.dossier import NotNow
from server.store.tables import Dossier

ALTERNATIVES = 3
"""[D] As many as a text message holds and a person compares."""
BY_DAYS = timedelta(days=14)
"""[D] Later than two weeks after the lost time a neighbour is nearer."""
NEIGHBOURS = 5
"""[D] Other places of the province that are looked at, nearest first."""
NOTICE = timedelta(hours=20)
"""[D] Nobody is offered a time so soon that they may not have read of it."""
CALL_BEFORE = timedelta(days=3)
"""[D] Whoever has not chosen so long before their lost time is called."""
KEPT = timedelta(days=7)
"""[D] So long who is settled stays on the officers' list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """Another time somebody may have instead."""

    slot: SlotRef
    ends_at: datetime
    place: str
    """The place's name."""
    near: bool
    """Whether it is the place the lost time was at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnList:
    """Somebody on the officers' list of those whose time was taken away."""

    stranded: Stranded
    who: Losing
    place: str
    """Where their appointment is now: the place's name."""
    to_call: bool
    """Whether an officer has to call: no message can reach them, or their time is near."""


def of(session: Session, dossier: Dossier) -> Stranded | None:
    """Return how the time of the dossier's appointment was taken away, or None: it stands."""
    found = appointments.live(session, dossier)
    return None if found is None else stranded.of(session, found)


def alternatives(session: Session, dossier: Dossier, *, now: datetime) -> tuple[Alternative, ...]:
    """Return up to three other times: the nearest at the same place, then at its neighbours.

    None of them is kept: whoever chooses first has it. Empty where the time stands, and where
    there is nothing: then an officer calls.
    """
    one = of(session, dossier)
    if one is None:
        return ()
    here = places.find(session, one.was.place)
    found: list[Alternative] = []
    for place in _near(session, here):
        missing = ALTERNATIVES - len(found)
        if missing <= 0:
            break
        lanes = _lanes(session, dossier, one.appointment, place.code)
        free = _free(session, place.code, one.appointment, lanes, now)
        found += [
            Alternative(
                slot=slot,
                ends_at=slot.starts_at + timedelta(minutes=one.appointment.minutes),
                place=place.name,
                near=place.code == here.code,
            )
            for slot in islice(free, missing)
        ]
    return tuple(sorted(found, key=lambda other: (not other.near, other.slot.starts_at)))


def _near(session: Session, here: Place) -> Iterator[Place]:
    """Yield the place itself, then others of its province, nearest first where that is known."""
    yield here
    others = [
        other
        for other in places.places(session)
        if other.open and other.province == here.province and other.code != here.code
    ]
    yield from sorted(others, key=lambda other: (_km(here, other), other.name))[:NEIGHBOURS]


def _km(one: Place, other: Place) -> float:
    """Return how far apart two places are; unknown is as far as the Earth goes."""
    match one, other:
        case (
            Place(latitude=float() as lat, longitude=float() as lon),
            Place(latitude=float() as other_lat, longitude=float() as other_lon),
        ):
            return search.distance_km((lat, lon), (other_lat, other_lon))
    return search.EARTH_KM


def _lanes(
    session: Session, dossier: Dossier, appointment: Appointment, place: str
) -> frozenset[str]:
    """Return the lanes somebody may have a new time in: at their own place, their own."""
    if place == appointment.place:
        return frozenset({appointment.lane})
    need = needs.of(dossier, appointment.starts_at.astimezone(HERE).date())
    return needs.lanes(session, place, goes_first=need is not None and need.goes_first)


def _free(
    session: Session, place: str, lost: Appointment, lanes: frozenset[str], now: datetime
) -> Iterator[SlotRef]:
    """Yield free starts: of the days nearest to the lost one the nearest hour, then others."""
    was = lost.starts_at.astimezone(HERE)
    earliest = now + NOTICE
    first = earliest.astimezone(HERE).date()
    last = max(first, was.date()) + BY_DAYS
    days = offers.days(
        session,
        place,
        first=first,
        last=last,
        now=now,
        lanes=lanes,
        length=lost.minutes,
        public=lost.public,
    )
    # Where one day is as near as another, the later: it leaves time to read of it.
    near = sorted(
        (day.date for day in days if day.free),
        key=lambda day: (abs(day - was.date()), day < was.date()),
    )
    rest: list[SlotRef] = []
    for day in near:
        found = _starts(session, place, day, lost, lanes, now)
        same = datetime.combine(day, was.time(), HERE)
        free = sorted(
            (slot for slot in found if slot.starts_at >= earliest),
            key=lambda slot: (abs(slot.starts_at - same), slot),
        )
        rest += free[1:]
        yield from free[:1]
    yield from rest


def _starts(
    session: Session,
    place: str,
    day: date,
    lost: Appointment,
    lanes: frozenset[str],
    now: datetime,
) -> Iterable[SlotRef]:
    """Return the free starts of a day; a family needs room for all of them side by side."""
    if lost.party is not None:
        lengths = [one.minutes for one in parties.members(session, lost.party)]
        return parties.fits(session, place, day, lengths, now=now, lanes=lanes, public=lost.public)
    found = offers.times(
        session, place, day, now=now, lanes=lanes, length=lost.minutes, public=lost.public
    )
    return [offer.slot for offer in found if offer.free]


def accept(
    session: Session, dossier: Dossier, slot: SlotRef, *, now: datetime, by: str = "citizen"
) -> Appointment:
    """Give somebody whose time was taken away another one; it counts against nobody.

    Raises:
        NotNow: their time was not taken away, or it is chosen already.
        SlotFull: somebody was faster; the old appointment stands, there are other times.
        SlotGone: it is not offered to them.
    """
    one = of(session, dossier)
    if one is None:
        raise NotNow("the time of this appointment was not taken away")
    known = {place.code for place in _near(session, places.find(session, one.was.place))}
    if slot.place not in known:
        raise booking.SlotGone
    lanes = _lanes(session, dossier, one.appointment, slot.place)
    try:
        return _move(session, one.appointment, slot, lanes=lanes, by=by, now=now)
    except booking.NotNow as late:
        raise NotNow(str(late)) from late


def _move(
    session: Session,
    lost: Appointment,
    to: SlotRef,
    *,
    lanes: frozenset[str],
    by: str,
    now: datetime,
) -> Appointment:
    """Move an appointment, with its family where it has one; it counts against nobody."""
    if lost.party is None:
        return booking.move(
            session,
            lost.id,
            to=to,
            now=now,
            lanes=lanes,
            public=lost.public,
            by=by,
            most=None,
        )
    parties.move(
        session,
        lost.party,
        to=to,
        now=now,
        lanes=lanes,
        public=lost.public,
        by=by,
        most=None,
    )
    return booking.find(session, lost.id)


def tell(session: Session, *, now: datetime, limit: int) -> int:
    """Queue a message to whoever lost their time and was not told; return how many were looked at.

    Whoever gave no way to be reached is marked for the officers, who call.
    """
    due = [
        one
        for one in stranded.untold(session, limit=limit)
        # A hold lasts minutes, and its person sits before the page.
        if one.appointment.state is not AppointmentState.HELD
    ]
    known = hours.dossiers(session, tuple(one.appointment for one in due))
    for one in due:
        if not one.state.open:
            stranded.settle(session, one, by=stranded.SYSTEM, now=now)
            continue
        reached = _is_reached(session, one, known.get(one.appointment.whose), now)
        stranded.told(session, one, reached=reached, now=now)
    return len(due)


def _is_reached(session: Session, one: Stranded, dossier: Dossier | None, now: datetime) -> bool:
    """Queue the message and return whether there is a way to them; a family gets one."""
    if dossier is None:
        return False
    party = one.appointment.party
    family = () if party is None else parties.members(session, party)
    if family and family[0].id != one.appointment.id:
        return messages.reach(dossier) is not None
    values = {"when": one.was.starts_at, "place": places.find(session, one.was.place).name}
    return messages.queue(
        session, dossier, "rebooking.message", values, now=now, about=one.appointment
    )


def listed(session: Session, codes: Iterable[str], *, now: datetime) -> tuple[OnList, ...]:
    """Return whoever lost their time at these places, whom to call first, then by time.

    Who is settled stays some days, so that officers see what became of them.
    """
    found = [one for code in codes for one in stranded.at(session, code, since=now - KEPT)]
    known = hours.dossiers(session, tuple(one.appointment for one in found))
    names = {place.code: place.name for place in places.places(session)}
    lines = [
        OnList(
            stranded=one,
            who=hours.known_as(one.appointment, known.get(one.appointment.whose)),
            place=names.get(one.appointment.place, one.appointment.place),
            to_call=_to_call(one, now),
        )
        for one in found
        if one.appointment.state is not AppointmentState.HELD
    ]
    return tuple(
        sorted(
            lines,
            key=lambda line: (
                not line.to_call,
                not line.stranded.state.open,
                line.stranded.was.starts_at,
            ),
        )
    )


def _to_call(one: Stranded, now: datetime) -> bool:
    near = one.was.starts_at <= now + CALL_BEFORE
    return one.state.open and one.called_at is None and (one.unreachable or near)


def on_list(session: Session, dossier: Dossier) -> Stranded:
    """Return how somebody lost their time.

    Raises:
        NotNow: they did not, or it is settled.
    """
    one = of(session, dossier)
    if one is None:
        raise NotNow("nothing is left to be done about this appointment")
    return one


def called(session: Session, dossier: Dossier, *, by: str, now: datetime) -> None:
    """Note that an officer spoke to somebody, who did not choose yet.

    Raises:
        NotNow: nothing is left to be done.
    """
    stranded.called(session, on_list(session, dossier), by=by, now=now)


def settle(session: Session, dossier: Dossier, *, by: str, now: datetime) -> None:
    """Note that an officer arranged it otherwise; the appointment stands as it is.

    Raises:
        NotNow: nothing is left to be done.
    """
    stranded.settle(session, on_list(session, dossier), by=by, now=now)
