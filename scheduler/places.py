"""Places, their weekly hours and the days that are unlike others: read, added, changed.

It opens no slots: `scheduler.horizon` does, after a change and every day. Every change counts up
the version of the calendars it touches, so that the horizon knows which of them to open anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler.database import insert_missing
from scheduler.tables import ExceptionRow, Kind, LaneKind, LaneRow, PlaceRow, RuleRow, Scope

REGULAR = "regular"
"""The lane everybody may book."""
WALK_IN = "walk_in"
"""The lane of who came without an appointment (`scheduler.walk_ins`): no calendar opens or closes
it, and nobody books in it."""
PUBLIC = frozenset({REGULAR})
"""Lanes that are offered to everybody; others are booked by officers."""
MONDAY_TO_FRIDAY = frozenset(range(5))


class PlaceUnknown(LookupError):
    """There is no place of this code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where people may come."""

    code: str
    name: str
    address: str
    province: str
    open: bool
    ward: str = ""
    """The commune's name."""
    latitude: float | None = None
    """Degrees, WGS 84; None: nobody entered it."""
    longitude: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Opening hours on some days of the week."""

    weekdays: frozenset[int] = MONDAY_TO_FRIDAY
    """0 is Monday."""
    opens: time
    closes: time
    step: int
    """Minutes of one slot; what is left over before closing is not offered."""
    capacity: int
    """People a slot, those booked by officers too."""
    public_capacity: int | None = None
    """How many of them may book for themselves; None: all."""
    lane: str = REGULAR
    valid_from: date
    valid_to: date | None = None
    """The last day; None: until further notice."""
    number: int | None = field(default=None, compare=False)
    """By which it is ended; None before it was added."""

    @property
    def public(self) -> int:
        """How many people a slot book for themselves."""
        return self.capacity if self.public_capacity is None else self.public_capacity


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlike:
    """A day that is not as its weekday."""

    day: date
    kind: Kind
    as_weekday: int | None = None
    """Whose hours a make-up day has; 0 is Monday."""
    closes: time | None = None
    """When a short day ends."""
    words: str | None = None
    """Why, in Vietnamese, as citizens read it."""
    words_en: str | None = None
    source: str
    """The document that says so."""


def _place(row: PlaceRow) -> Place:
    return Place(
        code=row.code,
        name=row.name,
        address=row.address,
        province=row.province,
        open=row.open,
        ward=row.ward,
        latitude=row.latitude,
        longitude=row.longitude,
    )


def places(session: Session) -> tuple[Place, ...]:
    """Return every place, closed ones too, by province and name."""
    rows = session.scalars(sa.select(PlaceRow).order_by(PlaceRow.province, PlaceRow.name))
    return tuple(_place(row) for row in rows)


def find(session: Session, code: str) -> Place:
    """Return the place.

    Raises:
        PlaceUnknown: there is none of this code.
    """
    return _place(_row(session, code))


def _row(session: Session, code: str) -> PlaceRow:
    row = session.get(PlaceRow, code)
    if row is None:
        raise PlaceUnknown(code)
    return row


def lock(session: Session, code: str) -> None:
    """Let nobody else open days of a place, or give them by lot, until the transaction is over."""
    session.execute(
        sa.select(PlaceRow.code).where(PlaceRow.code == code).with_for_update(key_share=True)
    )


def _touch(
    session: Session,
    scope: Scope,
    code: str = "",
    *,
    first: date = date.min,
    last: date = date.max,
) -> None:
    """Count up the version of the calendars a change touches, and note which days it is about.

    It is one statement for the nation, too.
    """
    where = {
        Scope.NATION: sa.true(),
        Scope.PROVINCE: PlaceRow.province == code,
        Scope.PLACE: PlaceRow.code == code,
    }
    session.execute(
        sa.update(PlaceRow)
        .where(where[scope])
        .values(
            version=PlaceRow.version + 1,
            stale_first=sa.case((PlaceRow.stale_first < first, PlaceRow.stale_first), else_=first),
            stale_last=sa.case((PlaceRow.stale_last > last, PlaceRow.stale_last), else_=last),
        )
    )


def add_place(
    session: Session,
    *,
    code: str,
    name: str,
    address: str,
    province: str,
    ward: str = "",
    latitude: float | None = None,
    longitude: float | None = None,
) -> Place:
    """Add an open place; it offers nothing before it has a rule and its slots are opened.

    Raises:
        sqlalchemy.exc.IntegrityError: the code is taken.
    """
    row = PlaceRow(
        code=code,
        name=name,
        address=address,
        province=province,
        ward=ward,
        latitude=latitude,
        longitude=longitude,
        open=True,
        version=0,
        opened_version=-1,
        opened_calendar="",
    )
    session.add(row)
    session.flush()
    return _place(row)


def close_place(session: Session, code: str) -> None:
    """Take no new appointments at a place; who has one keeps it until it is moved or settled.

    Raises:
        PlaceUnknown: there is none of this code.
    """
    _row(session, code).open = False
    session.flush()
    _touch(session, Scope.PLACE, code)


def reopen_place(session: Session, code: str) -> None:
    """Take appointments at a place again.

    Raises:
        PlaceUnknown: there is none of this code.
    """
    _row(session, code).open = True
    session.flush()
    _touch(session, Scope.PLACE, code)


def add_rule(session: Session, place: str, rule: Rule) -> int:
    """Add weekly hours to a place and return the rule's number.

    A lane that was not entered yet is entered with it, with as many servers as people a slot.

    Raises:
        PlaceUnknown: there is no such place.
        sqlalchemy.exc.IntegrityError: hours, step, capacity or validity make no sense.
    """
    _row(session, place)
    row = RuleRow(
        place=place,
        weekdays=sum(1 << day for day in rule.weekdays),
        opens=rule.opens,
        closes=rule.closes,
        step=rule.step,
        capacity=rule.capacity,
        public_capacity=rule.public,
        lane=rule.lane,
        valid_from=rule.valid_from,
        valid_to=rule.valid_to,
    )
    session.add(row)
    session.flush()
    lane = {
        "place": place,
        "code": rule.lane,
        "kind": _kind(rule.lane),
        "servers": rule.capacity,
    }
    insert_missing(session, LaneRow, [lane])
    _touch(
        session,
        Scope.PLACE,
        place,
        first=rule.valid_from,
        last=rule.valid_to or date.max,
    )
    return row.id


def _kind(lane: str) -> LaneKind:
    """Return what a lane is for that nobody entered: what its code says, else officers' only."""
    return {kind.value: kind for kind in LaneKind}.get(lane, LaneKind.STAFF)


