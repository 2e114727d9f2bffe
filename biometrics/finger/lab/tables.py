"""The figures of a trial as tables, once; terminal, Markdown and the page show the same ones.

It computes no figures and knows no markup.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

import numpy as np

from biometrics.finger.lab.errors import LEVELS, Estimate, Scores, by_quality
from biometrics.finger.lab.trial import Trial
from biometrics.lab.figures import Share
from biometrics.lab.machine import machine
from biometrics.lab.table import Cell, Table
from biometrics.words import Text, Words

LEVEL: Final = 0.001
"""FMR at whose threshold mates are looked at one by one."""
WORST: Final = 10
_NAMES: Final = ("EER", *(name for name, _ in LEVELS))


def words() -> Words:
    """Return the sentences of the lab."""
    return Words(files("biometrics.finger.lab").joinpath("texts.json"))


_WORDS: Final = words()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What must be known of a run to repeat it."""

    command: str
    at: str


def everything(trial: Trial, run: Run) -> Iterator[Table]:
    """Yield every table, the most wanted first."""
    yield errors(trial)
    yield refused(trial)
    scores = trial.scores()
    if scores.comparable:
        threshold = scores.threshold_at(LEVEL)
        if any(seen.nfiq2 is not None for seen in trial.seen):
            yield quality(trial, threshold)
        yield worst(trial, threshold)
    yield about(trial, run)


def errors(trial: Trial) -> Table:
    """Return EER and FNMR at fixed FMR, set by set and under one threshold."""
    named: list[tuple[Cell, Scores]] = [(name or "-", trial.scores(name)) for name in trial.sets]
    if len(named) > 1:
        named.append((_WORDS["all"], trial.scores()))
    rows: list[tuple[Cell, ...]] = []
    for name, scores in named:
        if not scores.comparable:
            rows.append((name, len(scores.mates), len(scores.strangers), *[None] * len(_NAMES)))
            continue
        figures = scores.figures
        said = (percent(figures[which]) for which in _NAMES)
        rows.append((name, len(scores.mates), len(scores.strangers), *said))
    return _table("errors", ("set", "mates", "strangers", *_NAMES), rows)


def refused(trial: Trial) -> Table:
    """Return how many impressions gave no template, and which."""
    rows: list[tuple[Cell, ...]] = []
    for name in trial.sets:
        of_set = [
            seen for entry, seen in zip(trial.entries, trial.seen, strict=True) if entry.set == name
        ]
        none = sum(bool(seen.problem) for seen in of_set)
        odd = sum(not seen.finger for seen in of_set)
        rows.append((name or "-", Share(none, len(of_set)), Share(odd, len(of_set))))
    return _table("refused", ("set", "fte", "no_finger"), rows)


def quality(trial: Trial, threshold: float) -> Table:
    """Return the mates missed, by the NFIQ 2 of the poorer impression."""
    bands = by_quality(trial.mate_scores, trial.poorer(), threshold)
    rows = [(f"{band.low}..{band.high - 1}", band.missed) for band in bands]
    return _table("quality", ("nfiq2", "missed"), rows, threshold=f"{threshold:.3g}")


def worst(trial: Trial, threshold: float) -> Table:
    """Return the mates that are least alike and the strangers that are most alike."""
    rows: list[tuple[Cell, ...]] = []
    sides = (
        ("mates", trial.mates, trial.mate_scores, np.argsort(trial.mate_scores)),
        ("strangers", trial.strangers, trial.stranger_scores, np.argsort(-trial.stranger_scores)),
    )
    for kind, pairs, scores, order in sides:
        for at in order[:WORST].tolist():
            one, other = pairs[at]
            said = f"{trial.entries[one].file} / {trial.entries[other].file}"
            rows.append((_WORDS[f"column.{kind}"], said, float(scores[at])))
    return _table("worst", ("kind", "pair", "score"), rows, threshold=f"{threshold:.3g}")


def problems(trial: Trial) -> Table:
    """Return every impression that gave no template, with the reason."""
    rows = [
        (entry.file, seen.problem)
        for entry, seen in zip(trial.entries, trial.seen, strict=True)
        if seen.problem
    ]
    return _table("problems", ("file", "problem"), rows)


def about(trial: Trial, run: Run) -> Table:
    """Return data, machine and command."""
    fingers = {(entry.set, entry.finger) for entry in trial.entries}
    data = f"n = {len(trial.entries)}, {len(fingers)} fingers, sets {', '.join(trial.sets)}"
    rows = [
        (_WORDS["run.data"], data),
        (_WORDS["run.machine"], machine()),
        (_WORDS["run.command"], run.command),
        (_WORDS["run.at"], run.at),
    ]
    return _table("run", ("what", "value"), rows)


def percent(figure: Estimate) -> str:
    """Return a figure as ``0.89 % (0.31-1.62)``."""
    low, high = 100 * figure.low, 100 * figure.high
    return f"{100 * figure.value:.2f} % ({low:.2f}-{high:.2f})"


def _table(
    name: str, columns: tuple[str, ...], rows: Sequence[tuple[Cell, ...]], **said: str
) -> Table:
    heads = tuple(
        _WORDS[f"column.{column}"] if column not in _NAMES else Text(vi=column, en=column)
        for column in columns
    )
    note = _WORDS[f"note.{name}"].fill(**said) if f"note.{name}" in _WORDS else None
    return Table(title=_WORDS[f"table.{name}"], columns=heads, rows=tuple(rows), note=note)
