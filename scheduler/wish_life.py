"""The life of a wish for a place: one table. Nobody else decides what may happen to a wish.

It finds no places; it only says what may follow what.
"""

import enum
from collections.abc import Mapping

from scheduler.tables_waiting import DrawState, WishState


class WishEvent(enum.StrEnum):
    """What may happen to a wish."""

    OFFER = "offer"
    ACCEPT = "accept"
    TURN_DOWN = "turn_down"
    """It was declined, or nobody answered in time."""
    DRAW = "draw"
    """The lot gave it a place."""
    WITHDRAW = "withdraw"
    LAPSE = "lapse"


class DrawEvent(enum.StrEnum):
    """What may happen to a draw by lot."""

    CLOSE = "close"
    DRAW = "draw"
    CANCEL = "cancel"


class NotNow(Exception):
    """The event does not fit the state."""


_S, _E = WishState, WishEvent

LIFE: Mapping[WishState, Mapping[WishEvent, WishState]] = {
    _S.WAITING: {
        _E.OFFER: _S.OFFERED,
        _E.DRAW: _S.PLACED,
        _E.WITHDRAW: _S.WITHDRAWN,
        _E.LAPSE: _S.LAPSED,
    },
    _S.OFFERED: {
        _E.ACCEPT: _S.PLACED,
        _E.TURN_DOWN: _S.WAITING,
        _E.WITHDRAW: _S.WITHDRAWN,
    },
    _S.PLACED: {},
    _S.WITHDRAWN: {},
    _S.LAPSED: {},
}

DRAW_LIFE: Mapping[DrawState, Mapping[DrawEvent, DrawState]] = {
    DrawState.ANNOUNCED: {
        DrawEvent.CLOSE: DrawState.CLOSED,
        DrawEvent.CANCEL: DrawState.CANCELLED,
    },
    DrawState.CLOSED: {
        DrawEvent.DRAW: DrawState.DRAWN,
        DrawEvent.CANCEL: DrawState.CANCELLED,
    },
    DrawState.DRAWN: {},
    DrawState.CANCELLED: {},
}


def after(state: WishState, event: WishEvent) -> WishState:
    """Return the state of a wish that follows.

    Raises:
        NotNow: the event does not fit the state.
    """
    try:
        return LIFE[state][event]
    except KeyError:
        raise NotNow(f"{event} does not fit {state}") from None


def after_draw(state: DrawState, event: DrawEvent) -> DrawState:
    """Return the state of a draw that follows.

    Raises:
        NotNow: the event does not fit the state.
    """
    try:
        return DRAW_LIFE[state][event]
    except KeyError:
        raise NotNow(f"{event} does not fit {state}") from None
