"""Appointments by JSON: made, looked at, moved, cancelled, for whoever told code and birth date.

It decides nothing: `server.cases.behalf` does, and `scheduler.booking` counts.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Response
from sqlalchemy.orm import Session

from scheduler.booking import Appointment
from scheduler.database import reading, retrying
from server.cases import behalf
from server.cases.behalf import DossierUnknown, Known, Proof, TriedTooOften
from server.clock import HERE
from server.rules import tickets
from server.web.api import bodies
from server.web.api.answers import answer
from server.web.api.desk import caller, desk, lanes, now, today
from server.web.api.problems import Code, Refused
from server.web.guard import open_to

T = TypeVar("T")

PROOF = frozenset({"dossier", "birth_date"})
SLOT = frozenset({"station", "starts_at"})
LANE = frozenset({"lane"})


def _shown(appointment: Appointment) -> dict[str, Any]:
    return {
        "id": str(appointment.id),
        "state": appointment.state,
        "station": appointment.place,
        "starts_at": appointment.starts_at.astimezone(HERE).isoformat(),
        "ends_at": appointment.ends_at.astimezone(HERE).isoformat(),
        "lane": appointment.lane,
        "minutes": appointment.minutes,
        "moved": appointment.moved,
    }


def _told(proof: Proof) -> Callable[[Session], Known]:
    return lambda session: behalf.dossier(
        session, proof, caller=caller(), secret=desk().secret, now=now()
    )


def _counted(proof: Proof, work: Callable[[], T]) -> T:
    """Return what `work` returns; a proof that fitted nothing is counted before it is refused."""
    try:
        return work()
    except TriedTooOften as often:
        raise Refused(Code.TOO_MANY, retry_after=often.seconds) from None
    except DossierUnknown:
        wait = retrying(
            desk().engine,
            lambda session: behalf.wrong(
                session, proof, caller=caller(), secret=desk().secret, now=now()
            ),
        )
        if wait:
            raise Refused(Code.TOO_MANY, retry_after=wait) from None
        raise


@open_to("program")
def make() -> Response:
    """Book a time; the same request again is answered alike."""
    said = bodies.body(PROOF | SLOT, LANE)
    proof, slot = bodies.proof(said, today=today()), bodies.slot(said, today=today())
    key = bodies.request_key(caller())
    find, open_lanes = _told(proof), lanes(slot.place)

    def work(session: Session) -> behalf.Made:
        return behalf.book(
            session,
            find(session),
            slot,
            caller=caller(),
            lanes=open_lanes,
            request=key,
            secret=desk().secret,
            now=now(),
        )

    made = _counted(proof, lambda: retrying(desk().engine, work))
    content = {**_shown(made.appointment), "ticket": tickets.show(made.ticket)}
    response = answer(content, 200 if made.again else 201)
    response.headers["Location"] = f"/api/v1/appointments/{made.appointment.id}"
    return response


@open_to("program")
def look_up() -> Response:
    """Find the standing appointment of a dossier; by POST, so that no birth date is in a log."""
    proof = bodies.proof(bodies.body(PROOF), today=today())
    find = _told(proof)

    def work() -> Appointment:
        with reading(desk().engine) as session:
            return behalf.standing(session, find(session).row)

    return answer(_shown(_counted(proof, work)))


@open_to("program")
def look(name: str) -> Response:
    """Show an appointment."""
    appointment_id = bodies.identity(name)
    with reading(desk().engine) as session:
        return answer(_shown(behalf.find(session, appointment_id, caller=caller())))


@open_to("program")
def move(name: str) -> Response:
    """Move an appointment to another time."""
    appointment_id = bodies.identity(name)
    to = bodies.slot(bodies.body(SLOT, LANE), today=today())
    open_lanes = lanes(to.place)
    moved = retrying(
        desk().engine,
        lambda session: behalf.move(
            session, appointment_id, to, caller=caller(), lanes=open_lanes, now=now()
        ),
    )
    return answer(_shown(moved))


@open_to("program")
def cancel(name: str) -> Response:
    """Cancel an appointment."""
    appointment_id = bodies.identity(name)
    cancelled = retrying(
        desk().engine,
        lambda session: behalf.cancel(session, appointment_id, caller=caller(), now=now()),
    )
    return answer(_shown(cancelled))
