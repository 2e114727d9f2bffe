"""Places, their weekly hours and the days that are unlike others: read, added, changed.

It opens no slots: `scheduler.horizon` does, after a change and every day.
"""

from dataclasses import dataclass
from datetime import date, time

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler.tables import ExceptionRow, Kind, PlaceRow, RuleRow, Scope

REGULAR = "regular"
"""The lane everybody may book."""
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
        code=row.code, name=row.name, address=row.address, province=row.province, open=row.open
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


def add_place(session: Session, *, code: str, name: str, address: str, province: str) -> Place:
    """Add an open place; it offers nothing before it has a rule and its slots are opened.

    Raises:
        sqlalchemy.exc.IntegrityError: the code is taken.
    """
    row = PlaceRow(code=code, name=name, address=address, province=province, open=True)
    session.add(row)
    session.flush()
    return _place(row)


def close_place(session: Session, code: str) -> None:
    """Take no new appointments at a place; those that stand are kept.

    Raises:
        PlaceUnknown: there is none of this code.
    """
    _row(session, code).open = False
    session.flush()


def reopen_place(session: Session, code: str) -> None:
    """Take appointments at a place again.

    Raises:
        PlaceUnknown: there is none of this code.
    """
    _row(session, code).open = True
    session.flush()


def add_rule(session: Session, place: str, rule: Rule) -> int:
    """Add weekly hours to a place and return the rule's number.

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
    return row.id


def rules(session: Session, place: str) -> tuple[Rule, ...]:
    """Return the weekly hours of a place, in the order in which they were added."""
    rows = session.scalars(sa.select(RuleRow).where(RuleRow.place == place).order_by(RuleRow.id))
    return tuple(
        Rule(
            weekdays=frozenset(day for day in range(7) if row.weekdays >> day & 1),
            opens=row.opens,
            closes=row.closes,
            step=row.step,
            capacity=row.capacity,
            public_capacity=row.public_capacity,
            lane=row.lane,
            valid_from=row.valid_from,
            valid_to=row.valid_to,
        )
        for row in rows
    )


def end_rule(session: Session, number: int, *, last: date) -> None:
    """Let a rule end on the day `last`; slots after it are withdrawn when they are opened anew.

    Raises:
        LookupError: there is no such rule.
    """
    row = session.get(RuleRow, number)
    if row is None:
        raise LookupError(f"no rule {number}")
    row.valid_to = last
    session.flush()


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


def remove_exception(session: Session, day: date, *, scope: Scope, code: str = "") -> None:
    """Let the day be as its weekday again, if it was not."""
    session.execute(
        sa.delete(ExceptionRow).where(
            ExceptionRow.scope == scope, ExceptionRow.code == code, ExceptionRow.day == day
        )
    )


_WIDTH = {Scope.NATION: 0, Scope.PROVINCE: 1, Scope.PLACE: 2}


def exceptions(session: Session, place: Place, *, first: date, last: date) -> dict[date, Unlike]:
    """Return the days from `first` to `last` that are unlike others at a place.

    What the place says outweighs its province, the province the nation.
    """
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
        row.day: Unlike(
            day=row.day,
            kind=row.kind,
            as_weekday=row.as_weekday,
            closes=row.closes,
            words=row.words,
            words_en=row.words_en,
            source=row.source,
        )
        for row in sorted(rows, key=lambda row: _WIDTH[row.scope])
    }
