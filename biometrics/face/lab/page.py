"""The evaluation as one HTML file that needs nothing else: no script, no style sheet, no network.

It shows figures and mistakes, and takes nothing from outside as markup: file names and every
column of a table are escaped by `markupsafe`.
"""

import base64
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import cv2
from markupsafe import Markup

from biometrics.capture import Finding
from biometrics.face import hints
from biometrics.face.images import ImageRefused, decode
from biometrics.face.lab import drawing, tables
from biometrics.face.lab.curves import Curve, curves
from biometrics.face.lab.evaluation import Evaluation, Picture
from biometrics.face.lab.judging import read
from biometrics.face.lab.run import Run
from biometrics.lab.page import both, table_of, whole
from biometrics.lab.sheet import inside
from biometrics.words import Text

MOST_PICTURES: Final = 200
_THUMBNAIL: Final = (160, 200)
_QUALITY: Final = 72
_WORDS: Final = tables.words()
_HINTS: Final = hints.words()


def page(evaluation: Evaluation, folder: Path, run: Run) -> str:
    """Return the whole page; thumbnails of wrongly judged pictures are read from `folder`."""
    parts = Markup("\n").join(_parts(evaluation, folder, run))
    return whole(_WORDS["title.report"], run.profile, parts)


def _parts(evaluation: Evaluation, folder: Path, run: Run) -> Iterator[Markup]:
    found = curves(evaluation)
    yield table_of(run.table())
    yield _notes(list(tables.notes(evaluation)))
    for table in tables.everything(evaluation, found):
        yield table_of(table)
    yield _curves(found)
    yield _wrong(evaluation, folder)


def _notes(said: list[Text]) -> Markup:
    if not said:
        return Markup("")
    lines = Markup("").join(Markup('<p class="both">{}</p>').format(both(text)) for text in said)
    heading = both(_WORDS["title.notes"])
    return Markup('<h2>{}</h2><div class="notes">{}</div>').format(heading, lines)


def _curves(found: Iterable[Curve]) -> Markup:
    figures = Markup("\n").join(
        Markup(
            '<figure><h3>{} · {} · {}</h3><div class="pair">{}{}</div>'
            "<figcaption>AUC {:.3f} ({:.2f}-{:.2f}), n {} / {}</figcaption></figure>"
        ).format(
            curve.figures.defect.name,
            curve.gate.measure,
            curve.figures.set or "-",
            drawing.roc_curve(curve),
            drawing.histogram(curve),
            curve.area.value,
            *curve.area.interval,
            curve.area.worse,
            curve.area.better,
        )
        for curve in found
    )
    return Markup('<h2>{}</h2><p class="note both">{}</p><div class="curves">{}</div>').format(
        both(_WORDS["title.roc"]), both(_WORDS["note.curve"]), figures
    )


def _wrong(evaluation: Evaluation, folder: Path) -> Markup:
    wrong = [picture for picture in evaluation.pictures if picture.wrong]
    wrong.sort(key=lambda picture: not picture.sound)
    cards = Markup("\n").join(
        _card(picture, evaluation, folder) for picture in wrong[:MOST_PICTURES]
    )
    said = [_WORDS["note.faces"]]
    if len(wrong) > MOST_PICTURES:
        said.append(_WORDS["note.cut"].fill(shown=MOST_PICTURES, n=len(wrong)))
    notes = Markup("").join(
        Markup('<p class="note both">{}</p>').format(both(text)) for text in said
    )
    return Markup('<h2>{} ({})</h2>{}<div class="wrong">{}</div>').format(
        both(_WORDS["title.wrong"]), len(wrong), notes, cards
    )


def _card(picture: Picture, evaluation: Evaluation, folder: Path) -> Markup:
    named = dict.fromkeys((*picture.refused_for[:4], *picture.defect.measures))
    findings = {finding.name: finding for finding in picture.seen.findings}
    lines = Markup("").join(
        _line(findings[name], evaluation, bold=name in picture.refused_for)
        for name in named
        if name in findings
    )
    row = picture.row
    about = " · ".join(filter(None, (row.set, row.defect, row.gender, row.ethnicity)))
    return Markup("<figure>{}<figcaption><p><b>{}</b></p><p>{}</p>{}</figcaption></figure>").format(
        _thumbnail(folder, row.file), row.file, about, lines
    )


def _line(finding: Finding, evaluation: Evaluation, *, bold: bool) -> Markup:
    gate = evaluation.gates.get(finding.name)
    limit = tables.limits(gate.lowest, gate.highest) if gate else ""
    native = "-" if finding.native is None else f"{finding.native:.3g}"
    said = Markup("{} {} {} [{}]").format(finding.name, native, finding.unit, limit)
    if bold:
        said = Markup("<b>{}</b>").format(said)
    key = f"portrait.{finding.hint}"
    hint = both(_HINTS[key]) if finding.hint and key in _HINTS else ""
    return Markup("<p>{} {}</p>").format(said, hint)


def _thumbnail(folder: Path, name: str) -> Markup:
    path = inside(folder, name)
    try:
        pixels = decode(read(path)) if path else None
    except (OSError, ImageRefused):
        pixels = None
    if pixels is None:
        return Markup("")
    height, width = pixels.shape[:2]
    scale = min(1.0, _THUMBNAIL[0] / width, _THUMBNAIL[1] / height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()
    return Markup('<img alt="" width="{}" height="{}" src="data:image/jpeg;base64,{}">').format(
        *size, base64.b64encode(data).decode()
    )
