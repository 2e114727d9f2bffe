"""The fingers of an opened capture as a page shows them: pictures, figures, and what they mean.

It judges no print: quality and agreement stand in the capture, limits in `biometrics.finger`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from biometrics.capture import Capture, ImpressionKind, Missing, Print
from biometrics.finger import limits
from biometrics.finger.minutiae import Minutiae
from server.rules.concerns import NEEDS_WORDS, Concern
from server.unseal.fingers import read
from server.web.officer import drawing
from server.web.officer.concerns import named
from server.web.officer.drawing import Drawing, Half
from server.web.officer.measured import figure
from server.web.officer.pictures import uri

RIGHT: Final = (1, 2, 3, 4, 5)
LEFT: Final = (10, 9, 8, 7, 6)
"""As two hands lie before their owner: thumbs in the middle."""
MEANINGS: Final = (
    (limits.SAME_FROM, "same"),
    (limits.CONTROL_FROM, "likely"),
    (limits.OTHER_BELOW, "unsure"),
)
"""What a score means, from the highest; below all of them it is `OTHER`."""
OTHER: Final = "other"
NO_SCORE: Final = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Two impressions laid side by side.

    Attributes:
        title: the sentence that says which two.
        score: as it was computed here from the records.
        meaning: what it means, by the limits of `biometrics.finger.limits`.
    """

    title: str
    score: str
    meaning: str
    drawing: Drawing


@dataclass(frozen=True, slots=True, kw_only=True)
class Impression:
    """One print.

    Attributes:
        id: of its picture in the page.
        half: picture and minutiae; the minutiae are empty where the record cannot be read.
        agreement: score with its supporting impression as the kiosk computed it.
        meaning: what that means; `NO_SCORE` where there was nothing to compare.
        support: the two side by side; None where a record is absent or damaged.
    """

    id: str
    print: Print
    uri: str | None
    half: Half
    has_record: bool
    estimate: int
    agreement: str | None
    meaning: str
    support: Compared | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finger:
    """One finger: its impressions, or why there is none, or neither."""

    position: int
    impressions: tuple[Impression, ...]
    missing: Missing | None
    crossed: Compared | None
    """Plain and rolled side by side; None where there are not both, or no record."""
    is_doubtful: bool
    """It looks like another finger, or its two impressions do not look like one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Two prints side by side, with their names."""

    left: str
    right: str
    compared: Compared


def meaning(score: float | None) -> str:
    """Return what a score of `biometrics.finger.compare` means."""
    if score is None:
        return NO_SCORE
    return next((name for limit, name in MEANINGS if score >= limit.value), OTHER)


def limit_figures() -> Mapping[str, str]:
    """Return the limits by what they begin."""
    return {name: figure(limit.value) for limit, name in MEANINGS}


def hand(
    capture: Capture, positions: Iterable[int], doubtful: frozenset[int]
) -> tuple[Finger, ...]:
    """Return the fingers at `positions`, in that order."""
    missing = {absent.position: absent for absent in capture.missing}
    return tuple(
        _finger(
            position,
            [print_ for print_ in capture.prints if print_.position == position],
            missing.get(position),
            is_doubtful=position in doubtful,
        )
        for position in positions
    )


def doubts(capture: Capture, concerns: Iterable[Concern]) -> tuple[Beside, ...]:
    """Return the prints that a contradiction is about, side by side."""
    by_name = {f"finger.{print_.position}.{print_.kind}": print_ for print_ in capture.prints}
    return tuple(
        Beside(left=named(concern.about[0]), right=named(concern.about[1]), compared=compared)
        for concern in concerns
        if concern.kind in NEEDS_WORDS
        if (compared := _beside(*(by_name[about] for about in concern.about))) is not None
    )


def _beside(one: Print, other: Print) -> Compared | None:
    seen = [read(one.template), read(other.template)]
    return _compared("doubt", _half(one, seen[0]), _half(other, seen[1]), seen)


def _half(print_: Print, seen: Minutiae | None) -> Half:
    return drawing.half(
        None if uri(print_.image) is None else f"print-{print_.position}-{print_.kind}",
        print_.width * drawing.DPI / print_.dpi,
        print_.height * drawing.DPI / print_.dpi,
        seen,
    )


def _finger(
    position: int, prints: list[Print], missing: Missing | None, *, is_doubtful: bool
) -> Finger:
    ordered = sorted(prints, key=lambda print_: list(ImpressionKind).index(print_.kind))
    seen = {print_.kind: read(print_.template) for print_ in ordered}
    impressions = tuple(_impression(print_, seen[print_.kind]) for print_ in ordered)
    crossed = None
    if len(impressions) == len(ImpressionKind):
        found = [seen[kind] for kind in ImpressionKind]
        crossed = _compared("crossed", impressions[0].half, impressions[1].half, found)
    return Finger(
        position=position,
        impressions=impressions,
        missing=missing,
        crossed=crossed,
        is_doubtful=is_doubtful,
    )


def _impression(print_: Print, seen: Minutiae | None) -> Impression:
    half = _half(print_, seen)
    other = read(print_.support)
    bare = half if other is None else drawing.without_picture(half, other)
    return Impression(
        id=f"print-{print_.position}-{print_.kind}",
        print=print_,
        uri=uri(print_.image),
        half=half,
        has_record=seen is not None,
        estimate=round(print_.estimate),
        agreement=None if print_.agreement is None else figure(print_.agreement),
        meaning=meaning(print_.agreement),
        support=_compared("support", half, bare, [seen, other]),
    )


def _compared(title: str, left: Half, right: Half, seen: list[Minutiae | None]) -> Compared | None:
    one, other = seen
    if one is None or other is None:
        return None
    score, drawn = drawing.side_by_side(left, right, one, other)
    return Compared(title=title, score=figure(score), meaning=meaning(score), drawing=drawn)
