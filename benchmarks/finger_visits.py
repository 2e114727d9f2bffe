"""How visits of fingers go with real impressions: false alarms, mistakes noticed, what is kept.

It tunes nothing. Visits are made up of the development sets' impressions, drawn with a fixed
seed; "rolled" is a second flat impression, because the sets hold no rolled one. Some minutes on
two idle cores:

    python -m benchmarks.finger_visits [--data FOLDER]
"""

import argparse
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.fingers import DATA, SETS, Sample, samples
from biometrics.capture import ImpressionKind
from biometrics.finger.compare import compare
from biometrics.finger.judge import FingerJudge, Seen
from biometrics.finger.likeness import Likeness
from biometrics.finger.offers import Impression, Offered, Outcome, Touched, digest_of
from biometrics.finger.plan import Touch, steps
from biometrics.finger.selection import choose
from biometrics.finger.visit import FingerVisit

VISITS: Final = 40
"""Of each set, without a mistake."""
MISTAKEN: Final = 12
"""Of each set and mistake."""
ACCEPT, KEEP, TRIES = 50, 35, 3
HANDS: Final = {2: 10, 3: 9, 4: 8, 5: 7, 7: 5, 8: 4, 9: 3, 10: 2}
"""Which finger lies where another was asked for, when the other hand lies on the glass."""


@dataclass
class Prints:
    """One set's impressions by finger, each judged once."""

    pixels: dict[int, list[NDArray[np.uint8]]] = field(default_factory=lambda: defaultdict(list))
    seen: dict[bytes, Seen] = field(default_factory=dict)

    def judge(self, pixels: NDArray[np.uint8], dpi: int) -> Seen:
        """Return what was seen in the picture before."""
        del dpi
        return self.seen[digest_of(pixels)]


@dataclass
class Tally:
    """What visits of one kind came to."""

    alerts: Counter[str] = field(default_factory=Counter)
    touches: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    offer_ms: list[float] = field(default_factory=list)


class Person:
    """Presents impressions of a set's fingers, none of them twice."""

    def __init__(self, prints: Prints, rng: np.random.Generator) -> None:
        self.prints = prints
        order = {finger: rng.permutation(len(some)) for finger, some in prints.pixels.items()}
        self._left = {finger: list(numbers) for finger, numbers in order.items()}

    def touch(self, finger: int) -> NDArray[np.uint8] | None:
        """Return a fresh impression; None where all were used up."""
        left = self._left[finger]
        return self.prints.pixels[finger][left.pop()] if left else None


def visit_of(
    prints: Prints, rng: np.random.Generator, takes: Iterable[Touch], controls: int
) -> FingerVisit:
    """Begin a visit of all fingers of a set."""
    able = frozenset(takes)
    kinds = tuple(ImpressionKind) if Touch.ROLLED in able else (ImpressionKind.PLAIN,)
    return FingerVisit(
        steps=steps(sorted(prints.pixels), kinds, able),
        tries=TRIES,
        accept_at=ACCEPT,
        keep_from=KEEP,
        judge=prints,
        rng=rng,
        controls=controls,
        takes=able,
    )


def show(
    visit: FingerVisit, person: Person, tally: Tally, instead: dict[int, int]
) -> tuple[Offered, ...]:
    """Touch as asked, with other fingers where `instead` says so; empty where none is left."""
    step = visit.wanted
    if step is None:
        return ()
    pictures = {one: person.touch(instead.get(one, one)) for one in step.positions}
    touched = [
        Touched(position=one, pixels=pixels, dpi=500, reader="set")
        for one, pixels in pictures.items()
        if pixels is not None
    ]
    if not touched:
        return ()
    looked = visit.look(touched)
    started = time.perf_counter()
    offered = visit.offer(step, looked)
    tally.offer_ms.append(1000 * (time.perf_counter() - started))
    tally.touches += 1
    tally.alerts.update(str(one.alert) for one in offered if one.alert)
    tally.outcomes.update(str(one.outcome) for one in offered)
    return offered


def honest(prints: Prints, rng: np.random.Generator, tally: Tally) -> None:
    """Show the fingers that are asked for until none is asked for."""
    visit = visit_of(prints, rng, Touch, 2)
    person = Person(prints, rng)
    while show(visit, person, tally, {}):
        pass


def noticed(
    prints: Prints, rng: np.random.Generator, takes: Iterable[Touch], instead: dict[int, int]
) -> tuple[bool, bool]:
    """Return whether a mistake was noticed at its own touch, and whether before the end.

    Args:
        prints: of the set.
        rng: draws the impressions.
        takes: what the reader takes.
        instead: which finger is shown at the first touch of a position; right ones afterwards.
    """
    visit = visit_of(prints, rng, takes, 2)
    person, tally = Person(prints, rng), Tally()
    left, at_once = dict(instead), False
    while (step := visit.wanted) is not None:
        wrong = {one: left.pop(one) for one in step.positions if one in left}
        offered = show(visit, person, tally, wrong)
        if not offered:
            break
        here = any(one.alert is not None for one in offered if one.item.position in wrong)
        at_once = at_once or here
        if here or any(one.outcome is Outcome.SWAPPED for one in offered):
            return at_once, True
    return at_once, bool(tally.alerts)


