"""What a sitter can mend, one at a time, in a fixed order of priority.

It holds no sentences (those stand in `hints.json`) and decides nothing.
"""

import enum
from functools import cache
from importlib.resources import files

from biometrics.words import Words


class PortraitHint(enum.StrEnum):
    """Directions are the sitter's own: LEFT means "move to your left", TURN_LEFT "turn to it"."""

    NO_FACE = "no_face"
    SECOND_PERSON = "second_person"
    CLOSER = "closer"
    FARTHER = "farther"
    LEFT = "left"
    RIGHT = "right"
    UP = "up"
    DOWN = "down"
    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    CHIN_UP = "chin_up"
    CHIN_DOWN = "chin_down"
    HEAD_STRAIGHT = "head_straight"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    SHADOW = "shadow"
    COLOUR = "colour"
    UNCOVER = "uncover"
    BARE_HEAD = "bare_head"
    GLASSES = "glasses"
    EYES_OPEN = "eyes_open"
    LOOK_HERE = "look_here"
    MOUTH_CLOSED = "mouth_closed"
    NEUTRAL = "neutral"
    EARS = "ears"
    BACKGROUND = "background"
    BLUR = "blur"
    NOISE = "noise"
    COMPRESSED = "compressed"


@cache
def words() -> Words:
    """Return the sentences of this package, keyed ``portrait.<value>``."""
    return Words(files("biometrics.face").joinpath("hints.json"))
