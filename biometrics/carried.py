"""Finds a file that an installed distribution carries, such as a network, without importing it.

It opens nothing and verifies nothing: whose bytes they are is the caller's to check.
"""

from importlib.metadata import PackageNotFoundError, files
from pathlib import Path


class NotCarried(LookupError):
    """The distribution is not installed, or does not list the file."""


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
