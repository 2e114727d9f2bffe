"""What a folder's tables say of its pictures: `labels.csv` and `pairs.csv`.

It opens no picture. A table may come from anywhere: nothing in it is trusted or interpreted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from biometrics.lab.sheet import SheetRefused, rows_of

SOUND: Final = "none"
"""The `defect` of a picture that has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One picture as the table describes it; a column that is absent is an empty text.

    Attributes:
        file: relative to the folder, as written.
        columns: every named column of the row, those below included.
    """

    file: str
    set: str
    identity: str
    gender: str
    ethnicity: str
    defect: str
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two pictures, of one person or of two."""

    file_a: str
    file_b: str
    same: bool
    kind: str
    group: str
    split: str


def read_labels(path: Path, where: Iterable[tuple[str, str]] = ()) -> tuple[Row, ...]:
    """Return the rows for which every column of `where` has its value, in their order.

    Raises:
        SheetRefused: see there; also where a column of `where` does not exist.
    """
    rows = (
        Row(
            file=row["file"],
            set=row.get("set", ""),
            identity=row.get("identity", ""),
            gender=row.get("gender", ""),
            ethnicity=row.get("ethnicity", ""),
            defect=row["defect"],
            columns=row,
        )
        for row in rows_of(path, ("file", "defect"), where)
    )
    return tuple(rows)


def read_pairs(path: Path, where: Iterable[tuple[str, str]] = ()) -> tuple[Pair, ...]:
    """Return the pairs; `same` is ``1`` or ``0``.

    Raises:
        SheetRefused: see there.
    """
    pairs = []
    for row in rows_of(path, ("file_a", "file_b", "same"), where):
        if row["same"] not in {"0", "1"}:
            raise SheetRefused(f"{path.name}: same is 0 or 1, not {row['same']!r}")
        pairs.append(
            Pair(
                file_a=row["file_a"],
                file_b=row["file_b"],
                same=row["same"] == "1",
                kind=row.get("kind", ""),
                group=row.get("group", ""),
                split=row.get("split", ""),
            )
        )
    return tuple(pairs)
