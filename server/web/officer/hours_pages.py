"""The hours of a station: lanes, weekly hours, special days.

Nothing is changed before the officer has seen who is hit by it; what becomes of them stands in
`stranded_pages`.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import sqlalchemy as sa
from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler import calendar, lanes, places, stranded
from scheduler.conflicts import AddHours, Change
from scheduler.database import reading, retrying
from scheduler.lanes import Lane
from scheduler.places import Rule, Unlike
from scheduler.plan import days_between
from scheduler.tables import Kind, LaneKind, Scope
from server.cases import hours, officers
from server.cases.hours import Losing
from server.store.tables import Role
from server.web.formats import weekday
from server.web.guard import open_to
from server.web.officer import hours_forms as forms
from server.web.officer.desk import desk, me
from server.web.shell import language, t

pages = Blueprint("hours", __name__)

SUPERVISOR: Final = Role.SUPERVISOR.value
AHEAD: Final = timedelta(days=120)
"""How far special days are listed: past the next long holiday."""
MONDAY: Final = date(2026, 11, 23)
SPAN: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneShown:
    """A lane with its weekly hours that are not over."""

    lane: Lane
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DayShown:
    """A day that is not as its weekday, for this station or the nation."""

    day: date
    what: str
    """closed, make_up_day or short_day."""
    until: str
    as_weekday: date | None
    """A day whose hours it has."""
    words: str
    source: str
    scope: str
    """nation, province or place; calendar where nobody entered it."""
    announced: bool


def station(session: Session) -> str:
    """Return the station that was asked for, or the officer's own where that is not theirs."""
    officer = me()
    asked = request.values.get("station", officer.station)
    return asked if asked in officers.stations_of(session, officer) else officer.station


def _example(weekday: int, day: date) -> date:
    """Return a day near to `day` that is such a weekday: pages name it in the reader's language."""
    return day + timedelta(days=(weekday - day.weekday()) % 7)


def _named(weekdays: frozenset[int]) -> str:
    """Return ``Thứ Hai đến Thứ Sáu, Chủ Nhật``: three or more days in a row are a span."""
    names = [weekday(_example(number, MONDAY), language()) for number in range(7)]
    runs: list[list[int]] = []
    for number in sorted(weekdays):
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(
        t("hours.span", first=names[run[0]], last=names[run[-1]])
        if len(run) >= SPAN
        else ", ".join(names[number] for number in run)
        for run in runs
    )


def _week(today: date) -> list[date]:
    """Return a Monday to a Sunday near to today, for their names."""
    return [_example(number, today) for number in range(7)]


def _in_words(vi: str | None, en: str | None) -> str:
    return (en if language() == "en" and en else vi) or ""


def _national(day: date) -> DayShown | None:
    name, like, until = calendar.holiday(day), calendar.make_up_for(day), calendar.closes_early(day)
    if name is None and like is None and until is None:
        return None
    off, short = name is not None, name is None and like is None
    return DayShown(
        day=day,
        what="closed" if off else "short_day" if short else "make_up_day",
        until=f"{until:%H:%M}" if until else "",
        as_weekday=None if like is None or off else _example(like, day),
        words=_in_words(name.vi, name.en) if name else "",
        source=calendar.source_of(day.year) or "",
        scope="calendar",
        announced=calendar.announced(day),
    )


def _entered(scope: Scope, unlike: Unlike) -> DayShown:
    return DayShown(
        day=unlike.day,
        what=unlike.kind.value,
        until=f"{unlike.closes:%H:%M}" if unlike.closes else "",
        as_weekday=None if unlike.as_weekday is None else _example(unlike.as_weekday, unlike.day),
        words=_in_words(unlike.words, unlike.words_en),
        source=unlike.source,
        scope=scope.value,
        announced=True,
    )


def _days(session: Session, code: str, today: date) -> list[DayShown]:
    last = today + AHEAD
    place = places.find(session, code)
    said = places.entered(session, place, first=today, last=last)
    known = [_entered(scope, unlike) for (scope, _), unlike in said.items()]
    nation = (_national(day) for day in days_between(today, last))
    known += [day for day in nation if day is not None]
    return sorted(known, key=lambda day: (day.day, day.scope))


def _lanes(session: Session, code: str, today: date) -> list[LaneShown]:
    rules = [
        rule
        for rule in places.rules(session, code)
        if rule.valid_to is None or rule.valid_to >= today
    ]
    rules.sort(key=lambda rule: (rule.valid_from > today, min(rule.weekdays), rule.opens))
    return [
        LaneShown(lane=lane, rules=tuple(rule for rule in rules if rule.lane == lane.code))
        for lane in lanes.of(session, code)
    ]


