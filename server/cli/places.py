"""Adds places, their lanes, weekly hours and days that are unlike others, and opens their slots.

A change that takes hours away says who has an appointment in them, and with ``--dry-run`` says it
before anything is changed. It moves nobody: other times are offered by `server.cases.rebooking`.
"""

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, time

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import booking, conflicts, horizon, lanes, places
from scheduler.booking import Appointment
from scheduler.conflicts import AddDay, AddHours, Change, ClosePlace, EndHours, RemoveDay
from scheduler.database import connect, reading, retrying
from scheduler.places import MONDAY_TO_FRIDAY, REGULAR, PlaceUnknown, Rule, Unlike
from scheduler.tables import Kind, LaneKind, Scope
from server import clock
from server.cases import hours
from server.cases.hours import open_days
from server.settings import Settings

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Work = Callable[[Session], None]


def _line(code: str, one: Appointment) -> str:
    when = one.starts_at.astimezone(clock.HERE)
    return f"has to be told: {code} {when:%d/%m/%Y %H:%M} {one.whose}\n"


def stranded(session: Session, code: str, opened: horizon.Opened) -> Iterator[str]:
    """Yield a line for every live appointment in a slot that is no longer offered."""
    gone = set(opened.stranded)
    for day in sorted({start.astimezone(clock.HERE).date() for start, _ in gone}):
        for one in booking.of_day(session, code, day):
            if one.state.live and (one.starts_at, one.lane) in gone:
                yield _line(code, one)


def _work(settings: Settings, work: Callable[[sa.Engine, datetime], None]) -> int:
    """Do something with the database; say in a sentence what cannot be."""
    engine = connect(settings.database)
    try:
        work(engine, clock.now())
    except PlaceUnknown as unknown:
        sys.stderr.write(f"there is no place {unknown}\n")
    except LookupError as unknown:
        sys.stderr.write(f"{unknown}\n")
    except sa.exc.IntegrityError as refused:
        sys.stderr.write(f"it is there already, or makes no sense: {refused.orig}\n")
    except (ValueError, OverflowError, sa.exc.DataError, sa.exc.StatementError) as refused:
        sys.stderr.write(f"it makes no sense: {refused}\n")
    else:
        return 0
    finally:
        engine.dispose()
    return 1


def _open_anew(engine: sa.Engine, codes: Iterable[str], now: datetime) -> None:
    """Open places anew, each in a transaction of its own, and say who lost their time."""
    for code in codes:

        def work(session: Session, code: str = code) -> list[str]:
            return list(stranded(session, code, open_days(session, code, now)))

        sys.stdout.write("".join(retrying(engine, work)))


def _make(
    arguments: argparse.Namespace,
    settings: Settings,
    change: Change,
    *,
    scope: Scope = Scope.PLACE,
    code: str,
) -> int:
    """Make a change of one or many calendars, or with ``--dry-run`` say who would be hit."""

    def work(engine: sa.Engine, now: datetime) -> None:
        def change_all(session: Session) -> tuple[list[str], int | None]:
            codes = hours.touched(session, scope, code)
            return codes, conflicts.make(session, code, change=change)

        if arguments.dry_run:
            with reading(engine) as session:
                for one in hours.touched(session, scope, code):
                    for lost in conflicts.preview(session, one, change=change, now=now):
                        sys.stdout.write(_line(one, lost.appointment))
            return
        codes, rule = retrying(engine, change_all)
        sys.stdout.write("" if rule is None else f"rule {rule}\n")
        _open_anew(engine, codes, now)

    return _work(settings, work)


def _do(settings: Settings, change: Work, code: str) -> int:
    """Make a change that takes no hours away and open the place anew."""

    def work(engine: sa.Engine, now: datetime) -> None:
        retrying(engine, change)
        _open_anew(engine, [code], now)

    return _work(settings, work)


def _add(arguments: argparse.Namespace, settings: Settings) -> int:
    def change(session: Session) -> None:
        places.add_place(
            session,
            code=arguments.code,
            name=arguments.name,
            address=arguments.address,
            province=arguments.province,
            ward=arguments.ward,
            latitude=arguments.latitude,
            longitude=arguments.longitude,
        )

    return _do(settings, change, arguments.code)


def _lane(arguments: argparse.Namespace, settings: Settings) -> int:
    def change(session: Session) -> None:
        place, code = places.find(session, arguments.place).code, arguments.lane
        how = {"kind": arguments.kind, "servers": arguments.servers}
        if any(lane.code == code for lane in lanes.of(session, place)):
            lanes.change(session, place, code, **how)
        else:
            lanes.add(session, place, code=code, **how)

    return _do(settings, change, arguments.place)


def _close(arguments: argparse.Namespace, settings: Settings) -> int:
    return _make(arguments, settings, ClosePlace(), code=arguments.code)


def _reopen(arguments: argparse.Namespace, settings: Settings) -> int:
    return _do(settings, lambda s: places.reopen_place(s, arguments.code), arguments.code)


