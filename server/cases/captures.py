"""What officers see of captures: the queue, and one capture with its dossier, as records.

Nothing here changes anything, and no biometrics are read.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from server.cases import officers
from server.cases.officers import Acting
from server.rules.concerns import Concern
from server.rules.dossier import DossierEvent, DossierState
from server.store.tables import (
    CaptureRow,
    Decision,
    Dossier,
    Grant,
    Journal,
    Review,
    Role,
    Verdict,
)

LONGEST_LIST: Final = 300


class CaptureUnknown(LookupError):
    """There is no such capture at the stations this officer sees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A line of the queue: no number, no image."""

    digest: str
    code: str
    name: str
    station: str
    captured_at: datetime
    received_at: datetime
    simulated: bool
    operator: str | None
    outcome: str | None
    """What an earlier comparison of the portraits said, if there was one."""
    opener: str | None
    """The officer who has it open, where one has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the dossier's journal."""

    at: datetime
    event: DossierEvent
    actor: str
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A decision as it was given."""

    officer: str
    verdict: Verdict
    reason: str | None
    text: str | None
    at: datetime
    comparison: dict[str, Any] | None
    """As `Found.comparison` was then."""
    seen: dict[str, Any]
    """As `server.cases.verification.Answer` by its name, what was confirmed beside; empty unless
    accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What stands in rows about one capture and its dossier."""

    digest: str
    station: str
    captured_at: datetime
    simulated: bool
    operator: str | None
    code: str
    name: str
    state: DossierState
    profile: str
    purpose: str
    person: dict[str, Any] | None
    answers: dict[str, Any]
    journal: tuple[Entry, ...]
    decision: Decided | None
    outcome: str | None
    """What the last comparison of the portraits said."""
    refused: tuple[str, ...]
    """Gates that refused the portrait, once it was opened."""
    concerns: tuple[Concern, ...]
    """What has to be confirmed before it is accepted, once it was opened."""
    compared: tuple[int, int] | None
    """How many pairs of fingers were compared, of how many; None before it was opened."""
    opener: str | None
    """Who has it open; None where nobody has."""
    looked: bool
    """Whether the asking officer has looked at it since it was taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The rows about one capture, for whoever changes them in the same session."""

    capture: CaptureRow
    dossier: Dossier
    journal: tuple[Journal, ...]
    decision: Decision | None
    review: Review | None
    opener: str | None
    looked: bool

    @property
    def helpers(self) -> frozenset[str]:
        """Who helped at the kiosk: the header's officer and, once it was opened, all it names."""
        named = [] if self.review is None else self.review.summary.get("helpers", [])
        return frozenset(named) | ({self.capture.operator} if self.capture.operator else set())

    @property
    def refused(self) -> tuple[str, ...]:
        """Gates that refused the portrait, as the unsealing process found them."""
        return () if self.review is None else tuple(self.review.summary.get("refused", ()))

    @property
    def concerns(self) -> tuple[Concern, ...]:
        """What has to be confirmed before it is accepted, as the unsealing process found it."""
        plain = [] if self.review is None else self.review.summary.get("concerns", [])
        return tuple(Concern.from_json(entry) for entry in plain)

    @property
    def comparison(self) -> dict[str, Any] | None:
        """What the comparison said and by what, as plain values; None before an opening."""
        review = self.review
        if review is None:
            return None
        return {
            "at": review.at.isoformat(),
            "distance": review.distance,
            "outcome": review.outcome,
            "model": review.model,
            "model_sha256": review.model_sha256,
            "match_at_most": review.match_at_most,
            "no_match_above": review.no_match_above,
        }

    @property
    def is_ended(self) -> bool:
        """Whether this capture was decided for good: a recapture is another capture."""
        decision = self.decision
        return decision is not None and decision.verdict is not Verdict.ASK_CORRECTION


def _opener_column() -> sa.ScalarSelect[str]:
    return (
        sa.select(Journal.actor)
        .where(Journal.dossier_id == Dossier.id, Journal.event == DossierEvent.OPEN)
        .order_by(Journal.id.desc())
        .limit(1)
        .correlate(Dossier)
        .scalar_subquery()
    )


def _undecided() -> sa.ColumnElement[bool]:
    final = sa.select(Decision.digest).where(
        Decision.digest == CaptureRow.digest, Decision.verdict != Verdict.ASK_CORRECTION
    )
    return ~sa.exists(final.correlate(CaptureRow))


