"""Reading the tables that say what a folder of pictures holds.

It opens no picture. A table may come from anywhere: nothing in it is trusted or interpreted.
"""

import csv
import io
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Final

MAX_BYTES: Final = 64 * 1024 * 1024


class SheetRefused(ValueError):
    """The table cannot be read: absent, too large, no CSV in UTF-8, or without its columns."""


def inside(folder: Path, name: str) -> Path | None:
    """Return where the file lies, None where its name leads out of the folder."""
    parts = PurePosixPath(name.replace("\\", "/"))
    if not name or "\0" in name or parts.is_absolute() or ".." in parts.parts:
        return None
    return folder / parts


def rows_of(
    path: Path, needed: tuple[str, ...], where: Iterable[tuple[str, str]] = ()
) -> list[dict[str, str]]:
    """Return the rows for which every column of `where` has its value, in their order.

    Args:
        path: CSV in UTF-8.
        needed: columns without which the table is refused; an absent value is an empty text.
        where: column and value.

    Raises:
        SheetRefused: see there; also where a column of `where` does not exist.
    """
    text = _read(path)
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        names = reader.fieldnames or []
        wanted = {*needed, *(column for column, _ in where)}
        if absent := sorted(wanted - set(names)):
            raise SheetRefused(f"{path.name} has no column {', '.join(absent)}")
        rows = [{name: (row[name] or "").strip() for name in names} for row in reader]
    except csv.Error as error:
        raise SheetRefused(f"{path.name} is no CSV: {error}") from error
    return [row for row in rows if all(row[column] == value for column, value in where)]


def _read(path: Path) -> str:
    try:
        if not path.is_file():
            raise SheetRefused(f"{path.name} is no file")
        if path.stat().st_size > MAX_BYTES:
            raise SheetRefused(f"{path.name} is larger than {MAX_BYTES} bytes")
        return path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        if isinstance(error, SheetRefused):
            raise
        raise SheetRefused(f"{path.name} cannot be read: {error}") from error
