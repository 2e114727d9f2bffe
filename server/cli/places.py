"""Adds places, their weekly hours and the days that are unlike others, and opens their slots.

A change that takes hours away says who has an appointment in them: somebody has to call these
people. It moves nobody.
"""

import argparse
import re
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import booking, horizon, places
from scheduler.database import connect, retrying
from scheduler.places import MONDAY_TO_FRIDAY, REGULAR, PlaceUnknown, Rule, Unlike
from scheduler.tables import Kind, Scope
from server import clock
from server.settings import Settings

HORIZON = timedelta(days=42)
"""How far ahead places are offered."""
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Work = Callable[[Session], None]


def open_days(session: Session, code: str, now: datetime) -> horizon.Opened:
    """Open the slots of a place up to the horizon."""
    today = now.astimezone(clock.HERE).date()
    return horizon.materialise(session, code, first=today, last=today + HORIZON, now=now)


def stranded(session: Session, code: str, opened: horizon.Opened) -> Iterator[str]:
    """Yield a line for every live appointment in a slot that is no longer offered."""
    gone = set(opened.stranded)
    for day in sorted({start.astimezone(clock.HERE).date() for start, _ in gone}):
        for one in booking.of_day(session, code, day):
            if one.state.live and (one.starts_at, one.lane) in gone:
                yield f"{one.starts_at.astimezone(clock.HERE):%d/%m/%Y %H:%M} {one.whose}"


def _change(settings: Settings, change: Work, touched: Callable[[Session], list[str]]) -> int:
    """Make a change, open the touched places anew and say who is stranded by it."""
    now = clock.now()

    def work(session: Session) -> list[str]:
        change(session)
        return [
            f"{code} {line}"
            for code in touched(session)
            for line in stranded(session, code, open_days(session, code, now))
        ]

    engine = connect(settings.database)
    try:
        lines = retrying(engine, work)
    except PlaceUnknown as unknown:
        sys.stderr.write(f"there is no place {unknown}\n")
    except LookupError as unknown:
        sys.stderr.write(f"{unknown}\n")
    except sa.exc.IntegrityError as refused:
        sys.stderr.write(f"it is there already, or makes no sense: {refused.orig}\n")
    else:
        sys.stdout.write("".join(f"has to be told: {line}\n" for line in lines))
        return 0
    finally:
        engine.dispose()
    return 1


def _touched(session: Session, scope: Scope, code: str) -> list[str]:
    match scope:
        case Scope.NATION:
            return [place.code for place in places.places(session)]
        case Scope.PROVINCE:
            return [place.code for place in places.places(session) if place.province == code]
        case Scope.PLACE:
            return [places.find(session, code).code]


def _add(arguments: argparse.Namespace, settings: Settings) -> int:
    def change(session: Session) -> None:
        places.add_place(
            session,
            code=arguments.code,
            name=arguments.name,
            address=arguments.address,
            province=arguments.province,
        )

    return _change(settings, change, lambda _: [arguments.code])


def _close(arguments: argparse.Namespace, settings: Settings) -> int:
    return _change(
        settings, lambda s: places.close_place(s, arguments.code), lambda _: [arguments.code]
    )


def _reopen(arguments: argparse.Namespace, settings: Settings) -> int:
    return _change(
        settings, lambda s: places.reopen_place(s, arguments.code), lambda _: [arguments.code]
    )


def _hours(arguments: argparse.Namespace, settings: Settings) -> int:
    rule = Rule(
        weekdays=arguments.days,
        opens=arguments.opens,
        closes=arguments.closes,
        step=arguments.step,
        capacity=arguments.capacity,
        lane=arguments.lane,
        valid_from=arguments.first or clock.now().astimezone(clock.HERE).date(),
        valid_to=arguments.last,
    )

    def change(session: Session) -> None:
        number = places.add_rule(session, arguments.place, rule)
        sys.stdout.write(f"rule {number}\n")

    return _change(settings, change, lambda _: [arguments.place])


def _end_hours(arguments: argparse.Namespace, settings: Settings) -> int:
    return _change(
        settings,
        lambda s: places.end_rule(s, arguments.rule, last=arguments.last),
        lambda s: _touched(s, Scope.NATION, ""),
    )


