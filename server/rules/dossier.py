"""The life of a dossier: one table. Nobody else decides what may happen to a dossier.

Booked is not a state: "filed, with a live appointment" is derived, so the two cannot disagree.
"""

import enum
from collections.abc import Mapping


class DossierState(enum.StrEnum):
    """Where a dossier stands."""

    DRAFT = "draft"
    FILED = "filed"
    AT_STATION = "at_station"
    CAPTURED = "captured"
    IN_REVIEW = "in_review"
    TO_CORRECT = "to_correct"
    ACCEPTED = "accepted"
    HANDED_OVER = "handed_over"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


class DossierEvent(enum.StrEnum):
    """What may happen to a dossier."""

    FILE = "file"
    CHECK_IN = "check_in"
    LEAVE = "leave"
    SEAL = "seal"
    OPEN = "open"
    RELEASE = "release"
    ACCEPT = "accept"
    REJECT = "reject"
    ASK_RECAPTURE = "ask_recapture"
    ASK_CORRECTION = "ask_correction"
    HAND_OVER = "hand_over"
    WITHDRAW = "withdraw"
    LAPSE = "lapse"


class NotNow(Exception):
    """The event does not fit the state."""


_S, _E = DossierState, DossierEvent

LIFE: Mapping[DossierState, Mapping[DossierEvent, DossierState]] = {
    _S.DRAFT: {_E.FILE: _S.FILED, _E.LAPSE: _S.LAPSED},
    _S.FILED: {
        _E.CHECK_IN: _S.AT_STATION,
        _E.WITHDRAW: _S.WITHDRAWN,
        _E.LAPSE: _S.LAPSED,
    },
    _S.AT_STATION: {_E.SEAL: _S.CAPTURED, _E.LEAVE: _S.FILED},
    _S.CAPTURED: {_E.OPEN: _S.IN_REVIEW},
    _S.IN_REVIEW: {
        _E.ACCEPT: _S.ACCEPTED,
        _E.REJECT: _S.REJECTED,
        _E.RELEASE: _S.CAPTURED,
        _E.ASK_RECAPTURE: _S.FILED,
        _E.ASK_CORRECTION: _S.TO_CORRECT,
    },
    _S.TO_CORRECT: {_E.FILE: _S.CAPTURED, _E.WITHDRAW: _S.WITHDRAWN},
    _S.ACCEPTED: {_E.HAND_OVER: _S.HANDED_OVER},
    _S.HANDED_OVER: {},
    _S.REJECTED: {},
    _S.WITHDRAWN: {},
    _S.LAPSED: {},
}


def after(state: DossierState, event: DossierEvent) -> DossierState:
    """Return the state that follows.

    Raises:
        NotNow: the event does not fit the state.
    """
    try:
        return LIFE[state][event]
    except KeyError:
        raise NotNow(f"{event} does not fit {state}") from None
