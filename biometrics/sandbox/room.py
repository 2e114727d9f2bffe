"""The caller's side: asks the fork server for a job, waits for it, and says how it ended.

It holds no pictures and judges nothing; a job that is killed is an answer, not a fault here.

    JobEnded            the job gave no answer
    |- OutOfTime        processor or wall clock
    |- OutOfMemory
    `- Fell             a signal, an exception, or an answer that is nonsense
    RoomFull            too many jobs at once, or waiting: try again
    RoomBroken          the fork server does not start
"""

import atexit
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any, Final, Self

from biometrics.sandbox.wire import (
    ASKED,
    LONGEST_MESSAGE,
    SAID,
    Limits,
    Nonsense,
    Report,
    parsed,
    receive,
)
from biometrics.sandbox.zygote import NO_MEMORY

log = logging.getLogger(__name__)

READY_WITHIN: Final = 60.0
"""Seconds a fork server may take to load on a busy machine; it takes about one."""
GRACE: Final = 3.0
"""Seconds beyond a job's own after which the fork server itself is thought dead."""
PASSED_ON: Final = ("PATH", "LANG", "LC_ALL", "PYTHONPATH", "VIRTUAL_ENV", "HOME", "TMPDIR")
"""All a fork server gets of our environment: secrets stand in the rest."""
ONE_THREAD: Final = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MALLOC_ARENA_MAX"), "1"
)
"""A process with a second thread can neither withdraw nor be forked safely."""


class JobEnded(Exception):
    """The job gave no answer.

    Attributes:
        report: what it used, None where that is not known.
    """

    def __init__(self, said: str, report: Report | None = None) -> None:
        super().__init__(said)
        self.report = report


class OutOfTime(JobEnded):
    """It was ended by a clock."""


class OutOfMemory(JobEnded):
    """It asked for more memory than it may have."""


class Fell(JobEnded):
    """It died or answered nonsense."""


class RoomFull(Exception):
    """As many jobs as are allowed are running: try again."""


class RoomBroken(RuntimeError):
    """The fork server does not start or does not stay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a job said: judge it before use, the job may have been taken over.

    Attributes:
        said: a JSON object.
        beside: bytes.
        report: what it used.
    """

    said: Mapping[str, Any]
    beside: bytes
    report: Report


