"""What travels between the caller, the fork server and a job: lengths, JSON and bytes, no objects.

It opens nothing and trusts nothing: what a job sends is bounded here and judged by the caller.
"""

import json
import socket
import struct
import time
from dataclasses import dataclass
from typing import Any, Final

ASKED: Final = struct.Struct(">II")
"""Lengths of the argument (UTF-8) and of the data."""
SAID: Final = struct.Struct(">II")
"""Lengths of the answer (JSON) and of the bytes beside it."""
LONGEST_MESSAGE: Final = 4096
"""Bytes of a message of the fork server."""


class Nonsense(ValueError):
    """What came over the wire is not what was agreed, or there is too much of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one job may use.

    Attributes:
        seconds: on the wall clock, from the fork to the end.
        cpu_seconds: of processor time.
        memory: bytes of address space beyond what the fork server has when it forks.
        files: open descriptors.
        request, answer: bytes that may be given and that may come back.
    """

    seconds: float = 8.0
    cpu_seconds: float = 1.6
    memory: int = 160 * 1024 * 1024
    files: int = 16
    request: int = 12 * 1024 * 1024
    answer: int = 512 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the fork server says of a job that has ended.

    Attributes:
        code: exit code, minus the signal's number where one ended it.
        overdue: the wall clock ended it.
        cpu_seconds: what it used.
        peak: bytes of resident memory, shared pages of the fork server included.
    """

    code: int
    overdue: bool
    cpu_seconds: float
    peak: int


def receive(link: socket.socket, count: int, until: float | None = None) -> bytes:
    """Return `count` bytes, before `until` on the monotonic clock.

    Raises:
        EOFError: the other side closed first.
        TimeoutError: it took too long.
    """
    data = bytearray(count)
    view, have = memoryview(data), 0
    while have < count:
        if until is not None:
            link.settimeout(max(0.001, until - time.monotonic()))
        got = link.recv_into(view[have:])
        if not got:
            raise EOFError
        have += got
    view.release()
    return bytes(data)


def parsed(data: bytes) -> dict[str, Any]:
    """Return the JSON object in `data`.

    Raises:
        Nonsense: it is none.
    """
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Nonsense("no JSON") from error
    if not isinstance(value, dict):
        raise Nonsense("no object")
    return value
