"""Any order of anything, tried by hypothesis: refusals change nothing, counters never drift.

Before each step an oracle reads the rows and says what must come of it.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy.orm import Session

from scheduler import booking, ledger
from scheduler.booking import AlreadyBooked, NotNow, SlotFull, SlotGone
from scheduler.database import Base, connect
from scheduler.life import LIFE, AppointmentEvent, AppointmentState
from scheduler.tables import AppointmentRow, ClaimRow, SlotRow
from tests.races.station import EIGHT, add_place, hold, slot

CAPACITIES = (1, 2, 1)
PERSONS = 5
SLOTS = st.integers(0, len(CAPACITIES) - 1)
E = AppointmentEvent
EVENTS = {
    E.CONFIRM: booking.confirm,
    E.CANCEL: booking.cancel,
    E.ARRIVE: booking.arrive,
    E.LEAVE: booking.leave,
    E.SERVE: booking.serve,
    E.MISS: booking.miss,
}


class Office(RuleBasedStateMachine):
    """Three slots of an hour, five people, a clock."""

    @initialize()
    def furnish(self) -> None:
        engine = connect("sqlite://")
        Base.metadata.create_all(engine)
        self.session = Session(engine, expire_on_commit=False)
        self.now: datetime = EIGHT - timedelta(hours=1)
        self.made = list[UUID]()
        add_place(self.session)
        for number, capacity in enumerate(CAPACITIES):
            there = slot(number)
            self.session.add(
                SlotRow(
                    place=there.place,
                    starts_at=there.starts_at,
                    lane=there.lane,
                    minutes=15,
                    capacity=capacity,
                    public_capacity=capacity,
                    taken=0,
                    public_taken=0,
                    offered=True,
                )
            )
        self.session.commit()

    def everything(self) -> list[object]:
        """Return every row there is."""
        return [
            tuple(row)
            for table in (SlotRow, AppointmentRow, ClaimRow)
            for row in self.session.execute(sa.select(table.__table__))
        ]

    def overdue(self, row: AppointmentRow) -> bool:
        return row.hold_until is not None and row.hold_until <= self.now

    def free(self, number: int) -> int:
        """Return the places of a slot that nobody has, or only a hold that ran out."""
        rows = self.session.scalars(
            sa.select(AppointmentRow).where(AppointmentRow.starts_at == slot(number).starts_at)
        )
        standing = [row for row in rows if row.state.takes_a_place and not self.overdue(row)]
        return CAPACITIES[number] - len(standing)

    def try_it(self, expected: type[Exception] | None, work: Callable[[], object]) -> object:
        before = self.everything()
        done, refused = None, None
        try:
            done = work()
        except (NotNow, SlotFull, SlotGone, AlreadyBooked) as error:
            refused = type(error)
        assert refused is expected
        assert refused is None or self.everything() == before
        return done

    @rule(who=st.integers(0, PERSONS - 1), number=SLOTS)
    def somebody_holds(self, who: int, number: int) -> None:
        mine = self.session.scalars(
            sa.select(AppointmentRow).where(AppointmentRow.whose == f"dossier-{who}")
        )
        expected: type[Exception] | None = None
        if slot(number).starts_at <= self.now:
            expected = SlotGone
        elif not self.free(number):
            expected = SlotFull
        elif any(row.state.live and not self.overdue(row) for row in mine):
            expected = AlreadyBooked
        held = self.try_it(expected, lambda: hold(self.session, who, slot(number), self.now))
        if isinstance(held, booking.Appointment):
            self.made.append(held.id)

    @rule(pick=st.integers(0, 99), event=st.sampled_from(sorted(EVENTS)))
    def something_happens(self, pick: int, event: AppointmentEvent) -> None:
        if not self.made:
            return
        row = self.session.scalars(
            sa.select(AppointmentRow).where(AppointmentRow.id == self.made[pick % len(self.made)])
        ).one()
        early = event is E.MISS and row.starts_at > self.now
        late = event is E.CONFIRM and self.overdue(row)
        refused = event not in LIFE[row.state] or early or late
        self.try_it(
            NotNow if refused else None,
            lambda: EVENTS[event](self.session, row.id, now=self.now),
        )

    @rule(pick=st.integers(0, 99), number=SLOTS)
    def somebody_moves(self, pick: int, number: int) -> None:
        if not self.made:
            return
        row = self.session.scalars(
            sa.select(AppointmentRow).where(AppointmentRow.id == self.made[pick % len(self.made)])
        ).one()
        expected: type[Exception] | None = None
        if E.CANCEL not in LIFE[row.state] or self.overdue(row):
            expected = NotNow
        elif row.starts_at == slot(number).starts_at:
            pass
        elif slot(number).starts_at <= self.now:
            expected = SlotGone
        elif not self.free(number):
            expected = SlotFull
        self.try_it(
            expected, lambda: booking.move(self.session, row.id, to=slot(number), now=self.now)
        )

    @rule(limit=st.integers(1, 3))
    def holds_expire(self, limit: int) -> None:
        held = self.session.scalars(
            sa.select(AppointmentRow).where(AppointmentRow.state == AppointmentState.HELD)
        )
        due = sum(self.overdue(row) for row in held)
        assert booking.expire_due(self.session, now=self.now, limit=limit) == min(due, limit)

    @rule(minutes=st.integers(1, 30))
    def time_goes_by(self, minutes: int) -> None:
        self.now = self.now + timedelta(minutes=minutes)

    @invariant()
    def nothing_drifts(self) -> None:
        assert ledger.drift(self.session) == ()
        assert ledger.loose(self.session) == 0
        rows = self.session.scalars(sa.select(AppointmentRow)).all()
        live = [row.whose for row in rows if row.state.live]
        assert len(live) == len(set(live))


TestOffice = Office.TestCase
TestOffice.settings = settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
