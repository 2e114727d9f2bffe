"""An opened capture as a page shows it: pictures in the page itself, measures, liveness, fingers.

Nothing of it is kept: it lives as long as the answer it is written into.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from biometrics.capture import Capture, EyeSide, ImpressionKind, Iris, Liveness
from biometrics.face.liveness import SeedInvalid, challenge
from biometrics.face.relief import FLAT_BELOW
from server.rules.concerns import NEEDS_WORDS, Concern
from server.unseal.client import Opened
from server.web.officer import fingers
from server.web.officer.fingers import LEFT, RIGHT, Beside, Finger
from server.web.officer.measured import Measured, figure, measured
from server.web.officer.pictures import uri
from server.web.shell import t, words

SCALE_WIDTH: Final = 260
"""Of the drawing; a distance of 0 to 1 lies on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Where a distance lies between "the same" and "another", in units of the drawing."""

    width: int
    match: int
    unsure: int
    at: int | None
    match_at_most: str
    no_match_above: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing the sitter was asked to do; `was_seen` None: they had given up before."""

    label: str
    was_seen: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alive:
    """What was seen of the sitter doing as asked: help for whoever decides, no verdict."""

    actions: tuple[Action, ...]
    same_face: bool | None
    relief: str | None
    flat_below: str
    """A relief under it is rather that of something flat."""
    seconds: str
    seed: str
    was_drawn: bool
    """Whether the actions follow from visit and seed, as they must."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Eye:
    """One eye's iris, or that there is none."""

    side: EyeSide
    iris: Iris | None
    uri: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An opened capture, ready for the page."""

    capture: Capture
    portrait: str | None
    reference: str | None
    signature: str | None
    distance: str | None
    outcome: str
    reason: str | None
    """Why it could not be assessed."""
    model: str
    model_sha256: str | None
    scale: Scale | None
    """None where nothing was compared: limits come with the network that compares."""
    measured: Measured
    alive: Alive | None
    """None where it was not tried."""
    left: tuple[Finger, ...]
    right: tuple[Finger, ...]
    doubts: tuple[Beside, ...]
    """Prints that contradict each other."""
    has_rolled: bool
    limits: Mapping[str, str]
    """From which score on two prints are how alike."""
    proof: str | None
    """The citizen with both hands, where one was taken."""
    eyes: tuple[Eye, ...]
    """Both where one was taken, else none."""
    helpers: frozenset[str]
    """Officers the capture itself names: they took part, and do not decide."""


def _alive(visit: str, found: Liveness) -> Alive:
    met: tuple[bool | None, ...] = (*found.met, *[None] * len(found.actions))
    return Alive(
        actions=tuple(
            Action(label=_action(name), was_seen=seen)
            for name, seen in zip(found.actions, met, strict=False)
        ),
        same_face=found.same_face,
        relief=None if found.relief is None else figure(found.relief),
        flat_below=figure(FLAT_BELOW),
        seconds=figure(found.seconds),
        seed=found.seed,
        was_drawn=_was_drawn(visit, found),
    )


def _was_drawn(visit: str, found: Liveness) -> bool:
    try:
        return challenge(visit, found.seed) == found.actions
    except SeedInvalid:
        return False


def _action(name: str) -> str:
    key = f"officer.live.{name}"
    return t(key) if key in words() else name


def _on_scale(distance: float) -> int:
    return round(max(0.0, min(1.0, distance)) * SCALE_WIDTH)


def _scale(opened: Opened) -> Scale | None:
    if opened.match_at_most is None or opened.no_match_above is None:
        return None
    return Scale(
        width=SCALE_WIDTH,
        match=_on_scale(opened.match_at_most),
        unsure=_on_scale(opened.no_match_above),
        at=None if opened.distance is None else _on_scale(opened.distance),
        match_at_most=figure(opened.match_at_most),
        no_match_above=figure(opened.no_match_above),
    )


def _eyes(capture: Capture) -> tuple[Eye, ...]:
    found = {iris.eye: iris for iris in capture.irises}
    return tuple(
        Eye(
            side=side,
            iris=found.get(side),
            uri=uri(found[side].image) if side in found else None,
        )
        for side in EyeSide
        if found
    )


def _doubtful(concerns: Iterable[Concern]) -> frozenset[int]:
    """Return the fingers of which something was said that is more than absence."""
    doubts = [
        about for concern in concerns if concern.kind in NEEDS_WORDS for about in concern.about
    ]
    return frozenset(int(about.split(".")[1]) for about in doubts)


def show(opened: Opened, concerns: tuple[Concern, ...]) -> Shown:
    """Return what the page shows of an opened capture.

    Args:
        opened: by the unsealing process.
        concerns: what that process wrote down of it.
    """
    capture = opened.capture
    portrait = capture.portrait
    doubtful = _doubtful(concerns)
    return Shown(
        capture=capture,
        portrait=uri(portrait.image),
        reference=uri(opened.reference),
        signature=uri(capture.signature),
        distance=None if opened.distance is None else figure(opened.distance),
        outcome=opened.outcome,
        reason=opened.reason,
        model=opened.model,
        model_sha256=opened.model_sha256,
        scale=_scale(opened),
        measured=measured(portrait),
        alive=None if portrait.liveness is None else _alive(capture.visit, portrait.liveness),
        left=fingers.hand(capture, LEFT, doubtful),
        right=fingers.hand(capture, RIGHT, doubtful),
        doubts=fingers.doubts(capture, concerns),
        has_rolled=any(print_.kind is ImpressionKind.ROLLED for print_ in capture.prints),
        limits=fingers.limit_figures(),
        proof=uri(capture.proof),
        eyes=_eyes(capture),
        helpers=capture.helpers,
    )
