"""The outbox's rows: which packets there are, which the server has, which it does not want.

A row is on the disk when its method returns. It touches no packet.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from biometrics.seal.header import Header
from kiosk.protocol import Receipt, Refusal

PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": "full",
    "foreign_keys": "on",
    "busy_timeout": "10000",
    "trusted_schema": "off",
    "cell_size_check": "on",
    "secure_delete": "on",
}
"""synchronous=normal would lose the last commits in a power cut: tests/faults proves it."""
# Rows stay for good: the highest sequence is the counter, its digest the chain's end.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS packet (
  sequence INTEGER PRIMARY KEY CHECK (sequence > 0),
  digest TEXT NOT NULL UNIQUE CHECK (length(digest) = 64),
  visit TEXT NOT NULL,
  size INTEGER NOT NULL CHECK (size > 0),
  sealed_at TEXT NOT NULL,
  receipt TEXT,
  receipted_at TEXT,
  refusal TEXT,
  refused_at TEXT,
  gone_at TEXT,
  CHECK ((receipt IS NULL) = (receipted_at IS NULL)),
  CHECK ((refusal IS NULL) = (refused_at IS NULL)),
  CHECK (gone_at IS NULL OR receipt IS NOT NULL)
) STRICT;
"""
_ALL = "SELECT * FROM packet ORDER BY sequence"
_LAST = "SELECT * FROM packet ORDER BY sequence DESC LIMIT 1"
_WAITING = "SELECT * FROM packet WHERE receipt IS NULL ORDER BY sequence"
_OF_VISIT = "SELECT * FROM packet WHERE visit = ? ORDER BY sequence DESC LIMIT 1"
_HELD = (
    "SELECT * FROM packet WHERE receipt IS NOT NULL AND gone_at IS NULL AND receipted_at <= ?"
    " ORDER BY sequence"
)
_ADD = "INSERT INTO packet (sequence, digest, visit, size, sealed_at) VALUES (?, ?, ?, ?, ?)"
_RECEIPTED = (
    "UPDATE packet SET receipt = ?, receipted_at = ?, refusal = NULL, refused_at = NULL"
    " WHERE sequence = ? AND receipt IS NULL"
)
_REFUSED = "UPDATE packet SET refusal = ?, refused_at = ? WHERE sequence = ? AND receipt IS NULL"
_GONE = "UPDATE packet SET gone_at = ? WHERE sequence = ?"

M = TypeVar("M", Receipt, Refusal)


class SequenceTaken(Exception):
    """The sequence, or the content, has a row already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One capture in the outbox; `refusal` is the server's last no, while there is no receipt."""

    sequence: int
    digest: str
    visit: str
    size: int
    sealed_at: datetime
    receipt: Receipt | None
    refusal: Refusal | None
    refused_at: datetime | None


class Ledger:
    """A small database; one connection, which several threads may use in turn."""

    def __init__(self, path: Path) -> None:
        """Open or make the database at `path`.

        Raises:
            sqlite3.Error: it cannot be opened or is damaged.
        """
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        try:
            for name, value in PRAGMAS.items():
                self._db.execute(f"PRAGMA {name}={value}")
            self._db.executescript(_SCHEMA)
        except sqlite3.Error:
            self._db.close()
            raise

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._db.close()

    def add(self, header: Header, digest: str, size: int) -> Entry:
        """Add a packet of `size` bytes.

        Raises:
            SequenceTaken: its sequence or digest has a row.
            sqlite3.Error: the disk refused.
        """
        sealed_at = header.captured_at.isoformat()
        try:
            self._write(_ADD, header.sequence, digest, header.visit, size, sealed_at)
        except sqlite3.IntegrityError as error:
            raise SequenceTaken(str(header.sequence)) from error
        return Entry(
            sequence=header.sequence,
            digest=digest,
            visit=header.visit,
            size=size,
            sealed_at=header.captured_at,
            receipt=None,
            refusal=None,
            refused_at=None,
        )

    def receipted(self, sequence: int, receipt: Receipt, *, now: datetime) -> None:
        """Record the server's receipt; the first one stays."""
        self._write(_RECEIPTED, receipt.model_dump_json(), _utc(now), sequence)

    def refused(self, sequence: int, refusal: Refusal, *, now: datetime) -> None:
        """Record the server's refusal; the last one stays."""
        self._write(_REFUSED, refusal.model_dump_json(), _utc(now), sequence)

    def gone(self, sequence: int, *, now: datetime) -> None:
        """Record that the packet was deleted after its grace."""
        self._write(_GONE, _utc(now), sequence)

    def all(self) -> tuple[Entry, ...]:
        """Return every packet there ever was, oldest first."""
        return self._read(_ALL)

    def last(self) -> Entry | None:
        """Return the packet of the highest sequence."""
        return next(iter(self._read(_LAST)), None)

    def waiting(self) -> tuple[Entry, ...]:
        """Return what has no receipt, oldest first."""
        return self._read(_WAITING)

    def of_visit(self, visit: str) -> Entry | None:
        """Return the last packet of a visit."""
        return next(iter(self._read(_OF_VISIT, visit)), None)

    def held(self, *, since: datetime) -> tuple[Entry, ...]:
        """Return packets whose receipt is as old as `since` or older, and that still lie here."""
        return self._read(_HELD, _utc(since))

    def shrink(self) -> None:
        """Bring the log into the database and cut it short."""
        with self._lock:
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def _write(self, statement: str, *values: str | int) -> None:
        with self._transaction():
            self._db.execute(statement, values)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _read(self, question: str, *values: str) -> tuple[Entry, ...]:
        with self._lock:
            rows = self._db.execute(question, values).fetchall()
        return tuple(
            Entry(
                sequence=row["sequence"],
                digest=row["digest"],
                visit=row["visit"],
                size=row["size"],
                sealed_at=datetime.fromisoformat(row["sealed_at"]),
                receipt=_model(Receipt, row["receipt"]),
                refusal=_model(Refusal, row["refusal"]),
                refused_at=_time(row["refused_at"]),
            )
            for row in rows
        )


def _utc(moment: datetime) -> str:
    """Return a text that sorts as time does."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _model(kind: type[M], text: str | None) -> M | None:
    return None if text is None else kind.model_validate_json(text)
