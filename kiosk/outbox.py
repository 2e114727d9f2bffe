"""Sealed captures on the kiosk's disk until the server has receipted them: none is ever lost.

Order of `put`, which a power cut at any point may interrupt: seal, write, fsync the file, rename,
fsync the folder, commit the row (WAL, synchronous=FULL), and only then return. It sends nothing
(see `uploader`) and can open nothing.
"""

import fcntl
import logging
import os
import sqlite3
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from biometrics.capture import Capture
from biometrics.seal.checking import Checked, check
from biometrics.seal.errors import PacketRefused
from biometrics.seal.keys import PublicKeys
from biometrics.seal.layout import MAX_PACKET
from biometrics.seal.sealing import Sealed, seal
from kiosk import durable
from kiosk.device import Device
from kiosk.ledger import Entry, Ledger, SequenceTaken
from kiosk.protocol import Receipt, Refusal

log = logging.getLogger(__name__)

SUFFIX = ".ccap"
RESERVE = MAX_PACKET + 4 * 1024 * 1024
"""Bytes held free for the packet of a visit that has begun, and for its row."""


class OutboxBusy(Exception):
    """Another process has this outbox open; two would use one sequence twice."""


class NotKept(Exception):
    """The capture is not durable: nobody may be told that it is. The cause says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskLow:
    """No visit may begin: so many bytes are free, so many are needed."""

    free: int
    needed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What the last start found.

    Attributes:
        removed: unfinished files that were deleted; nobody had been told of them.
        adopted: digests of finished packets without a row, now with one.
        strange: names of files that are not ours or are damaged, put aside.
        missing: sequences whose packet is gone without a receipt, or is of another size: an
            alarm, this must be impossible.
    """

    removed: int
    adopted: tuple[str, ...]
    strange: tuple[str, ...]
    missing: tuple[int, ...]


