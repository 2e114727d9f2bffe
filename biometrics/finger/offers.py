"""What goes into a visit of fingers and what comes out of it: values, no rules.

An item is a finger position taken in one way; a touch brings one impression of each of its items.
"""

import enum
import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biometrics.capture import ImpressionKind
from biometrics.finger import limits
from biometrics.finger.hints import FingerHint
from biometrics.finger.judge import Seen
from biometrics.finger.known import Hit
from biometrics.finger.quality import Quality


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One finger taken in one way: what a visit has ten or twenty of."""

    position: int
    kind: ImpressionKind


class ItemState(enum.StrEnum):
    """Where one item stands."""

    OPEN = "open"
    TAKEN = "taken"
    UNDECIDED = "undecided"
    """An officer decides: keep, missing, waive or reopen."""
    MISSING = "missing"
    WAIVED = "waived"
    """A rolled impression that an officer let be; the finger is there, flat."""


class Outcome(enum.StrEnum):
    """What became of an impression.

    TAKEN: the item has its print. AGAIN: one more try, please. UNDECIDED: an officer decides.
    CONFIRMED: a control press showed the right finger. SWAPPED: fingers were mixed up before;
    `Offered.reopened` are open again.
    """

    TAKEN = "taken"
    AGAIN = "again"
    UNDECIDED = "undecided"
    CONFIRMED = "confirmed"
    SWAPPED = "swapped"


class Alert(enum.StrEnum):
    """What an officer and the journal are told of an impression."""

    SAME_FINGER = "same_finger"
    """Another position has this finger."""
    NEIGHBOURS_SWAPPED = "neighbours_swapped"
    HANDS_SWAPPED = "hands_swapped"
    OTHER_FINGER = "other_finger"
    """It is not the finger that was shown for this item before."""
    ROLLED_DIFFERS = "rolled_differs"
    """The rolled and the flat finger of this position are two."""
    OFFICER = "officer"
    REPLAY = "replay"
    """Bit for bit a picture that came before."""
    SEEN_TODAY = "seen_today"


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """One finger of one touch, as the reader gave it.

    Attributes:
        position: the finger the reader took it for.
        pixels: height x width, uint8, dark ridges on light ground.
        reader: what goes on record as its name.
    """

    position: int
    pixels: NDArray[np.uint8]
    dpi: int
    reader: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Impression:
    """One impression that was looked at: what it showed, and its picture as PNG.

    Attributes:
        digest: SHA-256 of its size and pixels.
    """

    seen: Seen
    image: bytes
    width: int
    height: int
    dpi: int
    reader: str
    digest: bytes

    @property
    def worth(self) -> float:
        """Return the quality to compare by, 0..100: NFIQ 2, or the estimate where there is none."""
        return self.seen.quality.worth

    @property
    def minutiae_count(self) -> int:
        """Return how many minutiae were seen; 0 also where none could be looked for."""
        return 0 if self.seen.minutiae is None else self.seen.minutiae.sure

    @property
    def usable(self) -> bool:
        """True where it is a finger with minutiae enough to be told from others."""
        return self.seen.quality.finger and self.minutiae_count >= limits.FEWEST_MINUTIAE.value

    @property
    def clear(self) -> bool:
        """True where it is good enough for a mismatch to mean something."""
        return (
            self.worth >= limits.CLEAR_FROM.value
            and self.minutiae_count >= limits.CLEAR_MINUTIAE.value
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """One finger of one touch, judged.

    Attributes:
        hit: who is known to have this finger, None for nobody.
    """

    position: int
    impression: Impression
    hit: Hit | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """What became of one finger of a touch.

    Attributes:
        kept: True where it is now the best of its item.
        quality: None where the finger was asked for and is not in the touch.
        minutiae_count: minutiae seen in it.
        hint: what to say to the person, None where nothing needs saying.
        alert: what to tell an officer and the journal, None for nothing.
        who: whose finger it is, with `Alert.OFFICER` and `Alert.SEEN_TODAY`; never for the person.
        try_number: counted from 1 at this item (control presses count on their own).
        tries_left: 0 where the item is settled or an officer decides.
        same_as: the other position whose finger this is, else None.
        reopened: items that are open again because of it.
    """

    item: Item
    outcome: Outcome
    kept: bool
    quality: Quality | None
    minutiae_count: int
    hint: FingerHint | None
    alert: Alert | None
    who: str | None
    try_number: int
    tries_left: int
    same_as: int | None
    reopened: tuple[Item, ...]


def digest_of(pixels: NDArray[np.uint8]) -> bytes:
    """Return SHA-256 of a picture's size and pixels."""
    size = ",".join(str(side) for side in pixels.shape)
    return hashlib.sha256(size.encode() + b":" + np.ascontiguousarray(pixels).tobytes()).digest()
