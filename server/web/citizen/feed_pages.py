"""Free places as open data: anybody may ask as often as they like, and read what everybody reads.

It shows nobody's data and sells no advantage: what comes free goes to those who wait first.
"""

import gzip
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from flask import Blueprint, Response, current_app, request, url_for
from flask.blueprints import BlueprintSetupState

from scheduler import feed
from scheduler.database import reading
from scheduler.feed import Availability
from scheduler.places import PlaceUnknown
from server.clock import HERE
from server.rules import lists
from server.web.availability import in_json
from server.web.citizen.desk import HORIZON, desk
from server.web.fresh import Fresh
from server.web.guard import open_to
from server.web.shell import words

pages = Blueprint("feed", __name__)

EXTENSION = "feed"
SECONDS = 5
"""[D] How old what is published may be."""
MOST = 512
"""Answers kept, each packed too; a province's has some 200 kB."""
LICENCE = "https://creativecommons.org/publicdomain/zero/1.0/"
CODE = re.compile(r"[A-Za-z0-9_.-]{1,16}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """An answer as it is sent."""

    plain: bytes
    packed: bytes
    """The same by gzip."""
    digest: str
    """Of the plain one: whoever has it need not be sent it again."""


@pages.record_once
def _shelve(state: BlueprintSetupState) -> None:
    """Give the app room for the answers it keeps."""
    state.app.extensions[EXTENSION] = Fresh[Published](seconds=SECONDS, most=MOST)


def _published(content: Mapping[str, Any]) -> Published:
    plain = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return Published(
        plain=plain,
        packed=gzip.compress(plain, mtime=0),
        digest=hashlib.sha256(plain).hexdigest()[:32],
    )


def _said(key: str) -> dict[str, str]:
    text = words()[key]
    return {"vi": text.vi, "en": text.en}


def _about() -> dict[str, Any]:
    """Return what every answer says of itself; no time, so that what is the same stays the same."""
    return {
        "licence": {"url": LICENCE, **_said("feed.licence")},
        "note": _said("feed.note"),
        "seconds_old_at_most": SECONDS,
        "time_zone": HERE.key,
    }


def _station(found: Availability) -> dict[str, Any]:
    return {
        **in_json(found.station, found.earliest),
        "days": [
            {"date": count.date.isoformat(), "free": count.free, "capacity": count.capacity}
            for count in found.days
        ],
    }


def _content(found: Iterable[Availability]) -> dict[str, Any]:
    return {**_about(), "stations": [_station(one) for one in found]}


def _range() -> tuple[date, date]:
    today = desk().today()
    return today, today + HORIZON


def _kept(key: str, make: Callable[[], Mapping[str, Any]]) -> Published:
    shelf = cast("Fresh[Published]", current_app.extensions[EXTENSION])
    return shelf.get(key, now=desk().now(), make=lambda: _published(make()))


def _answer(published: Published) -> Response:
    packed = request.accept_encodings.quality("gzip") > 0
    response = Response(published.packed if packed else published.plain)
    response.mimetype = "application/json"
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    response.set_etag(published.digest + ("-gz" if packed else ""))
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = f"public, max-age={SECONDS}"
    _let_read(response)
    response.make_conditional(request)
    return response


def _let_read(response: Response) -> None:
    """Let pages of anybody read the answer: there is nothing in it that is not public."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Expose-Headers"] = "ETag"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"


def _unknown() -> Response:
    response = Response(
        json.dumps({"status": 404, "title": _said("feed.unknown")}, ensure_ascii=False),
        status=404,
        mimetype="application/problem+json",
    )
    _let_read(response)
    return response


@pages.get("/open/availability.json")
@open_to("everybody")
def index() -> Response:
    """Say what there is to read."""
    content = {
        **_about(),
        "provinces": [
            {
                "code": province.code,
                "name": {"vi": province.name.vi, "en": province.name.en},
                "url": url_for("feed.province", code=province.code),
            }
            for province in lists.provinces()
        ],
    }
    return _answer(_kept("", lambda: content))


@pages.get("/open/availability/<code>.json")
@open_to("everybody")
def province(code: str) -> Response:
    """Say what is free at each station of a province."""
    if code not in {known.code for known in lists.provinces()}:
        return _unknown()
    first, last = _range()

    def make() -> Mapping[str, Any]:
        with reading(desk().engine) as session:
            found = feed.availability(
                session, province=code, first=first, last=last, now=desk().now()
            )
        return _content(found)

    return _answer(_kept(f"province {code}", make))


@pages.get("/open/availability/stations/<code>.json")
@open_to("everybody")
def station(code: str) -> Response:
    """Say what is free at one station."""
    if not CODE.fullmatch(code):
        return _unknown()
    first, last = _range()

    def make() -> Mapping[str, Any]:
        with reading(desk().engine) as session:
            found = feed.availability(session, place=code, first=first, last=last, now=desk().now())
        return _content(found)

    try:
        return _answer(_kept(f"station {code}", make))
    except PlaceUnknown:
        return _unknown()
