"""An appointment for somebody who is here without one: a place beside those that are booked.

It judges nobody: `scheduler.admission` advises, and an officer lets them in.
"""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from scheduler import booking
from scheduler.booking import Appointment
from scheduler.database import insert_missing
from scheduler.places import WALK_IN
from scheduler.slots import SlotRef
from scheduler.tables import SlotRow

MOST_A_MINUTE = 60
"""[D] More people are not let in by one station in one minute."""


def seat(
    session: Session,
    place: str,
    *,
    whose: str,
    person_key: bytes,
    purpose: str,
    minutes: int,
    by: str,
    now: datetime,
) -> Appointment:
    """Make a certain appointment at the next full minute; it takes nobody's place.

    Args:
        session: a transaction that writes.
        place: where they are.
        whose: what the appointment is for.
        person_key: who, as bytes that tell nobody who.
        purpose: what the person comes for.
        minutes: how long they are planned for.
        by: who lets them in.
        now: the time.

    Raises:
        AlreadyBooked: the person, or `whose`, has a live appointment, also one that is held.
        SlotFull: more than `MOST_A_MINUTE` came in this minute.
    """
    at = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    slot = SlotRef(place=place, starts_at=at, lane=WALK_IN)
    row = {
        "place": place,
        "starts_at": at,
        "lane": WALK_IN,
        "minutes": minutes,
        "capacity": MOST_A_MINUTE,
        "public_capacity": 0,
        "taken": 0,
        "public_taken": 0,
        "offered": True,
        "by_lot": False,
    }
    insert_missing(session, SlotRow, [row])
    return booking.book(
        session,
        slot=slot,
        whose=whose,
        person_key=person_key,
        purpose=purpose,
        now=now,
        lanes={WALK_IN},
        public=False,
        by=by,
    )
