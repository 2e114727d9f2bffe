"""A family as its pages see it: the people, whose data were checked, what they need together.

It renders nothing and stores nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from flask import redirect, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler.database import reading, retrying
from scheduler.life import AppointmentState
from server.cases import families
from server.cases.families import FamilyUnknown
from server.cases.needs import Need
from server.rules.cases import Outcome
from server.rules.dossier import DossierState
from server.store.tables import Family
from server.web import guard
from server.web.citizen.desk import Draft, desk, view

TOKEN = "family"  # noqa: S105 - a cookie's name
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One of the family."""

    number: int
    draft: Draft

    @property
    def name(self) -> str:
        """The full name; empty before the record was asked."""
        return self.draft.person.full_name if self.draft.person else ""

    @property
    def ready(self) -> bool:
        """Whether everything is known of the person that a booking needs."""
        if self.draft.state is not DossierState.DRAFT:
            return True
        checked = self.draft.person is not None and self.draft.answers.get("data") == "yes"
        return checked and (not self.accompanied or "representative" in self.draft.answers)

    @property
    def accompanied(self) -> bool:
        """Whether a representative has to come along."""
        outcome = self.draft.advice(desk().today())
        return outcome is not None and outcome.accompanied

    @property
    def outcome(self) -> Outcome | None:
        """What the person is told about coming."""
        return self.draft.advice(desk().today())


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A family."""

    id: UUID
    answers: dict[str, Any]
    people: tuple[Person, ...]

    @property
    def booked(self) -> tuple[Person, ...]:
        """Who has an appointment that is certain and to come."""
        return tuple(one for one in self.people if one.draft.live is not None)

    @property
    def movable(self) -> tuple[Person, ...]:
        """Whose appointment can still be changed."""
        return tuple(
            one
            for one in self.booked
            if one.draft.live is not None and one.draft.live.state is AppointmentState.BOOKED
        )

    @property
    def groups(self) -> tuple[tuple["Person", ...], ...]:
        """Who was booked together, and is moved together."""
        found: dict[object, list[Person]] = {}
        for one in self.movable:
            party = one.draft.live.party if one.draft.live is not None else None
            found.setdefault(party or one.number, []).append(one)
        return tuple(tuple(some) for some in found.values())

    def group(self, number: int | None) -> tuple["Person", ...]:
        """Return the group the person of this number is in, the first where there is none."""
        groups = self.groups
        there = (some for some in groups if number in {one.number for one in some})
        return next(there, groups[0] if groups else ())

    @property
    def to_book(self) -> tuple[Person, ...]:
        """Who has none yet and may have one."""
        open_ = {DossierState.DRAFT, DossierState.FILED}
        return tuple(
            one for one in self.people if one.draft.live is None and one.draft.state in open_
        )

    @property
    def held(self) -> tuple[Person, ...]:
        """For whom a place is held."""
        return tuple(one for one in self.to_book if one.draft.held is not None)

    @property
    def ready(self) -> bool:
        """Whether a place may be chosen."""
        return bool(self.to_book) and all(one.ready for one in self.to_book)

    @property
    def room(self) -> int:
        """How many people may still be added."""
        return families.MOST - len(self.people)

    def person(self, number: int) -> Person | None:
        """Return the person of this number, or None."""
        return next((one for one in self.people if one.number == number), None)

    def needs(self, on: date, people: tuple[Person, ...]) -> tuple[Need, ...]:
        """Return what each of the people needs on the day `on`."""
        return tuple(one.draft.need(on) for one in people)


def at_hand() -> View | None:
    """Return the family this browser holds the token of, or None."""
    token = guard.cookie(TOKEN)
    if token is None:
        return None
    here = desk()
    now = here.now()
    with reading(here.engine) as session:
        family = families.of_token(session, token)
        if family is None:
            return None
        people = tuple(
            Person(number=number, draft=view(session, dossier, now))
            for number, dossier in families.numbered(session, family).items()
        )
        return View(id=family.id, answers=family.answers, people=people)


def with_family(work: Callable[[Session, Family], T]) -> T:
    """Run `work` in a transaction on the family of this browser.

    Raises:
        FamilyUnknown: this browser holds none.
    """

    def run(session: Session) -> T:
        family = families.of_token(session, guard.cookie(TOKEN))
        if family is None:
            raise FamilyUnknown
        return work(session, family)

    return retrying(desk().engine, run)


def go(endpoint: str = "family.show", **values: object) -> ResponseReturnValue:
    """Send the browser to a page of the family's."""
    return redirect(url_for(endpoint, **values), code=303)  # type: ignore[arg-type]  # Flask's
