"""A program of ours in a process of its own: native code that falls takes that process down only.

It is asked over its standard input, which is a socket, and answers a length and JSON. What is asked
is the caller's; nothing is confined here (`biometrics.sandbox` does that).
"""

import json
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from biometrics.sandbox.wire import receive

_LENGTH: Final = struct.Struct(">I")
_LONGEST_ANSWER: Final = 65536
_TRIES: Final = 2


class ChildFell(RuntimeError):
    """The program died, or answered nonsense."""


class Child:
    """One process, started when it is first needed; for one thread at a time.

    Args:
        arguments: returns what follows the interpreter in the command line, asked at each start;
            what it raises is raised by whoever wanted the process.
        seconds: for one answer, the start of the process included.
    """

    def __init__(self, arguments: Callable[[], Sequence[str]], seconds: float) -> None:
        self._arguments = arguments
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._link: socket.socket | None = None

    @property
    def process_id(self) -> int | None:
        """Return the id of the running process, None where none runs."""
        return None if self._process is None else self._process.pid

    def start(self) -> socket.socket:
        """Start the process if none runs; return the link to it.

        Raises:
            OSError: it cannot be started.
        """
        if self._link is None:
            command = [sys.executable, *self._arguments()]
            self._link, theirs = socket.socketpair()
            with theirs:
                self._process = subprocess.Popen(
                    command,
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
        return self._link

    def ask(self, request: bytes) -> Any:  # noqa: ANN401 - JSON
        """Return the program's answer; after an error the caller closes.

        Raises:
            TimeoutError: it took too long.
            ChildFell: see there.
        """
        try:
            link = self.start()
            until = time.monotonic() + self._seconds
            link.settimeout(self._seconds)
            link.sendall(request)
            (count,) = _LENGTH.unpack(receive(link, _LENGTH.size, until))
            if count > _LONGEST_ANSWER:
                raise ChildFell("its answer is longer than one can be")
            return json.loads(receive(link, count, until))
        except TimeoutError:
            raise
        except (OSError, EOFError, ValueError) as error:
            raise ChildFell(f"{type(error).__name__} {error}".strip()) from error

    def answer(self, octets: bytes) -> Any:  # noqa: ANN401 - JSON
        """Return the answer to a request that is a length and these bytes; None where none came.

        What brings the program down is asked once more of a fresh one, because it may have been
        killed by something else; what takes too long is not.
        """
        for _ in range(_TRIES):
            try:
                return self.ask(_LENGTH.pack(len(octets)) + octets)
            except TimeoutError:
                self.close()
                return None
            except ChildFell:
                self.close()
        return None

    def close(self) -> None:
        """End the process; may be called twice. A later request starts another."""
        if self._link is not None:
            self._link.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._link = self._process = None
