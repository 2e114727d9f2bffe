"""Which impressions a folder holds, and of which finger each is: by a table, or by their names.

It opens no picture. A table may come from anywhere: nothing in it is trusted or interpreted.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from biometrics.lab.sheet import SheetRefused, rows_of

MANIFEST: Final = "manifest.csv"
MOST: Final = 100_000
MOST_PAIRS: Final = 5_000_000
"""Comparisons of a run: some 3,000 impressions in one set, an hour on two cores."""
DPI: Final = 500
"""Where a table does not say, and of every folder without one."""
_KINDS: Final = frozenset({".png", ".bmp", ".tif", ".tiff", ".pgm", ".jpg", ".jpeg", ".jp2"})
_NAME: Final = re.compile(r"(?P<finger>.+)_(?P<impression>[0-9]+)$")
_HIGHEST_DPI: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One impression.

    Attributes:
        file: relative to the folder, with its set in front where there are sets.
        set: within which it is compared; empty where there is only one.
        finger: whose, unique within its set.
        dpi: pixels per inch.
    """

    file: str
    set: str
    finger: str
    dpi: int


def found(
    folder: Path, table: Path | None, where: Iterable[tuple[str, str]] = ()
) -> tuple[Entry, ...]:
    """Return the impressions of a folder, in the table's order or by name.

    Without a table, `manifest.csv` in the folder is one (columns file and finger; set, dpi and
    others where they are there). Without that, `<finger>_<number>.png` says which finger it is,
    and a folder in the folder is a set.

    Raises:
        SheetRefused: the table cannot be read or names a file twice in a set, no impression of
            any finger is left, or more than `MOST` or `MOST_PAIRS`.
    """
    chosen = folder / MANIFEST if table is None else table
    wanted = tuple(where)
    if table is None and not chosen.is_file():
        if wanted:
            raise SheetRefused(f"there is no {MANIFEST} whose columns could be asked for")
        entries = _by_name(folder)
    else:
        entries = _by_table(chosen, wanted)
    if not entries:
        raise SheetRefused("no impression is left to compare")
    if len(entries) > MOST:
        raise SheetRefused(f"more than {MOST} impressions")
    sizes = Counter(entry.set for entry in entries).values()
    pairs = sum(size * (size - 1) // 2 for size in sizes)
    if pairs > MOST_PAIRS:
        raise SheetRefused(f"{pairs} comparisons, at most {MOST_PAIRS}; choose with --where")
    seen: set[tuple[str, Path]] = set()
    for entry in entries:
        # Compared with itself it would be a mate that nobody can miss.
        one = entry.set, folder / entry.file
        if one in seen:
            raise SheetRefused(f"{entry.file} is named twice")
        seen.add(one)
    return entries


def _by_name(folder: Path) -> tuple[Entry, ...]:
    entries = []
    for path in sorted(folder.glob("*")) + sorted(folder.glob("*/*")):
        named = _NAME.fullmatch(path.stem)
        if path.suffix.lower() in _KINDS and named and path.is_file():
            of_set = "" if path.parent == folder else path.parent.name
            file = str(path.relative_to(folder))
            entries.append(Entry(file=file, set=of_set, finger=named["finger"], dpi=DPI))
    return tuple(entries)


def _by_table(path: Path, where: tuple[tuple[str, str], ...]) -> tuple[Entry, ...]:
    rows = rows_of(path, ("file", "finger"), where)
    return tuple(_entry(row, path.name) for row in rows)


def _entry(row: Mapping[str, str], table: str) -> Entry:
    file, of_set, finger = row["file"], row.get("set", ""), row["finger"]
    dpi = row.get("dpi", "") or str(DPI)
    if not file or not finger:
        raise SheetRefused(f"{table}: a row names no file or no finger")
    if not (dpi.isascii() and dpi.isdigit() and 0 < int(dpi[:5]) <= _HIGHEST_DPI):
        raise SheetRefused(f"{table}: {dpi[:20]!r} is no resolution in dpi")
    whole = file if not of_set or "/" in file else f"{of_set}/{file}"
    return Entry(file=whole, set=of_set, finger=finger, dpi=int(dpi))
