"""Walk-ins: in now, back at such a time, or booked; and who could come earlier."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import admission, booking, points, pulling, queue
from scheduler.admission import Advice, Say
from scheduler.booking import SlotRef
from scheduler.database import transaction
from scheduler.life import AppointmentState
from scheduler.places import WALK_IN
from scheduler.tables import AppointmentRow, LaneKind, LaneRow, SlotRow
from tests.races.station import CODE, EIGHT, booked, furnish, hold, slot

MINUTE = timedelta(minutes=1)
QUARTERS = 12
"""The place is open from eight to eleven."""
CLOSES = EIGHT + QUARTERS * 15 * MINUTE


@pytest.fixture(autouse=True)
def hall(engine: sa.Engine) -> None:
    """Two kiosks, three hours of quarters."""
    furnish(engine, *[12] * QUARTERS)
    with transaction(engine) as session:
        points.add(session, CODE, code="kiosk-1", number=1)
        points.add(session, CODE, code="kiosk-2", number=2)


def _book(session: Session, now: datetime, *per_slot: int) -> list[UUID]:
    """Book so many people into each quarter, from eight on."""
    slots = [slot(number) for number, count in enumerate(per_slot) for _ in range(count)]
    return [booked(session, who, where, now) for who, where in enumerate(slots)]


def _advice(session: Session, at: datetime) -> Advice:
    return admission.advise(session, CODE, now=at)


def test_into_an_empty_hall_everybody_may_come_now(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        assert _advice(session, EIGHT) == Advice(say=Say.NOW, at=None, p80_minutes=0)


def test_a_full_hour_sends_a_walk_in_to_a_quieter_one(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        _book(session, now, 4, 4, 4, 4, 2)
        told = _advice(session, EIGHT - 5 * MINUTE)
        assert told.say is Say.COME_BACK
        assert told.at is not None
        assert EIGHT + 45 * MINUTE < told.at < CLOSES
        assert told.at.minute % 10 == 0
        assert told.p80_minutes is not None
        assert told.p80_minutes <= admission.WALK_IN_WAIT
        assert _advice(session, EIGHT - 5 * MINUTE) == told, "the same state, the same answer"


def test_a_full_day_sends_a_walk_in_to_book(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        _book(session, now, *[4] * QUARTERS)
        assert _advice(session, EIGHT) == Advice(say=Say.BOOK, at=None, p80_minutes=None)


def test_nobody_is_let_in_who_could_not_be_done_before_closing(
    engine: sa.Engine, now: datetime
) -> None:
    with transaction(engine) as session:
        assert _advice(session, CLOSES - 25 * MINUTE).say is Say.NOW
        assert _advice(session, CLOSES - 5 * MINUTE).say is Say.BOOK
        assert _advice(session, CLOSES + MINUTE).say is Say.BOOK
        for point in points.of(session, CODE):
            points.close(session, CODE, point.code)
        assert _advice(session, EIGHT).say is Say.BOOK, "no kiosk is open"


def test_before_opening_one_waits_for_it_or_comes_back(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        told = _advice(session, EIGHT - 20 * MINUTE)
        assert (told.say, told.p80_minutes) == (Say.NOW, 20)
        told = _advice(session, EIGHT - 120 * MINUTE)
        assert (told.say, told.at) == (Say.COME_BACK, EIGHT)


def test_those_who_were_told_to_come_back_are_counted_on(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        _book(session, now, 4, 4, 4, 4, 2)
        at = EIGHT - 5 * MINUTE
        told = []
        for _ in range(8):
            advice = _advice(session, at)
            if advice.at is None:
                break
            told.append(advice.at)
            queue.arrive(session, CODE, now=at, minutes=15, back_at=advice.at)
        assert len(told) > 3
        assert max(told) > min(told) + 20 * MINUTE, "not all at the same time"


@pytest.mark.parametrize(
    ("came", "late", "say"),
    [(True, 40, Say.COME_BACK), (False, 0, Say.COME_BACK), (False, 40, Say.NOW)],
)
def test_who_does_not_come_frees_their_place(
    engine: sa.Engine, now: datetime, came: bool, late: int, say: Say
) -> None:
    with transaction(engine) as session:
        absent = _book(session, now, 12)
        at = EIGHT + late * MINUTE
        for who in absent if came else ():
            booking.arrive(session, who, now=at)
            queue.arrive(session, CODE, now=at, appointment=who, minutes=15, due_at=EIGHT)
        assert _advice(session, at).say is say


def test_appointments_elsewhere_and_slots_of_walk_ins_do_not_count(
    engine: sa.Engine, now: datetime
) -> None:
    with transaction(engine) as session:
        session.add(LaneRow(place=CODE, code="team", kind=LaneKind.MOBILE, servers=1))
        for lane, at in (("team", EIGHT), ("team", CLOSES), (WALK_IN, CLOSES)):
            session.add(
                SlotRow(
                    place=CODE,
                    starts_at=at,
                    lane=lane,
                    minutes=60,
                    capacity=30,
                    public_capacity=30,
                    taken=0,
                    public_taken=0,
                    offered=True,
                )
            )
        for who in range(30):
            team = SlotRef(place=CODE, starts_at=EIGHT, lane="team")
            held = booking.hold(
                session,
                slot=team,
                whose=f"dossier-{who}",
                person_key=f"person-{who}".encode(),
                purpose="NEW",
                now=now,
                minutes=10,
                lanes={"team"},
            )
            booking.confirm(session, held.id, now=now)
        assert _advice(session, EIGHT).say is Say.NOW
        assert _advice(session, CLOSES).say is Say.BOOK


def test_people_of_later_are_asked_to_come_where_kiosks_will_be_idle(
    engine: sa.Engine, now: datetime
) -> None:
    with transaction(engine) as session:
        later = _book(session, now, 0, 0, 0, 0, 0, 0, 2, 2)
        at = EIGHT
        asked = pulling.candidates(session, CODE, now=at)
        assert [found.appointment_id for found in asked] == sorted(later[:2])
        assert {found.come_at for found in asked} == {at + pulling.LEAD}
        assert {found.starts_at for found in asked} == {slot(6).starts_at}
        assert pulling.candidates(session, CODE, now=at) == asked


def test_nobody_is_asked_to_come_into_a_full_hall_or_for_little(
    engine: sa.Engine, now: datetime
) -> None:
    with transaction(engine) as session:
        _book(session, now, 4, 4, 4, 4, 4)
        assert pulling.candidates(session, CODE, now=EIGHT) == (), "the kiosks are busy"
        # At a quarter to nine the last are due in a quarter: nothing is won by asking them.
        session.execute(
            sa.update(AppointmentRow)
            .where(AppointmentRow.starts_at < slot(4).starts_at)
            .values(state=AppointmentState.CANCELLED)
        )
        assert pulling.candidates(session, CODE, now=slot(3).starts_at) == ()
        assert len(pulling.candidates(session, CODE, now=EIGHT - 15 * MINUTE)) == 2
        for point in points.of(session, CODE):
            points.close(session, CODE, point.code)
        assert pulling.candidates(session, CODE, now=EIGHT - 15 * MINUTE) == ()


def test_holds_are_not_asked(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        hold(session, 1, slot(8), now)
        assert pulling.candidates(session, CODE, now=EIGHT) == ()