def _hours(arguments: argparse.Namespace, settings: Settings) -> int:
    rule = Rule(
        weekdays=arguments.days,
        opens=arguments.opens,
        closes=arguments.closes,
        step=arguments.step,
        capacity=arguments.capacity,
        public_capacity=arguments.public,
        lane=arguments.lane,
        valid_from=arguments.first or clock.now().astimezone(clock.HERE).date(),
        valid_to=arguments.last,
    )
    return _make(arguments, settings, AddHours(rule=rule), code=arguments.place)


def _end_hours(arguments: argparse.Namespace, settings: Settings) -> int:
    engine = connect(settings.database)
    try:
        with reading(engine) as session:
            code = places.place_of_rule(session, arguments.rule)
    except LookupError as unknown:
        sys.stderr.write(f"{unknown}\n")
        return 1
    finally:
        engine.dispose()
    change = EndHours(number=arguments.rule, last=arguments.last)
    return _make(arguments, settings, change, code=code)


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
    change = AddDay(unlike=unlike, scope=scope, code=code)
    return _make(arguments, settings, change, scope=scope, code=code)


def _alike(arguments: argparse.Namespace, settings: Settings) -> int:
    scope, code = arguments.scope, arguments.code
    change = RemoveDay(day=arguments.day, scope=scope, code=code)
    return _make(arguments, settings, change, scope=scope, code=code)


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


def _dry(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--dry-run", action="store_true", help="say who would lose their time; change nothing"
    )


def _scoped(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--day", required=True, type=date.fromisoformat)
    parser.add_argument("--scope", required=True, type=Scope, choices=list(Scope))
    parser.add_argument("--code", default="", help="of the place or province; none: the nation")


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register ``place-...``, ``lane-set``, ``hours-...`` and ``day-...``."""
    adding = commands.add_parser("place-add", help="add a place")
    adding.add_argument("--code", required=True, type=code_of)
    for name in ("name", "address", "province"):
        adding.add_argument(f"--{name}", required=True)
    adding.add_argument("--ward", default="", help="the commune's name")
    adding.add_argument("--latitude", type=float, help="degrees, WGS 84")
    adding.add_argument("--longitude", type=float)
    adding.set_defaults(run=_add)
    close = commands.add_parser(
        "place-close", help="take nobody at a place; who has an appointment chooses anew"
    )
    close.add_argument("--code", required=True)
    close.set_defaults(run=_close)
    _dry(close)
    reopen = commands.add_parser("place-reopen", help="take appointments at a place again")
    reopen.add_argument("--code", required=True)
    reopen.set_defaults(run=_reopen)
    _add_hours(commands)
    _add_days(commands)


def _add_hours(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    lane = commands.add_parser("lane-set", help="say whom a lane is for and how many serve it")
    lane.add_argument("--place", required=True)
    lane.add_argument("--lane", required=True, type=code_of)
    lane.add_argument("--kind", required=True, type=LaneKind, choices=list(LaneKind))
    lane.add_argument("--servers", required=True, type=int, help="kiosks that work at once")
    lane.set_defaults(run=_lane)

    weekly = commands.add_parser("hours-add", help="add weekly hours to a place")
    weekly.add_argument("--place", required=True)
    weekly.add_argument("--days", type=weekdays_of, default=MONDAY_TO_FRIDAY, help="mon,tue,...")
    weekly.add_argument("--opens", required=True, type=time.fromisoformat)
    weekly.add_argument("--closes", required=True, type=time.fromisoformat)
    weekly.add_argument("--step", required=True, type=int, help="minutes of one slot")
    weekly.add_argument("--capacity", required=True, type=int, help="people a slot")
    weekly.add_argument("--public", type=int, help="of them who book for themselves; none: all")
    weekly.add_argument("--lane", default=REGULAR, type=code_of)
    weekly.add_argument("--first", type=date.fromisoformat, help="first day; none: today")
    weekly.add_argument("--last", type=date.fromisoformat, help="last day; none: for good")
    weekly.set_defaults(run=_hours)
    _dry(weekly)
    end = commands.add_parser("hours-end", help="let weekly hours end")
    end.add_argument("--rule", required=True, type=int, help="the number hours-add gave")
    end.add_argument("--last", required=True, type=date.fromisoformat)
    end.set_defaults(run=_end_hours)
    _dry(end)


def _add_days(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    unlike = commands.add_parser("day-add", help="make a day unlike its weekday")
    _scoped(unlike)
    unlike.add_argument("--kind", required=True, type=Kind, choices=list(Kind))
    unlike.add_argument("--as-weekday", type=weekday_of, help="whose hours a make-up day has: fri")
    unlike.add_argument("--closes", type=time.fromisoformat, help="when a short day ends")
    unlike.add_argument("--words", help="why, in Vietnamese, as citizens read it")
    unlike.add_argument("--words-en")
    unlike.add_argument("--source", required=True, help="the document that says so")
    unlike.set_defaults(run=_unlike)
    _dry(unlike)
    alike = commands.add_parser("day-remove", help="let a day be as its weekday again")
    _scoped(alike)
    alike.set_defaults(run=_alike)
    _dry(alike)
