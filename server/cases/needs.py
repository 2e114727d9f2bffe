"""What a person needs of an appointment: how long, and in which lanes they may book.

It takes no place and knows no page.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler.places import PUBLIC
from scheduler.tables import LaneKind, LaneRow
from server.rules import lengths, priority
from server.store.tables import Dossier


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What somebody needs on a day."""

    minutes: int
    goes_first: bool
    """Whether lanes for whom the law lets go first are open to them."""


def need(birth: date, on: date, declared: Collection[str] = ()) -> Need:
    """Return what somebody born on `birth` needs on the day `on`."""
    return Need(
        minutes=lengths.minutes(birth, on),
        goes_first=bool(priority.groups(birth, on, declared)),
    )


def of(dossier: Dossier, on: date) -> Need | None:
    """Return what the dossier's person needs, or None before anybody was found in the registry."""
    if dossier.birth_date is None:
        return None
    return need(dossier.birth_date, on, dossier.answers.get("priority", ()))


def lanes(session: Session, place: str, *, goes_first: bool) -> frozenset[str]:
    """Return the lanes of a place in which somebody may book for themselves."""
    kinds = {LaneKind.REGULAR, LaneKind.PRIORITY} if goes_first else {LaneKind.REGULAR}
    rows = session.execute(sa.select(LaneRow.code, LaneRow.kind).where(LaneRow.place == place))
    known = dict(rows.all())
    return frozenset(
        {code for code in PUBLIC if code not in known}
        | {code for code, kind in known.items() if kind in kinds}
    )


def every_lane(session: Session, place: str) -> frozenset[str]:
    """Return all lanes of a place, for officers."""
    rows = session.scalars(sa.select(LaneRow.code).where(LaneRow.place == place))
    return PUBLIC | frozenset(rows)
