"""Which screens there are, and which belongs to which state. What stands on one is the web's.

A screen moves nothing; the life of the visit does.
"""

import enum
from collections.abc import Mapping
from typing import Final

from kiosk.life import VisitState


class Screen(enum.StrEnum):
    """One page of the touch screen."""

    ATTRACT = "attract"
    TYPE_CODE = "type_code"
    CHECKING = "checking"
    CONFIRM = "confirm"
    NOTICE = "notice"
    PREPARE = "prepare"
    PORTRAIT = "portrait"
    LIVENESS = "liveness"
    """Two short movements, right after the shutter."""
    LOOK = "look"
    FINGERS = "fingers"
    IRISES = "irises"
    READ_BACK = "read_back"
    SIGN = "sign"
    SEALING = "sealing"
    SEALED = "sealed"
    FAREWELL = "farewell"
    HELP = "help"
    """An officer was called and is awaited, or signs in."""
    DESK = "desk"
    """An officer is signed in."""
    ENROL = "enrol"
    """An officer gives their own fingers."""


FIRST: Final[Mapping[VisitState, Screen]] = {
    VisitState.WAITING: Screen.ATTRACT,
    VisitState.GREETED: Screen.CONFIRM,
    VisitState.AGREED: Screen.PREPARE,
    VisitState.PORTRAIT: Screen.PORTRAIT,
    VisitState.FINGERS: Screen.FINGERS,
    VisitState.IRISES: Screen.IRISES,
    VisitState.READ_BACK: Screen.READ_BACK,
    VisitState.SEALED: Screen.SEALED,
}
"""Where a state begins, and where a restart comes back to."""

SCANNING: Final = frozenset({Screen.ATTRACT, Screen.TYPE_CODE})
"""Where a code before the camera is a wish to check in."""
BUSY: Final = frozenset({Screen.CHECKING, Screen.SEALING})
"""Where the kiosk works and nobody is waited for."""
SPOKEN: Final = frozenset(
    {Screen.PORTRAIT, Screen.LIVENESS, Screen.FINGERS, Screen.IRISES, Screen.ENROL}
)
"""Where instructions are said aloud, and a switch for the sound stands."""
AT_THE_GLASS: Final = frozenset({Screen.FINGERS, Screen.ENROL})
"""Where fingers are asked for."""
STEPS: Final = ("ticket", "consent", "portrait", "fingers", "confirm")
_STEP_OF: Final[Mapping[Screen, int]] = {
    Screen.TYPE_CODE: 0,
    Screen.CHECKING: 0,
    Screen.CONFIRM: 0,
    Screen.NOTICE: 1,
    Screen.PREPARE: 2,
    Screen.PORTRAIT: 2,
    Screen.LIVENESS: 2,
    Screen.LOOK: 2,
    Screen.FINGERS: 3,
    Screen.IRISES: 3,
    Screen.READ_BACK: 4,
    Screen.SIGN: 4,
    Screen.SEALING: 4,
    Screen.SEALED: 5,
}


def step_of(screen: Screen) -> int | None:
    """Return how many steps lie behind, None where there is no way to show."""
    return _STEP_OF.get(screen)
