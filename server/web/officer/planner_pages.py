"""The planner of a station: how many places to open, in which pattern, and opening them.

It simulates nothing itself, and nothing is changed before the officer has seen who is hit by it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from scheduler import lanes, places, planner
from scheduler.database import reading, retrying
from scheduler.places import REGULAR, Rule
from scheduler.planner import Inputs, Pattern, Plan, applying, learning
from scheduler.planner.learning import Learnt
from scheduler.planner.search import Half
from scheduler.planner.trial import Outcome
from server.cases import officers, planning
from server.cases.hours import Losing
from server.cases.planning import Asked
from server.rules import lengths
from server.store.tables import Role
from server.web.formats import weekday
from server.web.guard import open_to
from server.web.officer import planner_drawing as drawing
from server.web.officer import planner_forms as forms
from server.web.officer.desk import desk, me
from server.web.shell import language, t

pages = Blueprint("planner", __name__)

SUPERVISOR: Final = Role.SUPERVISOR.value
KEPT: Final = 64
"""[D] Plans that are not searched again when a page is asked for again."""
TYPICAL_AGE: Final = timedelta(days=365 * 30)
"""[D] Of whom most slots are for."""
NOON, EVENING = 12, 18
CARRIED: Final = (
    *("station", "lane", "pattern", "servers", "seed", "first", "days"),
    *("opens", "closes", "opens2", "closes2", "places1", "places2"),
    *("mean", "no_show", "walk_ins", "failure", "wait", "overtime"),
)
"""Every field of the form that opens a plan, as it is carried to the page that asks again."""
TOLD: Final = ("mean", "no_show", "walk_ins", "failure", "wait", "overtime")
"""What is written down of a plan's inputs."""


@lru_cache(maxsize=KEPT)
def _plan(inputs: Inputs, seed: int, pattern: Pattern | None) -> Plan:
    return planner.plan(inputs, seed=seed, pattern=pattern)


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """The lane a plan is for."""

    station: str
    lane: str
    station_name: str
    stations: list[tuple[str, str]]
    lanes: list[lanes.Lane]
    learnt: Learnt
    first_day: date
    """From which on nobody would lose their time."""
    weekdays: frozenset[int]


def _length(today: date) -> int:
    return lengths.minutes(today - TYPICAL_AGE, today)


def _where(session: Session) -> Where:
    here, officer = desk(), me()
    now, today = here.now(), here.today()
    allowed = officers.stations_of(session, officer)
    station = request.values.get("station", officer.station)
    station = station if station in allowed else officer.station
    names = {place.code: place.name for place in places.places(session)}
    if station not in names:
        abort(404)
    known = lanes.of(session, station)
    codes = [lane.code for lane in known]
    lane = request.values.get("lane", REGULAR)
    lane = lane if lane in codes else (codes[0] if codes else "")
    if not lane:
        abort(404)
    first_day = applying.untroubled(session, station, lane, now=now)
    rules = places.rules(session, station)
    return Where(
        station=station,
        lane=lane,
        station_name=names[station],
        stations=sorted((one, names[one]) for one in allowed if one in names),
        lanes=list(known),
        learnt=learning.learn(session, station, now=now, lane=lane, length=_length(today)),
        first_day=first_day,
        weekdays=applying.usual_days(rules, lane, first_day),
    )


def _half_key(half: Half) -> str:
    hour = half.opening.opens.hour
    return "morning" if hour < NOON else "afternoon" if hour < EVENING else "evening"


@pages.get("/planner")
@open_to(SUPERVISOR)
def show() -> ResponseReturnValue:
    """Show what the station is like, and the plan that follows."""
    return _show(request.args)