class Outbox:
    """A folder of packets and a small database beside them; one process at a time."""

    def __init__(self, folder: Path, device: Device) -> None:
        """Open the outbox in `folder`, made if absent, and recover what a power cut left.

        Raises:
            OutboxBusy: another process has it open.
            OSError, sqlite3.Error: the disk refused, or the database is damaged.
        """
        self._device = device
        self._packets = folder / "packets"
        self._strange = folder / "strange"
        self._reserve = folder / "reserve"
        for path in (self._packets, self._strange):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._claim = _claim(folder / "lock")
        self._lock = threading.RLock()
        try:
            self._ledger = Ledger(folder / "outbox.db")
            durable.sync(folder)
            durable.sync(folder.parent)
            self._doubtful = False
            self.recovery = self._recover()
        except BaseException:
            os.close(self._claim)
            raise
        self.changed = threading.Event()
        """Set by every `put`; the uploader waits for it and clears it."""

    def close(self) -> None:
        """Let the outbox go, for another process."""
        with self._lock:
            self._ledger.close()
            os.close(self._claim)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def reserve(self, *, least_free: int) -> DiskLow | None:
        """Hold room for one packet before a visit begins; return a value where there is none.

        Args:
            least_free: bytes that must stay free beside it.
        """
        with self._lock:
            try:
                handle = os.open(self._reserve, os.O_WRONLY | os.O_CREAT, 0o600)
                try:
                    os.posix_fallocate(handle, 0, RESERVE)
                finally:
                    os.close(handle)
            except OSError:
                self._reserve.unlink(missing_ok=True)
                return DiskLow(free=self._free(), needed=RESERVE + least_free)
            free = self._free()
            return DiskLow(free=free, needed=least_free) if free < least_free else None

    def put(
        self,
        capture: Capture,
        *,
        keys: PublicKeys,
        station: str,
        captured_at: datetime,
        mono: float,
        boot_id: str,
        software: str,
        operator: str | None,
    ) -> Entry:
        """Seal `capture` and keep it; when this returns it survives a power cut.

        Raises:
            CaptureInvalid, HeaderInvalid, ContentRefused: it cannot be sealed.
            NotKept: the disk or the database refused; nothing is promised.
        """
        content = capture.encode()
        with self._lock:
            self._settle_doubts()
            last = self._ledger.last()
            sealed = seal(
                content,
                keys=keys,
                sign=self._device.sign,
                dossier=capture.dossier,
                appointment=capture.appointment,
                visit=capture.visit,
                station=station,
                device=self._device.id,
                sequence=last.sequence + 1 if last else 1,
                captured_at=captured_at.astimezone(UTC),
                mono=mono,
                boot_id=boot_id,
                modalities=1 + len(capture.prints),
                consent=bytes.fromhex(capture.consent.sha256),
                software=software,
                operator=operator,
                previous=bytes.fromhex(last.digest) if last else None,
                trust=self._device.trust,
                simulated=bool(capture.simulated),
            )
            entry = self._keep(sealed)
        self.changed.set()
        return entry

    def _settle_doubts(self) -> None:
        # A commit that failed may have left its packet: it owns its sequence and is adopted,
        # or the next capture would use that sequence a second time.
        if self._doubtful:
            try:
                self.recovery = self._recover()
            except (OSError, sqlite3.Error) as error:
                raise NotKept("the outbox could not be recovered") from error

    def _keep(self, sealed: Sealed) -> Entry:
        part = self._packets / f".{sealed.digest}.tmp"
        self._doubtful = True
        try:
            self._reserve.unlink(missing_ok=True)
            durable.write(part, sealed.packet)
            part.rename(self._path(sealed.digest))
            durable.sync(self._packets)
            entry = self._ledger.add(sealed.header, sealed.digest, len(sealed.packet))
        except (OSError, sqlite3.Error, SequenceTaken) as error:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise NotKept("the capture could not be written") from error
        self._doubtful = False
        return entry

    def waiting(self) -> tuple[Entry, ...]:
        """Return what has no receipt, oldest first."""
        return self._ledger.waiting()

    def of_visit(self, visit: str) -> Entry | None:
        """Return the last capture of a visit, so that a restart can see that it was sealed."""
        return self._ledger.of_visit(visit)

    def packet(self, entry: Entry) -> Path:
        """Return where the packet lies."""
        return self._path(entry.digest)

    def receipted(self, entry: Entry, receipt: Receipt, *, now: datetime) -> None:
        """Record that the server has it; the caller has verified `receipt`.

        Raises:
            ValueError: the receipt names another packet.
        """
        if (receipt.digest, receipt.sequence) != (entry.digest, entry.sequence):
            raise ValueError("the receipt names another packet")
        self._ledger.receipted(entry.sequence, receipt, now=now)

    def refused(self, entry: Entry, refusal: Refusal, *, now: datetime) -> None:
        """Record that the server does not want it; it stays until somebody has settled that."""
        self._ledger.refused(entry.sequence, refusal, now=now)

    def let_go(self, *, now: datetime, grace: timedelta) -> int:
        """Delete packets whose receipt is at least as old as `grace`; return how many."""
        with self._lock:
            held = self._ledger.held(since=now - grace)
            for entry in held:
                self._path(entry.digest).unlink(missing_ok=True)
                self._ledger.gone(entry.sequence, now=now)
            if held:
                durable.sync(self._packets)
                self._ledger.shrink()
        return len(held)

    def _recover(self) -> Recovery:
        parts = list(self._packets.glob(".*.tmp"))
        for part in parts:
            part.unlink()
        known = {self._path(entry.digest) for entry in self._ledger.all()}
        adopted: list[str] = []
        strange: list[str] = []
        for path, checked in self._orphans(known):
            if checked is not None and self._adopt(path, checked):
                adopted.append(checked.digest)
            else:
                log.error("%s is not a packet of this outbox and was put aside", path.name)
                path.rename(self._strange / path.name)
                strange.append(path.name)
        durable.sync(self._packets)
        missing = tuple(entry.sequence for entry in self.waiting() if not self._whole(entry))
        for sequence in missing:
            log.critical("packet %d is gone without a receipt, or cut short", sequence)
        self._doubtful = False
        return Recovery(
            removed=len(parts), adopted=tuple(adopted), strange=tuple(strange), missing=missing
        )

    def _orphans(self, known: set[Path]) -> list[tuple[Path, Checked | None]]:
        """Return packets without a row; those that are ours in the order they were sealed."""
        paths = [path for path in self._packets.glob(f"*{SUFFIX}") if path not in known]
        found = [(path, self._checked(path)) for path in sorted(paths)]
        return sorted(found, key=lambda pair: pair[1].header.sequence if pair[1] else 0)

    def _checked(self, path: Path) -> Checked | None:
        if path.stat().st_size > MAX_PACKET:
            return None
        try:
            checked = check(path.read_bytes(), self._device.key.public_key())
        except PacketRefused:
            return None
        return checked if self._path(checked.digest) == path else None

    def _adopt(self, path: Path, checked: Checked) -> bool:
        durable.sync(path)
        durable.sync(self._packets)
        try:
            self._ledger.add(checked.header, checked.digest, path.stat().st_size)
        except SequenceTaken:
            return False
        return True

    def _whole(self, entry: Entry) -> bool:
        path = self._path(entry.digest)
        return path.is_file() and path.stat().st_size == entry.size

    def _path(self, digest: str) -> Path:
        return self._packets / (digest + SUFFIX)

    def _free(self) -> int:
        disk = os.statvfs(self._packets)
        return disk.f_bavail * disk.f_frsize


def _claim(path: Path) -> int:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise OutboxBusy("another process has this outbox open") from None
    return handle
