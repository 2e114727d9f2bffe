"""Tables of the two comparisons: pairs of faces, and our measures beside OFIQ's.

It computes no figures and knows no markup.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Final

from biometrics.face.descriptor import FaceModel
from biometrics.face.lab.reference import Agreement, Beside
from biometrics.face.lab.tables import table, words
from biometrics.face.lab.verification import Compared, by, distances, rates
from biometrics.lab.table import Table
from biometrics.words import Text

LIBRARY_DEFAULT: Final = 0.6
"""Distance up to which face_recognition's `compare_faces` says "the same person" by itself."""
_WORDS: Final = words()


def pair_tables(compared: Sequence[Compared], model: FaceModel) -> Iterator[Table]:
    """Yield the errors at every threshold, then by group and kind of pair at the shipped ones."""
    shown = {
        "match": model.match_at_most,
        "no_match": model.no_match_above,
        "default": LIBRARY_DEFAULT,
    }
    rows = []
    for name, limit in shown.items():
        errors = rates(compared, limit)
        label = _WORDS[f"pairs.{name}"].fill(limit=f"{limit:g}")
        rows.append((label, errors.false_match, errors.false_non_match))
    yield table("pairs", ("threshold", "fmr", "fnmr"), rows)
    for axis in ("group", "kind"):
        grouped = [
            (
                name,
                _WORDS[f"pairs.{label}"].fill(limit=f"{shown[label]:g}"),
                rates(pairs, shown[label]).false_match,
                rates(pairs, shown[label]).false_non_match,
            )
            for name, pairs in by(compared, axis).items()
            for label in ("match", "no_match")
        ]
        if grouped:
            yield table(f"pairs_{axis}", (axis, "threshold", "fmr", "fnmr"), grouped)


def pair_notes(compared: Sequence[Compared]) -> Iterator[Text]:
    """Yield what the tables do not show: the extremes, and what could not be compared."""
    mated, other = distances(compared)
    if mated and other:
        farthest, nearest = f"{max(mated):.3f}", f"{min(other):.3f}"
        yield _WORDS["pairs.extremes"].fill(mated=farthest, other=nearest)
    missing = sum(entry.distance is None for entry in compared)
    if missing:
        yield _WORDS["pairs.not_assessed"].fill(n=missing)


def agreement_table(found: Sequence[Agreement]) -> Table:
    """Return one line for each component."""
    rows = [
        (entry.component, entry.n, entry.native, entry.scored, entry.score, entry.difference)
        for entry in found
    ]
    columns = ("measure", "n", "spearman", "scored", "spearman_score", "difference")
    return table("reference", columns, rows)


def as_csv(rows: Sequence[Beside]) -> str:
    """Return every value of both, one line for each picture and component."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("file", "component", "ours_native", "ours_score", "ofiq_native", "ofiq_score"))
    for row in rows:
        writer.writerow(
            (
                row.file,
                row.component,
                row.ours_native,
                row.ours_score,
                row.ofiq_native,
                row.ofiq_score,
            )
        )
    return out.getvalue()
