"""The minutiae of one impression as records hold them, and what no record may hold.

It writes and reads no record (`minutiae` does).
"""

import enum
import math
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from biometrics.capture import ImpressionKind
from biometrics.finger.impression import DPI
from biometrics.finger.minutiae import Minutiae
from biometrics.records.blocks import BEST, NFIQ2, Algorithm, RecordInvalid

MAX_POINTS: Final = 255
"""One byte counts them."""
MAX_SIDE: Final = 0x3FFF
"""A coordinate has 14 bits."""
LEAST_DPI: Final = 250
"""ISO/IEC 19794-2: at least 98.45 pixels on a centimetre."""
MOST_DPI: Final = 2000
POSITIONS: Final = range(11)
"""0 is unknown, then right thumb to left little finger."""
TURN: Final = 2 * math.pi
SURE: Final = 0.75
"""From here on an ending, from 1 minus this down a bifurcation; between them neither is claimed."""


class MinutiaType(enum.IntEnum):
    """What a ridge does there."""

    OTHER = 0
    """Neither, or it was not told apart."""
    ENDING = 1
    BIFURCATION = 2


_ENDING: Final = {
    MinutiaType.OTHER: 0.5,
    MinutiaType.ENDING: 1.0,
    MinutiaType.BIFURCATION: 0.0,
}
RECORD: Final = "record"
"""Extractor of minutiae that were read: a record does not say who found them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One minutia.

    Attributes:
        x, y: pixels of the impression, to the right and downwards.
        angle: radians, counter-clockwise from the right, 0 to 2 pi; a record holds 256 steps.
        quality: 0..100, None where it is not reported.
    """

    x: int
    y: int
    angle: float
    quality: int | None = None
    type: MinutiaType = MinutiaType.OTHER


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One impression's minutiae.

    Attributes:
        position: 1 right thumb .. 10 left little, 0 unknown.
        kind: None where it is neither plain nor rolled on a glass, or not known.
        quality: of the impression, 0..100; None where the record does not say. A record of 2005
            cannot say 0: it is read back as None.
        algorithm: whose quality it is (2011 only).
        width, height: pixels of the impression.
        dpi: the same across and down; a record holds whole pixels on a centimetre.
        at: when it was taken (2011 only).
    """

    position: int
    kind: ImpressionKind | None
    quality: int | None
    width: int
    height: int
    dpi: int
    points: tuple[Point, ...]
    algorithm: Algorithm = NFIQ2
    at: datetime | None = None


def of(
    minutiae: Minutiae,
    *,
    position: int,
    kind: ImpressionKind,
    quality: int | None,
    width: int,
    height: int,
    dpi: int,
    at: datetime | None = None,
) -> View:
    """Return the view of an impression's minutiae, the strongest 255 of those inside it.

    Args:
        minutiae: at 500 dpi; their score is the points' quality.
        position: see `View`.
        kind: how the finger lay.
        quality: NFIQ 2 of the impression.
        width: pixels of the impression.
        height: pixels of the impression.
        dpi: of the impression.
        at: when it was taken.

    Raises:
        RecordInvalid: a value has no place in a record.
    """
    order = np.argsort(-minutiae.points[:, 3], kind="stable")
    rows = minutiae.points[order].astype(np.float64)
    kinds = _kinds(minutiae)[order]
    places = np.rint(rows[:, :2] * (dpi / DPI)).astype(np.int64)
    # A point may lie half a pixel beyond the last one.
    places = np.where(places == [width, height], places - 1, places)
    inside = ((places >= 0) & (places < [width, height])).all(axis=1)
    points = tuple(
        Point(
            x=int(x),
            y=int(y),
            angle=float(row[2]) % TURN,
            quality=max(0, min(BEST, round(float(row[3]) * BEST))),
            type=MinutiaType(int(kind)),
        )
        for (x, y), row, kind in zip(places[inside], rows[inside], kinds[inside], strict=True)
    )
    view = View(
        position=position,
        kind=kind,
        quality=quality,
        width=width,
        height=height,
        dpi=dpi,
        points=points[:MAX_POINTS],
        at=at,
    )
    check(view)
    return view


def as_minutiae(view: View) -> Minutiae:
    """Return a view's points at 500 dpi, strongest first.

    A quality that is not reported counts as full: nothing is known against such a point. Where no
    type is told, nobody looked.
    """
    rows = [
        (
            point.x * DPI / view.dpi,
            point.y * DPI / view.dpi,
            point.angle,
            1.0 if point.quality is None else point.quality / BEST,
        )
        for point in view.points
    ]
    points = np.array(rows, np.float32).reshape(-1, 4)
    order = np.argsort(-points[:, 3], kind="stable")
    types = {point.type for point in view.points}
    endings = np.array([_ENDING[point.type] for point in view.points], np.float32)[order]
    told = endings if types != {MinutiaType.OTHER} else None
    return Minutiae(points=points[order], endings=told, extractor=RECORD)


def _kinds(minutiae: Minutiae) -> NDArray[np.int64]:
    """Return a type for each point."""
    if minutiae.endings is None:
        return np.full(len(minutiae), MinutiaType.OTHER, np.int64)
    kinds = np.where(minutiae.endings >= SURE, MinutiaType.ENDING, MinutiaType.OTHER)
    return np.where(minutiae.endings <= 1 - SURE, MinutiaType.BIFURCATION, kinds).astype(np.int64)


def check(view: View) -> None:
    """Refuse what no record may hold, on the way in and out.

    Raises:
        RecordInvalid: a value has no place.
    """
    if view.position not in POSITIONS:
        raise RecordInvalid(f"{view.position} is no finger")
    if not (0 < view.width <= MAX_SIDE and 0 < view.height <= MAX_SIDE):
        raise RecordInvalid("an impression of no size, or a larger one than a record holds")
    if not LEAST_DPI <= view.dpi <= MOST_DPI:
        raise RecordInvalid(f"{view.dpi} dpi is no resolution of a finger")
    if not 0 < len(view.points) <= MAX_POINTS:
        raise RecordInvalid(f"{len(view.points)} minutiae; a record holds 1 to {MAX_POINTS}")
    qualities = [view.quality, *(point.quality for point in view.points)]
    if any(quality is not None and not 0 <= quality <= BEST for quality in qualities):
        raise RecordInvalid(f"a quality is 0..{BEST}")
    for point in view.points:
        if not (0 <= point.x < view.width and 0 <= point.y < view.height):
            raise RecordInvalid("a minutia outside the impression")
        if not math.isfinite(point.angle):
            raise RecordInvalid("an angle that is none")