def _page(
    code: str | None = None, errors: forms.Errors | None = None, status: int = 200
) -> ResponseReturnValue:
    here, today = desk(), desk().today()
    with reading(here.engine) as session:
        code = code or station(session)
        allowed = officers.stations_of(session, me())
        names = {place.code: place.name for place in places.places(session)}
        if code not in names:
            abort(404)
        shown = _lanes(session, code, today)
        days = _days(session, code, today)
        to_tell = stranded.count_open(session, code)
    page = render_template(
        "officer/hours.html",
        station=code,
        station_name=names[code],
        stations=sorted((one, names[one]) for one in allowed if one in names),
        lanes=shown,
        kinds=tuple(LaneKind),
        day_kinds=tuple(Kind),
        days=days,
        named=_named,
        weekdays=[(str(day.weekday()), weekday(day, language())) for day in _week(today)],
        today=today,
        unannounced=[
            year
            for year in sorted({today.year, (today + hours.HORIZON).year})
            if not calendar.announced(date(year, 1, 1))
        ],
        to_tell=to_tell,
        entered=request.form,
        sentences={field: t(key) for field, key in (errors or {}).items()},
    )
    return page, status


@pages.get("/hours")
@open_to(SUPERVISOR)
def show() -> ResponseReturnValue:
    """Show lanes, weekly hours and special days of a station."""
    return _page()


def _seen(lost: Sequence[Losing]) -> str:
    """Return what says whether the same people are hit as when the officer looked."""
    who = sorted(f"{one.appointment.id} {one.appointment.starts_at.isoformat()}" for one in lost)
    return hashlib.sha256("\n".join(who).encode()).hexdigest()[:32]


def _asked(session: Session, code: str, today: date) -> Change:
    return forms.change(
        request.form,
        today=today,
        lanes=[lane.code for lane in lanes.of(session, code)],
        rules=[rule.number for rule in places.rules(session, code) if rule.number],
        place=code,
    )


def _meets(session: Session, code: str, change: Change) -> bool:
    """Return whether hours are added where the lane has some: places add up there."""
    if not isinstance(change, AddHours):
        return False
    new = change.rule
    return any(
        rule.lane == new.lane
        and rule.weekdays & new.weekdays
        and rule.opens < new.closes
        and new.opens < rule.closes
        and (rule.valid_to is None or rule.valid_to >= new.valid_from)
        and (new.valid_to is None or rule.valid_from <= new.valid_to)
        for rule in places.rules(session, code)
    )


@pages.post("/hours/change")
@open_to(SUPERVISOR)
def change() -> ResponseReturnValue:
    """Show who is hit by a change; make it once the officer is sure and nobody new is hit."""
    here, officer, now = desk(), me(), desk().now()
    sure = request.form.get("sure") == "yes"

    def work(session: Session) -> tuple[str, Change, tuple[Losing, ...], bool, bool]:
        code = station(session)
        asked = _asked(session, code, here.today())
        lost = hours.losing(session, code, change=asked, now=now)
        done = sure and request.form.get("seen") == _seen(lost)
        meets = not done and _meets(session, code, asked)
        if done:
            hours.apply(session, code, change=asked, officer=officer, now=now)
        return code, asked, lost, meets, done

    try:
        code, asked, lost, meets, done = retrying(here.engine, work)
    except forms.Wrong as wrong:
        return _page(errors=wrong.errors, status=422)
    except (LookupError, sa.exc.IntegrityError):
        return _page(errors={"what": "hours.wrong.what"}, status=409)
    if done:
        to = "stranded.show" if lost else "hours.show"
        return redirect(url_for(to, station=code, done=request.form.get("what")), code=303)
    return render_template(
        "officer/hours_confirm.html",
        station=code,
        change=asked,
        kind=type(asked).__name__,
        lost=lost,
        seen=_seen(lost),
        again=sure,
        meets=meets,
        carried=forms.carried(request.form),
        named=_named,
        week=_week(here.today()),
        rule=_rule_of(asked, code),
    )


def _rule_of(asked: Change, code: str) -> Rule | None:
    """Return the rule that is added or ended."""
    if isinstance(asked, AddHours):
        return asked.rule
    number = getattr(asked, "number", None)
    with reading(desk().engine) as session:
        return next((one for one in places.rules(session, code) if one.number == number), None)


@pages.post("/hours/lane")
@open_to(SUPERVISOR)
def lane() -> ResponseReturnValue:
    """Add a lane, or let more or fewer kiosks serve it."""
    here = desk()

    def work(session: Session) -> str:
        code = station(session)
        asked = forms.lane(request.form)
        known = {one.code for one in lanes.of(session, code)}
        if asked.code in known:
            lanes.change(session, code, asked.code, kind=asked.kind, servers=asked.servers)
        elif asked.code == asked.kind.value:
            lanes.add(session, code, code=asked.code, kind=asked.kind, servers=asked.servers)
        else:
            raise forms.Wrong({"lane_kind": "hours.wrong.lane_kind"})
        return code

    try:
        code = retrying(here.engine, work)
    except forms.Wrong as wrong:
        return _page(errors=wrong.errors, status=422)
    return redirect(url_for("hours.show", station=code, done="lane"), code=303)
