"""Lets the demo's first station have a day: people who booked, a counter, somebody who waits at it.

It does so through the cases officers and citizens use.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from scheduler import offers, points
from scheduler.points import HELP
from scheduler.tables_day import PointKind
from server.cases import appointments, filing, reception
from server.clock import HERE
from server.registry.port import Person

COUNTER = "QUAY-2"
NOT_BEFORE = timedelta(minutes=30)
"""Whoever tries the demo books the next time; the others come after."""


def furnish(
    session: Session, station: str, folk: Sequence[Person], *, secret: bytes, now: datetime
) -> None:
    """Add a counter, let `folk` book times of today one after the other, and one person wait."""
    points.add(session, station, code=COUNTER, number=2, kind=PointKind.COUNTER, lane=HELP)
    today = now.astimezone(HERE).date()
    later = [
        offer.slot
        for offer in offers.times(session, station, today, now=now)
        if offer.free and offer.slot.starts_at >= now + NOT_BEFORE
    ]
    for nth, (person, slot) in enumerate(zip(folk, later, strict=False)):
        dossier, _ = filing.begin(session, purpose="EX_REQ", now=now, language="vi")
        filing.know(dossier, person, secret=secret)
        filing.answer(dossier, phone=f"09123456{nth:02d}")
        appointments.hold(session, dossier, slot, now=now)
        appointments.confirm(session, dossier, secret=secret, now=now)
    reception.number(session, station, by=filing.SYSTEM, now=now)
