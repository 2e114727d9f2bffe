"""Who waits in this browser: one person with a dossier, or a family that comes together.

It keeps no place and renders nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler.database import reading, retrying
from server.cases import families, waiting
from server.cases.waiting import Standing
from server.rules.dossier import DossierState, NotNow
from server.store.tables import Dossier
from server.web import guard
from server.web.citizen import desk as one_desk
from server.web.citizen import family_desk, steps
from server.web.citizen.desk import Draft, desk, taken

FAMILY = "family"
T = TypeVar("T")
People = tuple[Dossier, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiter:
    """Whoever waits or may wait."""

    who: str | None
    """`FAMILY`, or None for one person: as it stands in addresses and forms."""
    draft: Draft
    """Of the first person."""
    may_wait: bool
    """Whether everything is known that a wish needs."""
    first_day: date
    """From which all of them may come."""

    @property
    def told(self) -> bool:
        """Whether they want to be told; else they have to look for themselves."""
        return self.draft.answers.get("notify") != "none"


def of_family() -> bool:
    """Return whether the page is a family's: it says so, or the browser holds nothing else."""
    if request.values.get("who") == FAMILY:
        return True
    return guard.cookie(one_desk.TOKEN) is None and guard.cookie(family_desk.TOKEN) is not None


def at_hand() -> Waiter | None:
    """Return who may wait in this browser; None where nobody has no appointment yet."""
    today = desk().today()
    if of_family():
        family = family_desk.at_hand()
        if family is None or not family.to_book:
            return None
        days = [one.draft.first_day(today) or today for one in family.to_book]
        first = family.to_book[0].draft
        return Waiter(who=FAMILY, draft=first, may_wait=family.ready, first_day=max(days))
    draft = one_desk.at_hand()
    if draft is None or draft.live is not None:
        return None
    return Waiter(
        who=None,
        draft=draft,
        may_wait=steps.may_see("station", draft, today),
        first_day=draft.first_day(today) or today,
    )


def _people(session: Session) -> People:
    """Return the dossiers of who waits, the first of them first."""
    if of_family():
        family = families.of_token(session, guard.cookie(family_desk.TOKEN))
        return () if family is None else tuple(families.to_book(session, family))
    dossier = taken(session)
    return () if dossier is None else (dossier,)


def standing_in(session: Session) -> Standing | None:
    """Return where the wish of this browser's people stands."""
    found = (waiting.standing(session, dossier) for dossier in _people(session))
    return next((one for one in found if one is not None), None)


def standing() -> Standing | None:
    """Return where the wish of this browser's people stands."""
    with reading(desk().engine) as session:
        return standing_in(session)


def with_people(work: Callable[[Session, People], T]) -> T:
    """Run `work` in a transaction on the dossiers of this browser.

    Raises:
        NotNow: this browser holds none, or the work says so.
    """

    def run(session: Session) -> T:
        people = _people(session)
        if not people:
            raise NotNow("this browser holds nobody who could wait")
        return work(session, people)

    return retrying(desk().engine, run)


def holds(code: str) -> bool:
    """Return whether this browser's people are those of the dossier of this code."""
    if of_family():
        family = family_desk.at_hand()
        return family is not None and code in {one.draft.code for one in family.people}
    draft = one_desk.at_hand()
    return draft is not None and draft.code == code


def enter(code: str = "") -> ResponseReturnValue:
    """Send a browser to where a dossier's code and the birth date open the waiting page."""
    return redirect(url_for("look_up.ask", code=code or None), code=303)


def booked() -> ResponseReturnValue:
    """Send the browser to its ticket, or its tickets."""
    endpoint = "family_booking.booked" if of_family() else "ticket.booked"
    return redirect(url_for(endpoint), code=303)


def elsewhere() -> ResponseReturnValue:
    """Send a browser on that cannot wait: to its ticket, its form, or where it gets one."""
    if of_family():
        family = family_desk.at_hand()
        done = family is not None and family.booked and not family.to_book
        return redirect(url_for("family_booking.booked" if done else "family.show"), code=303)
    draft = one_desk.at_hand()
    if draft is None:  # whoever waits has a dossier's code, and no ticket yet
        return enter()
    if draft.live is not None:
        return booked()
    if draft.state in {DossierState.DRAFT, DossierState.FILED}:
        return redirect(url_for("wizard.proceed"), code=303)
    return redirect(url_for("home.home"), code=303)


def choosing() -> str:
    """Return the address where they choose a time themselves."""
    if of_family():
        return url_for("family_booking.ask")
    return url_for("wizard.proceed")
