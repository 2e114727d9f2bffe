"""The trial as one HTML file: tables, DET curves, quality against error. It shows no print.

It computes no figures.
"""

from typing import Final

from markupsafe import Markup

from biometrics.finger.lab import drawing, tables
from biometrics.finger.lab.errors import discarding
from biometrics.finger.lab.tables import Run
from biometrics.finger.lab.trial import Trial
from biometrics.lab.page import both, table_of, whole

_WORDS: Final = tables.words()


def page(trial: Trial, run: Run) -> str:
    """Return the whole page."""
    parts = [table_of(table) for table in tables.everything(trial, run)]
    if any(seen.problem for seen in trial.seen):
        parts.append(table_of(tables.problems(trial)))
    parts.insert(1, _curves(trial))
    about = f"n = {len(trial.entries)}"
    return whole(_WORDS["title.report"], about, Markup("\n").join(parts))


def _curves(trial: Trial) -> Markup:
    figures = []
    for name in (*trial.sets, None) if len(trial.sets) > 1 else (None,):
        scores = trial.scores(name)
        if not scores.comparable:
            continue
        title = _WORDS["all"].vi if name is None else name
        label = f"DET, {title}"
        figures.append(_figure(title, drawing.det_curve(scores, label), "DET: FNMR / FMR"))
    scores = trial.scores()
    if scores.comparable and any(seen.nfiq2 is not None for seen in trial.seen):
        threshold = scores.threshold_at(tables.LEVEL)
        points = discarding(trial.mate_scores, trial.poorer(), threshold)
        said = _WORDS["title.discard"]
        figures.append(_figure(said.vi, drawing.discard_curve(points, said.vi), said.en))
    return Markup('<h2>{}</h2><p class="note both">{}</p><div class="curves">{}</div>').format(
        both(_WORDS["title.det"]), both(_WORDS["note.det"]), Markup("\n").join(figures)
    )


def _figure(title: str, drawn: Markup, caption: str) -> Markup:
    return Markup(
        '<figure><h3>{}</h3><div class="pair">{}</div><figcaption>{}</figcaption></figure>'
    ).format(title, drawn, caption)
