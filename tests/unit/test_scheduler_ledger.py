"""The reconciliation finds what somebody broke by hand."""

from datetime import datetime

import sqlalchemy as sa

from scheduler import ledger
from scheduler.database import reading, transaction
from scheduler.ledger import Drift
from scheduler.tables import AppointmentRow, ClaimRow, SlotRow
from tests.races.station import booked, furnish, hold, slot


def test_a_counter_turned_by_hand_is_found_both_ways(engine: sa.Engine, now: datetime) -> None:
    furnish(engine, 2, 2)
    with transaction(engine) as session:
        booked(session, 1, slot(1), now)
        session.execute(
            sa.update(SlotRow).values(taken=1 - SlotRow.taken, public_taken=1 - SlotRow.taken)
        )
    with reading(engine) as session:
        assert ledger.drift(session) == (
            Drift(slot=slot(0), taken=1, found=0, public_taken=1, public_found=0),
            Drift(slot=slot(1), taken=0, found=1, public_taken=0, public_found=1),
        )


def test_claims_and_live_appointments_are_compared(engine: sa.Engine, now: datetime) -> None:
    furnish(engine, 3)
    with transaction(engine) as session:
        first = hold(session, 1, slot(), now)
        booked(session, 2, slot(), now)
        assert ledger.loose(session) == 0
        session.execute(
            sa.update(AppointmentRow)
            .where(AppointmentRow.id == first.id)
            .values(state="cancelled", hold_until=None)
        )
    with transaction(engine) as session:
        assert ledger.loose(session) == 1
        session.execute(sa.delete(ClaimRow))
        assert ledger.loose(session) == 1
        session.add(ClaimRow(key=b"x", kind="appointment", holder=first.id))
        session.flush()
        assert ledger.loose(session) == 2
