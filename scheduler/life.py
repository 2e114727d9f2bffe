"""The life of an appointment: one table. Nobody else decides what may happen to an appointment.

It counts no places; it only says in which states one is taken.
"""

import enum
from collections.abc import Mapping


class AppointmentState(enum.StrEnum):
    """Where an appointment stands."""

    HELD = "held"
    BOOKED = "booked"
    ARRIVED = "arrived"
    SERVED = "served"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    MISSED = "missed"

    @property
    def takes_a_place(self) -> bool:
        """Whether one place of the slot is counted for it."""
        return self in {_S.HELD, _S.BOOKED, _S.ARRIVED, _S.SERVED}

    @property
    def live(self) -> bool:
        """Whether something may still happen to it: the person may not book a second one."""
        return bool(LIFE[self])


class AppointmentEvent(enum.StrEnum):
    """What may happen to an appointment."""

    CONFIRM = "confirm"
    EXPIRE = "expire"
    CANCEL = "cancel"
    MISS = "miss"
    ARRIVE = "arrive"
    LEAVE = "leave"
    SERVE = "serve"


class NotNow(Exception):
    """The event does not fit the state."""


_S, _E = AppointmentState, AppointmentEvent

LIFE: Mapping[AppointmentState, Mapping[AppointmentEvent, AppointmentState]] = {
    _S.HELD: {_E.CONFIRM: _S.BOOKED, _E.EXPIRE: _S.EXPIRED, _E.CANCEL: _S.CANCELLED},
    _S.BOOKED: {_E.ARRIVE: _S.ARRIVED, _E.CANCEL: _S.CANCELLED, _E.MISS: _S.MISSED},
    _S.ARRIVED: {_E.SERVE: _S.SERVED, _E.LEAVE: _S.BOOKED},
    _S.SERVED: {},
    _S.EXPIRED: {},
    _S.CANCELLED: {},
    _S.MISSED: {},
}


def after(state: AppointmentState, event: AppointmentEvent) -> AppointmentState:
    """Return the state that follows.

    Raises:
        NotNow: the event does not fit the state.
    """
    try:
        return LIFE[state][event]
    except KeyError:
        raise NotNow(f"{event} does not fit {state}") from None
