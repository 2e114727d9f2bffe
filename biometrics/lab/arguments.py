"""What the labs' commands take as arguments, refused in words, and how they say how far they are.

It runs no command; what is refused is an `ArgumentTypeError`.
"""

import argparse
import sys
from pathlib import Path
from typing import Final

MOST_PROCESSES: Final = 256


def folder(path: str) -> Path:
    """Return the path of a folder that is there."""
    found = Path(path)
    if not found.is_dir():
        raise argparse.ArgumentTypeError(f"{path} is no folder")
    return found


def count(text: str) -> int:
    """Return a number of processes."""
    number = int(text)
    if not 1 <= number <= MOST_PROCESSES:
        raise argparse.ArgumentTypeError(f"from 1 to {MOST_PROCESSES}")
    return number


def where(text: str) -> tuple[str, str]:
    """Return a column and the value it must have."""
    column, equals, value = text.partition("=")
    if not column or not equals:
        raise argparse.ArgumentTypeError("COLUMN=VALUE")
    return column, value


def output(path: str) -> Path:
    """Return where a report goes: a file in a folder that is there."""
    file = Path(path)
    if not file.absolute().parent.is_dir() or file.is_dir():
        raise argparse.ArgumentTypeError(f"{path} cannot be written")
    return file


def progress(done: int, of: int) -> None:
    """Say how far the work is, twenty times."""
    step = max(1, of // 20)
    if done == of or done % step == 0:
        sys.stderr.write(f"{done}/{of}\n")
