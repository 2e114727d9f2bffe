"""Draws again what was drawn by lot, from the public record alone: agreed, or where it differs.

It needs no database, no secret and no network: anybody may run it.
"""

import argparse
import json
import sys
from pathlib import Path

from scheduler import lottery

LARGEST = 64 * 1024 * 1024
"""Bytes of a record: more entries than any draw has."""
DIFFERS, UNREADABLE = 1, 2
"""Exit codes."""


def _verify(arguments: argparse.Namespace) -> int:
    try:
        if arguments.file.stat().st_size > LARGEST:
            raise lottery.RecordUnreadable("the file is too large")
        record = json.loads(arguments.file.read_bytes())
        if not isinstance(record, dict):
            raise lottery.RecordUnreadable("not a record of a draw")
        differences = lottery.verify(record)
    except (OSError, ValueError, RecursionError) as wrong:
        sys.stderr.write(f"cannot be read: {wrong}\n")
        return UNREADABLE
    if differences:
        sys.stdout.write("".join(f"differs: {one}\n" for one in differences))
        return DIFFERS
    placed = len(record["result"]["placed"])
    sys.stdout.write(f"agreed: {len(record['entries'])} entries, {placed} placed\n")
    return 0


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register ``lottery-verify``."""
    parser = commands.add_parser("lottery-verify", help="draw again from the record of a draw")
    parser.add_argument("file", type=Path)
    parser.set_defaults(alone=_verify)
