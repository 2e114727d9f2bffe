"""An opened capture as a page shows it: pictures in the page itself, measures, fingers.

Nothing of it is kept: it lives as long as the answer it is written into.
"""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from babel import numbers

from biometrics.capture import Capture, Finding, Missing, Portrait, Print
from biometrics.face import compare, gates, hints
from server.unseal.client import Opened
from server.web.formats import LOCALES
from server.web.shell import language, t, words

KINDS: Final = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
"""What a page may show, by its first bytes; anything else is said to be unreadable."""
RIGHT: Final = (1, 2, 3, 4, 5)
LEFT: Final = (10, 9, 8, 7, 6)
"""As two hands lie before their owner: thumbs in the middle."""
FIGURES: Final = 3
SCALE_WIDTH: Final = 260
"""Of the drawing; a distance of 0 to 1 lies on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One measure of the portrait."""

    label: str
    value: str
    limit: str
    passed: bool | None
    hint: str | None
    advice: bool
    """It was reported and stopped nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finger:
    """One finger: a print, or why there is none, or neither."""

    position: int
    print: Print | None
    uri: str | None
    missing: Missing | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Where a distance lies between "the same" and "another", in units of the drawing."""

    width: int
    match: int
    unsure: int
    at: int | None


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
    scale: Scale
    failed: tuple[Measure, ...]
    measures: tuple[Measure, ...]
    left: tuple[Finger, ...]
    right: tuple[Finger, ...]
    helpers: frozenset[str]
    """Officers the capture itself names: they took part, and do not decide."""


def uri(image: bytes | None) -> str | None:
    """Return the picture as an address that holds it, or None where it is no JPEG or PNG."""
    for start, kind in KINDS.items():
        if image is not None and image.startswith(start):
            return f"data:{kind};base64,{base64.b64encode(image).decode()}"
    return None


def figure(value: float) -> str:
    """Return a number to three figures as the reader writes it: ``0,42`` in Vietnamese."""
    rounded = float(f"{value:.{FIGURES}g}")
    return numbers.format_decimal(rounded, format="#,##0.######", locale=LOCALES[language()])


def _said(key: str, otherwise: str) -> str:
    return t(key) if key in words() else otherwise


def _limit(gate: gates.Gate | None) -> str:
    if gate is None or (gate.lowest is None and gate.highest is None):
        return ""
    low = None if gate.lowest is None else figure(gate.lowest)
    high = None if gate.highest is None else figure(gate.highest)
    if low is not None and high is not None:
        return t("officer.limit.between", low=low, high=high)
    return t("officer.limit.least", low=low) if low is not None else f"≤ {high}"


def _measure(finding: Finding, gate: gates.Gate | None) -> Measure:
    unit = _said(f"officer.unit.{finding.unit}", finding.unit)
    value = t("officer.measure.not_assessed")
    if finding.native is not None:
        value = f"{figure(finding.native)} {unit}".strip()
    key = f"portrait.{finding.hint}"
    told = hints.words()
    return Measure(
        label=_said(f"officer.measure.{finding.name}", finding.name),
        value=value,
        limit=_limit(gate),
        passed=finding.passed,
        hint=told.say(key, language()) if finding.hint and key in told else None,
        advice=gate is not None and not gate.blocks,
    )


def _measures(portrait: Portrait) -> tuple[Measure, ...]:
    try:
        table = {gate.measure: gate for gate in gates.profile(portrait.profile).gates}
    except gates.ProfileUnknown:
        table = {}
    return tuple(_measure(finding, table.get(finding.name)) for finding in portrait.findings)


def _fingers(capture: Capture, positions: Iterable[int]) -> tuple[Finger, ...]:
    prints = {found.position: found for found in capture.prints}
    missing = {absent.position: absent for absent in capture.missing}
    return tuple(
        Finger(
            position=position,
            print=prints.get(position),
            uri=uri(prints[position].image) if position in prints else None,
            missing=missing.get(position),
        )
        for position in positions
    )


def _on_scale(distance: float) -> int:
    return round(max(0.0, min(1.0, distance)) * SCALE_WIDTH)


def show(opened: Opened) -> Shown:
    """Return what the page shows of an opened capture."""
    capture = opened.capture
    measures = _measures(capture.portrait)
    return Shown(
        capture=capture,
        portrait=uri(capture.portrait.image),
        reference=uri(opened.reference),
        signature=uri(capture.signature),
        distance=None if opened.distance is None else figure(opened.distance),
        outcome=opened.outcome,
        reason=opened.reason,
        model=opened.model,
        scale=Scale(
            width=SCALE_WIDTH,
            match=_on_scale(compare.MATCH_AT_MOST),
            unsure=_on_scale(compare.NO_MATCH_ABOVE),
            at=None if opened.distance is None else _on_scale(opened.distance),
        ),
        failed=tuple(measure for measure in measures if measure.passed is False),
        measures=measures,
        left=_fingers(capture, LEFT),
        right=_fingers(capture, RIGHT),
        helpers=capture.helpers,
    )
