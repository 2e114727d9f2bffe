"""A stand-in before the camera who does what the kiosk asks, one step at a time, as people do.

It sees only what is asked, never how the frame was judged; and it is no part of a real visit.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from hardware.camera.act import WELL, Act
from hardware.camera.sitter import MOVES_IN, SitterCamera

REACTS_AFTER: Final = 0.7
"""Seconds from reading or hearing a sentence to moving."""
OFFICER_AFTER: Final = 1.5
"""Seconds until an officer has seen to lamps or wall."""
BLINKS_EVERY: Final = 1.6
"""Seconds between two blinks of somebody who was asked to blink."""

Step = Callable[[Act], Act]

_NEARER: Final = 1.22
_ASIDE: Final = 0.15
_UP: Final = 0.08
_TURN: Final = 10.0
_NOD: Final = 9.0
_LAMP: Final = 1.6
_FARTHEST, _NEAREST = 0.04, 0.3
_MOST_TURN: Final = 45.0
_OUT: Final = 0.6
_DARKEST, _BRIGHTEST = 0.05, 3.0


def _sized(factor: float) -> Step:
    return lambda act: replace(act, size=min(_NEAREST, max(_FARTHEST, act.size * factor)))


def _moved(across: float = 0.0, down: float = 0.0) -> Step:
    return lambda act: replace(
        act, across=_held(act.across + across, _OUT), down=_held(act.down + down, _OUT)
    )


def _turned(yaw: float = 0.0, pitch: float = 0.0) -> Step:
    return lambda act: replace(
        act, yaw=_held(act.yaw + yaw, _MOST_TURN), pitch=_held(act.pitch + pitch, _MOST_TURN)
    )


def _lit(factor: float) -> Step:
    return lambda act: replace(act, light=min(_BRIGHTEST, max(_DARKEST, act.light * factor)))


def _held(value: float, most: float) -> float:
    return min(most, max(-most, value))


def _upright(act: Act) -> Act:
    # Which way the head leans a person feels; the sentence does not say it.
    return replace(act, roll=act.roll - _held(act.roll, _NOD))


def _facing(act: Act) -> Act:
    # The sitter's eyes look where the head does.
    return replace(
        act, yaw=act.yaw - _held(act.yaw, _TURN), pitch=act.pitch - _held(act.pitch, _NOD)
    )


STEPS: Final[Mapping[str, Step]] = MappingProxyType(
    {
        "portrait.no_face": lambda act: replace(act, there=True),
        "portrait.second_person": lambda act: replace(act, company=False),
        "portrait.closer": _sized(_NEARER),
        "portrait.farther": _sized(1 / _NEARER),
        "portrait.left": _moved(across=_ASIDE),
        "portrait.right": _moved(across=-_ASIDE),
        "portrait.up": _moved(down=-_UP),
        "portrait.down": _moved(down=_UP),
        "portrait.turn_left": _turned(yaw=_TURN),
        "portrait.turn_right": _turned(yaw=-_TURN),
        "portrait.chin_up": _turned(pitch=-_NOD),
        "portrait.chin_down": _turned(pitch=_NOD),
        "portrait.head_straight": _upright,
        "portrait.too_dark": _lit(_LAMP),
        "portrait.too_bright": _lit(1 / _LAMP),
        "portrait.shadow": lambda act: replace(act, side=0.0),
        "portrait.colour": lambda act: replace(act, warmth=0.0),
        "portrait.uncover": lambda act: replace(act, mask=False, glasses=False),
        "portrait.glasses": lambda act: replace(act, glasses=False),
        "portrait.eyes_open": lambda act: replace(act, eyes_shut=False),
        "portrait.look_here": _facing,
        "portrait.mouth_closed": lambda act: replace(act, mouth_open=0.0),
        "portrait.neutral": lambda act: replace(act, smile=0.0, mouth_open=0.0),
        # Whoever clears the wall sees to the lamp that colours it, too.
        "portrait.background": lambda act: replace(act, busy=False, warmth=0.0),
        "portrait.blur": lambda act: replace(act, smear=0.0),
    }
)
"""What a person does about each sentence; directions are their own. Others they cannot mend."""
_OFFICERS: Final = frozenset(
    {"portrait.too_dark", "portrait.too_bright", "portrait.colour", "portrait.background"}
)
GESTURES: Final[Mapping[str, Step]] = MappingProxyType(
    {
        "liveness.turn_left": _turned(yaw=26.0),
        "liveness.turn_right": _turned(yaw=-26.0),
        "liveness.look_up": _turned(pitch=-24.0),
        "liveness.come_closer": _sized(1.4),
        "liveness.blink": lambda act: act,
    }
)
"""What they do while it is asked for, and leave off when it is not."""
_BLINK: Final = "liveness.blink"


class Obedient:
    """One person: how they sit, and what they are asked for.

    Args:
        act: how they sit down.
    """

    def __init__(self, act: Act = WELL) -> None:
        self.act = act
        self._asked: str | None = None
        self._waited = 0.0
        self._gesture = False

    def tick(self, camera: SitterCamera, asked: str | None, seconds: float) -> None:
        """Let so many seconds pass in which `asked` (a sentence's key) was asked for."""
        if asked != self._asked:
            self._asked, self._waited = asked, 0.0
        self._waited += seconds
        if self._waited < (OFFICER_AFTER if asked in _OFFICERS else REACTS_AFTER):
            return
        if asked is not None and asked in GESTURES:
            self._make(camera, asked)
        elif self._gesture:
            self._gesture = False
            camera.pose(self.act)
        elif asked is not None and asked in STEPS:
            # They look what came of it before they move again.
            self._waited = -MOVES_IN
            self.act = STEPS[asked](self.act)
            camera.pose(self.act)

    def _make(self, camera: SitterCamera, asked: str) -> None:
        wanted = GESTURES[asked](self.act)
        if camera.act != wanted:
            camera.pose(wanted)
        self._gesture = self._gesture or wanted != self.act
        if asked == _BLINK:
            camera.blink()
            self._waited = REACTS_AFTER - BLINKS_EVERY