class Room:
    """Runs one target on bytes; may be shared by threads, and starts anew after a fork.

    Args:
        target: ``module:function``; the function is called once in the fork server and returns
            what is run for each job (see `zygote.Work`).
        limits: of each job.
        places: jobs at the same time.
        queue: callers that may wait for a place; whoever comes then is sent away at once, so
            that a flood does not take every thread of the service.
        patience: seconds to wait for a place.
    """

    def __init__(
        self,
        target: str,
        *,
        limits: Limits | None = None,
        places: int = 2,
        queue: int = 2,
        patience: float = 4.0,
    ) -> None:
        self.limits = limits or Limits()
        self._target = target
        self._patience = patience
        self._count = places
        self._queue = queue
        self._owner = 0
        self._begin()
        atexit.register(self.close)

    def _begin(self) -> None:
        self._owner = os.getpid()
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(self._count)
        self._door = threading.BoundedSemaphore(self._count + self._queue)
        self._process: subprocess.Popen[bytes] | None = None
        self._link: socket.socket | None = None
        self._told: Mapping[str, Any] = {}

    @property
    def process_id(self) -> int | None:
        """Return the id of the fork server, None where none runs."""
        return None if self._process is None else self._process.pid

    @property
    def told(self) -> Mapping[str, Any]:
        """Return what the fork server said of itself.

        ``namespaces`` and ``calls`` as in `confine.Confinement`, ``resident`` in bytes; empty
        before it was started.
        """
        return self._told

    def start(self) -> None:
        """Start the fork server without waiting for it, so that the first job need not.

        Raises:
            RoomBroken: it does not start.
        """
        self._own()
        with self._lock:
            self._launch()

    def close(self) -> None:
        """End the fork server and every job; a later job starts another."""
        if self._owner == os.getpid():
            with self._lock:
                self._stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def run(self, data: bytes, argument: str = "") -> Answer:
        """Return what the target says of `data`.

        Raises:
            RoomFull: no place became free in time, or too many wait for one.
            JobEnded: see the top of this file; the room goes on.
            RoomBroken: the fork server does not start.
        """
        self._own()
        if len(data) + len(argument.encode()) > self.limits.request:
            raise OutOfMemory("more than may be asked")
        with _held(self._door, 0), _held(self._places, self._patience):
            return self._run(data, argument.encode())

    def _own(self) -> None:
        """Leave what belongs to the process we were forked from alone."""
        if self._owner != os.getpid():
            self._begin()

    def _run(self, data: bytes, argument: bytes) -> Answer:
        until = time.monotonic() + self.limits.seconds + GRACE
        job, theirs = socket.socketpair()
        report, reporter = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with job, report:
            with theirs, reporter:
                self._ask([theirs.fileno(), reporter.fileno()])
            job.settimeout(self.limits.seconds + GRACE)
            # A job that dies while it reads is reported like any other.
            with suppress(OSError):
                job.sendall(ASKED.pack(len(argument), len(data)) + argument + data)
            try:
                text, beside = _answered(job, self.limits.answer, until)
                wrong = None
            except (OSError, EOFError, Nonsense) as error:
                text, beside, wrong = b"", b"", error
                # Whoever has more to say than we listen to must not wait for us.
                job.close()
            ended = self._ended(report, until)
        _judge(ended, text)
        if wrong is not None:
            raise Fell("its answer is nonsense", ended) from wrong
        try:
            return Answer(said=parsed(text), beside=beside, report=ended)
        except Nonsense as error:
            raise Fell("its answer is nonsense", ended) from error

    def _ask(self, sockets: list[int]) -> None:
        message = json.dumps(asdict(self.limits)).encode()
        with self._lock:
            for again in (True, False):
                link = self._ready()
                try:
                    socket.send_fds(link, [message], sockets)
                except OSError as error:
                    self._stop()
                    if not again:
                        raise RoomBroken("the fork server does not stay") from error
                else:
                    return

    def _ended(self, report: socket.socket, until: float) -> Report:
        report.settimeout(max(0.001, until - time.monotonic()))
        try:
            said = report.recv(LONGEST_MESSAGE)
        except TimeoutError as error:
            self.close()
            raise OutOfTime("the fork server says nothing") from error
        if not said:
            raise Fell("the fork server died")
        return Report(**json.loads(said))

    def _launch(self) -> socket.socket:
        if self._link is not None and self._process is not None and self._process.poll() is None:
            return self._link
        self._stop()
        self._link, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "biometrics.sandbox.zygote", self._target],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    env={**kept, **ONE_THREAD},
                )
            except OSError as error:
                self._stop()
                raise RoomBroken("the fork server does not start") from error
        return self._link

    def _ready(self) -> socket.socket:
        link = self._launch()
        if not self._told:
            link.settimeout(READY_WITHIN)
            try:
                self._told = parsed(link.recv(LONGEST_MESSAGE))
            except (OSError, Nonsense) as error:
                self._stop()
                raise RoomBroken("the fork server does not start") from error
            link.settimeout(GRACE)
            if not (self._told.get("calls") or self._told.get("namespaces")):
                log.warning("the sandbox has limits only: no namespaces, no list of calls")
        return link

    def _stop(self) -> None:
        if self._link is not None:
            self._link.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._link = self._process = None
        self._told = {}


@contextmanager
def _held(places: threading.Semaphore, patience: float) -> Iterator[None]:
    if not places.acquire(timeout=patience):
        raise RoomFull
    try:
        yield
    finally:
        places.release()


def _answered(job: socket.socket, most: int, until: float) -> tuple[bytes, bytes]:
    said, beside = SAID.unpack(receive(job, SAID.size, until))
    if said + beside > most:
        raise Nonsense("it says too much")
    return receive(job, said, until), receive(job, beside, until)


def _judge(report: Report, said: bytes) -> None:
    """Raise what the way a job ended means."""
    if report.overdue or report.code in (-signal.SIGPROF, -signal.SIGXCPU):
        raise OutOfTime("it was ended by a clock", report)
    if report.code == NO_MEMORY:
        raise OutOfMemory("it asked for too much memory", report)
    if report.code != 0:
        raise Fell(f"it ended with {report.code} {said[: 2 * LONGEST_MESSAGE]!r}", report)
