"""The last examination, kept in the data folder: when it was, and what it found.

It holds nothing of any citizen, and a record that cannot be read is as good as none.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from kiosk import durable
from kiosk.clock import HERE
from kiosk.doctor.check import Check, worst

FILE: Final = "doctor.json"
_MAX_FILE: Final = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One examination of the whole kiosk."""

    at: datetime
    checks: tuple[Check, ...]

    def as_json(self) -> dict[str, Any]:
        """Return what is written of it, and what ``--json`` prints."""
        return {
            "at": self.at.isoformat(),
            "state": worst(self.checks).value,
            "checks": [check.as_json() for check in self.checks],
        }

    def due(self, now: datetime) -> bool:
        """Return whether it was on another day than today, by the clock on the wall."""
        return self.at.astimezone(HERE).date() != now.astimezone(HERE).date()


def keep(folder: Path, record: Record) -> None:
    """Keep an examination in the place of the last one.

    Raises:
        OSError: the disk refused.
    """
    data = json.dumps(record.as_json(), ensure_ascii=False, indent=1).encode()
    durable.replace(folder / FILE, data)


def last(folder: Path) -> Record | None:
    """Return the last examination, None where there was none or it cannot be read."""
    try:
        with (folder / FILE).open("rb") as file:
            return read(json.loads(file.read(_MAX_FILE)))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def read(data: Any) -> Record:  # noqa: ANN401 - whatever JSON says
    """Return the examination that was written so.

    Raises:
        KeyError, TypeError, ValueError: nothing that `as_json` wrote.
    """
    at = datetime.fromisoformat(data["at"])
    if at.tzinfo is None:
        raise ValueError("a time without its zone")
    return Record(at=at, checks=tuple(Check.from_json(one) for one in data["checks"]))
