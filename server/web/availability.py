"""What is free, as pages and programs are shown it: a few seconds old, so that crowds cost little.

It decides nothing: whoever takes a place asks the scheduler, which counts anew.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

import sqlalchemy as sa
from flask import current_app

from scheduler import offers
from scheduler.database import reading
from scheduler.offers import Day
from scheduler.places import PUBLIC
from scheduler.search import Station
from server.clock import HERE
from server.web.fresh import Fresh

EXTENSION = "availability"
SECONDS = 3
"""[D] How old a month may be: nobody reads one faster, and thousands may read the same."""
MOST_MONTHS = 4096
"""Months kept, some 5 kB each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The kept answers of one process."""

    engine: sa.Engine
    months: Fresh[tuple[Day, ...]]

    def month(
        self,
        place: str,
        *,
        first: date,
        last: date,
        now: datetime,
        lanes: Collection[str] = PUBLIC,
        length: int | None = None,
    ) -> tuple[Day, ...]:
        """Return `scheduler.offers.days`, at most `SECONDS` old.

        Raises:
            PlaceUnknown: there is no such place.
        """

        def ask() -> tuple[Day, ...]:
            with reading(self.engine) as session:
                return offers.days(
                    session, place, first=first, last=last, now=now, lanes=lanes, length=length
                )

        key = (place, first, last, frozenset(lanes), length)
        return self.months.get(key, now=now, make=ask)


def open_window(engine: sa.Engine) -> Window:
    """Return a window with nothing kept yet."""
    return Window(engine=engine, months=Fresh(seconds=SECONDS, most=MOST_MONTHS))


def in_json(station: Station, earliest: datetime | None) -> dict[str, Any]:
    """Return a station and its earliest free time as programs read them."""
    return {
        "code": station.code,
        "name": station.name,
        "address": station.address,
        "ward": station.ward,
        "province": station.province,
        "latitude": station.where[0] if station.where else None,
        "longitude": station.where[1] if station.where else None,
        "earliest": earliest.astimezone(HERE).isoformat() if earliest else None,
    }


def window() -> Window:
    """Return this app's window."""
    return cast("Window", current_app.extensions[EXTENSION])
