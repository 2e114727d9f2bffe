"""A slap scanner for rehearsals: hands press on it, and fingers come back one by one.

It announces itself as simulated. It has no whole picture of a hand to take apart: each finger is
drawn for itself, so nothing about segmentation is rehearsed.
"""

import functools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.errors import Unplugged
from hardware.finger.hand import POSITIONS, SimulatedHand
from hardware.finger.port import Impression, NoImage, Preview, ReaderInfo, Touch, Wanted
from hardware.finger.synthesis import Condition

SERIAL: Final = "SIMULATED-SLAP"
_DPI: Final = 500
_FRAME: Final = 0.1
"""Seconds between two live pictures."""
_FRAMES: Final = 41
"""So that no frame's noise shares its chance with anything else."""
_NOISE: Final = 1.6
"""Grey values, standard deviation: no two frames of a sensor are alike."""
_GLASS: Final = (200, 640)
"""Height and width of the live picture."""
_MOST: Final = {Touch.SINGLE: 1, Touch.ROLLED: 1, Touch.SLAP: 4, Touch.THUMBS: 2}
_GLASS_FINGERS: Final = 4
_KEPT: Final = 32
"""Impressions kept in memory: those of the last hands, flat and rolled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Laid:
    """Fingers on the glass."""

    person_seed: int
    positions: tuple[int, ...]
    condition: Condition
    touch: int


class SlapScanner:
    """A `FingerReader` and `StandIn` for slaps, thumbs, single and rolled fingers.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told = threading.Condition()
        self._laid: _Laid | None = None
        self._touches = 0
        self._frames = 0
        self._open = True

    @property
    def info(self) -> ReaderInfo:
        """Return what the reader says of itself: that it is simulated."""
        return ReaderInfo(
            name="simulated slap scanner",
            serial=SERIAL,
            simulated=True,
            width=400,
            height=448,
            dpi=_DPI,
            takes=frozenset(Touch),
        )

    def present(self, person_seed: int, *positions: int, condition: str = Condition.WELL) -> None:
        """Put fingers on the glass, in place of what lies there; each time they lie otherwise.

        Raises:
            ValueError: no such position or condition, one twice, or more than there is room for.
        """
        if not 0 < len(positions) <= _GLASS_FINGERS or len(set(positions)) != len(positions):
            raise ValueError(f"one to {_GLASS_FINGERS} fingers fit on the glass, each once")
        if not set(positions) <= set(POSITIONS):
            raise ValueError(f"a finger's position is 1..10, not {positions}")
        with self._told:
            self._touches += 1
            laid = _Laid(
                person_seed=person_seed,
                positions=tuple(sorted(positions, key=_place)),
                condition=Condition(condition),
                touch=self._touches,
            )
        # Fingers grow for seconds when they are first seen; no capture waits for that.
        for position in positions:
            _print(laid, position, Touch.SINGLE)
        with self._told:
            self._laid = laid
            self._told.notify_all()

    def lift(self) -> None:
        """Take every finger off the glass."""
        with self._told:
            self._laid = None
            self._told.notify_all()

    def capture(
        self,
        wanted: Wanted,
        *,
        deadline: float,
        progress: Callable[[float], None] | None = None,
        preview: Preview | None = None,
    ) -> tuple[Impression, ...] | NoImage:
        """Wait for the wanted fingers and take one impression of each.

        As a scanner does, it counts fingers and cannot see whose they are: of the wrong hand
        each is taken for the one that was asked for in its place, from left to right. When fewer
        lie there at the deadline, those come that were wanted.

        Raises:
            Unplugged: the scanner was closed.
            ValueError: no such touch.
        """
        if not 0 < len(wanted.positions) <= _MOST[wanted.touch]:
            raise ValueError(f"{self.info.name} cannot take {wanted}")
        until = self._clock() + deadline
        while True:
            with self._told:
                laid = self._opened()
            if preview is not None:
                preview(self._glance(laid))
            enough = laid is not None and len(laid.positions) >= len(wanted.positions)
            left = until - self._clock()
            if laid is not None and (enough or left <= 0):
                found = self._taken(laid, wanted)
                if found or left <= 0:
                    if progress is not None:
                        progress(1.0)
                    return found or NoImage.NO_FINGER
            if left <= 0:
                return NoImage.NO_FINGER
            with self._told:
                self._told.wait(min(left, _FRAME))

    def wait_lifted(self, *, deadline: float) -> bool:
        """Wait until no finger lies on the glass; False if one still does after `deadline` s.

        Raises:
            Unplugged: the scanner was closed.
        """
        with self._told:
            self._told.wait_for(lambda: self._laid is None or not self._open, timeout=deadline)
            return self._opened() is None

    def close(self) -> None:
        """Let the scanner go; may be called twice."""
        with self._told:
            self._open = False
            self._told.notify_all()

    def _opened(self) -> _Laid | None:
        if not self._open:
            raise Unplugged("the simulated slap scanner is closed")
        return self._laid

    def _taken(self, laid: _Laid, wanted: Wanted) -> tuple[Impression, ...]:
        asked = tuple(sorted(wanted.positions, key=_place))
        if len(laid.positions) == len(asked):
            pairs = dict(zip(asked, laid.positions, strict=True))
        else:
            pairs = {position: position for position in asked if position in laid.positions}
        at = self._clock()
        return tuple(
            Impression(
                pixels=self._frame(_print(laid, pairs[position], wanted.touch)),
                dpi=_DPI,
                at=at,
                serial=SERIAL,
                position=position,
            )
            for position in wanted.positions
            if position in pairs
        )

    def _frame(self, clean: NDArray[np.uint8]) -> NDArray[np.uint8]:
        with self._told:
            self._frames += 1
            chance = np.random.default_rng([_FRAMES, self._frames])
        noise = _NOISE * chance.standard_normal(clean.shape).astype(np.float32)
        return np.asarray(np.clip(np.rint(clean + noise), 0, 255), np.uint8)

    def _glance(self, laid: _Laid | None) -> NDArray[np.uint8]:
        """Return the glass as a live picture has it: small, fingers side by side."""
        glass = np.full(_GLASS, 235, np.uint8)
        if laid is None:
            return glass
        slot = _GLASS[1] // _GLASS_FINGERS
        for place, position in enumerate(laid.positions):
            small = cv2.resize(
                _print(laid, position, Touch.SINGLE), None, fx=0.5, fy=0.5,
                interpolation=cv2.INTER_AREA,
            )  # fmt: skip
            top, left = (_GLASS[0] - small.shape[0]) // 2, place * slot + 16
            glass[top : top + small.shape[0], left : left + small.shape[1]] = small
        return glass


@functools.lru_cache(maxsize=_KEPT)
def _print(laid: _Laid, position: int, touch: Touch) -> NDArray[np.uint8]:
    finger = SimulatedHand(laid.person_seed).finger(position)
    if touch is Touch.ROLLED:
        return finger.rolled(laid.touch, laid.condition)
    return finger.impression(laid.touch, laid.condition)


def _place(position: int) -> int:
    """Return where a finger lies from left to right when both hands lie on the glass."""
    return -position if position > 5 else position  # noqa: PLR2004 - 6 to 10 are the left hand's
