"""Files that are whole and there after a power cut, or not there at all.

It knows nothing of what is in them.
"""

import os
from pathlib import Path


def write(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Write a new file through to the disk; its name is not yet, see `sync`.

    Raises:
        FileExistsError: there is one.
        OSError: the disk refused; a part may be there.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync(path: Path) -> None:
    """Bring a file's bytes, or a folder's names, to the disk.

    Raises:
        OSError: the disk refused.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def replace(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Put a whole file in the place of another; one writer at a time.

    Raises:
        OSError: the disk refused; the old file is still there.
    """
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    write(part, data, mode=mode)
    part.replace(path)
    sync(path.parent)