def _rule(row: RuleRow) -> Rule:
    return Rule(
        weekdays=frozenset(day for day in range(7) if row.weekdays >> day & 1),
        opens=row.opens,
        closes=row.closes,
        step=row.step,
        capacity=row.capacity,
        public_capacity=row.public_capacity,
        lane=row.lane,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        number=row.id,
    )


def rules(session: Session, place: str) -> tuple[Rule, ...]:
    """Return the weekly hours of a place, in the order in which they were added."""
    rows = session.scalars(sa.select(RuleRow).where(RuleRow.place == place).order_by(RuleRow.id))
    return tuple(_rule(row) for row in rows)


def place_of_rule(session: Session, number: int) -> str:
    """Return where a rule gives hours.

    Raises:
        LookupError: there is no such rule.
    """
    return _rule_row(session, number).place


def _rule_row(session: Session, number: int) -> RuleRow:
    row = session.get(RuleRow, number)
    if row is None:
        raise LookupError(f"no rule {number}")
    return row


def end_rule(session: Session, number: int, *, last: date) -> None:
    """Let a rule end on the day `last`; one that had not begun by then is taken away.

    Slots after it are withdrawn when they are opened anew.

    Raises:
        LookupError: there is no such rule.
    """
    row = _rule_row(session, number)
    ends = row.valid_to or date.max
    until = max(ends, last)
    if last < row.valid_from:
        session.delete(row)
    else:
        row.valid_to = last
    session.flush()
    first = min(ends, last, date.max - timedelta(days=1)) + timedelta(days=1)
    _touch(session, Scope.PLACE, row.place, first=first, last=until)


def add_exception(session: Session, unlike: Unlike, *, scope: Scope, code: str = "") -> None:
    """Make a day unlike its weekday for a place, a province or (`code` empty) the nation.

    Raises:
        sqlalchemy.exc.IntegrityError: the day is one already, or the kind lacks what it needs.
    """
    session.add(
        ExceptionRow(
            scope=scope,
            code=code,
            day=unlike.day,
            kind=unlike.kind,
            as_weekday=unlike.as_weekday,
            closes=unlike.closes,
            words=unlike.words,
            words_en=unlike.words_en,
            source=unlike.source,
        )
    )
    session.flush()
    _touch(session, scope, code, first=unlike.day, last=unlike.day)


def remove_exception(session: Session, day: date, *, scope: Scope, code: str = "") -> bool:
    """Let the day be as its weekday again; return whether it was not."""
    gone = session.scalars(
        sa.delete(ExceptionRow)
        .where(ExceptionRow.scope == scope, ExceptionRow.code == code, ExceptionRow.day == day)
        .returning(ExceptionRow.id)
        .execution_options(synchronize_session=False)
    ).all()
    if gone:
        _touch(session, scope, code, first=day, last=day)
    return bool(gone)


WIDEST_FIRST = (Scope.NATION, Scope.PROVINCE, Scope.PLACE)


def exceptions(session: Session, place: Place, *, first: date, last: date) -> dict[date, Unlike]:
    """Return the days from `first` to `last` that are unlike others at a place.

    What the place says outweighs its province, the province the nation.
    """
    return flat(entered(session, place, first=first, last=last))


def flat(days: Mapping[tuple[Scope, date], Unlike]) -> dict[date, Unlike]:
    """Return what holds on each day where several scopes say something: the narrowest."""
    return {
        day: unlike
        for scope in WIDEST_FIRST
        for (said_by, day), unlike in days.items()
        if said_by is scope
    }


def entered(
    session: Session, place: Place, *, first: date, last: date
) -> dict[tuple[Scope, date], Unlike]:
    """Return everything that was entered of the days from `first` to `last`, for a place."""
    rows = session.scalars(
        sa.select(ExceptionRow).where(
            ExceptionRow.day.between(first, last),
            sa.or_(
                ExceptionRow.scope == Scope.NATION,
                sa.and_(ExceptionRow.scope == Scope.PROVINCE, ExceptionRow.code == place.province),
                sa.and_(ExceptionRow.scope == Scope.PLACE, ExceptionRow.code == place.code),
            ),
        )
    )
    return {
        (row.scope, row.day): Unlike(
            day=row.day,
            kind=row.kind,
            as_weekday=row.as_weekday,
            closes=row.closes,
            words=row.words,
            words_en=row.words_en,
            source=row.source,
        )
        for row in rows
    }
