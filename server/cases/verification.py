"""Officers look at captures and decide: queue, open, decide, give back, hand over.

Nothing here opens a packet: it writes the leave to do so, with its audit entry, in the caller's
transaction; the unsealing process asks for that leave.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session

from server.cases import officers
from server.cases.officers import Acting
from server.rules import fields
from server.rules.dossier import DossierEvent, DossierState, NotNow
from server.rules.fields import Refused
from server.store import audit, journal
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

# CaptureUnknown   no such capture at this officer's stations
# NotYours         another officer has it open
# OwnCapture       this officer helped at the kiosk
# NotSeen          nobody accepts or rejects what they have not looked at
# NotNow           (server.rules.dossier) the dossier has moved on, or is not there yet

LEAVE: Final = timedelta(seconds=60)
"""So long a leave to open a capture may be used."""
LONGEST_LIST: Final = 300
OTHER: Final = "other"
REASONS: Final[Mapping[Verdict, tuple[str, ...]]] = {
    Verdict.ACCEPT: (),
    Verdict.ASK_RECAPTURE: (
        "portrait_blurred",
        "portrait_eyes",
        "portrait_background",
        "portrait_other",
        "fingers_unclear",
        "fingers_swapped",
        "not_same_person",
        OTHER,
    ),
    Verdict.ASK_CORRECTION: ("data_wrong", "papers_missing", OTHER),
    Verdict.REJECT: ("not_same_person", "data_wrong", "papers_missing", OTHER),
}
"""Which reasons go with which verdict; the citizen reads ``message.<reason>``."""
EVENTS: Final[Mapping[Verdict, DossierEvent]] = {
    verdict: DossierEvent(verdict.value) for verdict in Verdict
}
ONLY_AFTER_SEEING: Final = frozenset({Verdict.ACCEPT, Verdict.REJECT})
MAY_DECIDE: Final = frozenset({Role.VERIFIER, Role.SUPERVISOR})


class CaptureUnknown(LookupError):
    """There is no such capture at the stations this officer sees."""


class NotYours(Exception):
    """Another officer has it open, or this officer's role does not decide."""


class OwnCapture(Exception):
    """The officer helped at the kiosk; somebody else decides."""


