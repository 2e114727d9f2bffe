"""Our scores beside those of OFIQ on a folder of pictures.

It explains no difference: the two find landmarks and people by other networks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from biometrics.capture import Finding
from biometrics.face import ofiq
from biometrics.face.images import ImageRefused
from biometrics.face.lab.judging import Progress, judge_files, read
from biometrics.lab.figures import spearman

SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png"})
FALLS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """One component of one picture, ours and OFIQ's; None where not assessed."""

    file: str
    component: str
    ours_native: float | None
    ours_score: int | None
    ofiq_native: float | None
    ofiq_score: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How far two judge alike in one component.

    Attributes:
        n: pictures with both natives; `scored` those with both scores.
        native, score: rank correlations, None where there is too little to rank.
        difference: mean of the absolute difference of the scores.
    """

    component: str
    n: int
    native: float | None
    scored: int
    score: float | None
    difference: float | None


def pictures(folder: Path) -> list[str]:
    """Return the pictures below a folder by their suffix, relative to it, in order."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    return sorted(path.relative_to(folder).as_posix() for path in found if path.is_file())


def compare(
    folder: Path, names: Sequence[str], profile: str, processes: int, progress: Progress
) -> tuple[Beside, ...]:
    """Return every component that both name, picture by picture.

    A picture that either cannot read, or over which OFIQ falls, is left out.

    Raises:
        NotInstalled: OFIQ is absent.
        Fallen: it fell over three pictures in a row, so over none of them in particular.
    """
    seen = judge_files(folder, names, profile, processes, progress)
    rows: list[Beside] = []
    falls = 0
    with ofiq.Reference() as reference:
        for name in names:
            if seen[name].problem is not None:
                continue
            try:
                theirs = _theirs(reference, folder / name)
                falls = 0
            except ofiq.Fallen:
                falls += 1
                if falls == FALLS:
                    raise
                continue
            rows += _beside(name, seen[name].findings, theirs)
    return tuple(rows)


def agreements(rows: Iterable[Beside]) -> tuple[Agreement, ...]:
    """Return the agreement in every component, in their order."""
    groups: dict[str, list[Beside]] = {}
    for row in rows:
        groups.setdefault(row.component, []).append(row)
    return tuple(_agreement(component, group) for component, group in groups.items())


def _theirs(reference: ofiq.Reference, path: Path) -> dict[str, Finding]:
    try:
        found = reference.findings(read(path))
    except (OSError, ImageRefused):
        return {}
    return {finding.name.removeprefix(ofiq.PREFIX): finding for finding in found}


def _beside(name: str, ours: Iterable[Finding], theirs: dict[str, Finding]) -> list[Beside]:
    return [
        Beside(
            file=name,
            component=finding.name,
            ours_native=finding.native,
            ours_score=finding.score,
            ofiq_native=theirs[finding.name].native,
            ofiq_score=theirs[finding.name].score,
        )
        for finding in ours
        if finding.name in theirs
    ]


def _agreement(component: str, rows: Sequence[Beside]) -> Agreement:
    natives = [
        (row.ours_native, row.ofiq_native)
        for row in rows
        if row.ours_native is not None and row.ofiq_native is not None
    ]
    scores = [
        (row.ours_score, row.ofiq_score)
        for row in rows
        if row.ours_score is not None and row.ofiq_score is not None
    ]
    return Agreement(
        component=component,
        n=len(natives),
        native=spearman([a for a, _ in natives], [b for _, b in natives]),
        scored=len(scores),
        score=spearman([a for a, _ in scores], [b for _, b in scores]),
        difference=float(np.mean([abs(a - b) for a, b in scores])) if scores else None,
    )
