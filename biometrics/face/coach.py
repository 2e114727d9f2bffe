"""The coach: makes of many verdicts a second the one calm instruction a sitter can follow.

It judges no pixels, holds no sentence and plays no sound; it says which hint stands, since when,
when to say it aloud and when to offer an officer.
"""

from dataclasses import dataclass, field
from typing import Final

from biometrics.face.hints import PortraitHint
from biometrics.face.judge import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Every time and count the coach goes by; seconds unless it says otherwise.

    Attributes:
        shown: the least an instruction stands. Reading six short words takes about a second, and
            a person who is told two things within it does neither.
        stood: a fault stands so long before it is said: two frames at 15 a second may be noise.
        blinked: the same for what a face does by itself. A blink lasts 0.1 to 0.4 s (Stern et
            al. 1984), so eyes, lips and the blur of a small movement must stand longer.
        cleared: a fault is gone so long before its instruction goes...
        cleared_well: ...unless it passes by `margin`: then noise does not bring it back.
        margin: share of a limit by which a value must pass to count as well past it.
        spoken_after: an instruction that stands so long is said aloud; one that passes by at
            once is not begun.
        repeated: said again after so long, when nothing has changed: long enough to try.
        more: after so long on the same instruction the detailed sentence is shown and said.
        help_same: after so long in all on one instruction an officer is offered: the detailed
            sentence was heard and tried.
        help_total: after so long in all without a picture an officer is offered whatever it was;
            a sitting that goes well takes under ten.
        gap: a longer silence of the camera counts as so much; nobody was told anything in it.
    """

    shown: float = 1.0
    stood: float = 0.13
    blinked: float = 0.45
    cleared: float = 0.4
    cleared_well: float = 0.12
    margin: float = 0.1
    spoken_after: float = 0.3
    repeated: float = 8.0
    more: float = 6.0
    help_same: float = 20.0
    help_total: float = 60.0
    gap: float = 0.5


TIMES: Final = Times()
FLEETING: Final = frozenset(
    {
        PortraitHint.EYES_OPEN,
        PortraitHint.LOOK_HERE,
        PortraitHint.MOUTH_CLOSED,
        PortraitHint.NEUTRAL,
        PortraitHint.BLUR,
    }
)
"""What a face or a hand does for a moment without meaning to."""
_LEAST_FRAMES: Final = 2
"""However slow the camera, one frame alone changes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What to tell the sitter now.

    Attributes:
        hint: the one instruction, None while there is none.
        since: when it came, in the caller's seconds.
        say: True once for each time it is to be said aloud.
        more: the detailed sentence stands in its place.
        offer_help: an officer is offered; stays so until the picture is taken.
        ready: nothing stands in the way: the shutter may count this frame.
    """

    hint: PortraitHint | None
    since: float
    say: bool
    more: bool
    offer_help: bool
    ready: bool


@dataclass(slots=True)
class _Run:
    """Something that has been so in every frame since."""

    since: float
    frames: int = 0

    def lasted(self, at: float, seconds: float) -> bool:
        return self.frames >= _LEAST_FRAMES and at - self.since >= seconds


@dataclass(slots=True)
class _Spoken:
    """What of the instruction that stands was said."""

    at: float | None = None
    more: bool = False


@dataclass(slots=True)
class _Waited:
    """How long the sitter has tried."""

    last: float | None = None
    total: float = 0.0
    on: dict[PortraitHint, float] = field(default_factory=dict)


class Coach:
    """One sitter's coach, from the moment they sit down to the picture."""

    def __init__(self, times: Times = TIMES) -> None:
        self._times = times
        self._hint: PortraitHint | None = None
        self._since: float | None = None
        self._failing: dict[PortraitHint, _Run] = {}
        self._passed: _Run | None = None
        self._passed_well: _Run | None = None
        self._good: _Run | None = None
        self._spoken = _Spoken()
        self._waited = _Waited()
        self._offered = False

    def see(self, verdict: Verdict, at: float) -> Advice:
        """Take in the verdict on one frame and return what to tell the sitter.

        Args:
            verdict: of the stream's next frame.
            at: seconds of a clock that does not go back; when the frame was taken.
        """
        self._wait(at)
        self._follow(verdict, at)
        hint = self._choose(verdict, at)
        if self._since is None or hint is not self._hint:
            self._show(hint, at)
        return self._advice(verdict, at)

    def insist(self, verdict: Verdict, at: float) -> Advice:
        """Show at once what a closer look at the shot that was taken refused.

        Args:
            verdict: the full judge's.
            at: as for `see`.
        """
        self._wait(at)
        if verdict.hint is not None:
            self._failing = {verdict.hint: _Run(since=at, frames=1)}
            self._good = None
            self._show(verdict.hint, at)
        return self._advice(verdict, at)

    # Time

    def _wait(self, at: float) -> None:
        waited = self._waited
        passed = 0.0 if waited.last is None else min(max(0.0, at - waited.last), self._times.gap)
        waited.last = at
        waited.total += passed
        if self._hint is not None:
            waited.on[self._hint] = waited.on.get(self._hint, 0.0) + passed
        longest = max(waited.on.values(), default=0.0)
        if longest >= self._times.help_same or waited.total >= self._times.help_total:
            self._offered = True

    # Which instruction

    def _follow(self, verdict: Verdict, at: float) -> None:
        refused = _refused(verdict)
        self._failing = {hint: self._failing.get(hint) or _Run(since=at) for hint in refused}
        for run in self._failing.values():
            run.frames += 1
        self._good = _lengthened(self._good, at) if verdict.ok else None
        if self._hint is None:
            return
        # What could not be assessed in a face does not block; without a face nothing is mended.
        passed = self._hint not in refused and verdict.faces > 0
        well = passed and _well_past(verdict, self._hint, self._times.margin)
        self._passed = _lengthened(self._passed, at) if passed else None
        self._passed_well = _lengthened(self._passed_well, at) if well else None

    def _choose(self, verdict: Verdict, at: float) -> PortraitHint | None:
        order = _order(verdict)
        standing = [hint for hint, run in self._failing.items() if self._stood(hint, run, at)]
        first = min(standing, key=lambda hint: order[hint], default=None)
        if self._hint is None or self._since is None:
            return first
        if at - self._since < self._times.shown:
            return self._hint
        if self._over(at):
            return first
        if first is not None and order[first] < order.get(self._hint, len(order)):
            return first
        return self._hint

    def _stood(self, hint: PortraitHint, run: _Run, at: float) -> bool:
        times = self._times
        return run.lasted(at, times.blinked if hint in FLEETING else times.stood)

    def _over(self, at: float) -> bool:
        times = self._times
        plainly = self._passed is not None and self._passed.lasted(at, times.cleared)
        well = self._passed_well is not None and self._passed_well.lasted(at, times.cleared_well)
        return plainly or well

    def _show(self, hint: PortraitHint | None, at: float) -> None:
        self._hint, self._since = hint, at
        self._passed = self._passed_well = None
        self._spoken = _Spoken()

    # What to tell of it

    def _advice(self, verdict: Verdict, at: float) -> Advice:
        since = at if self._since is None else self._since
        more = self._hint is not None and at - since >= self._times.more
        ready = verdict.ok and self._hint is None
        return Advice(
            hint=self._hint,
            since=since,
            say=self._say(at, since, more=more, ready=ready),
            more=more,
            offer_help=self._offered,
            ready=ready,
        )

    def _say(self, at: float, since: float, *, more: bool, ready: bool) -> bool:
        times, spoken = self._times, self._spoken
        if self._hint is None:
            # To hold still is said once, and only where it is true.
            due = spoken.at is None and ready and _lasted(self._good, at, times.stood)
        elif spoken.at is None:
            due = at - since >= times.spoken_after
        else:
            due = (more and not spoken.more) or at - spoken.at >= times.repeated
        if due:
            self._spoken = _Spoken(at=at, more=more)
        return due


