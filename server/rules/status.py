"""What is said of a dossier: computed from where it and its appointment stand, never stored.

Every pair has a line, so that no page is ever without words. Source of the codes: [S13].
"""

from collections.abc import Mapping
from dataclasses import dataclass

from biometrics.words import Text
from scheduler.life import AppointmentState
from server import law
from server.rules.dossier import DossierState


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of status."""

    national: int
    """1 to 10, the national integration code."""
    key: str
    """Texts are ``status.<key>.title``, ``.text`` and ``.next``."""
    may_book: bool = False

    @property
    def national_name(self) -> Text:
        """The national wording of the code."""
        for row in law.read("statuses")["rows"]:
            if row["code"] == self.national:
                return Text(vi=row["vi"], en=row["en"])
        raise LookupError(f"no national status {self.national}")


_D, _A = DossierState, AppointmentState

ALONE: Mapping[DossierState, Line] = {
    _D.DRAFT: Line(national=1, key="draft"),
    _D.AT_STATION: Line(national=2, key="at_station"),
    _D.CAPTURED: Line(national=4, key="captured"),
    _D.IN_REVIEW: Line(national=4, key="in_review"),
    _D.TO_CORRECT: Line(national=5, key="to_correct"),
    _D.ACCEPTED: Line(national=9, key="accepted"),
    _D.HANDED_OVER: Line(national=10, key="handed_over"),
    _D.REJECTED: Line(national=8, key="rejected"),
    _D.WITHDRAWN: Line(national=7, key="withdrawn"),
    _D.LAPSED: Line(national=8, key="lapsed"),
}
"""States whose line does not depend on the appointment."""

FILED: Mapping[AppointmentState | None, Line] = {
    None: Line(national=1, key="to_book", may_book=True),
    _A.HELD: Line(national=1, key="to_book", may_book=True),
    _A.EXPIRED: Line(national=1, key="to_book", may_book=True),
    _A.CANCELLED: Line(national=1, key="to_book", may_book=True),
    _A.BOOKED: Line(national=1, key="booked"),
    _A.ARRIVED: Line(national=2, key="at_station"),
    _A.MISSED: Line(national=1, key="missed", may_book=True),
    # Captured once and filed again: an officer asked for a new capture.
    _A.SERVED: Line(national=4, key="recapture", may_book=True),
}


def line(dossier: DossierState, appointment: AppointmentState | None) -> Line:
    """Return the line of a dossier and its appointment (None: there was none)."""
    if dossier is DossierState.FILED:
        return FILED[appointment]
    return ALONE[dossier]
