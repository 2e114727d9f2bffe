"""What the programs' door works with: the database, the clock, who calls, how fast they may.

It knows no route.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import cast

import sqlalchemy as sa
from flask import Response, current_app, g, request

from scheduler.database import reading
from server.cases import behalf, programs
from server.cases.behalf import Lanes
from server.cases.programs import Caller
from server.clock import HERE
from server.web.api.problems import Code, Refused, problem
from server.web.fresh import Fresh

EXTENSION = "api"
KEY_SECONDS = 5
"""[D] How long a key is believed after it was looked up: so long a revoked one still works."""
MOST_KEYS = 1024
LANE_SECONDS = 5
"""[D] How old the lanes of a place may be: a new one opens so much later to programs."""
MOST_LANES = 4096
BEARER = "Bearer "
BURST = 10
"""[D] Seconds' worth of requests that may come at once after a pause."""


@dataclass(slots=True, kw_only=True)
class Pace:
    """How many requests each program may still make here; every process counts for itself."""

    left: dict[str, tuple[float, datetime]] = field(default_factory=dict)
    """By name: requests that were left, and when."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def wait(self, caller: Caller, now: datetime) -> int:
        """Count a request; return 0 if it may be made, else the seconds until the next may."""
        a_second = caller.a_minute / 60
        most = max(1.0, a_second * BURST)
        with self.lock:
            left, since = self.left.get(caller.name, (most, now))
            gained = max(0.0, (now - since).total_seconds()) * a_second
            left = min(most, left + gained)
            if left < 1:
                self.left[caller.name] = (left, now)
                return max(1, round((1 - left) / a_second))
            self.left[caller.name] = (left - 1, now)
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The parts the door works with."""

    secret: bytes
    engine: sa.Engine
    clock: Callable[[], datetime]
    callers: Fresh[Caller | None] = field(
        default_factory=lambda: Fresh(seconds=KEY_SECONDS, most=MOST_KEYS)
    )
    lanes: Fresh[Lanes] = field(
        default_factory=lambda: Fresh(seconds=LANE_SECONDS, most=MOST_LANES)
    )
    """By place."""
    pace: Pace = field(default_factory=Pace)


def desk() -> Desk:
    """Return this app's desk."""
    return cast("Desk", current_app.extensions[EXTENSION])


def caller() -> Caller:
    """Return the program whose key the gate has recognised."""
    return cast("Caller", g.caller)


def now() -> datetime:
    """Return the time of this request."""
    return cast("datetime", g.now)


def lanes(place: str) -> Lanes:
    """Return which lanes of a place are open to whom; asked before any transaction is begun."""

    def look_up() -> Lanes:
        with reading(desk().engine) as session:
            return behalf.lanes(session, place)

    return desk().lanes.get(place, now=now(), make=look_up)


def today() -> date:
    """Return the day of this request in Vietnam."""
    return now().astimezone(HERE).date()


def admit(audience: str) -> Response | None:
    """Let in a program with a valid key that does not ask too often; see `guard.Gate`."""
    del audience
    here = desk()
    g.now = here.clock()
    said = request.headers.get("Authorization", "")
    key = said.removeprefix(BEARER)
    # What has not the shape of a key is neither looked up nor remembered.
    shaped = said.startswith(BEARER) and programs.SHAPE.fullmatch(key)
    found = here.callers.get(key, now=g.now, make=lambda: _look_up(key)) if shaped else None
    if found is None:
        return problem(Refused(Code.KEY_WRONG))
    g.caller = found
    wait = here.pace.wait(found, g.now)
    return problem(Refused(Code.TOO_MANY, retry_after=wait)) if wait else None


def _look_up(key: str) -> Caller | None:
    with reading(desk().engine) as session:
        return programs.recognise(session, key)
