"""Officers open captures, decide, and give them back.

Nothing here opens a packet: it writes the grant to do so, with its audit entry, in the caller's
transaction; the unsealing process asks for that grant.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from server.cases import captures
from server.cases.captures import Found
from server.cases.officers import Acting
from server.rules import fields
from server.rules.concerns import NEEDS_WORDS, Concern
from server.rules.dossier import DossierEvent, DossierState, NotNow
from server.rules.fields import Refused
from server.store import audit, journal
from server.store.tables import Decision, Grant, Role, Verdict

# CaptureUnknown   (server.cases.captures) no such capture at this officer's stations
# NotYours         another officer has it open
# OwnCapture       this officer helped at the kiosk
# NotSeen          nobody accepts or rejects what they have not looked at
# NotNow           (server.rules.dossier) the dossier has moved on, or is not there yet

GRANT_LASTS: Final = timedelta(seconds=60)
"""So long a grant may be used: the page asks the unsealing process at once."""
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
LOOKS: Final = ("ears", "head", "glasses")
"""What no measure decides and the officer's own eyes must: both ears visible, head bare (or a
headscarf of faith or people, with the face clear), no glasses. Circular 04/1999/TT-BCA II.1.b."""
YES: Final = "yes"
NO: Final = "no"
CONFIRM: Final = "confirm_"
"""What a form puts before the kind of a concern that the officer confirms to have seen."""
BECAUSE: Final = "_because"
"""What a form adds to the name of a look for the officer's reason."""
ONLY_AFTER_SEEING: Final = frozenset({Verdict.ACCEPT, Verdict.REJECT})
MAY_DECIDE: Final = frozenset({Role.VERIFIER, Role.SUPERVISOR})


class NotYours(Exception):
    """Another officer has it open, or this officer's role does not decide."""


class OwnCapture(Exception):
    """The officer helped at the kiosk; somebody else decides."""


class NotSeen(Exception):
    """The officer has not looked at the capture since taking it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the officer saw: as it should be, or why it is taken all the same."""

    name: str
    is_so: bool
    because: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """A verdict with its reason, as it may be given."""

    verdict: Verdict
    reason: str | None
    text: str | None
    answers: tuple[Answer, ...] = ()
    """One for each of `LOOKS` and each kind of concern where it accepts, else none."""


def ruling(
    verdict: str,
    reason: str,
    text: str,
    *,
    outcome: str | None,
    refused: tuple[str, ...] = (),
    concerns: tuple[Concern, ...] = (),
    looks: Mapping[str, str] | None = None,
) -> Ruling:
    """Return the ruling in a form's fields.

    Args:
        verdict: as it came.
        reason: as it came.
        text: as it came.
        outcome: what the portraits' comparison said.
        refused: gates that refused the portrait.
        concerns: what has to be confirmed.
        looks: the form's fields about what the officer saw, by the names in `LOOKS`, and what
            they confirm.

    Raises:
        Refused: verdict or reason is none of ours, words of the officer's own are missing, or
            one of the looks is not answered or one of the concerns not confirmed.
    """
    try:
        chosen = Verdict(verdict)
    except ValueError:
        raise Refused("verdict.unknown") from None
    own = fields.line(text, longest=fields.LONGEST_TEXT) or None
    if chosen is Verdict.ACCEPT:
        form = looks or {}
        answers = (*(_answer(name, form) for name in LOOKS), *_confirmed(concerns, form))
        if outcome == "no_match" and own is None:
            raise Refused("verdict.explain")
        if refused and own is None:
            raise Refused("verdict.explain_refused")
        if own is None and any(concern.kind in NEEDS_WORDS for concern in concerns):
            raise Refused("verdict.explain_fingers")
        return Ruling(verdict=chosen, reason=None, text=own, answers=answers)
    if reason not in REASONS[chosen]:
        raise Refused("verdict.reason")
    if reason == OTHER and own is None:
        raise Refused("verdict.own_words")
    return Ruling(verdict=chosen, reason=reason, text=own)


def _answer(name: str, looks: Mapping[str, str]) -> Answer:
    given = looks.get(name, "")
    if given == YES:
        return Answer(name=name, is_so=True, because=None)
    because = fields.line(looks.get(f"{name}{BECAUSE}", ""), longest=fields.LONGEST_TEXT)
    if given != NO:
        raise Refused("verdict.looks")
    if not because:
        raise Refused("verdict.because")
    return Answer(name=name, is_so=False, because=because)


def _confirmed(concerns: tuple[Concern, ...], form: Mapping[str, str]) -> tuple[Answer, ...]:
    kinds = dict.fromkeys(concern.kind for concern in concerns)
    if any(form.get(f"{CONFIRM}{kind}") != YES for kind in kinds):
        raise Refused("verdict.confirm")
    return tuple(Answer(name=kind, is_so=True, because=None) for kind in kinds)


