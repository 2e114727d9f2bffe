"""What officers do after a decision: hand a card over, take corrected data back in.

It decides nothing about a capture: that is `server.cases.verification`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from server.cases import filing, officers
from server.cases.captures import CaptureUnknown
from server.cases.officers import Acting
from server.registry.port import Person
from server.rules.dossier import DossierEvent, DossierState
from server.store import audit, journal
from server.store.tables import CaptureRow, Decision, Dossier, Verdict

LONGEST_LIST: Final = 200
WAITS_FOR: Final = {
    DossierState.ACCEPTED: Verdict.ACCEPT,
    DossierState.TO_CORRECT: Verdict.ASK_CORRECTION,
}
"""Which verdict a dossier at the counter comes from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AtCounter:
    """A dossier that waits for its citizen."""

    digest: str
    """Of the capture that was decided."""
    code: str
    name: str
    station: str
    decided_at: datetime


def waiting(session: Session, officer: Acting, state: DossierState) -> tuple[AtCounter, ...]:
    """Return the dossiers in `state` at the officer's stations, the newest decision first."""
    later = sa.orm.aliased(Decision)
    rows = session.execute(
        sa.select(Dossier, CaptureRow, Decision.at)
        .join(CaptureRow, CaptureRow.dossier_id == Dossier.id)
        .join(Decision, Decision.digest == CaptureRow.digest)
        .where(
            Dossier.state == state,
            Decision.verdict == WAITS_FOR[state],
            CaptureRow.station.in_(officers.stations_of(session, officer)),
            ~sa.exists().where(later.digest == Decision.digest, later.turn > Decision.turn),
        )
        .order_by(Decision.at.desc(), CaptureRow.digest)
        .limit(LONGEST_LIST)
    )
    return tuple(
        AtCounter(
            digest=capture.digest,
            code=dossier.code or "",
            name=dossier.full_name or "",
            station=capture.station,
            decided_at=at,
        )
        for dossier, capture, at in rows
    )


def _find(session: Session, digest: str, officer: Acting) -> Dossier:
    capture = session.get(CaptureRow, digest)
    if capture is None or capture.station not in officers.stations_of(session, officer):
        raise CaptureUnknown(digest)
    return session.scalars(
        sa.select(Dossier)
        .where(Dossier.id == capture.dossier_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def number_of(session: Session, digest: str, officer: Acting) -> str | None:
    """Return the personal number the registry is to be asked about again.

    Raises:
        CaptureUnknown: there is none at this officer's stations.
    """
    return _find(session, digest, officer).personal_number


def hand_over(session: Session, digest: str, officer: Acting, *, now: datetime) -> None:
    """Write down that the citizen has the card.

    Raises:
        CaptureUnknown: there is none at this officer's stations.
        NotNow: the dossier was not accepted, or the card was handed over already.
    """
    dossier = _find(session, digest, officer)
    journal.move(session, dossier, DossierEvent.HAND_OVER, now=now, actor=officer.actor)
    _note(session, digest, dossier, officer, "dossier.hand_over", now)


def take_back_in(
    session: Session,
    digest: str,
    officer: Acting,
    person: Person,
    *,
    secret: bytes,
    now: datetime,
) -> None:
    """Put a corrected dossier back into the queue, with the person as the registry has them now.

    Raises:
        CaptureUnknown: there is none at this officer's stations.
        NotNow: the dossier waits for no correction.
    """
    dossier = _find(session, digest, officer)
    journal.move(session, dossier, DossierEvent.FILE, now=now, actor=officer.actor)
    filing.know(dossier, person, secret=secret)
    dossier.message = None
    _note(session, digest, dossier, officer, "dossier.take_back_in", now)


def _note(
    session: Session, digest: str, dossier: Dossier, officer: Acting, action: str, now: datetime
) -> None:
    audit.append(
        session,
        at=now,
        actor=officer.actor,
        action=action,
        subject=digest,
        detail={"dossier": dossier.code},
    )
