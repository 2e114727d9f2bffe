"""What somebody may learn of a dossier with its code and the birth date.

Unknown and wrong are one answer, and tries are counted.
"""

import hmac
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import booking
from scheduler.life import AppointmentState
from server.cases import appointments
from server.cases.throttle import Limit
from server.rules import status as rules
from server.rules.dossier import DossierState
from server.rules.fields import BirthDate
from server.store.tables import Dossier

BY_NETWORK = Limit(name="look", tries=60, seconds=600)
"""[D] A whole /24 shares it: one phone network's customers look up less than that."""
BY_CODE = Limit(name="code", tries=8, seconds=900)
"""[D] A birth date has some 25,000 values: eight tries a quarter of an hour is a month's work."""
BY_PREFIX = Limit(name="prefix", tries=200, seconds=900)
"""[D] Running through the numbers of one day."""
LIMITS = (BY_NETWORK, BY_CODE, BY_PREFIX)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the status page shows: no name, no number."""

    code: str
    line: rules.Line
    filed_on: datetime | None
    due_on: date | None
    message: dict[str, str] | None
    """The officer's last message, while it matters."""
    place: str | None
    starts_at: datetime | None


def born_then(dossier: Dossier, birth: BirthDate) -> bool:
    """Return whether the birth date is the dossier's, in time that does not depend on it."""
    if dossier.birth_date is None:
        return False
    only_year = dossier.birth_year_only or birth.year_only
    form = "%Y" if only_year else "%Y-%m-%d"
    # A year alone opens only dossiers of people of whom no more is known.
    allowed = dossier.birth_year_only or not birth.year_only
    same = hmac.compare_digest(f"{birth.day:{form}}", f"{dossier.birth_date:{form}}")
    return same and allowed


def find(session: Session, code: str, birth: BirthDate) -> Dossier | None:
    """Return the dossier of this code and birth date, or None for all else."""
    dossier = session.scalars(sa.select(Dossier).where(Dossier.code == code)).one_or_none()
    return dossier if dossier is not None and born_then(dossier, birth) else None


def see(session: Session, dossier: Dossier) -> Seen:
    """Return what is shown of the dossier."""
    state = appointments.last_state(session, dossier.id)
    line = rules.line(dossier.state, state)
    live = booking.live_of(session, str(dossier.id))
    booked = live if state is AppointmentState.BOOKED else None
    asked = dossier.state in {DossierState.FILED, DossierState.TO_CORRECT, DossierState.REJECTED}
    return Seen(
        code=dossier.code or "",
        line=line,
        filed_on=dossier.filed_at,
        due_on=dossier.due_on,
        message=dossier.message if asked else None,
        place=booked.place if booked else None,
        starts_at=booked.starts_at if booked else None,
    )