def _lines(
    session: Session, officer: Acting, state: DossierState, *, oldest_first: bool = True
) -> tuple[Waiting, ...]:
    order = CaptureRow.received_at if oldest_first else CaptureRow.received_at.desc()
    rows = session.execute(
        sa.select(CaptureRow, Dossier, Review.outcome, _opener_column())
        .join(Dossier, Dossier.id == CaptureRow.dossier_id)
        .outerjoin(Review, Review.digest == CaptureRow.digest)
        .where(
            Dossier.state == state,
            CaptureRow.station.in_(officers.stations_of(session, officer)),
            _undecided(),
        )
        .order_by(order, CaptureRow.digest)
        .limit(LONGEST_LIST)
    )
    return tuple(
        Waiting(
            digest=capture.digest,
            code=dossier.code or "",
            name=dossier.full_name or "",
            station=capture.station,
            captured_at=capture.captured_at,
            received_at=capture.received_at,
            simulated=capture.simulated,
            operator=capture.operator,
            outcome=outcome,
            opener=opener if state is DossierState.IN_REVIEW else None,
        )
        for capture, dossier, outcome, opener in rows
    )


def queue(session: Session, officer: Acting) -> tuple[Waiting, ...]:
    """Return the captures that wait at the officer's stations, oldest first."""
    return _lines(session, officer, DossierState.CAPTURED)


def in_hand(session: Session, officer: Acting) -> tuple[Waiting, ...]:
    """Return what the officer has open; for a supervisor what anybody there has open."""
    lines = _lines(session, officer, DossierState.IN_REVIEW)
    if officer.role is Role.SUPERVISOR:
        return lines
    return tuple(line for line in lines if line.opener == officer.actor)


def find(session: Session, digest: str, officer: Acting, *, lock: bool) -> Found:
    """Return the rows about a capture; with `lock` nobody else moves the dossier meanwhile.

    Raises:
        CaptureUnknown: there is none at this officer's stations.
    """
    capture = session.get(CaptureRow, digest)
    if capture is None or capture.station not in officers.stations_of(session, officer):
        raise CaptureUnknown(digest)
    wanted = sa.select(Dossier).where(Dossier.id == capture.dossier_id)
    if lock:
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    dossier = session.scalars(wanted).one()
    entries = tuple(
        session.scalars(
            sa.select(Journal).where(Journal.dossier_id == dossier.id).order_by(Journal.id)
        )
    )
    decision = session.scalars(
        sa.select(Decision).where(Decision.digest == digest).order_by(Decision.turn.desc()).limit(1)
    ).one_or_none()
    opened = [entry for entry in entries if entry.event is DossierEvent.OPEN]
    is_open = dossier.state is DossierState.IN_REVIEW and bool(opened)
    return Found(
        capture=capture,
        dossier=dossier,
        journal=entries,
        decision=decision,
        review=session.get(Review, digest),
        opener=opened[-1].actor if is_open else None,
        looked=is_open and _has_looked(session, digest, officer, since=opened[-1].at),
    )


def _has_looked(session: Session, digest: str, officer: Acting, *, since: datetime) -> bool:
    # A grant is used up before the packet proves good; figures are written down only after.
    used = (
        sa.select(Grant.id)
        .join(Review, Review.digest == Grant.digest)
        .where(
            Grant.digest == digest,
            Grant.officer_id == officer.id,
            Grant.granted_at >= since,
            Review.at >= Grant.used_at,
        )
    )
    return session.execute(sa.select(sa.exists(used))).scalar_one()


def _compared(review: Review | None) -> tuple[int, int] | None:
    if review is None or "pairs" not in review.summary:
        return None
    return review.summary["compared"], review.summary["pairs"]


def see(session: Session, digest: str, officer: Acting) -> Seen:
    """Return what the rows say of a capture.

    Raises:
        CaptureUnknown: there is none at this officer's stations.
    """
    found = find(session, digest, officer, lock=False)
    capture, dossier, decision = found.capture, found.dossier, found.decision
    return Seen(
        digest=digest,
        station=capture.station,
        captured_at=capture.captured_at,
        simulated=capture.simulated,
        operator=capture.operator,
        code=dossier.code or "",
        name=dossier.full_name or "",
        state=dossier.state,
        profile=dossier.profile,
        purpose=dossier.purpose,
        person=dossier.person,
        answers=dossier.answers,
        journal=tuple(
            Entry(
                at=entry.at,
                event=entry.event,
                actor=entry.actor,
                reason=entry.note.get("reason"),
            )
            for entry in found.journal
        ),
        decision=None
        if decision is None
        else Decided(
            officer=decision.officer_id,
            verdict=decision.verdict,
            reason=decision.reason,
            text=decision.text,
            at=decision.at,
            comparison=decision.comparison,
            seen=decision.seen,
        ),
        outcome=None if found.review is None else found.review.outcome,
        refused=found.refused,
        concerns=found.concerns,
        compared=_compared(found.review),
        opener=found.opener,
        looked=found.looked,
    )
