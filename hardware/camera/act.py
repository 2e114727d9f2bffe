"""What a sitter can be told to do, and how it looks: acts that combine and pass into each other.

It draws nothing and knows no time.
"""

import enum
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, Final


class Behaviour(enum.StrEnum):
    """What a sitter can be told to do; left and right are the sitter's own."""

    WELL = "well"
    TURN = "turn"
    TURN_RIGHT = "turn_right"
    CHIN_HIGH = "chin_high"
    CHIN_LOW = "chin_low"
    TILT = "tilt"
    EYES_SHUT = "eyes_shut"
    MOUTH_OPEN = "mouth_open"
    SMILE = "smile"
    MASK = "mask"
    GLASSES = "glasses"
    FAR = "far"
    NEAR = "near"
    OFF_CENTRE = "off_centre"
    OFF_CENTRE_RIGHT = "off_centre_right"
    HIGH = "high"
    LOW = "low"
    MOVING = "moving"
    DARK = "dark"
    BRIGHT = "bright"
    SIDE_LIGHT = "side_light"
    COLOURED = "coloured"
    BUSY = "busy"
    SECOND_PERSON = "second_person"
    AWAY = "away"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """How a sitter looks to the camera; the defaults sit well.

    Attributes:
        yaw, pitch, roll: degrees: to the sitter's left, down, clockwise in the picture.
        mouth_open, smile: shares, 0..1.
        size: distance of the eyes, share of the frame's height.
        across, down: how far from the right place, shares of the frame's height: towards the
            sitter's left, and downwards.
        light: how bright the room is, 1 is right.
        side: how dark one side of the face is, -1..1; above 0 it is the sitter's left.
        warmth: how yellow the light is, 0..1.
        smear: how far a movement smears the picture, share of the frame's height.
        mask, glasses: a cloth over mouth and nose, dark glasses.
        busy: shelves stand behind the sitter instead of a wall.
        company: a second person stands beside.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    eyes_shut: bool = False
    mouth_open: float = 0.0
    smile: float = 0.0
    size: float = 0.148
    across: float = 0.0
    down: float = 0.0
    light: float = 1.0
    side: float = 0.0
    warmth: float = 0.0
    smear: float = 0.0
    mask: bool = False
    glasses: bool = False
    busy: bool = False
    company: bool = False
    there: bool = True


WELL: Final = Act()
ACTS: Final = MappingProxyType(
    {
        Behaviour.WELL: WELL,
        Behaviour.TURN: Act(yaw=24.0),
        Behaviour.TURN_RIGHT: Act(yaw=-24.0),
        Behaviour.CHIN_HIGH: Act(pitch=-22.0),
        Behaviour.CHIN_LOW: Act(pitch=22.0),
        Behaviour.TILT: Act(roll=17.0),
        Behaviour.EYES_SHUT: Act(eyes_shut=True),
        Behaviour.MOUTH_OPEN: Act(mouth_open=1.0),
        Behaviour.SMILE: Act(smile=1.0),
        Behaviour.MASK: Act(mask=True),
        Behaviour.GLASSES: Act(glasses=True),
        Behaviour.FAR: Act(size=0.085),
        Behaviour.NEAR: Act(size=0.25),
        Behaviour.OFF_CENTRE: Act(across=0.42),
        Behaviour.OFF_CENTRE_RIGHT: Act(across=-0.42),
        Behaviour.HIGH: Act(down=-0.2),
        Behaviour.LOW: Act(down=0.2),
        Behaviour.MOVING: Act(smear=0.02),
        Behaviour.DARK: Act(light=0.2),
        Behaviour.BRIGHT: Act(light=2.4),
        Behaviour.SIDE_LIGHT: Act(side=0.75),
        Behaviour.COLOURED: Act(warmth=1.0),
        Behaviour.BUSY: Act(busy=True),
        Behaviour.SECOND_PERSON: Act(company=True),
        Behaviour.AWAY: Act(there=False),
    }
)


def combined(*behaviours: Behaviour) -> Act:
    """Return the act of doing all of these at once; where two disagree the last is followed."""
    mixed: dict[str, Any] = {}
    for behaviour in behaviours:
        for field in fields(Act):
            value = getattr(ACTS[behaviour], field.name)
            if value != field.default:
                mixed[field.name] = value
    return Act(**mixed)


def between(one: Act, other: Act, share: float) -> Act:
    """Return the act on the way from one to the other, 0..1; what is or is not changes half-way."""
    if share <= 0:
        return one
    if share >= 1:
        return other
    mixed: dict[str, Any] = {}
    for field in fields(Act):
        first, last = getattr(one, field.name), getattr(other, field.name)
        if isinstance(first, bool):
            mixed[field.name] = last if share >= 0.5 else first  # noqa: PLR2004 - half-way
        else:
            mixed[field.name] = first + share * (last - first)
    return Act(**mixed)
