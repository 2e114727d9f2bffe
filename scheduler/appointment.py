"""An appointment as it is told to whoever asks, and what may be refused about one.

It changes nothing: `scheduler.booking` does.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import claims, plan, slots
from scheduler.life import AppointmentState
from scheduler.slots import SlotRef
from scheduler.tables import AppointmentRow, ClaimRow

LONGEST_HOLD = 11
"""A hold is renewed until it is so many times its length old: the first time and ten more
(WCAG 2.2, success criterion 2.2.1: a time limit can be extended at least ten times)."""
MOST_CHANGES = 2
"""[D] How often a citizen moves an appointment; whoever trades in them has to move them often."""

EXPECTED = (
    AppointmentState.BOOKED,
    AppointmentState.ARRIVED,
    AppointmentState.SERVED,
    AppointmentState.MISSED,
)
"""What stands on the list of a day."""


class AlreadyBooked(Exception):
    """This person has a live appointment for this purpose."""


class AppointmentUnknown(LookupError):
    """There is no appointment of this id."""


class MovedTooOften(Exception):
    """It was moved as often as citizens may; an officer can still move it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """An appointment as it stands."""

    id: UUID
    place: str
    starts_at: datetime
    lane: str
    minutes: int
    """Of all its slots."""
    whose: str
    state: AppointmentState
    hold_until: datetime | None
    """Until when the place is held; None once it is certain or over."""
    hold_latest: datetime
    """Until when a hold can be lengthened at most."""
    public: bool
    """Whether its places count as booked by people themselves."""
    party: UUID | None
    """Whom it was booked together with; None: alone."""
    moved: int
    """How often the citizen moved it."""

    @property
    def slot(self) -> SlotRef:
        """Which slot it begins in."""
        return slots.of_row(self)

    @property
    def ends_at(self) -> datetime:
        """When its last slot is over."""
        return self.starts_at + timedelta(minutes=self.minutes)

    @property
    def changes_left(self) -> int:
        """How often the citizen may still move it."""
        return max(0, MOST_CHANGES - self.moved)


def of_row(row: AppointmentRow) -> Appointment:
    """Return what a row says."""
    return Appointment(
        id=row.id,
        place=row.place,
        starts_at=row.starts_at,
        lane=row.lane,
        minutes=row.minutes,
        whose=row.whose,
        state=row.state,
        hold_until=row.hold_until,
        hold_latest=row.created_at + timedelta(minutes=row.hold_minutes) * LONGEST_HOLD,
        public=row.public,
        party=row.party,
        moved=row.moved,
    )


def find(session: Session, appointment_id: UUID) -> Appointment:
    """Return the appointment.

    Raises:
        AppointmentUnknown: there is no such appointment.
    """
    row = session.scalars(
        sa.select(AppointmentRow).where(AppointmentRow.id == appointment_id)
    ).one_or_none()
    if row is None:
        raise AppointmentUnknown(str(appointment_id))
    return of_row(row)


def live_of(session: Session, whose: str) -> Appointment | None:
    """Return the one live appointment of `whose`, or None.

    A hold is live until it was let expire, although its `hold_until` may be over.
    """
    row = session.scalars(
        sa.select(AppointmentRow)
        .join(ClaimRow, ClaimRow.holder == AppointmentRow.id)
        .where(ClaimRow.key == claims.of_dossier(whose))
    ).one_or_none()
    return None if row is None else of_row(row)


def of_day(session: Session, place: str, day: date) -> tuple[Appointment, ...]:
    """Return who is expected at a place on a day, or came, or did not come, by time."""
    begins, ended = plan.bounds(day, day)
    rows = session.scalars(
        sa.select(AppointmentRow)
        .where(
            AppointmentRow.place == place,
            AppointmentRow.starts_at >= begins,
            AppointmentRow.starts_at < ended,
            AppointmentRow.state.in_(EXPECTED),
        )
        .order_by(AppointmentRow.starts_at, AppointmentRow.lane, AppointmentRow.created_at)
    )
    return tuple(of_row(row) for row in rows)
