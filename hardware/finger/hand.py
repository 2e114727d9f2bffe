"""The ten fingers of a person who does not exist.

It presses nothing on anything: see `simulated_reader`.
"""

import functools
import threading
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hardware.finger.ridges import Pattern
from hardware.finger.synthesis import Condition, Finger

POSITIONS: Final = range(1, 11)
"""ISO/IEC 19794: 1 right thumb .. 5 right little, 6 left thumb .. 10 left little."""
_SIZES: Final = (1.12, 1.0, 1.02, 0.98, 0.88)
"""From thumb to little finger; 1 is an index finger."""
_ULNAR: Final = 0.93
"""Share of loops that open towards the little finger."""


class SimulatedHand:
    """Both hands of the person of `person_seed`."""

    def __init__(self, person_seed: int) -> None:
        self.person_seed = person_seed

    def finger(self, position: int) -> Finger:
        """Return one finger; the same person and position are the same finger for ever.

        Raises:
            ValueError: there is no such position.
        """
        if position not in POSITIONS:
            raise ValueError(f"a finger's position is 1..10, not {position}")
        return _finger(self.person_seed, position)


class SingleTouches:
    """Touches of a glass with room for one finger; each time a finger lies otherwise on it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[int, int], int] = {}

    def draw(self, person_seed: int, positions: Sequence[int], condition: str) -> NDArray[np.uint8]:
        """Return the next touch of a finger: height x width, uint8, dark ridges on light ground.

        Args:
            person_seed: whose.
            positions: 1 right thumb .. 10 left little; one, there is no room for more.
            condition: how it is put there.

        Raises:
            ValueError: no such position or condition, or not one finger.
        """
        if len(positions) != 1:
            raise ValueError(f"one finger fits on the glass, not {len(positions)}")
        (position,) = positions
        finger, kind = SimulatedHand(person_seed).finger(position), Condition(condition)
        with self._lock:
            touch = self._counts.get((person_seed, position), 0) + 1
            self._counts[person_seed, position] = touch
        return finger.impression(touch, kind)


@functools.lru_cache(maxsize=256)
def _finger(person_seed: int, position: int) -> Finger:
    generator = np.random.default_rng([_HANDS, person_seed, position])
    seed = int(generator.integers(2**62))
    size = _SIZES[(position - 1) % 5] * float(generator.normal(1.0, 0.03))
    finger = Finger(seed, size=size)
    if finger.pattern not in {Pattern.LEFT_LOOP, Pattern.RIGHT_LOOP}:
        return finger
    # On a print of the right hand the little finger's side is the right one.
    ulnar = Pattern.RIGHT_LOOP if position <= 5 else Pattern.LEFT_LOOP  # noqa: PLR2004
    radial = Pattern.LEFT_LOOP if position <= 5 else Pattern.RIGHT_LOOP  # noqa: PLR2004
    return Finger(seed, ulnar if generator.random() < _ULNAR else radial, size)


_HANDS: Final = 13
