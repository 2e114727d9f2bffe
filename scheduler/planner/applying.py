"""Turns a plan into weekly hours from a day on, in place of those that held before.

It moves nobody: who would lose their time is known before (`conflicts.preview`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import conflicts, places
from scheduler.calendar import HERE
from scheduler.conflicts import AddHours, EndHours, Together
from scheduler.horizon import Opened
from scheduler.life import AppointmentState
from scheduler.places import Rule
from scheduler.planner.inputs import Opening
from scheduler.planner.patterns import Layout, Pattern, lay_out
from scheduler.tables import AppointmentRow

ONE_DAY = timedelta(days=1)


class NothingPlanned(ValueError):
    """No number of people keeps the promise: there is nothing to open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How many places to open in which hours: a plan without the simulation that found it."""

    pattern: Pattern
    openings: tuple[Opening, ...]
    places: tuple[int, ...]
    """Of each opening; 0: it is not opened."""
    servers: int
    length: int
    """Minutes most people are planned for."""

    def rules(self, lane: str, *, weekdays: frozenset[int], first_day: date) -> tuple[Rule, ...]:
        """Return the weekly hours that give exactly these places.

        Raises:
            NothingPlanned: there are none.
            ValueError: an opening holds no appointment.
        """
        found = tuple(
            Rule(
                weekdays=weekdays,
                opens=_after(opening.opens, row.offset),
                closes=_after(opening.opens, row.ends),
                step=row.step,
                capacity=row.capacity,
                lane=lane,
                valid_from=first_day,
            )
            for opening, places in zip(self.openings, self.places, strict=True)
            if places
            for row in self._layout(opening, places)
        )
        if not found:
            raise NothingPlanned
        return found

    def _layout(self, opening: Opening, places: int) -> Layout:
        return lay_out(
            self.pattern,
            places,
            minutes=opening.minutes,
            servers=self.servers,
            length=self.length,
        )


def _after(opens: time, minutes: int) -> time:
    """Return a time of the same day.

    Raises:
        ValueError: it is past midnight.
    """
    hour, minute = divmod(opens.hour * 60 + opens.minute + minutes, 60)
    return time(hour, minute)


def usual_days(rules: Sequence[Rule], lane: str, first_day: date) -> frozenset[int]:
    """Return the weekdays on which a lane has hours on or after a day; Monday to Friday if none."""
    days = {day for rule in _held(rules, lane, first_day) for day in rule.weekdays}
    return frozenset(days) or places.MONDAY_TO_FRIDAY


def _held(rules: Sequence[Rule], lane: str, first_day: date) -> list[Rule]:
    return [
        rule
        for rule in rules
        if rule.lane == lane and (rule.valid_to is None or rule.valid_to >= first_day)
    ]


def untroubled(session: Session, place: str, lane: str, *, now: datetime) -> date:
    """Return the first day from tomorrow on after which nobody has an appointment in the lane.

    From then on hours can change and nobody loses their time.
    """
    last = session.scalar(
        sa.select(sa.func.max(AppointmentRow.starts_at)).where(
            AppointmentRow.place == place,
            AppointmentRow.lane == lane,
            AppointmentRow.starts_at > now,
            AppointmentRow.state.in_([state for state in AppointmentState if state.takes_a_place]),
        )
    )
    return max(now, now if last is None else last).astimezone(HERE).date() + ONE_DAY


def change(
    session: Session,
    place: str,
    lane: str,
    plan: Wanted,
    *,
    first_day: date,
    weekdays: frozenset[int],
) -> Together:
    """Return the change of the calendar that opens a plan from `first_day` on.

    All hours the lane has on these weekdays end the day before; on other weekdays they go on.

    Raises:
        PlaceUnknown: there is no such place.
        NothingPlanned: the plan has no places.
        ValueError: an opening holds no appointment.
    """
    places.find(session, place)
    new = [AddHours(rule=rule) for rule in plan.rules(lane, weekdays=weekdays, first_day=first_day)]
    ended: list[EndHours] = []
    for rule in _held(places.rules(session, place), lane, first_day):
        if not rule.weekdays & weekdays or rule.number is None:
            continue
        ended.append(EndHours(number=rule.number, last=first_day - ONE_DAY))
        others = rule.weekdays - weekdays
        if others:
            begins = max(first_day, rule.valid_from)
            stays = replace(rule, weekdays=others, valid_from=begins, number=None)
            new.append(AddHours(rule=stays))
    return Together(changes=(*ended, *new))


def apply(
    session: Session,
    place: str,
    lane: str,
    plan: Wanted,
    *,
    first_day: date,
    last_day: date,
    weekdays: frozenset[int],
    now: datetime,
) -> Opened:
    """Open a plan from `first_day` on, and the slots up to `last_day`.

    Raises:
        PlaceUnknown: there is no such place.
        NothingPlanned: the plan has no places.
        ValueError: an opening holds no appointment.
        sqlalchemy.exc.IntegrityError: the hours make no sense.
    """
    asked = change(session, place, lane, plan, first_day=first_day, weekdays=weekdays)
    return conflicts.apply(session, place, change=asked, first=first_day, last=last_day, now=now)
