"""Fingers for visits of fingers: pictures that say whose they are, and a judge that reads that."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.capture import ImpressionKind, Print
from biometrics.finger.hints import FingerHint
from biometrics.finger.impression import ImpressionInvalid
from biometrics.finger.judge import Judge, Seen
from biometrics.finger.known import NOBODY, Hit, Known
from biometrics.finger.minutiae import Minutiae
from biometrics.finger.plan import LEFT, RIGHT, THUMBS, Step, Touch
from biometrics.finger.quality import Quality
from biometrics.finger.visit import FingerVisit, Item, Offered, Touched

AT: Final = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
OFFICER: Final = "CB-07"
BLANK: Final = 0
FAINT: Final = 200
"""From this number on a finger shows five minutiae, too few to tell it from others."""
BLIND: Final = 250
"""A finger in which no minutiae could be looked for."""
ALL_TEN: Final = tuple(range(1, 11))
SLAPS: Final = (
    Step(positions=RIGHT, touch=Touch.SLAP),
    Step(positions=LEFT, touch=Touch.SLAP),
    Step(positions=THUMBS, touch=Touch.THUMBS),
)
SIZE: Final = 320


@cache
def _finger(number: int) -> NDArray[np.float32]:
    """Forty minutiae that no other number shares."""
    rng = np.random.default_rng(number)
    low, high = [0, 0, -np.pi, 0.6], [260, 300, np.pi, 1.0]
    return rng.uniform(low, high, (40, 4)).astype(np.float32)


@cache
def minutiae(number: int, touch: int) -> Minutiae:
    """Thirty-four of a finger's minutiae, each touch lying elsewhere and a little bent."""
    if number == BLANK:
        return Minutiae(points=np.empty((0, 4), np.float32))
    rng = np.random.default_rng([number, touch])
    moved = _finger(number)[rng.permutation(40)[:34]].copy()
    moved[:, :2] += rng.normal(0, 1.5, (34, 2)) + rng.uniform(-20, 20, 2)
    moved[:, 2] += rng.normal(0, 0.05, 34)
    return Minutiae(points=moved[: 5 if number >= FAINT else 34].astype(np.float32))


def press(finger: int, nfiq2: int = 70, touch: int = 0) -> NDArray[np.uint8]:
    """A picture that says which finger it is of, how good it is, and which touch."""
    pixels = np.full((SIZE, SIZE), 255, np.uint8)
    pixels[0, :3] = (finger, nfiq2, touch)
    return pixels


def read(image: bytes) -> tuple[int, int, int]:
    """Which finger, how good, which touch a print is of."""
    pixels = cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    finger, nfiq2, touch = (int(value) for value in pixels[0, :3])
    return finger, nfiq2, touch


class Reading:
    """Judges the pictures of `press`."""

    def judge(self, pixels: NDArray[np.uint8], dpi: int) -> Seen:
        if pixels.ndim != 2 or dpi != 500:
            raise ImpressionInvalid("not a picture")
        finger, nfiq2, touch = (int(value) for value in pixels[0, :3])
        quality = Quality(
            nfiq2=nfiq2,
            estimate=float(nfiq2),
            hint=None if nfiq2 > 40 else FingerHint.TOO_DRY,
            findings=(),
            finger=finger != BLANK,
        )
        seen = None if finger == BLIND else minutiae(finger, touch)
        return Seen(quality=quality, minutiae=seen)


@dataclass
class Acquaintances:
    """Knows fingers by their number."""

    hits: dict[int, Hit] = field(default_factory=dict)

    def find(self, minutiae_: Minutiae) -> Hit | None:
        points = minutiae_.points
        for number, hit in self.hits.items():
            if any(np.array_equal(points, minutiae(number, touch).points) for touch in range(16)):
                return hit
        return None


def singles(positions: Iterable[int]) -> tuple[Step, ...]:
    return tuple(Step(positions=(position,), touch=Touch.SINGLE) for position in positions)


def rolls(positions: Iterable[int]) -> tuple[Step, ...]:
    return tuple(Step(positions=(position,), touch=Touch.ROLLED) for position in positions)


def plain(position: int) -> Item:
    return Item(position=position, kind=ImpressionKind.PLAIN)


def rolled(position: int) -> Item:
    return Item(position=position, kind=ImpressionKind.ROLLED)


def begin(
    steps: Iterable[Step] = singles((1, 2, 3)),
    *,
    tries: int = 3,
    controls: int = 0,
    seed: int = 0,
    known: Known = NOBODY,
    takes: frozenset[Touch] | None = None,
    judge: Judge | None = None,
) -> FingerVisit:
    return FingerVisit(
        steps=steps,
        tries=tries,
        accept_at=50,
        keep_from=35,
        judge=judge or Reading(),
        rng=np.random.default_rng(seed),
        controls=controls,
        known=known,
        takes=takes,
    )


def lay(
    visit: FingerVisit, pictures: Mapping[int, NDArray[np.uint8]], *, step: Step | None = None
) -> dict[int, Offered]:
    """Touch as asked (or as `step` says) with these pictures by position."""
    asked = visit.wanted if step is None else step
    assert asked is not None
    looked = visit.look(
        Touched(position=position, pixels=pixels, dpi=500, reader="reader 7")
        for position, pixels in pictures.items()
    )
    return {offered.item.position: offered for offered in visit.offer(asked, looked)}


def asked(visit: FingerVisit) -> int:
    """The one finger that is asked for now."""
    step = visit.wanted
    assert step is not None
    (position,) = step.positions
    return position


def put(
    visit: FingerVisit, finger: int, nfiq2: int = 70, touch: int = 0, *, at: int | None = None
) -> Offered:
    """Press one finger as asked, or as the flat finger `at`."""
    step = visit.wanted if at is None else Step(positions=(at,), touch=Touch.SINGLE)
    assert step is not None
    (position,) = step.positions
    return lay(visit, {position: press(finger, nfiq2, touch)}, step=step)[position]


def slap(
    visit: FingerVisit, fingers: Iterable[int], nfiq2: int = 70, touch: int = 0
) -> dict[int, Offered]:
    """Lay these fingers on the glass, left to right as the asked positions are numbered."""
    step = visit.wanted
    assert step is not None
    shown = zip(step.positions, fingers, strict=True)
    return lay(visit, {position: press(finger, nfiq2, touch) for position, finger in shown})


def waits(visit: FingerVisit) -> tuple[int, ...]:
    """Who waits for an officer, while nobody is asked to press anything."""
    assert visit.wanted is None
    assert not visit.complete
    return tuple(item.position for item in visit.needs_officer)


def recorded(visit: FingerVisit) -> list[tuple[int, int, int]]:
    """Which finger, quality and touch went on record, in the plan's order."""
    return [read(one.image) for one in visit.prints()]


def by_item(prints: Iterable[Print]) -> dict[Item, Print]:
    return {Item(position=one.position, kind=one.kind): one for one in prints}
