"""What a kiosk asks while somebody stands before it: its station, check-in, leaving.

What may happen is decided in `server.cases.visits`.
"""

import sqlalchemy as sa
from flask import Response
from sqlalchemy.orm import Session

from kiosk.protocol import CheckIn, LeaveVisit, RosterOfficer, Station, Visit
from scheduler import places
from scheduler.database import reading, retrying
from server.cases import throttle, visits
from server.cases.refusals import Reason, Refused
from server.store import keys
from server.store.tables import Officer
from server.web.guard import open_to
from server.web.intake.desk import answer, desk, device, message


@open_to("kiosk")
def station() -> Response:
    """Give what a kiosk keeps so that it can work without a network."""
    sealing = keys.to_seal_with(desk().settings.data, now=desk().clock())
    if sealing is None:
        raise Refused(Reason.NO_KEYS)
    with reading(desk().engine) as session:
        place = places.find(session, device().station)
        officers = session.scalars(
            sa.select(Officer)
            .where(Officer.station == place.code, Officer.active, Officer.pin_hash.is_not(None))
            .order_by(Officer.id)
        )
        roster = tuple(
            RosterOfficer(officer=officer.id, name=officer.name, pin_hash=officer.pin_hash or "")
            for officer in officers
        )
    return answer(Station(code=place.code, name=place.name, keys=sealing, officers=roster))


@open_to("kiosk")
def check_in() -> Response:
    """Check somebody in and give what the kiosk needs until the capture is sealed."""
    asked, now = message(CheckIn), desk().clock()
    if (asked.ticket is None) == (asked.card is None):
        raise Refused(Reason.MESSAGE_WRONG)
    if asked.card is not None:
        _count_try(asked.card.personal_number)

    def work(session: Session) -> Visit:
        return visits.check_in(session, device(), asked, secret=desk().secret, now=now)

    return answer(retrying(desk().engine, work))


def _count_try(personal_number: str) -> None:
    """Count a birth date tried for this number, in a transaction of its own: a refusal counts."""

    def work(session: Session) -> int:
        return throttle.count(
            session,
            visits.BY_CARD,
            personal_number,
            secret=desk().secret,
            now=desk().clock(),
        )

    if retrying(desk().engine, work):
        raise Refused(Reason.TRY_LATER)


@open_to("kiosk")
def leave() -> Response:
    """Let somebody go without a capture."""
    asked, now = message(LeaveVisit), desk().clock()
    retrying(desk().engine, lambda session: visits.leave(session, device(), asked, now=now))
    return Response(status=204)
