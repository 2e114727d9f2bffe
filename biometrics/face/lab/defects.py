"""Which measures are the right reason to refuse a picture with a given defect, read from a file.

It says nothing of limits; a defect that is not in the file is reported as unknown.
"""

import enum
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path


class DefectsRefused(ValueError):
    """The file of defects is not of its form."""


class Kind(enum.StrEnum):
    """How a defect counts."""

    GATE = "gate"
    """A real or computed defect that must be refused."""
    DRAWN = "drawn"
    """Must be refused, but was drawn over a photograph: counted apart."""
    ADVICE = "advice"
    """No fault a card's picture is refused for; neither a hit nor a false alarm."""
    UNKNOWN = "unknown"
    """Not in the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """One defect and its right reasons, names of measures."""

    name: str
    kind: Kind
    measures: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Defects:
    """All of a file; `sha256` is of its bytes."""

    dated: str
    sha256: str
    table: Mapping[str, Defect]

    def __getitem__(self, name: str) -> Defect:
        unknown = Defect(name=name, kind=Kind.UNKNOWN, measures=(), note="")
        return self.table.get(name, unknown)


def read_defects(file: Path | None = None) -> Defects:
    """Return the defects of `file`, by default those that come with the package.

    Raises:
        DefectsRefused: it cannot be read, or has another form.
    """
    source = file or files("biometrics.face.lab").joinpath("defects.json")
    try:
        data = source.read_bytes()
        content = json.loads(data)
        table = {
            name: Defect(
                name=name,
                kind=Kind(entry["kind"]),
                measures=tuple(map(str, entry["measures"])),
                note=str(entry["note"]),
            )
            for name, entry in content["defects"].items()
        }
        dated = str(content["dated"])
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise DefectsRefused(f"{source.name}: {type(error).__name__}: {error}") from error
    return Defects(dated=dated, sha256=hashlib.sha256(data).hexdigest(), table=table)