def chosen(prints: Prints, rng: np.random.Generator, ways: dict[str, list[float]]) -> None:
    """Choose among three impressions in several ways; score each choice with the other ones."""
    for finger, some in prints.pixels.items():
        del finger
        order = [_impression(prints, some[number]) for number in rng.permutation(len(some))]
        three, others = order[:3], order[3:]
        likeness = Likeness()
        picks = {
            "the last": three[-1],
            "best NFIQ 2": max(three, key=lambda one: one.worth),
            "quality and agreement": choose(three, likeness.of, (ACCEPT, KEEP)),
        }
        for way, pick in picks.items():
            mine = pick.seen.minutiae
            theirs = [other.seen.minutiae for other in others]
            assert mine is not None
            ways[way] += [compare(mine, one) for one in theirs if one is not None]


def _impression(prints: Prints, pixels: NDArray[np.uint8]) -> Impression:
    height, width = pixels.shape
    return Impression(
        seen=prints.judge(pixels, 500),
        image=b"",
        width=width,
        height=height,
        dpi=500,
        reader="set",
        digest=digest_of(pixels),
    )


def read(found: Sequence[Sample]) -> dict[str, Prints]:
    """Judge every impression once; fingers of a set become positions 1, 2, 3 ..."""
    sets: dict[str, Prints] = {name: Prints() for name in SETS}
    numbers: dict[tuple[str, str], int] = {}
    with FingerJudge() as judge:
        for sample in found:
            key = (sample.set, sample.finger)
            before = sum(name == sample.set for name, _ in numbers)
            number = numbers.setdefault(key, before + 1)
            sets[sample.set].pixels[number].append(sample.pixels)
            sets[sample.set].seen[digest_of(sample.pixels)] = judge.judge(sample.pixels, 500)
    return sets


def mistakes(sets: dict[str, Prints]) -> None:
    """Print which mistakes are noticed."""
    full, module = tuple(Touch), (Touch.SINGLE,)
    table = (
        ("the finger before it again, singles", module, lambda p: {p + 1: p}),
        ("neighbours swapped, singles", module, lambda p: {p: p + 1, p + 1: p}),
        ("neighbours swapped in the flat part, then rolled", (*module, Touch.ROLLED), _swap),
        ("the right hand again for the left, slaps", full, lambda _: _other((7, 8, 9, 10))),
        ("hands swapped, slaps, then rolled", full, lambda _: _other(tuple(HANDS))),
    )
    for what, takes, instead in table:
        results = []
        for number, prints in enumerate(sets.values()):
            fingers = sorted(prints.pixels)
            for visit in range(MISTAKEN):
                rng = np.random.default_rng([number, visit])
                swapped = instead(int(rng.integers(1, len(fingers))))
                if set(swapped) | set(swapped.values()) <= set(fingers):
                    results.append(noticed(prints, rng, takes, swapped))
        once, ever = (np.mean([row[column] for row in results]) for column in (0, 1))
        print(f"{what}: n {len(results)}, at once {once:.1%}, before the end {ever:.1%}")


def _swap(position: int) -> dict[int, int]:
    return {position: position + 1, position + 1: position}


def _other(positions: tuple[int, ...]) -> dict[int, int]:
    return {position: HANDS[position] for position in positions}


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    sets = read(tuple(samples(parser.parse_args().data)))
    tally, ways = Tally(), defaultdict[str, list[float]](list)
    for number, prints in enumerate(sets.values()):
        for visit in range(VISITS):
            rng = np.random.default_rng([number, visit])
            honest(prints, rng, tally)
            chosen(prints, rng, ways)
    impressions = sum(tally.outcomes.values())
    print(f"honest: {tally.touches} touches, {impressions} impressions")
    print(f"  alerts {dict(tally.alerts)}; outcomes {dict(tally.outcomes)}")
    middle, late = np.percentile(tally.offer_ms, (50, 99))
    print(f"  offer: median {middle:.1f} ms, p99 {late:.1f} ms")
    for way, scores in ways.items():
        low = [np.mean(np.array(scores) < limit) for limit in (2.3, 5.0)]
        print(f"choice by {way}: n {len(scores)}, under 2.3 {low[0]:.2%}, under 5 {low[1]:.2%}")
    mistakes(sets)


if __name__ == "__main__":
    main()
