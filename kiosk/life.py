"""The life of a visit at the kiosk: one table. Nobody else decides what may happen in a visit.

It holds no screen, no device and no clock; a screen is a view of a state, and an officer who
helps stands beside the visit without moving it.
"""

import enum
from collections.abc import Mapping


class VisitState(enum.StrEnum):
    """How far one person has come at this kiosk."""

    WAITING = "waiting"
    GREETED = "greeted"
    AGREED = "agreed"
    PORTRAIT = "portrait"
    FINGERS = "fingers"
    IRISES = "irises"
    READ_BACK = "read_back"
    SEALED = "sealed"


class VisitEvent(enum.StrEnum):
    """What may happen in a visit."""

    CHECK_IN = "check_in"
    AGREE = "agree"
    SIT_DOWN = "sit_down"
    KEEP_PORTRAIT = "keep_portrait"
    COMPLETE_FINGERS = "complete_fingers"
    TO_IRISES = "to_irises"
    """The fingers are complete, and the procedure wants irises that a device here can take."""
    COMPLETE_IRISES = "complete_irises"
    RETAKE_PORTRAIT = "retake_portrait"
    SEAL = "seal"
    FINISH = "finish"
    GIVE_UP = "give_up"
    TIME_OUT = "time_out"
    CALL_OFFICER = "call_officer"
    RESUME = "resume"
    END = "end"
    """An officer ends the visit."""
    RESTART = "restart"
    """The kiosk was switched off; what was captured was in memory only and is gone."""


class NotNow(Exception):
    """The event does not fit the state."""


_S, _E = VisitState, VisitEvent


def _help_in(state: VisitState) -> dict[VisitEvent, VisitState]:
    """Return the row's part that is the same everywhere: help comes and goes, the step stays."""
    return {_E.CALL_OFFICER: state, _E.RESUME: state}


_LEAVING = {_E.GIVE_UP: _S.WAITING, _E.TIME_OUT: _S.WAITING, _E.END: _S.WAITING}

LIFE: Mapping[VisitState, Mapping[VisitEvent, VisitState]] = {
    _S.WAITING: {_E.CHECK_IN: _S.GREETED, **_help_in(_S.WAITING)},
    _S.GREETED: {
        _E.AGREE: _S.AGREED,
        _E.RESTART: _S.GREETED,
        **_help_in(_S.GREETED),
        **_LEAVING,
    },
    _S.AGREED: {
        _E.SIT_DOWN: _S.PORTRAIT,
        _E.RESTART: _S.AGREED,
        **_help_in(_S.AGREED),
        **_LEAVING,
    },
    _S.PORTRAIT: {
        _E.KEEP_PORTRAIT: _S.FINGERS,
        _E.RESTART: _S.AGREED,
        **_help_in(_S.PORTRAIT),
        **_LEAVING,
    },
    _S.FINGERS: {
        _E.COMPLETE_FINGERS: _S.READ_BACK,
        _E.TO_IRISES: _S.IRISES,
        _E.RESTART: _S.AGREED,
        **_help_in(_S.FINGERS),
        **_LEAVING,
    },
    _S.IRISES: {
        _E.COMPLETE_IRISES: _S.READ_BACK,
        _E.RESTART: _S.AGREED,
        **_help_in(_S.IRISES),
        **_LEAVING,
    },
    _S.READ_BACK: {
        _E.SEAL: _S.SEALED,
        _E.RETAKE_PORTRAIT: _S.PORTRAIT,
        _E.RESTART: _S.AGREED,
        **_help_in(_S.READ_BACK),
        **_LEAVING,
    },
    _S.SEALED: {
        _E.FINISH: _S.WAITING,
        _E.TIME_OUT: _S.WAITING,
        _E.RESTART: _S.SEALED,
        **_help_in(_S.SEALED),
    },
}


def after(state: VisitState, event: VisitEvent) -> VisitState:
    """Return the state that follows.

    Raises:
        NotNow: the event does not fit the state.
    """
    try:
        return LIFE[state][event]
    except KeyError:
        raise NotNow(f"{event} does not fit {state}") from None
