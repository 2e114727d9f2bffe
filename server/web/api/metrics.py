"""Whether the books are right, as text that monitoring reads; anybody may look.

It holds nobody's data and mends nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import cast

import sqlalchemy as sa
from flask import Response, current_app

from scheduler import ledger
from scheduler.database import reading
from scheduler.life import AppointmentState
from scheduler.tables import AppointmentRow
from scheduler.tables_waiting import FreedRow
from server.web.api.desk import desk
from server.web.fresh import Fresh
from server.web.guard import open_to

EXTENSION = "metrics"
SECONDS = 60
"""[D] How old the figures may be: counting every slot of a nation again takes seconds."""
TEXT = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One figure."""

    name: str
    help: str
    value: int

    def lines(self) -> tuple[str, str, str]:
        """Return it as the text format of Prometheus has it."""
        return (
            f"# HELP {self.name} {self.help}",
            f"# TYPE {self.name} gauge",
            f"{self.name} {self.value}",
        )


def _counted(now: datetime) -> str:
    to_come = (
        sa.select(AppointmentRow.state, sa.func.count())
        .where(
            AppointmentRow.state.in_((AppointmentState.HELD, AppointmentState.BOOKED)),
            AppointmentRow.starts_at > now,
        )
        .group_by(AppointmentRow.state)
    )
    with reading(desk().engine) as session:
        states = dict(session.execute(to_come).all())
        metrics = (
            Metric(
                name="thunhan_slot_drift",
                help="Slots whose counter is not what is in them; must be 0.",
                value=len(ledger.drift(session)),
            ),
            Metric(
                name="thunhan_claims_loose",
                help="Claims without a live appointment, and the other way round; must be 0.",
                value=ledger.loose(session),
            ),
            Metric(
                name="thunhan_appointments_held",
                help="Places held for somebody who is still choosing, in times to come.",
                value=states.get(AppointmentState.HELD, 0),
            ),
            Metric(
                name="thunhan_appointments_booked",
                help="Appointments that are certain, in times to come.",
                value=states.get(AppointmentState.BOOKED, 0),
            ),
            Metric(
                name="thunhan_places_kept",
                help="Places given back and kept for somebody who waits, or returning later.",
                value=session.scalars(sa.select(sa.func.count()).select_from(FreedRow)).one(),
            ),
            Metric(
                name="thunhan_counted_at_seconds",
                help="When this was counted, in seconds since 1970.",
                value=int(now.timestamp()),
            ),
        )
    return "".join(f"{line}\n" for metric in metrics for line in metric.lines())


@open_to("everybody")
def show() -> Response:
    """Show the figures."""
    now = desk().clock()
    text = _kept().get("", now=now, make=lambda: _counted(now))
    return Response(text, content_type=TEXT)


def room() -> Fresh[str]:
    """Return room for the figures, which are counted once a minute."""
    return Fresh(seconds=SECONDS, most=1)


def _kept() -> Fresh[str]:
    return cast("Fresh[str]", current_app.extensions[EXTENSION])
