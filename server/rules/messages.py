"""The life of a message to a citizen: one table. It sends nothing and knows no words."""

import enum
from collections.abc import Mapping


class Channel(enum.StrEnum):
    """How somebody is reached."""

    ZALO = "zalo"
    SMS = "sms"
    EMAIL = "email"


class MessageState(enum.StrEnum):
    """Where a message stands."""

    QUEUED = "queued"
    SENT = "sent"
    """Handed to whoever carries it; whether it was read nobody knows."""
    FAILED = "failed"
    """Tried often enough: somebody has to tell the citizen in another way."""
    DROPPED = "dropped"
    """Untrue before it was sent: the appointment was cancelled or moved, or is over."""


class MessageEvent(enum.StrEnum):
    """What may happen to a message."""

    SEND = "send"
    FAIL = "fail"
    DROP = "drop"


class NotNow(Exception):
    """The event does not fit the state."""


_S, _E = MessageState, MessageEvent

LIFE: Mapping[MessageState, Mapping[MessageEvent, MessageState]] = {
    _S.QUEUED: {_E.SEND: _S.SENT, _E.FAIL: _S.FAILED, _E.DROP: _S.DROPPED},
    _S.SENT: {},
    _S.FAILED: {},
    _S.DROPPED: {},
}


def after(state: MessageState, event: MessageEvent) -> MessageState:
    """Return the state that follows.

    Raises:
        NotNow: the event does not fit the state.
    """
    try:
        return LIFE[state][event]
    except KeyError:
        raise NotNow(f"{event} does not fit {state}") from None