def _theirs(session: Session, digest: str, officer: Acting) -> Found:
    """Return the capture, locked, that this officer has open."""
    found = captures.find(session, digest, officer, lock=True)
    _must_be_theirs(found, officer)
    return found


def _must_be_theirs(found: Found, officer: Acting) -> None:
    if officer.role not in MAY_DECIDE:
        raise NotYours(officer.role)
    if officer.id in found.helpers:
        raise OwnCapture(officer.id)
    if found.is_ended or found.dossier.state is not DossierState.IN_REVIEW:
        raise NotNow(f"the dossier is {found.dossier.state}")
    if found.opener != officer.actor:
        raise NotYours(found.opener)


def open_capture(session: Session, digest: str, officer: Acting, *, now: datetime) -> UUID:
    """Take the capture, or look at it again where it is theirs; return the grant to open it.

    Dossier, grant and audit entry are one transaction. The unsealing process is asked after it.

    Raises:
        CaptureUnknown: there is none at this officer's stations.
        OwnCapture: the officer helped at the kiosk.
        NotYours: another officer has it open, or the role does not decide.
        NotNow: it was decided, or the dossier is elsewhere.
    """
    found = captures.find(session, digest, officer, lock=True)
    takes = found.dossier.state is DossierState.CAPTURED and not found.is_ended
    if takes and officer.role in MAY_DECIDE and officer.id not in found.helpers:
        journal.move(session, found.dossier, DossierEvent.OPEN, now=now, actor=officer.actor)
    else:
        _must_be_theirs(found, officer)
    grant = _grant(session, digest, officer, now=now)
    _note(session, found, officer, "capture.open", now=now, grant=str(grant), again=not takes)
    return grant


def _grant(session: Session, digest: str, officer: Acting, *, now: datetime) -> UUID:
    grant = Grant(
        id=uuid4(),
        digest=digest,
        officer_id=officer.id,
        granted_at=now,
        expires_at=now + GRANT_LASTS,
    )
    session.add(grant)
    return grant.id


def ask_for_file(
    session: Session, digest: str, officer: Acting, wanted: str, *, now: datetime
) -> UUID:
    """Return a grant to open the capture for a file of its portrait, while the review is open.

    Raises:
        CaptureUnknown: there is none at this officer's stations.
        OwnCapture: the officer helped at the kiosk.
        NotYours: another officer has it open, or the role does not decide.
        NotNow: it was decided, or the dossier is elsewhere.
    """
    found = _theirs(session, digest, officer)
    grant = _grant(session, digest, officer, now=now)
    _note(session, found, officer, "file.ask", now=now, grant=str(grant), file=wanted)
    return grant


def hand_out_file(
    session: Session,
    digest: str,
    officer: Acting,
    wanted: str,
    sha256: str,
    done: Mapping[str, object],
    *,
    now: datetime,
) -> None:
    """Write down which bytes an officer takes away, before they do.

    Raises:
        CaptureUnknown, OwnCapture, NotYours, NotNow: see `ask_for_file`.
    """
    found = _theirs(session, digest, officer)
    _note(
        session,
        found,
        officer,
        "file.hand_out",
        now=now,
        file=wanted,
        sha256=sha256,
        done=dict(done),
    )


def _note(
    session: Session,
    found: Found,
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
        NotSeen: they have not looked at what they accept or reject, or accept without having
            confirmed what the unsealing process found.
        NotNow: it was decided already.
    """
    found = _theirs(session, digest, officer)
    if given.verdict in ONLY_AFTER_SEEING and not found.looked:
        raise NotSeen(digest)
    confirmed = {answer.name for answer in given.answers}
    if given.verdict is Verdict.ACCEPT and not {c.kind for c in found.concerns} <= confirmed:
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
            comparison=found.comparison,
            seen={answer.name: _plain(answer, found.concerns) for answer in given.answers},
            refused=list(found.refused),
            at=now,
        )
    )
    _note(
        session,
        found,
        officer,
        f"decision.{given.verdict.value}",
        now=now,
        reason=given.reason,
        comparison=found.comparison,
        # The officer's words stay with the decision: auditors see no personal data.
        seen={answer.name: answer.is_so for answer in given.answers},
        refused=list(found.refused),
    )
    return dossier.state


def _plain(answer: Answer, concerns: tuple[Concern, ...]) -> dict[str, Any]:
    """Return an answer as it is kept: a confirmation with all that was confirmed."""
    about = [concern.as_json() for concern in concerns if concern.kind == answer.name]
    return {"is_so": answer.is_so, "because": answer.because} | ({"what": about} if about else {})


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
    found = captures.find(session, digest, officer, lock=True)
    if found.opener is None or found.is_ended:
        raise NotNow(f"the dossier is {found.dossier.state}")
    if found.opener != officer.actor and officer.role is not Role.SUPERVISOR:
        raise NotYours(found.opener)
    journal.move(session, found.dossier, DossierEvent.RELEASE, now=now, actor=officer.actor)
    _note(session, found, officer, "capture.release", now=now)
