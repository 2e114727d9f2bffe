"""Ten made-up fingers as a capture holds them: points at random, a little elsewhere each touch.

They are no prints: what looks at pixels is tested with others.
"""

from dataclasses import replace
from functools import cache

import cv2
import numpy as np

from biometrics.capture import ImpressionKind, Print
from biometrics.finger.compare import compare
from biometrics.finger.minutiae import Minutiae
from biometrics.records import minutiae as records

PLAIN, ROLLED = ImpressionKind.PLAIN, ImpressionKind.ROLLED
WIDTH, HEIGHT = 256, 288


@cache
def minutiae(person: int, touch: int = 0) -> Minutiae:
    """One of a made-up finger's impressions: the same points, each a little elsewhere."""
    rng = np.random.default_rng(person)
    points = np.column_stack(
        [
            rng.uniform(20, WIDTH - 20, 45),
            rng.uniform(20, HEIGHT - 20, 45),
            rng.uniform(0, 6.28, 45),
            rng.uniform(0.5, 1, 45),
        ]
    )
    again = np.random.default_rng((person, touch))
    points[:, :2] += again.normal(0, 1, (45, 2))
    return Minutiae(points=points.astype(np.float32))


@cache
def record(person: int, position: int, kind: ImpressionKind, touch: int = 0) -> bytes:
    view = records.of(
        minutiae(person, touch),
        position=position,
        kind=kind,
        quality=60,
        width=WIDTH,
        height=HEIGHT,
        dpi=500,
    )
    return records.encode([view])


@cache
def agreement(person: int, touch: int) -> float:
    return compare(minutiae(person, touch), minutiae(person, touch + 1))


@cache
def picture() -> bytes:
    wave = np.fromfunction(lambda y, x: 127 + 100 * np.sin((x + 0.3 * y) / 1.5), (HEIGHT, WIDTH))
    return cv2.imencode(".png", wave.astype(np.uint8))[1].tobytes()


def impression(
    position: int, kind: ImpressionKind = PLAIN, *, person: int | None = None, **changes: object
) -> Print:
    """A print of a finger of its own, with a supporting impression, changed as told."""
    person = position if person is None else person
    touch = 1 if kind is PLAIN else 3
    made = Print(
        position=position,
        kind=kind,
        image=picture(),
        width=WIDTH,
        height=HEIGHT,
        dpi=500,
        nfiq2=60 + position,
        estimate=55.4,
        minutiae=45,
        template=record(person, position, kind, touch),
        support=record(person, position, kind, touch + 1),
        agreement=agreement(person, touch),
        attempts=2,
        reader="R503 (giả lập)",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def hands(*changed: Print, kinds: tuple[ImpressionKind, ...] = (PLAIN,)) -> tuple[Print, ...]:
    """Ten fingers of each kind; those that are given stand in for theirs."""
    given = {(print_.position, print_.kind): print_ for print_ in changed}
    return tuple(
        given.get((position, kind)) or impression(position, kind)
        for kind in kinds
        for position in range(1, 11)
    )
