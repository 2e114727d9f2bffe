"""What changed since an earlier run: the pictures that are now judged otherwise.

It reads the JSON that `biometrics.face.lab.export` wrote and nothing else.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from biometrics.face.lab.evaluation import Evaluation, Picture
from biometrics.face.lab.tables import table
from biometrics.lab.sheet import SheetRefused
from biometrics.lab.table import Table


def read_reasons(path: Path) -> Mapping[str, tuple[str, ...]]:
    """Return for each file what it was refused for in an earlier run.

    Raises:
        SheetRefused: this is no file of an earlier run.
    """
    try:
        pictures = json.loads(path.read_text(encoding="utf-8"))["pictures"]
        return {str(entry["file"]): tuple(map(str, entry["refused_for"])) for entry in pictures}
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise SheetRefused(f"{path.name} holds no earlier run: {error}") from error


def changes(evaluation: Evaluation, before: Mapping[str, tuple[str, ...]]) -> Table:
    """Return the pictures whose first reason is another, mistakes of this run first."""
    changed = [
        picture
        for picture in evaluation.pictures
        if picture.row.file in before and before[picture.row.file][:1] != picture.refused_for[:1]
    ]
    changed.sort(key=lambda picture: not picture.wrong)
    rows = [_row(picture, before[picture.row.file]) for picture in changed]
    return table("changes", ("file", "defect", "before", "because", "verdict"), rows)


def _row(picture: Picture, before: tuple[str, ...]) -> tuple[str, str, str, str, str]:
    return (
        picture.row.file,
        picture.row.defect,
        ", ".join(before) or "-",
        ", ".join(picture.refused_for) or "-",
        "✗" if picture.wrong else "✓",
    )
