"""Attended liveness: two or three movements drawn by lot, and whether one face made them.

It detects no attack worth the name and refuses nobody; it gives an officer something to go by
(docs/liveness.md says what passes).
"""

import enum
import hashlib
import itertools
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

import numpy as np

from biometrics.capture import Liveness
from biometrics.face.following import (
    GAP,
    SAME_FROM,
    STRANGER_BELOW,
    Pixels,
    follows,
    glimpse,
    likeness,
)
from biometrics.face.judge import Verdict, check
from biometrics.face.landmarks import Landmarks
from biometrics.face.relief import Relief, relief, rigid
from biometrics.words import Words


class Action(enum.StrEnum):
    """What a sitter may be asked to do; left and right are their own."""

    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    LOOK_UP = "look_up"
    BLINK = "blink"
    COME_CLOSER = "come_closer"


LOOK_HERE: Final = "look_here"
"""What is asked for between two actions and after the last: back to the start."""
TURNS: Final = frozenset({Action.TURN_LEFT, Action.TURN_RIGHT})
SEED_DIGITS: Final = 32
LONGEST_VISIT: Final = 64
_DOMAIN: Final = b"thunhan-liveness-1\0"

TURNED: Final = 12.0
"""Degrees by which the mesh must see the head turned against the portrait: a drawn head turned by
20 reads as 12, a flat print turned by 45 as 5 (docs/liveness.md)."""
RAISED: Final = 10.0
"""Degrees by which the chin must have gone up: twice the spread of upright sitters."""
NEARER: Final = 1.2
"""How many times as far apart the eyes must be, against the portrait."""
EYES: Final = "EyesOpen"
SHUT, OPEN = 0.45, 0.7
"""Shares of the eyes' opening in the portrait: below the first shut, above the second open, so
that narrow eyes are measured by themselves."""
BLINK_WITHIN: Final = 1.0
"""Seconds; eyes shut for longer were not blinked with."""
RELIEF_FRAMES: Final = 3
"""Frames over which the relief is taken, their median."""
HOLD: Final = 3
"""Frames in a row in which a movement must be seen."""
STRAIGHT: Final = 8.0
"""Degrees off the portrait's pose that are still straight."""
BACK: Final = (0.85, 1.12)
"""Sizes against the portrait that are still in place."""
ACTION_SECONDS: Final = 8.0
BACK_SECONDS: Final = 5.0
"""Seconds after which the next thing is asked for; what was not seen is not met."""


class SeedInvalid(ValueError):
    """The seed is not 32 lower-case hex digits, or the visit's id not 1 to 64 characters."""


class NobodyToFollow(ValueError):
    """The portrait shows no face that could be followed."""


@cache
def words() -> Words:
    """Return the sentences of this package, keyed ``liveness.<action>``."""
    return Words(files("biometrics.face").joinpath("liveness.json"))


