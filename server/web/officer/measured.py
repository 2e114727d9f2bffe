"""A portrait's measures as a page shows them: value, unit, limit, score, and OFIQ's own beside.

It judges nothing: what passed was said at the kiosk and stands in the sealed capture.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from babel import numbers

from biometrics.capture import Finding, Portrait
from biometrics.face import gates, hints
from biometrics.face.ofiq import PREFIX
from server.cases.verification import LOOKS
from server.web.formats import LOCALES
from server.web.shell import language, t, words

FIGURES: Final = 3
ADVICE: Final[Mapping[str, str]] = {
    "ears": "EarsVisible",
    "head": "NoHeadCoverings",
    "glasses": "Glasses",
}
"""Which measure helps an officer with which look; it answers for nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One measure of the portrait."""

    label: str
    value: str
    limit: str
    score: int | None
    was_measured: bool
    """A value without a verdict is one that no gate limits: it is on record."""
    passed: bool | None
    hint: str | None
    advice: bool
    """It was reported and stopped nothing."""
    reference: str | None
    """The score of OFIQ for the same component, with its native value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """All of them.

    Attributes:
        profile, dated: by which limits.
        sha256: of the limits at the kiosk.
        differs: the limits here are others; those shown beside the values are ours.
        failed: what did not pass and refused the portrait.
        advised: what did not pass and stopped nothing.
        rows: every measure, OFIQ's without one of ours at the end.
        has_reference: whether OFIQ took part.
        looks: for each look what the measures say, None where they said nothing.
    """

    profile: str
    dated: str | None
    sha256: str
    differs: bool
    failed: tuple[Measure, ...]
    advised: tuple[Measure, ...]
    rows: tuple[Measure, ...]
    has_reference: bool
    looks: Mapping[str, Measure | None]


def figure(value: float) -> str:
    """Return a number to three figures as the reader writes it: ``0,42`` in Vietnamese."""
    rounded = float(f"{value:.{FIGURES}g}")
    return numbers.format_decimal(rounded, format="#,##0.######", locale=LOCALES[language()])


def measured(portrait: Portrait) -> Measured:
    """Return the measures of an opened portrait."""
    try:
        held_to = gates.profile(portrait.profile)
    except gates.ProfileUnknown:
        held_to = None
    table = {} if held_to is None else {gate.measure: gate for gate in held_to.gates}
    own = [f for f in portrait.findings if not f.name.startswith(PREFIX)]
    theirs = {
        f.name.removeprefix(PREFIX): f for f in portrait.findings if f.name.startswith(PREFIX)
    }
    rows = {f.name: _measure(f, table.get(f.name), theirs.pop(f.name, None)) for f in own}
    rest = [_measure(f, None, f) for f in theirs.values()]
    missed = [row for row in rows.values() if row.passed is False]
    return Measured(
        profile=portrait.profile,
        dated=None if held_to is None else held_to.dated,
        sha256=portrait.profile_sha256,
        differs=held_to is None or held_to.sha256 != portrait.profile_sha256,
        failed=tuple(row for row in missed if not row.advice),
        advised=tuple(row for row in missed if row.advice),
        rows=(*rows.values(), *rest),
        has_reference=any(f.name.startswith(PREFIX) for f in portrait.findings),
        looks={name: rows.get(ADVICE[name]) for name in LOOKS},
    )


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


def _measure(finding: Finding, gate: gates.Gate | None, reference: Finding | None) -> Measure:
    unit = _said(f"officer.unit.{finding.unit}", finding.unit)
    is_own = finding is not reference
    value = t("officer.measure.not_assessed") if is_own else ""
    if is_own and finding.native is not None:
        value = f"{figure(finding.native)} {unit}".strip()
    key = f"portrait.{finding.hint}"
    told = hints.words()
    name = finding.name.removeprefix(PREFIX)
    return Measure(
        label=_said(f"officer.measure.{name}", name),
        value=value,
        limit=_limit(gate),
        score=finding.score if is_own else None,
        was_measured=finding.native is not None,
        passed=finding.passed,
        hint=told.say(key, language()) if finding.hint and key in told else None,
        advice=gate is not None and not gate.blocks,
        reference=None if reference is None else _reference(reference),
    )


def _reference(finding: Finding) -> str:
    if finding.score is None:
        return t("officer.measure.not_assessed")
    if finding.native is None:
        return str(finding.score)
    return f"{finding.score} ({figure(finding.native)})"
