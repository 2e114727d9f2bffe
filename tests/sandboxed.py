"""Jobs that misbehave, each named by its argument, for the tests of the sandbox."""

import ctypes
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from biometrics.sandbox.zygote import Work

MEGA = 1024 * 1024


def _read_a_file() -> str:
    return Path("/etc/hostname").read_text("utf-8")


def _write_a_file() -> str:
    Path("/tmp/escaped").write_bytes(b"x")
    return "written"


def _fork() -> str:
    os.fork()
    return "forked"


def _kill() -> str:
    os.kill(os.getppid(), 9)
    return "killed"


def _run() -> NoReturn:
    os.execv("/bin/true", ["true"])  # noqa: S606 - it is refused


def _connect() -> str:
    with socket.socket() as link:
        link.connect(("127.0.0.1", 1))
    return "connected"


FORBIDDEN = {
    "read a file": _read_a_file,
    "write a file": _write_a_file,
    "fork": _fork,
    "kill": _kill,
    "run a program": _run,
    "open a socket": _connect,
}


def _eat() -> None:
    kept = []
    while True:
        kept.append(bytearray(8 * MEGA))


def _spin() -> None:
    while True:
        pass


def _send(data: bytes) -> None:
    socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=os.dup(3)).sendall(data)


FATAL: dict[str, Callable[[], object]] = {
    "crash": lambda: ctypes.string_at(0),
    "exit": lambda: os._exit(3),
    "raise": lambda: 1 // 0,
    "eat": _eat,
    "spin": _spin,
    "sleep": lambda: time.sleep(60),
    "say nothing": lambda: os._exit(0),
    "say half": lambda: (os.write(3, b"\0\0\0\x09\0\0\0\0{"), os._exit(0)),
    "say no JSON": lambda: (os.write(3, b"\0\0\0\x02\0\0\0\0no"), os._exit(0)),
    "say a list": lambda: (os.write(3, b"\0\0\0\x02\0\0\0\0[]"), os._exit(0)),
    "say nests": lambda: (os.write(3, b"\0\0\x40\0\0\0\0\0" + b"[" * 0x4000), os._exit(0)),
    "say too much": lambda: (os.write(3, b"\x7f\0\0\0\0\0\0\0" + bytes(100_000)), os._exit(0)),
}


def prepare() -> Work:
    """Return what does as the argument says, and otherwise says what it was given."""

    def work(data: bytes, what: str) -> tuple[dict[str, Any], bytes]:
        if what in FORBIDDEN:
            try:
                return {"got": FORBIDDEN[what]()}, b""
            except PermissionError:
                return {"got": "refused"}, b""
        if what.startswith("sleep "):
            time.sleep(float(what.split()[1]))
        elif what in FATAL:
            FATAL[what]()
        secrets = [name for name in os.environ if name.startswith("THUNHAN_")]
        return {"bytes": len(data), "what": what, "secrets": secrets}, data[::-1]

    return work


def broken() -> Work:
    raise RuntimeError("it does not load")
