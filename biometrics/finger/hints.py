"""What a person can mend at the fingerprint reader, in order of priority.

It holds no sentences (those stand in `hints.json`) and decides nothing.
"""

import enum
from functools import cache
from importlib.resources import files

from biometrics.words import Words


class FingerHint(enum.StrEnum):
    """The first that applies is shown."""

    NOT_A_FINGER = "not_a_finger"
    NOT_SHOWN = "not_shown"
    REPLAY = "replay"
    OFFICER = "officer"
    SAME_FINGER = "same_finger"
    NEIGHBOUR = "neighbour"
    OTHER_HAND = "other_hand"
    OTHER_FINGER = "other_finger"
    DIFFERS = "differs"
    SEEN_TODAY = "seen_today"
    MORE_AREA = "more_area"
    CENTRE = "centre"
    TOO_WET = "too_wet"
    TOO_DRY = "too_dry"
    PRESS_LIGHTER = "press_lighter"
    PRESS_HARDER = "press_harder"
    NOISY = "noisy"
    AGAIN = "again"


@cache
def words() -> Words:
    """Return the sentences of this package, keyed ``finger.<value>``."""
    return Words(files("biometrics.finger").joinpath("hints.json"))
