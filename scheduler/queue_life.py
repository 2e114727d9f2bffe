"""The life of somebody in the waiting room: one table. Nobody else decides what may happen there.

It knows neither order nor time: who is called next is decided in `scheduler.line`.
"""

import enum
from collections.abc import Mapping


class QueueState(enum.StrEnum):
    """Where somebody in the waiting room stands."""

    WAITING = "waiting"
    CALLED = "called"
    SERVING = "serving"
    DONE = "done"
    GONE = "gone"
    """Called and not there, or went away."""


class QueueEvent(enum.StrEnum):
    """What may happen to somebody in the waiting room."""

    CALL = "call"
    BEGIN = "begin"
    """Also without a call, for who walks straight to a free kiosk; and again, at another one."""
    END = "end"
    NO_SHOW = "no_show"
    COME_BACK = "come_back"
    """Into the line: from outside, or because the kiosk or counter cannot serve."""


class NotNow(Exception):
    """The event does not fit the state."""


_S, _E = QueueState, QueueEvent

LIFE: Mapping[QueueState, Mapping[QueueEvent, QueueState]] = {
    _S.WAITING: {_E.CALL: _S.CALLED, _E.BEGIN: _S.SERVING, _E.NO_SHOW: _S.GONE},
    _S.CALLED: {
        _E.CALL: _S.CALLED,
        _E.BEGIN: _S.SERVING,
        _E.NO_SHOW: _S.GONE,
        _E.COME_BACK: _S.WAITING,
    },
    _S.SERVING: {_E.BEGIN: _S.SERVING, _E.END: _S.DONE, _E.COME_BACK: _S.WAITING},
    _S.DONE: {},
    _S.GONE: {_E.COME_BACK: _S.WAITING},
}


def after(state: QueueState, event: QueueEvent) -> QueueState:
    """Return the state that follows.

    Raises:
        NotNow: the event does not fit the state.
    """
    try:
        return LIFE[state][event]
    except KeyError:
        raise NotNow(f"{event} does not fit {state}") from None