def _show(given: MultiDict[str, str], errors: forms.Errors | None = None) -> ResponseReturnValue:
    here = desk()
    today = here.today()
    with reading(here.engine) as session:
        where = _where(session)
    entered: MultiDict[str, str] = MultiDict(forms.defaults(where.learnt))
    if "servers" in given:
        entered = MultiDict(given)
    wrong, plan = dict(errors or {}), None
    try:
        told = forms.read(entered, where.learnt, length=_length(today))
        plan = _plan(told.inputs, told.seed, told.pattern)
    except forms.Wrong as found:
        wrong |= found.errors
    page = render_template(
        "officer/planner.html",
        where=where,
        learnt=where.learnt,
        entered=entered,
        plan=plan,
        curve=_curve(plan),
        halves=[(_half_key(half), half) for half in plan.halves] if plan else [],
        sentences={field: t(key) for field, key in wrong.items()},
        patterns=tuple(Pattern),
        weekdays=_weekdays(today),
        tomorrow=today + timedelta(days=1),
        length=_length(today),
    )
    return page, 422 if wrong else 200


def _curve(plan: Plan | None) -> drawing.Curve | None:
    longest = _longest(plan)
    if plan is None or longest is None:
        return None
    return drawing.draw(plan.curve, plan.inputs.promise, longest.places)


def _longest(plan: Plan | None) -> Outcome | None:
    """Return what the curve's opening is like as planned; None: no number keeps the promise."""
    if plan is None:
        return None
    return max(plan.halves, key=lambda half: half.opening.minutes).outcome


def _weekdays(today: date) -> list[tuple[str, str]]:
    week = [today + timedelta(days=(number - today.weekday()) % 7) for number in range(7)]
    return [(str(day.weekday()), weekday(day, language())) for day in week]


def _seen(lost: Sequence[Losing]) -> str:
    """Return what says whether the same people are hit as when the officer looked."""
    who = sorted(f"{one.appointment.id} {one.appointment.starts_at.isoformat()}" for one in lost)
    return hashlib.sha256("\n".join(who).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A plan to be opened, as it was looked at."""

    asked: Asked
    to_open: forms.ToOpen
    lost: tuple[Losing, ...]
    rules: tuple[Rule, ...]
    fewer_public: bool
    """Whether officers had places of their own in these hours: the plan has none."""
    done: bool


@pages.post("/planner/open")
@open_to(SUPERVISOR)
def open_plan() -> ResponseReturnValue:
    """Show who is hit by a plan; open it once the officer is sure and nobody new is hit."""
    here, officer, now, today = desk(), me(), desk().now(), desk().today()
    sure = request.form.get("sure") == "yes"

    def work(session: Session) -> Looked:
        where = _where(session)
        found = forms.to_open(request.form, length=_length(today), today=today)
        asked = Asked(
            place=where.station,
            lane=where.lane,
            plan=found.plan,
            first_day=found.first_day,
            weekdays=found.weekdays,
        )
        rules = found.plan.rules(where.lane, weekdays=found.weekdays, first_day=found.first_day)
        old = [rule for rule in places.rules(session, where.station) if rule.lane == where.lane]
        lost = planning.losing(session, asked, now=now)
        done = sure and request.form.get("seen") == _seen(lost)
        if done:
            said = {name: request.form.get(name, "")[: forms.LARGEST] for name in TOLD}
            planning.apply(session, asked, officer=officer, seed=found.seed, said=said, now=now)
        return Looked(
            asked=asked,
            to_open=found,
            lost=lost,
            rules=rules,
            fewer_public=any(rule.public < rule.capacity for rule in old),
            done=done,
        )

    try:
        looked = retrying(here.engine, work)
    except forms.Wrong as wrong:
        return _show(request.form, wrong.errors)
    except (ValueError, IntegrityError):
        return _show(request.form, {"places1": "plan.wrong.places"})
    if looked.done:
        to = "stranded.show" if looked.lost else "hours.show"
        return redirect(url_for(to, station=looked.asked.place, done="hours"), code=303)
    return render_template(
        "officer/planner_confirm.html",
        looked=looked,
        lost=looked.lost,
        seen=_seen(looked.lost),
        again=sure,
        carried={name: request.form.getlist(name) for name in CARRIED if request.form.get(name)},
        weekdays=_weekdays(today),
    )
