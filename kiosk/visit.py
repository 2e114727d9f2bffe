"""The one visit at this kiosk: its state, its journal, and what it has captured so far.

Captures are held in memory only; no device, screen or network is known here.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from biometrics.capture import HELPED, Absence, Consent, Iris, Missing, Portrait, Print, Step
from kiosk.journal import Journal
from kiosk.life import NotNow, VisitEvent, VisitState, after
from kiosk.protocol import Visit

log = logging.getLogger(__name__)

_EVENTS = frozenset(event.value for event in VisitEvent)
ASSISTED = "portrait_assisted"
"""The journal's step that an officer wants the assisted limits; its detail is who and why."""
ASSISTED_PROFILE = "assisted"
LAST_STEPS = 400
"""Steps of a journal that go into the capture; what is over is counted, not carried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """A capture that is sealed and durable.

    Attributes:
        number: what the citizen is given at once, without a network.
        digest: SHA-256 of the packet, hex.
    """

    number: str
    digest: str


class CurrentVisit:
    """One visit, or none; every change goes into the journal before it counts."""

    def __init__(
        self,
        journal: Journal,
        *,
        at: datetime,
        sealed: Callable[[str], Closed | None] = lambda _: None,
        left: Callable[[UUID], bool] = lambda _: False,
    ) -> None:
        """Come back to the visit that the journal tells of, if any.

        Args:
            journal: of the visit in progress.
            at: now.
            sealed: whether a visit's capture is durable already: the power may have gone
                between that and the journal.
            left: whether a visit was ended already, likewise.

        Raises:
            OSError: the journal could not be written.
        """
        self._journal = journal
        self.state = VisitState.WAITING
        self.lost = False
        """True where a restart cost this visit its captures: the citizen is told."""
        self._forget()
        self._replay()
        if self.facts is not None:
            self._come_back(self.facts, at, sealed(str(self.facts.visit_id)), left)

    def _come_back(
        self, facts: Visit, at: datetime, closed: Closed | None, left: Callable[[UUID], bool]
    ) -> None:
        if left(facts.visit_id):
            self.move(VisitEvent.TIME_OUT, at=at)
        elif closed is not None and self.state is VisitState.READ_BACK:
            self.close(closed, at=at)
        else:
            before = self.state
            self.move(VisitEvent.RESTART, at=at, detail=before)
            self.lost = self.state is not before

    def _forget(self) -> None:
        self.facts: Visit | None = None
        self.consent: Consent | None = None
        self.operator: str | None = None
        self.closed: Closed | None = None
        self.assisted: str | None = None
        """Why an officer switched the sitter to the assisted limits."""
        self.steps: list[Step] = []
        self.forget_captures()

    def forget_captures(self) -> None:
        """Let go of everything that is biometric."""
        self.portrait: Portrait | None = None
        self.prints: tuple[Print, ...] = ()
        self.missing: tuple[Missing, ...] = ()
        self.proof: bytes | None = None
        """JPEG of the citizen with both hands, where a missing finger is to be shown."""
        self.proof_waived = False
        """An officer let that picture be."""
        self.irises: tuple[Iris, ...] = ()
        self.absences: tuple[Absence, ...] = ()

    def _replay(self) -> None:
        try:
            for line in self._journal.read():
                self._take(line)
        except (KeyError, TypeError, ValueError, NotNow):
            # Not ours, or damaged: no visit can be trusted to it. The server's own time-out
            # frees the appointment.
            log.exception("the journal of the last visit is unreadable and was let go")
            self.state = VisitState.WAITING
            self._forget()
            self._journal.erase()

    def _take(self, line: dict[str, str]) -> None:
        at = datetime.fromisoformat(line["at"])
        name = line["event"]
        if name in _EVENTS:
            self.state = after(self.state, VisitEvent(name))
        if "visit" in line:
            self.facts = Visit.model_validate_json(line["visit"])
        if name == VisitEvent.AGREE:
            self.consent = self._consent(at)
        if name == ASSISTED:
            self.assisted = line["reason"]
        if "operator" in line:
            self.operator = line["operator"]
        if name == VisitEvent.SEAL:
            self.closed = Closed(number=line["number"], digest=line["digest"])
        self.steps.append(Step(at=at, event=name, detail=line.get("detail", "")))
        del self.steps[:-LAST_STEPS]

    def _consent(self, at: datetime) -> Consent:
        notice = self.present.notice
        return Consent(version=notice.version, sha256=notice.sha256, at=at)

    @property
    def present(self) -> Visit:
        """Return what the server said of this visit.

        Raises:
            NotNow: nobody has checked in.
        """
        if self.facts is None:
            raise NotNow("nobody has checked in")
        return self.facts

    @property
    def profile(self) -> str:
        """Return the name of the limits the portrait is held to.

        Raises:
            NotNow: nobody has checked in.
        """
        return ASSISTED_PROFILE if self.assisted else self.present.plan.portrait_profile

    def greet(self, facts: Visit, *, at: datetime) -> None:
        """Begin the visit of `facts`.

        Raises:
            NotNow: there is one already.
            OSError: the journal could not be written; nothing has begun.
        """
        self._write(VisitEvent.CHECK_IN, at=at, detail="", visit=facts.model_dump_json())

    def move(self, event: VisitEvent, *, at: datetime, detail: str = "") -> None:
        """Let `event` happen; an end erases the journal and everything captured.

        Raises:
            NotNow: it does not fit the state.
        """
        if after(self.state, event) is VisitState.WAITING and self.state is not VisitState.WAITING:
            self._journal.erase()
            self.state = VisitState.WAITING
            self.lost = False
            self._forget()
        else:
            self._write(event, at=at, detail=detail)
        if event is VisitEvent.SIT_DOWN:
            self.lost = False

    def close(self, closed: Closed, *, at: datetime) -> None:
        """Record that the capture is sealed and durable, and let the plain captures go.

        Raises:
            NotNow: there is nothing to seal.
        """
        self._write(VisitEvent.SEAL, at=at, detail="", number=closed.number, digest=closed.digest)
        self.forget_captures()

    def note(self, event: str, *, at: datetime, detail: str = "") -> None:
        """Record something that moves nothing: a retry, a device lost, a finger taken."""
        if self.state is not VisitState.WAITING:
            self._write(event, at=at, detail=detail)

    def helped_by(self, officer: str, *, at: datetime) -> None:
        """Record which officer helps; the last one stands in the sealed header."""
        if self.state is not VisitState.WAITING:
            self._write(HELPED, at=at, detail=officer, operator=officer)

    def assist(self, officer: str, reason: str, *, at: datetime) -> None:
        """Record that an officer holds this sitter to the assisted limits, and why."""
        if self.state is not VisitState.WAITING:
            self._write(ASSISTED, at=at, detail=f"{officer} {reason}", reason=reason)

    def _write(self, event: str, *, at: datetime, detail: str, **more: str) -> None:
        line = self._line(event, at, detail, **more)
        if event in _EVENTS:
            after(self.state, VisitEvent(event))
        # A call for help while nobody is here is no part of any visit.
        if self.state is not VisitState.WAITING or event == VisitEvent.CHECK_IN:
            self._put_down(line, must=event == VisitEvent.CHECK_IN)
            self._take(line)

    def _put_down(self, line: dict[str, str], *, must: bool) -> None:
        try:
            self._journal.write(line)
        except OSError:
            if must:
                raise
            # A disk that fails now costs a restart some steps; stopping would cost the visit.
            log.exception("the journal could not be written")

    @staticmethod
    def _line(event: str, at: datetime, detail: str, **more: str) -> dict[str, str]:
        return {"at": at.isoformat(), "event": str(event), "detail": detail, **more}