class NotSeen(Exception):
    """The officer has not looked at the capture since taking it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """A verdict with its reason, as it may be given."""

    verdict: Verdict
    reason: str | None
    text: str | None


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
class Seen:
    """All that stands in rows about one capture and its dossier."""

    capture: CaptureRow
    dossier: Dossier
    journal: tuple[Journal, ...]
    decision: Decision | None
    review: Review | None
    opener: str | None
    """Who has it open; None where nobody has."""
    seen: bool
    """Whether the asking officer has looked at it since taking it."""


def ruling(verdict: str, reason: str, text: str, *, outcome: str | None) -> Ruling:
    """Return the ruling in a form's fields; `outcome` is what the portraits' comparison said.

    Raises:
        Refused: verdict or reason is none of ours, or words of the officer's own are missing.
    """
    try:
        chosen = Verdict(verdict)
    except ValueError:
        raise Refused("verdict.unknown") from None
    own = fields.line(text, longest=fields.LONGEST_TEXT) or None
    if chosen is Verdict.ACCEPT:
        if outcome == "no_match" and own is None:
            raise Refused("verdict.explain")
        return Ruling(verdict=chosen, reason=None, text=own)
    if reason not in REASONS[chosen]:
        raise Refused("verdict.reason")
    if reason == OTHER and own is None:
        raise Refused("verdict.own_words")
    return Ruling(verdict=chosen, reason=reason, text=own)


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


def _find(session: Session, digest: str, officer: Acting, *, lock: bool) -> Seen:
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
    return Seen(
        capture=capture,
        dossier=dossier,
        journal=entries,
        decision=decision,
        review=session.get(Review, digest),
        opener=opened[-1].actor if is_open else None,
        seen=is_open and _has_seen(session, digest, officer, since=opened[-1].at),
    )


def _has_seen(session: Session, digest: str, officer: Acting, *, since: datetime) -> bool:
    # A leave is used up before the packet proves good; figures are written down only after.
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


def see(session: Session, digest: str, officer: Acting) -> Seen:
    """Return what the rows say of a capture.

    Raises:
        CaptureUnknown: there is none at this officer's stations.
    """
    return _find(session, digest, officer, lock=False)


def _is_ended(found: Seen) -> bool:
    """Return whether this capture was decided for good: a recapture is another capture."""
    decision = found.decision
    return decision is not None and decision.verdict is not Verdict.ASK_CORRECTION


def _must_be_theirs(found: Seen, officer: Acting) -> None:
    if officer.role not in MAY_DECIDE:
        raise NotYours(officer.role)
    if found.capture.operator == officer.id:
        raise OwnCapture(officer.id)
    if _is_ended(found) or found.dossier.state is not DossierState.IN_REVIEW:
        raise NotNow(f"the dossier is {found.dossier.state}")
    if found.opener != officer.actor:
        raise NotYours(found.opener)


def open_capture(session: Session, digest: str, officer: Acting, *, now: datetime) -> UUID:
    """Take the capture, or look at it again where it is theirs; return the leave to open it.

    Dossier, leave and audit entry are one transaction. The unsealing process is asked after it.

    Raises:
        CaptureUnknown: there is none at this officer's stations.
        OwnCapture: the officer helped at the kiosk.
        NotYours: another officer has it open, or the role does not decide.
        NotNow: it was decided, or the dossier is elsewhere.
    """
    found = _find(session, digest, officer, lock=True)
    takes = found.dossier.state is DossierState.CAPTURED and not _is_ended(found)
    if takes and officer.role in MAY_DECIDE and found.capture.operator != officer.id:
        journal.move(session, found.dossier, DossierEvent.OPEN, now=now, actor=officer.actor)
    else:
        _must_be_theirs(found, officer)
    leave = Grant(
        id=uuid4(), digest=digest, officer_id=officer.id, granted_at=now, expires_at=now + LEAVE
    )
    session.add(leave)
    _note(session, found, officer, "capture.open", now=now, grant=str(leave.id), again=not takes)
    return leave.id


def _note(
    session: Session,
    found: Seen,
    officer: Acting,
    action: str,
    *,
    now: datetime,
    **detail: Any,  # noqa: ANN401 - JSON values
) -> None:
    audit.append(
        session,
        at=now,
        actor=officer.actor,
        action=action,
        subject=found.capture.digest,
        detail={"dossier": found.dossier.code, **detail},
    )


def decide(
    session: Session, digest: str, officer: Acting, given: Ruling, *, now: datetime
) -> DossierState:
    """Let the verdict happen: dossier, decision, message to the citizen and audit entry in one.

    Raises:
        CaptureUnknown: there is none at this officer's stations.
        OwnCapture: the officer helped at the kiosk.
        NotYours: another officer has it open, or the role does not decide.
        NotSeen: they have not looked at what they accept or reject.
        NotNow: it was decided already.
    """
    found = _find(session, digest, officer, lock=True)
    _must_be_theirs(found, officer)
    if given.verdict in ONLY_AFTER_SEEING and not found.seen:
        raise NotSeen(digest)
    dossier, before = found.dossier, found.decision
    event = EVENTS[given.verdict]
    note = {"reason": given.reason} if given.reason else None
    journal.move(session, dossier, event, now=now, actor=officer.actor, note=note)
    dossier.message = _message(given)
    session.add(
        Decision(
            digest=digest,
            turn=1 if before is None else before.turn + 1,
            officer_id=officer.id,
            helped_by=found.capture.operator or "",
            verdict=given.verdict,
            reason=given.reason,
            text=given.text,
            at=now,
        )
    )
    action = f"decision.{given.verdict.value}"
    outcome = None if found.review is None else found.review.outcome
    _note(session, found, officer, action, now=now, reason=given.reason, comparison=outcome)
    return dossier.state


def _message(given: Ruling) -> dict[str, Any] | None:
    """Return what the citizen reads; an officer's words on accepting are for the file only."""
    if given.verdict is Verdict.ACCEPT:
        return None
    return {"code": given.reason, "text": given.text}


def release(session: Session, digest: str, officer: Acting, *, now: datetime) -> None:
    """Give the capture back to the queue; a supervisor may do it for somebody else.

    Raises:
        CaptureUnknown: there is none at this officer's stations.
        NotYours: another officer has it open.
        NotNow: nobody has it open.
    """
    found = _find(session, digest, officer, lock=True)
    if found.opener is None or _is_ended(found):
        raise NotNow(f"the dossier is {found.dossier.state}")
    if found.opener != officer.actor and officer.role is not Role.SUPERVISOR:
        raise NotYours(found.opener)
    journal.move(session, found.dossier, DossierEvent.RELEASE, now=now, actor=officer.actor)
    _note(session, found, officer, "capture.release", now=now)
