"""Stations and their free times by JSON, for programs that help somebody choose.

What it shows may be gone when it is booked.
"""

from datetime import timedelta
from typing import Any

from flask import Response, request

from scheduler import offers, search
from scheduler.database import reading
from scheduler.search import Point, Station
from server.clock import HERE
from server.web.api import bodies
from server.web.api.answers import answer
from server.web.api.desk import desk, lanes, now, today
from server.web.api.problems import Code, Refused
from server.web.availability import SECONDS, in_json, window
from server.web.guard import open_to

MOST_DAYS = 62
"""Two months: more is not opened ahead."""
MOST_STATIONS = 100
LONGEST_STAY = 240
"""[D] Minutes: half a day is nobody's appointment."""


def _station(station: Station) -> dict[str, Any]:
    return {
        **in_json(station, station.earliest),
        "distance_km": None if station.distance_km is None else round(station.distance_km, 1),
    }


def _near() -> Point | None:
    latitude = bodies.query_number("latitude", least=-90, most=90)
    longitude = bodies.query_number("longitude", least=-180, most=180)
    if (latitude is None) != (longitude is None):
        raise Refused(Code.FIELD_WRONG, field="latitude" if latitude is None else "longitude")
    return None if latitude is None or longitude is None else (latitude, longitude)


@open_to("program")
def find() -> Response:
    """List stations with their earliest free time."""
    limit = bodies.query_number("limit", least=1, most=MOST_STATIONS)
    ward = bodies.query_text("ward", search.LONGEST_QUERY)
    with reading(desk().engine) as session:
        found = search.stations(
            session,
            province=bodies.query_word("province"),
            ward=ward or None,
            near=_near(),
            words=bodies.query_text("q", search.LONGEST_QUERY),
            soonest=_yes("soonest"),
            now=now(),
            limit=int(limit or MOST_STATIONS),
        )
    return answer({"stations": [_station(one) for one in found]})


def _yes(name: str) -> bool:
    value = request.args.get(name, "no")
    if value not in {"yes", "no"}:
        raise Refused(Code.FIELD_WRONG, field=name)
    return value == "yes"


def _length() -> int | None:
    minutes = bodies.query_number("minutes", least=1, most=LONGEST_STAY)
    return None if minutes is None else int(minutes)


def _code(code: str) -> str:
    if not bodies.WORD.fullmatch(code):
        raise Refused(Code.STATION_UNKNOWN)
    return code


@open_to("program")
def days(code: str) -> Response:
    """List the days of a station with their free places; a few seconds old."""
    code, length = _code(code), _length()
    first = max(bodies.query_day("first") or today(), today())
    last = bodies.query_day("last") or first + timedelta(days=30)
    if not first <= last < first + timedelta(days=MOST_DAYS):
        raise Refused(Code.FIELD_WRONG, field="last")
    open_lanes = lanes(code)[_yes("priority")]
    found = window().month(code, first=first, last=last, now=now(), lanes=open_lanes, length=length)
    response = answer(
        {
            "station": code,
            "days": [
                {
                    "date": day.date.isoformat(),
                    "free": day.free,
                    "capacity": day.capacity,
                    "by_lot": day.by_lot,
                    "closed": {"vi": day.closed, "en": day.closed_en} if day.closed else None,
                }
                for day in found
            ],
        }
    )
    response.headers["Cache-Control"] = f"private, max-age={SECONDS}"
    response.add_etag()
    response.make_conditional(request)
    return response


@open_to("program")
def times(code: str) -> Response:
    """List the times of a day that are still to come, full ones too; not kept."""
    code, length, day = _code(code), _length(), bodies.query_day("day")
    if day is None or not today() <= day < today() + timedelta(days=MOST_DAYS):
        raise Refused(Code.FIELD_WRONG, field="day")
    open_lanes = lanes(code)[_yes("priority")]
    with reading(desk().engine) as session:
        found = offers.times(session, code, day, now=now(), lanes=open_lanes, length=length)
    return answer(
        {
            "station": code,
            "times": [
                {
                    "starts_at": offer.slot.starts_at.astimezone(HERE).isoformat(),
                    "ends_at": offer.ends_at.astimezone(HERE).isoformat(),
                    "lane": offer.slot.lane,
                    "free": offer.free,
                    "by_lot": offer.by_lot,
                }
                for offer in found
            ],
        }
    )
