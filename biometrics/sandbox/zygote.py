"""The process that has everything loaded and forks one confined child for every job.

It reads no job's bytes itself and answers nobody but the process that started it; it ends when
that one closes the link, whatever the reason, and takes its children along.

The link is its standard input, a Unix socket that keeps messages apart. A message asks for one
job and brings two sockets: one for the job, one on which the end of the job is reported.
"""

import gc
import importlib
import json
import os
import resource
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from biometrics.sandbox import confine
from biometrics.sandbox.wire import ASKED, LONGEST_MESSAGE, SAID, Limits, Report, receive

Work = Callable[[bytes, str], tuple[dict[str, Any], bytes]]
"""Given the data and an argument, returns JSON and bytes; runs confined."""

NO_MEMORY = 77
"""Exit code of a job that was refused memory by its limit."""
FAILED = 70
"""Exit code of a job that raised (EX_SOFTWARE of sysexits.h)."""


@dataclass(slots=True, kw_only=True)
class _Running:
    process: int
    watched: int
    """The descriptor that becomes readable when the process ends."""
    report: socket.socket
    until: float
    overdue: bool = False


def serve(link: socket.socket, work: Work) -> None:
    """Run jobs until `link` is closed."""
    running: dict[int, _Running] = {}
    try:
        while True:
            now = time.monotonic()
            for job in running.values():
                if not job.overdue and job.until <= now:
                    job.overdue = True
                    os.kill(job.process, signal.SIGKILL)
            waits = [job.until - now for job in running.values() if not job.overdue]
            wait = max(0.0, min(waits)) if waits else None
            readable, _, _ = select.select([link.fileno(), *running], [], [], wait)
            for end in readable:
                if end != link.fileno():
                    _bury(running.pop(end))
                elif not _begin(link, work, running):
                    return
    finally:
        for job in running.values():
            os.kill(job.process, signal.SIGKILL)


def _begin(link: socket.socket, work: Work, running: dict[int, _Running]) -> bool:
    """Start the job that is asked for; return False where the link is closed."""
    message, sockets, _, _ = socket.recv_fds(link, LONGEST_MESSAGE, 2)
    if not message:
        return False
    limits = Limits(**json.loads(message))
    until = time.monotonic() + limits.seconds
    ours = os.getpid()
    process = os.fork()
    if process == 0:
        _in_the_child(ours, sockets, limits, work)
    os.close(sockets[0])
    watched = os.pidfd_open(process)
    running[watched] = _Running(
        process=process, watched=watched, report=socket.socket(fileno=sockets[1]), until=until
    )
    return True


def _bury(job: _Running) -> None:
    _, status, used = os.wait4(job.process, 0)
    os.close(job.watched)
    report = Report(
        code=os.waitstatus_to_exitcode(status),
        overdue=job.overdue,
        cpu_seconds=used.ru_utime + used.ru_stime,
        peak=used.ru_maxrss * 1024,
    )
    with job.report, suppress(OSError):
        job.report.send(json.dumps(asdict(report)).encode())


def _in_the_child(parent: int, sockets: list[int], limits: Limits, work: Work) -> None:
    code = FAILED
    link = None
    try:
        confine.end_with_parent(parent)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(nowhere, standard)
        os.dup2(sockets[0], 3)
        os.closerange(4, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=3)
        confine.limit(memory=limits.memory, cpu_seconds=limits.cpu_seconds, files=limits.files)
        confine.forbid_calls()
        _answer(link, limits, work)
        code = 0
    except MemoryError:
        code = NO_MEMORY
    except Exception:  # noqa: BLE001 - a fault of ours, told to whoever keeps the log
        if link is not None:
            _say(link, {"raised": traceback.format_exc()[-LONGEST_MESSAGE:]})
    finally:
        # No handler, no buffer and no exit hook of the fork server may run in the child.
        os._exit(code)


def _answer(link: socket.socket, limits: Limits, work: Work) -> None:
    named, count = ASKED.unpack(receive(link, ASKED.size))
    if named + count > limits.request:
        raise MemoryError
    argument = receive(link, named).decode()
    said, beside = work(receive(link, count), argument)
    _say(link, said, beside)


def _say(link: socket.socket, said: dict[str, Any], beside: bytes = b"") -> None:
    text = json.dumps(said).encode()
    link.sendall(SAID.pack(len(text), len(beside)) + text + beside)


def _probe() -> confine.Confinement:
    """Withdraw, then try out in a child whether it can still open a socket."""
    namespaces = confine.withdraw()
    process = os.fork()
    if process == 0:
        code = 1
        try:
            if confine.forbid_calls():
                socket.socket()
        except PermissionError:
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(process, 0)
    return confine.Confinement(namespaces=namespaces, calls=status == 0)


def _load(target: str) -> Work:
    module, _, name = target.partition(":")
    prepare: Callable[[], Work] = getattr(importlib.import_module(module), name)
    return prepare()


def main() -> None:
    """Load the target, say what the kernel granted, and serve."""
    # What a terminal's Ctrl-C means is decided by whoever started us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    link = socket.socket(fileno=sys.stdin.fileno())
    confine.stand_back()
    work = _load(sys.argv[1])
    gc.collect()
    # Objects that are never looked at again are pages that stay shared.
    gc.freeze()
    confinement = _probe()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    resident = pages * resource.getpagesize()
    link.send(json.dumps({**confinement.as_json(), "resident": resident}).encode())
    serve(link, work)


if __name__ == "__main__":
    main()
