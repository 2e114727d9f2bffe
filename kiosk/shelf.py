"""Small encrypted files in a folder: one entry each, AES-256-GCM, readable under one key only.

It knows nothing of what is in them and keeps no key.
"""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kiosk import durable

KEY_BYTES: Final = 32
LARGEST: Final = 1024 * 1024
"""Bytes of an entry: ten fingers take about 10 KiB."""
_NONCE: Final = 12


class NotOurs(ValueError):
    """The bytes are no entry under this key and name: damaged, foreign, or moved."""


def lock(key: bytes, name: str, plain: bytes) -> bytes:
    """Return `plain` encrypted, bound to the name of its file."""
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, name.encode())


def unlock(key: bytes, name: str, data: bytes) -> bytes:
    """Return what `lock` was given.

    Raises:
        NotOurs: another key or name, or changed bytes.
    """
    try:
        return AESGCM(key).decrypt(data[:_NONCE], data[_NONCE:], name.encode())
    except (InvalidTag, ValueError) as error:
        raise NotOurs(f"{name} is no entry under this key") from error


def read(path: Path) -> bytes:
    """Return a file's bytes.

    Raises:
        OSError: it is not there, or larger than an entry is.
    """
    with path.open("rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise OSError(f"{path.name} is larger than any entry")
    return data


def first(path: Path, data: bytes) -> bytes:
    """Write a file whole unless there is one, and return what it holds then.

    Several kiosks may do this at once: all see what the first of them wrote.

    Raises:
        OSError: the disk refused.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        durable.write(part, data)
        with suppress(FileExistsError):
            path.hardlink_to(part)
    finally:
        part.unlink(missing_ok=True)
    durable.sync(path.parent)
    return read(path)


def erase(path: Path) -> None:
    """Write over a file and take it away; one that is gone already is no error.

    Raises:
        OSError: the disk refused.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return
    with os.fdopen(handle, "wb") as file:
        file.write(secrets.token_bytes(min(os.fstat(file.fileno()).st_size, LARGEST)))
        file.flush()
        os.fsync(file.fileno())
    path.unlink(missing_ok=True)
