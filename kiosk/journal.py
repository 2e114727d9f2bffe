"""The visit in progress, written line by line so that a power cut loses no step.

It never holds an image; it holds the name that check-in brought, and is erased with the visit.
"""

import errno
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kiosk import durable

LONGEST = 1024 * 1024
"""Bytes of a journal that is read back; a visit writes some twenty thousand at most."""


class Journal:
    """A file of JSON objects, one a line; each line is on the disk when `write` returns."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, line: Mapping[str, object]) -> None:
        """Add a line, durably.

        Raises:
            OSError: the disk refused; the line may be there in part, which `read` passes over.
        """
        new = not self._path.exists()
        data = json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            before = os.fstat(handle).st_size
            if os.write(handle, data) != len(data):
                # A disk that fills up takes a part, and would have the next line follow it.
                os.ftruncate(handle, before)
                raise OSError(errno.ENOSPC, "the line did not fit")
            os.fsync(handle)
        finally:
            os.close(handle)
        if new:
            durable.sync(self._path.parent)

    def read(self) -> list[dict[str, Any]]:
        """Return every whole line up to the first that is torn or no object."""
        if not self._path.is_file():
            return []
        with self._path.open("rb") as file:
            raw = file.read(LONGEST)
        lines: list[dict[str, Any]] = []
        for piece in raw.split(b"\n")[:-1]:
            try:
                line = json.loads(piece)
            except ValueError:
                break
            if not isinstance(line, dict):
                break
            lines.append(line)
        return lines

    def erase(self) -> None:
        """Let the visit's lines go, durably; nothing to erase is no error."""
        self._path.unlink(missing_ok=True)
        durable.sync(self._path.parent)