def _unlike(arguments: argparse.Namespace, settings: Settings) -> int:
    unlike = Unlike(
        day=arguments.day,
        kind=arguments.kind,
        as_weekday=arguments.as_weekday,
        closes=arguments.closes,
        words=arguments.words,
        words_en=arguments.words_en,
        source=arguments.source,
    )
    scope, code = arguments.scope, arguments.code
    return _change(
        settings,
        lambda s: places.add_exception(s, unlike, scope=scope, code=code),
        lambda s: _touched(s, scope, code),
    )


def _alike(arguments: argparse.Namespace, settings: Settings) -> int:
    scope, code = arguments.scope, arguments.code
    return _change(
        settings,
        lambda s: places.remove_exception(s, arguments.day, scope=scope, code=code),
        lambda s: _touched(s, scope, code),
    )


def code_of(text: str) -> str:
    """Return a place's code: letters, digits and dashes, at most 16.

    Raises:
        ValueError: it is none.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,15}", text):
        raise ValueError(text)
    return text


def weekday_of(text: str) -> int:
    """Return 0 for ``mon``.

    Raises:
        ValueError: it is no weekday.
    """
    return WEEKDAYS.index(text)


def weekdays_of(text: str) -> frozenset[int]:
    """Return the weekdays of ``mon,tue,sat``.

    Raises:
        ValueError: one of them is none.
    """
    return frozenset(weekday_of(word) for word in text.split(","))


def _scoped(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--day", required=True, type=date.fromisoformat)
    parser.add_argument("--scope", required=True, type=Scope, choices=list(Scope))
    parser.add_argument("--code", default="", help="of the place or province; none: the nation")


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register ``place-add``, ``-close``, ``-reopen``, ``hours-add``, ``-end``, ``day-...``."""
    adding = commands.add_parser("place-add", help="add a place")
    adding.add_argument("--code", required=True, type=code_of)
    for name in ("name", "address", "province"):
        adding.add_argument(f"--{name}", required=True)
    adding.set_defaults(run=_add)
    for command, run, help_ in (
        ("place-close", _close, "take no new appointments at a place; those that stand are kept"),
        ("place-reopen", _reopen, "take appointments at a place again"),
    ):
        parser = commands.add_parser(command, help=help_)
        parser.add_argument("--code", required=True)
        parser.set_defaults(run=run)

    hours = commands.add_parser("hours-add", help="add weekly hours to a place")
    hours.add_argument("--place", required=True)
    hours.add_argument("--days", type=weekdays_of, default=MONDAY_TO_FRIDAY, help="mon,tue,...")
    hours.add_argument("--opens", required=True, type=time.fromisoformat)
    hours.add_argument("--closes", required=True, type=time.fromisoformat)
    hours.add_argument("--step", required=True, type=int, help="minutes of one slot")
    hours.add_argument("--capacity", required=True, type=int, help="people a slot")
    hours.add_argument("--lane", default=REGULAR, type=str)
    hours.add_argument("--first", type=date.fromisoformat, help="first day; none: today")
    hours.add_argument("--last", type=date.fromisoformat, help="last day; none: for good")
    hours.set_defaults(run=_hours)
    end = commands.add_parser("hours-end", help="let weekly hours end")
    end.add_argument("--rule", required=True, type=int, help="the number hours-add gave")
    end.add_argument("--last", required=True, type=date.fromisoformat)
    end.set_defaults(run=_end_hours)

    unlike = commands.add_parser("day-add", help="make a day unlike its weekday")
    _scoped(unlike)
    unlike.add_argument("--kind", required=True, type=Kind, choices=list(Kind))
    unlike.add_argument("--as-weekday", type=weekday_of, help="whose hours a make-up day has: fri")
    unlike.add_argument("--closes", type=time.fromisoformat, help="when a short day ends")
    unlike.add_argument("--words", help="why, in Vietnamese, as citizens read it")
    unlike.add_argument("--words-en")
    unlike.add_argument("--source", required=True, help="the document that says so")
    unlike.set_defaults(run=_unlike)
    alike = commands.add_parser("day-remove", help="let a day be as its weekday again")
    _scoped(alike)
    alike.set_defaults(run=_alike)