def new_seed() -> str:
    """Return 32 hex digits nobody can foresee."""
    return secrets.token_hex(SEED_DIGITS // 2)


def _sequences() -> tuple[tuple[Action, ...], ...]:
    """Return every challenge: never the same twice in a row, and one turn at least."""
    return tuple(
        some
        for length in (2, 3)
        for some in itertools.product(Action, repeat=length)
        if TURNS & set(some) and all(one != next_ for one, next_ in itertools.pairwise(some))
    )


CHALLENGES: Final = _sequences()


def challenge(visit: str, seed: str) -> tuple[Action, ...]:
    """Return what is asked for in this visit; whoever knows both can work it out again.

    SHA-256 of "thunhan-liveness-1", 0, the seed's digits, 0 and the visit's id (UTF-8), read as
    one big-endian number, modulo the number of `CHALLENGES`, names one of them.

    Raises:
        SeedInvalid: one of the two is not what it should be.
    """
    if len(seed) != SEED_DIGITS or not set(seed) <= set("0123456789abcdef"):
        raise SeedInvalid("a seed is 32 lower-case hex digits")
    if not 1 <= len(visit) <= LONGEST_VISIT:
        raise SeedInvalid("a visit's id has 1 to 64 characters")
    try:
        said = _DOMAIN + seed.encode() + b"\0" + visit.encode()
    except UnicodeEncodeError as error:
        raise SeedInvalid("a visit's id is text") from error
    drawn = int.from_bytes(hashlib.sha256(said).digest(), "big")
    return CHALLENGES[drawn % len(CHALLENGES)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the challenge has come.

    Attributes:
        action: what is asked for now: an `Action`, `LOOK_HERE`, or None when it is over; its
            sentence is `liveness.<action>`.
        number: which of the actions it is, from 1; while `LOOK_HERE` is asked the one before.
        of: how many there are.
        share: how far the movement has come, 0..1.
        lost: no face, or another one, is seen now.
        done: it is over.
    """

    action: str | None
    number: int
    of: int
    share: float
    lost: bool
    done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """A face against the portrait: degrees to its left and up, size, the eyes' opening."""

    yaw: float
    up: float
    size: float
    eyes: float | None


_SHARES: Final[Mapping[Action, Callable[[_State], float]]] = MappingProxyType(
    {
        Action.TURN_LEFT: lambda state: state.yaw / TURNED,
        Action.TURN_RIGHT: lambda state: -state.yaw / TURNED,
        Action.LOOK_UP: lambda state: state.up / RAISED,
        Action.COME_CLOSER: lambda state: (state.size - 1) / (NEARER - 1),
    }
)
"""How much of a movement that is held is there, 1 is enough; a blink is told by time instead."""


class Attendance:
    """Follows one face from its portrait through a challenge; one instance for one sitter.

    The first frame may come whenever it does, as long as it shows the portrait's face; from there
    on no gap is allowed that would let somebody else sit down.

    Args:
        seed: the seed the actions were drawn with; kept for the record.
        actions: what is asked for, see `challenge`.
        portrait: the verdict on the portrait's frame.
        pixels: that frame.

    Raises:
        FrameInvalid: `pixels` is no frame.
        NobodyToFollow: no face is in it.
        ValueError: no actions.
    """

    def __init__(
        self, seed: str, actions: tuple[Action, ...], portrait: Verdict, pixels: Pixels
    ) -> None:
        check(pixels)
        if not actions:
            raise ValueError("a challenge has at least one action")
        if portrait.face is None:
            raise NobodyToFollow("the portrait shows no face")
        self._kept = rigid(portrait.face)
        first = glimpse(pixels, portrait.face, self._kept, None)
        if first is None:
            raise NobodyToFollow("the portrait's face shows nothing")
        self._seed, self._actions = seed, actions
        self._portrait, self._last = first, first
        self._shape = pixels.shape
        self._eyes = _opening(portrait)
        self._met: list[bool] = []
        self._back = False
        """Whether the sitter is on the way back to the start."""
        self._began: float | None = None
        self._at: float | None = None
        self._seen_at = 0.0
        self._asked_at = 0.0
        self._held = 0
        self._share = 0.0
        self._shut_at: float | None = None
        self._opened = False
        self._cut = False
        self._alike: list[float] = []
        """The best likeness to the portrait of each time the sitter looked straight."""
        self._straight: list[float] = []
        self._reliefs: list[Relief] = []
        self._done = False

    def feed(self, pixels: Pixels, verdict: Verdict, at: float) -> Progress:
        """Take in the next frame, its verdict, and its time in seconds; return how far it came.

        A frame that is not later than the one before is not looked at. A face that is out of
        sight for longer than `GAP`, or gives way to another, is a cut; the rest is attended to
        all the same, because an officer reads it.

        Raises:
            FrameInvalid: `pixels` is no frame.
        """
        check(pixels)
        if self._done or not np.isfinite(at) or (self._at is not None and at <= self._at):
            return self._progress(lost=False)
        if self._began is None:
            self._began = self._seen_at = self._asked_at = at
        self._at = at
        face = self._follow(pixels, verdict, at)
        if face is not None and verdict.faces <= 1:
            self._look(verdict, face, at)
        else:
            self._held = 0
        self._let_pass(at)
        return self._progress(lost=face is None)

    def result(self) -> Liveness:
        """Return what was seen so far; may be called at any time."""
        passed = 0.0 if self._began is None or self._at is None else self._at - self._began
        return Liveness(
            seed=self._seed,
            actions=tuple(str(action) for action in self._actions),
            met=tuple(self._met),
            same_face=self._same_face(),
            relief=self._relief(),
            seconds=passed,
        )

    # The thread

    def _follow(self, pixels: Pixels, verdict: Verdict, at: float) -> Landmarks | None:
        """Return the face if it is the one that was followed."""
        late = at - self._seen_at > GAP
        now = None
        if verdict.face is not None and pixels.shape == self._shape:
            now = glimpse(pixels, verdict.face, self._kept, at)
        if now is not None and not late and follows(self._last, now):
            self._last, self._seen_at = now, at
            return now.face
        if late:
            self._cut = True
            if now is not None:
                # Whoever sits there now is followed from here on: the record says it was cut.
                self._last, self._seen_at = now, at
        return None

    def _same_face(self) -> bool | None:
        if self._cut or any(best < STRANGER_BELOW for best in self._alike):
            return False
        if not self._done or len(self._alike) < len(self._actions):
            return None
        return True if min(self._alike) >= SAME_FROM else None

    # The movements

    def _look(self, verdict: Verdict, face: Landmarks, at: float) -> None:
        state = self._state(verdict, face)
        self._measure(face)
        if self._back:
            self._await_return(state)
            return
        action = self._actions[len(self._met)]
        if action is Action.BLINK:
            if state.eyes is not None:
                self._watch_eyes(state.eyes, at)
            return
        share = _SHARES[action](state)
        self._held = self._held + 1 if share >= 1 else 0
        self._share = min(1.0, max(0.0, share)) * (HOLD + self._held) / (2 * HOLD)
        if self._held >= HOLD:
            self._end(met=True)

    def _state(self, verdict: Verdict, face: Landmarks) -> _State:
        pose, first = self._last.pose, self._portrait.pose
        opening = _opening(verdict)
        return _State(
            yaw=pose.yaw - first.yaw,
            up=first.pitch - pose.pitch,
            size=face.eye_distance / max(self._portrait.face.eye_distance, 1e-6),
            eyes=None if opening is None or not self._eyes else opening / self._eyes,
        )

    def _watch_eyes(self, eyes: float, at: float) -> None:
        """A blink: open, shut, and open again within a second."""
        if eyes > OPEN:
            blinked = self._shut_at is not None and at - self._shut_at <= BLINK_WITHIN
            self._opened, self._shut_at = True, None
            if blinked:
                self._end(met=True)
        elif eyes < SHUT and self._opened and self._shut_at is None:
            self._shut_at, self._share = at, 0.5

    def _await_return(self, state: _State) -> None:
        straight = max(abs(state.yaw), abs(state.up)) <= STRAIGHT
        self._share = 0.0
        if not (straight and BACK[0] <= state.size <= BACK[1]):
            self._held = 0
            return
        self._held += 1
        self._share = self._held / HOLD
        self._straight.append(likeness(self._portrait, self._last))
        if self._held >= HOLD and max(self._straight) >= SAME_FROM:
            self._start_next()

    def _measure(self, face: Landmarks) -> None:
        """Keep the frames that differ most from the portrait; one alone may be the mesh's slip."""
        if not self._cut:
            self._reliefs.append(relief(self._portrait.face, face, self._kept))
            self._reliefs = sorted(self._reliefs, key=lambda one: -one.change)[:RELIEF_FRAMES]

    def _relief(self) -> float | None:
        found = [one.native for one in self._reliefs if one.native is not None]
        return float(np.median(found)) if len(found) == RELIEF_FRAMES else None

    def _let_pass(self, at: float) -> None:
        """Go on to what comes next when this was waited for long enough."""
        waited = at - self._asked_at
        if self._done:
            return
        if self._back and waited > BACK_SECONDS:
            self._start_next()
        elif not self._back and waited > ACTION_SECONDS:
            self._end(met=False)

    def _end(self, *, met: bool) -> None:
        self._met.append(met)
        self._begin(back=True)

    def _start_next(self) -> None:
        if self._straight:
            self._alike.append(max(self._straight))
        self._done = len(self._met) == len(self._actions)
        self._begin(back=False)

    def _begin(self, *, back: bool) -> None:
        self._back, self._held, self._share = back, 0, 0.0
        self._straight = []
        self._shut_at, self._opened = None, False
        if self._at is not None:
            self._asked_at = self._at

    def _progress(self, *, lost: bool) -> Progress:
        of = len(self._actions)
        asked = None if self._done else LOOK_HERE if self._back else self._actions[len(self._met)]
        return Progress(
            action=None if asked is None else str(asked),
            number=min(of, len(self._met) + (0 if self._back else 1)),
            of=of,
            share=1.0 if self._done else self._share,
            lost=lost,
            done=self._done,
        )


def _opening(verdict: Verdict) -> float | None:
    """Return how far the eyes are open, in T; None where that was not assessed."""
    found = (finding.native for finding in verdict.findings if finding.name == EYES)
    return next(found, None)
