"""Sealed packets as files: parts on their way up, whole ones by their digest, each synced to disk.

It knows no row and looks into no packet; who may store what is decided by `server.cases.intake`.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

DIGEST = re.compile(r"[0-9a-f]{64}")
RESERVE = 256 * 1024 * 1024
"""[D] Bytes that stay free on the disk, so that the database can always finish its work."""
FOLDER_MODE = 0o750
FILE_MODE = 0o640
"""The unsealing process runs as another user of our group."""


class DigestInvalid(ValueError):
    """Not 64 lower-case hexadecimal digits, so it may name no file."""


class PartLost(Exception):
    """The file of a part is absent or shorter than what was acknowledged."""


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _made(folder: Path) -> Path:
    if not folder.is_dir():
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        _sync(folder.parent)
    return folder


@dataclass(frozen=True, slots=True)
class Vault:
    """The packets in ``data/packets`` and the parts in ``data/uploads``."""

    data: Path

    def _part(self, digest: str) -> Path:
        return self.data / "uploads" / f"{_checked(digest)}.part"

    def path(self, digest: str) -> Path:
        """Return where the packet of this digest lies once it is stored.

        Raises:
            DigestInvalid: it is no digest.
        """
        return self.data / "packets" / _checked(digest)[:2] / f"{digest}.ccap"

    @contextmanager
    def locked(self, digest: str) -> Iterator[None]:
        """Be the only one, among all threads and processes, that works on this digest.

        Raises:
            DigestInvalid: it is no digest.
        """
        locks = _made(self.data / "uploads")
        # A fixed set of lock files, never deleted: a lock on a file that is gone holds nobody.
        handle = os.open(locks / f".lock-{_checked(digest)[:2]}", os.O_RDWR | os.O_CREAT, FILE_MODE)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def has_room(self, size: int) -> bool:
        """Return whether `size` bytes fit and the reserve stays free."""
        return shutil.disk_usage(_made(self.data / "uploads")).free >= size + RESERVE

    def append(self, digest: str, chunk: bytes, *, offset: int) -> None:
        """Put `chunk` at `offset` of the part and sync it; what lay beyond is cut off.

        Raises:
            PartLost: the part is shorter than `offset`.
        """
        path = self._part(digest)
        flags = os.O_RDWR | (os.O_CREAT if offset == 0 else 0)
        _made(path.parent)
        try:
            handle = os.open(path, flags, FILE_MODE)
        except FileNotFoundError:
            raise PartLost(digest) from None
        with os.fdopen(handle, "r+b") as part:
            if os.fstat(part.fileno()).st_size < offset:
                raise PartLost(digest)
            part.truncate(offset)
            part.seek(offset)
            part.write(chunk)
            part.flush()
            os.fsync(part.fileno())
        if offset == 0:
            _sync(path.parent)

    def arrived(self, digest: str) -> bytes:
        """Return the bytes that came up, from the part or from where a cut left them.

        Raises:
            PartLost: there are none.
        """
        for path in (self._part(digest), self.path(digest)):
            if path.is_file():
                return path.read_bytes()
        raise PartLost(digest)

    def store(self, digest: str) -> None:
        """Move the part to where packets lie, for good; doing it twice does it once.

        Raises:
            PartLost: there is neither part nor packet.
        """
        part, path = self._part(digest), self.path(digest)
        _made(self.data / "packets")
        _made(path.parent)
        try:
            part.rename(path)
        except FileNotFoundError:
            if not path.is_file():
                raise PartLost(digest) from None
        _sync(path.parent)
        _sync(part.parent)

    def read(self, digest: str) -> bytes:
        """Return a stored packet.

        Raises:
            PartLost: it is not there.
        """
        try:
            return self.path(digest).read_bytes()
        except FileNotFoundError:
            raise PartLost(digest) from None

    def discard(self, digest: str) -> None:
        """Delete what came up under this digest; only for what no row speaks of."""
        for path in (self._part(digest), self.path(digest)):
            path.unlink(missing_ok=True)


def _checked(digest: str) -> str:
    if not DIGEST.fullmatch(digest):
        raise DigestInvalid("not a digest")
    return digest
