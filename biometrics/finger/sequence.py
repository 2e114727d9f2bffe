"""Which touch comes next: the plan's steps with what is open of them, then control presses.

It judges nothing; who is open it is told.
"""

from collections.abc import Collection, Iterable
from typing import Final

import numpy as np

from biometrics.capture import FINGERS
from biometrics.finger.decisions import PlanInvalid
from biometrics.finger.offers import Item
from biometrics.finger.plan import LEFT, RIGHT, THUMBS, Step, Touch

_MOST_CONTROLS: Final = 2
_TOGETHER: Final = {Touch.SLAP: (RIGHT, LEFT), Touch.THUMBS: (THUMBS,)}


class Sequence:
    """The steps of a plan.

    Args:
        steps: as `plan.steps` gives them.
        takes: what the reader can take.

    Raises:
        PlanInvalid: an item twice, a position outside 1..10, or fingers no such touch takes.
    """

    def __init__(self, steps: Iterable[Step], takes: Collection[Touch]) -> None:
        self.steps: Final = tuple(steps)
        self.items: Final = tuple(item for step in self.steps for item in items_of(step))
        self._takes = frozenset(takes)
        if len(set(self.items)) < len(self.items):
            raise PlanInvalid("a finger is asked for twice")
        for step in self.steps:
            if not _possible(step):
                raise PlanInvalid(f"no {step.touch} of {step.positions}")

    def wanted(self, open_: Collection[Item]) -> Step | None:
        """Return the first step of which something is open, without the rest of it."""
        for step in self.steps:
            positions = tuple(item.position for item in items_of(step) if item in open_)
            if positions:
                return self._touch(step, positions)
        return None

    def alone(self, item: Item) -> Step:
        """Return the touch that shows one item by itself."""
        step = next(step for step in self.steps if item in items_of(step))
        return self._touch(step, (item.position,))

    def _touch(self, step: Step, positions: tuple[int, ...]) -> Step:
        single = Touch.SINGLE in self._takes and step.touch is not Touch.ROLLED
        touch = Touch.SINGLE if single and len(positions) == 1 else step.touch
        return Step(positions=positions, touch=touch)


class Controls:
    """The items that are asked for again at the end, to see that no finger was swapped.

    Args:
        most: how many are drawn, 0..2.
        rng: draws them.

    Raises:
        PlanInvalid: that many are not asked of anybody.
    """

    def __init__(self, most: int, rng: np.random.Generator) -> None:
        if not 0 <= most <= _MOST_CONTROLS:
            raise PlanInvalid(f"{most} control presses")
        self._most = most
        self._rng = rng
        self._drawn: list[Item] | None = None
        self.tries = 0
        """Presses of the item that is asked for now."""

    @property
    def drawn(self) -> bool:
        """True once it is known which items are asked for again."""
        return self._drawn is not None

    @property
    def wanted(self) -> Item | None:
        """Return the item that is asked for again now."""
        return self._drawn[0] if self._drawn else None

    def draw(self, pool: Collection[Item]) -> None:
        """Draw among `pool`."""
        items = tuple(pool)
        count = min(self._most, len(items))
        chosen = self._rng.choice(len(items), count, replace=False) if count else ()
        self._drawn = [items[int(number)] for number in chosen]
        self.tries = 0

    def done(self) -> None:
        """Go on to the next item: this one is confirmed, or an officer lets it be."""
        if self._drawn:
            self._drawn.pop(0)
        self.tries = 0

    def drop(self, items: Collection[Item]) -> None:
        """Ask for none of `items` again."""
        if self._drawn is not None and any(item in items for item in self._drawn):
            self._drawn = [item for item in self._drawn if item not in items]
            self.tries = 0

    def forget(self) -> None:
        """Draw anew when all items are settled again."""
        self._drawn = None
        self.tries = 0


def items_of(step: Step) -> tuple[Item, ...]:
    """Return what a step asks for, in its order."""
    return tuple(Item(position=position, kind=step.kind) for position in step.positions)


def _possible(step: Step) -> bool:
    positions = step.positions
    if not positions or len(set(positions)) < len(positions) or not set(positions) <= set(FINGERS):
        return False
    together = _TOGETHER.get(step.touch)
    if together is None:
        return len(positions) == 1
    return any(set(positions) <= set(fingers) for fingers in together)
