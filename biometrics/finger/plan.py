"""Which touches a visit is made of: what the procedure wants, as far as the reader can take it.

It takes nothing and knows no reader.
"""

import enum
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from biometrics.capture import FINGERS, ImpressionKind


class Touch(enum.StrEnum):
    """How fingers can be put on a reader's glass."""

    SINGLE = "single"
    SLAP = "slap"
    THUMBS = "thumbs"
    ROLLED = "rolled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One touch that is asked for: these fingers, taken at once."""

    positions: tuple[int, ...]
    touch: Touch

    @property
    def kind(self) -> ImpressionKind:
        """Return what kind of impression the touch makes."""
        rolled = self.touch is Touch.ROLLED
        return ImpressionKind.ROLLED if rolled else ImpressionKind.PLAIN


RIGHT: Final = (2, 3, 4, 5)
LEFT: Final = (7, 8, 9, 10)
THUMBS: Final = (1, 6)
_TOGETHER: Final = ((RIGHT, Touch.SLAP), (LEFT, Touch.SLAP), (THUMBS, Touch.THUMBS))
"""In the order of TT 60/2021 Đ5(3)."""


def steps(
    fingers: Iterable[int],
    kinds: Collection[ImpressionKind],
    takes: Collection[Touch],
) -> tuple[Step, ...]:
    """Return the touches to ask for, in order: 13 where everything can be had, ten at least.

    Args:
        fingers: positions that are wanted, 1 right thumb .. 10 left little.
        kinds: how each is wanted.
        takes: what the reader can take; fingers it cannot take together it takes one by one.

    Raises:
        ValueError: a position twice, or that no hand has.
    """
    wanted = tuple(fingers)
    if len(set(wanted)) < len(wanted) or not set(wanted) <= set(FINGERS):
        raise ValueError(f"not a plan of fingers: {wanted}")
    found: list[Step] = []
    if ImpressionKind.PLAIN in kinds:
        found += _plain(wanted, takes)
    if ImpressionKind.ROLLED in kinds and Touch.ROLLED in takes:
        found += [Step(positions=(position,), touch=Touch.ROLLED) for position in wanted]
    return tuple(found)


def _plain(wanted: tuple[int, ...], takes: Collection[Touch]) -> list[Step]:
    # One finger of a hand goes on the glass by itself, where the reader has such a touch.
    fewest = 2 if Touch.SINGLE in takes else 1
    together = [
        Step(positions=present, touch=touch)
        for hand, touch in _TOGETHER
        if touch in takes
        and len(present := tuple(position for position in hand if position in wanted)) >= fewest
    ]
    done = {position for step in together for position in step.positions}
    alone = [position for position in wanted if position not in done]
    return together + [Step(positions=(position,), touch=Touch.SINGLE) for position in alone]
