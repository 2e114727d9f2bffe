"""What a folder's tables say of its pictures: `labels.csv` and `pairs.csv`.

It opens no picture. A table may come from anywhere: nothing in it is trusted or interpreted.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

MAX_BYTES: Final = 64 * 1024 * 1024
SOUND: Final = "none"
"""The `defect` of a picture that has none."""


class LabelsRefused(ValueError):
    """The table cannot be read: absent, too large, no CSV in UTF-8, or without its columns."""


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
        LabelsRefused: see there; also where a column of `where` does not exist.
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
        for row in _table(path, ("file", "defect"), where)
    )
    return tuple(rows)


def read_pairs(path: Path, where: Iterable[tuple[str, str]] = ()) -> tuple[Pair, ...]:
    """Return the pairs; `same` is ``1`` or ``0``.

    Raises:
        LabelsRefused: see there.
    """
    pairs = []
    for row in _table(path, ("file_a", "file_b", "same"), where):
        if row["same"] not in {"0", "1"}:
            raise LabelsRefused(f"{path.name}: same is 0 or 1, not {row['same']!r}")
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


def inside(folder: Path, name: str) -> Path | None:
    """Return where the file lies, None where its name leads out of the folder."""
    parts = PurePosixPath(name.replace("\\", "/"))
    if not name or "\0" in name or parts.is_absolute() or ".." in parts.parts:
        return None
    return folder / parts


def _table(
    path: Path, needed: tuple[str, ...], where: Iterable[tuple[str, str]]
) -> list[dict[str, str]]:
    text = _read(path)
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        names = reader.fieldnames or []
        wanted = {*needed, *(column for column, _ in where)}
        if absent := sorted(wanted - set(names)):
            raise LabelsRefused(f"{path.name} has no column {', '.join(absent)}")
        rows = [{name: (row[name] or "").strip() for name in names} for row in reader]
    except csv.Error as error:
        raise LabelsRefused(f"{path.name} is no CSV: {error}") from error
    return [row for row in rows if all(row[column] == value for column, value in where)]


def _read(path: Path) -> str:
    try:
        if not path.is_file():
            raise LabelsRefused(f"{path.name} is no file")
        if path.stat().st_size > MAX_BYTES:
            raise LabelsRefused(f"{path.name} is larger than {MAX_BYTES} bytes")
        return path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        if isinstance(error, LabelsRefused):
            raise
        raise LabelsRefused(f"{path.name} cannot be read: {error}") from error