def _lengthened(run: _Run | None, at: float) -> _Run:
    run = run or _Run(since=at)
    run.frames += 1
    return run


def _lasted(run: _Run | None, at: float, seconds: float) -> bool:
    return run is not None and run.lasted(at, seconds)


def _order(verdict: Verdict) -> dict[PortraitHint, int]:
    """Return each hint's place in the profile's order, 0 the most urgent."""
    order: dict[PortraitHint, int] = {}
    for gate in verdict.profile.gates:
        for hint in (gate.below, gate.above):
            if hint is not None and gate.blocks:
                order.setdefault(hint, len(order))
    return order


def _refused(verdict: Verdict) -> frozenset[PortraitHint]:
    """Return all that blocks, not only the first, so that each can be followed."""
    return frozenset(
        PortraitHint(finding.hint)
        for gate, finding in verdict.judged
        if gate.blocks and finding.passed is False and finding.hint is not None
    )


def _well_past(verdict: Verdict, hint: PortraitHint, margin: float) -> bool:
    """Return whether every limit that brings this hint is passed by a margin."""
    for gate, finding in verdict.judged:
        low = gate.lowest if gate.below is hint else None
        high = gate.highest if gate.above is hint else None
        if not gate.blocks or low is high is None:
            continue
        native = finding.native
        if native is None:
            return False
        if low is not None and native < low + margin * abs(low):
            return False
        if high is not None and native > high - margin * abs(high):
            return False
    return True
