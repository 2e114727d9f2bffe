"""What every citizen page works with: the database, the registry, the clock, the draft at hand.

It renders nothing and decides nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from flask import current_app, request
from sqlalchemy.orm import Session
from werkzeug.exceptions import TooManyRequests

from scheduler.booking import Appointment
from scheduler.database import reading, transaction
from server.cases import appointments, filing, needs, throttle
from server.cases.needs import Need
from server.cases.throttle import Limit, network_of
from server.clock import HERE
from server.registry.port import Person, Registry
from server.rules import cases, priority
from server.rules.dossier import DossierState
from server.rules.fields import BirthDate
from server.rules.lists import Listed
from server.settings import Settings
from server.store.tables import Dossier
from server.web import guard
from server.web.citizen.forms import birth_date

TOKEN = "dossier"  # noqa: S105 - a cookie's name
EXTENSION = "citizen"
HORIZON = timedelta(days=60)
"""How far ahead days are looked at; the worker opens fewer, the rest says "not open yet"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the app was made with."""

    settings: Settings
    secret: bytes
    engine: sa.Engine
    registry: Registry
    clock: Callable[[], datetime]

    def now(self) -> datetime:
        """Return the time."""
        return self.clock()

    def today(self) -> date:
        """Return the day in Vietnam."""
        return self.clock().astimezone(HERE).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A dossier as the pages of the browser that holds its token see it."""

    id: UUID
    state: DossierState
    profile: str
    purpose: str
    answers: dict[str, Any]
    person: Person | None
    birth: BirthDate | None
    held: Appointment | None
    live: Appointment | None
    code: str | None

    @property
    def case(self) -> cases.Case:
        """The case it is about."""
        return cases.case(self.purpose, self.profile)

    def outcome(self, on: date) -> cases.Outcome | None:
        """Whether the citizen must come if the day is `on`; None before the birth date is known."""
        if self.birth is None:
            return None
        return cases.coming(self.purpose, self.birth.day, on, self.profile)

    def need(self, on: date) -> Need:
        """What the person needs of an appointment on the day `on`.

        Raises:
            LookupError: nobody's data were checked yet.
        """
        if self.person is None:
            raise LookupError("nobody yet")
        return needs.need(self.person.birth_date, on, self.answers.get("priority", ()))

    def groups(self, on: date) -> tuple[Listed, ...]:
        """Why the person is let go first on the day `on`; empty: they are not."""
        if self.person is None:
            return ()
        return priority.groups(self.person.birth_date, on, self.answers.get("priority", ()))

    def first_day(self, today: date) -> date | None:
        """The first day within the horizon on which the citizen may come, or None."""
        if self.birth is None:
            return None
        last = today + HORIZON
        return cases.first_day_to_come(self.purpose, self.birth.day, today, last, self.profile)

    def advice(self, today: date) -> cases.Outcome | None:
        """Whether the citizen must come on the first day they may, else today: a child turns 6."""
        return self.outcome(self.first_day(today) or today)


def desk() -> Desk:
    """Return what the app was made with."""
    return cast("Desk", current_app.extensions[EXTENSION])


def _birth(dossier: Dossier) -> BirthDate | None:
    said = dossier.answers.get("birth")
    if said is not None:
        return birth_date(said)
    if dossier.birth_date is None:
        return None
    return BirthDate(day=dossier.birth_date, year_only=dossier.birth_year_only)


def view(session: Session, dossier: Dossier, now: datetime) -> Draft:
    """Return the record the pages work with."""
    return Draft(
        id=dossier.id,
        state=dossier.state,
        profile=dossier.profile,
        purpose=dossier.purpose,
        answers=dossier.answers,
        person=Person.from_json(dossier.person) if dossier.person else None,
        birth=_birth(dossier),
        held=appointments.held(session, dossier, now=now),
        live=appointments.live(session, dossier),
        code=dossier.code,
    )


def at_hand() -> Draft | None:
    """Return the draft or dossier this browser holds the token of, or None."""
    token = guard.cookie(TOKEN)
    if token is None:
        return None
    here = desk()
    with reading(here.engine) as session:
        dossier = filing.of_token(session, token)
        return None if dossier is None else view(session, dossier, here.now())


def taken(session: Session) -> Dossier | None:
    """Return the row of the dossier this browser holds the token of, inside a transaction."""
    return filing.of_token(session, guard.cookie(TOKEN))


def network() -> str:
    """Return which network the request comes from, as far as we see."""
    return network_of(request.remote_addr)


def slow_down(*counted: tuple[Limit, str]) -> None:
    """Count a try in a transaction of its own: it counts whatever comes after.

    Raises:
        TooManyRequests: there were too many of one kind.
    """
    here = desk()
    now = here.now()
    with transaction(here.engine) as session:
        wait = max(
            throttle.count(session, limit, what, secret=here.secret, now=now)
            for limit, what in counted
        )
    if wait:
        raise TooManyRequests(retry_after=wait)
