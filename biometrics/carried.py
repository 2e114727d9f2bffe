"""Files that installed distributions carry, such as networks: found without importing anything.

Whose bytes they are, and which SHA-256 they have, is the caller's to say.
"""

import hashlib
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path


class NotCarried(LookupError):
    """The distribution is not installed, or does not list the file."""


class ModelMissing(RuntimeError):
    """The distribution that carries a model is not installed, or not whole."""


class ModelAltered(RuntimeError):
    """A model's file is not the one we measured."""


def locate(distribution: str, path: str) -> Path:
    """Return where the file lies that `distribution` lists as `path`.

    Raises:
        NotCarried: see there.
    """
    try:
        listed = files(distribution) or []
    except PackageNotFoundError as error:
        raise NotCarried(f"the distribution {distribution} is not installed") from error
    for entry in listed:
        if entry.as_posix() == path:
            return Path(str(entry.locate()))
    raise NotCarried(f"{distribution} does not carry {path}")


def pinned(distribution: str, path: str, sha256: str) -> bytes:
    """Return a model's bytes, verified.

    Raises:
        ModelMissing: the distribution or the file is not there.
        ModelAltered: the bytes have another SHA-256.
    """
    try:
        data = locate(distribution, path).read_bytes()
    except NotCarried as error:
        raise ModelMissing(str(error)) from error
    except OSError as error:
        raise ModelMissing(f"{path} cannot be read") from error
    digest = hashlib.sha256(data).hexdigest()
    if digest != sha256:
        raise ModelAltered(f"{path} has SHA-256 {digest}, wanted {sha256}")
    return data
