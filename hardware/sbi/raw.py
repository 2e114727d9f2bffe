"""HTTP/1.1 to an SBI service on this machine: a request in one write, an answer within bounds.

It knows verbs, headers and lengths; what the JSON inside says is read elsewhere.
"""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from hardware.errors import Garbled, Silent, Unplugged

LOOPBACK: Final = "127.0.0.1"
"""Never the name localhost: some machines resolve it to ::1 first, where no service listens."""
MOST_HEAD: Final = 16 * 1024
"""Bytes of an answer's head, at most."""
MOST_INFO: Final = 1024 * 1024
"""Bytes of an answer to discovery or info, at most; a device's tokens take about 10 KiB."""
MOST_CAPTURE: Final = 64 * 1024 * 1024
"""Bytes of a capture, at most: four rolled fingers or a 1080p face, uncompressed, in base64."""
_PIECE: Final = 64 * 1024
_SIZE: Final = re.compile(rb"[0-9a-fA-F]{1,8}")
_TOP_CHUNK: Final = 32
"""Bytes of the line that opens a chunk, at most (its size in hex, and extensions)."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: SBI has verbs of its own, and bodies with each of them.

    Attributes:
        headers: beside the usual ones, or in place of them; names as they are spelt.
    """

    verb: str
    path: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One whole answer.

    Attributes:
        headers: names in lower case.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class Chunks:
    """The chunked transfer coding, taken off: bytes in, bytes out, cut anywhere."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._left = 0
        self._closing = False
        self.ended = False

    def feed(self, data: bytes) -> bytes:
        """Return what `data` adds to the body.

        Raises:
            Garbled: this is no chunked body.
        """
        self._held += data
        out = bytearray()
        while not self.ended:
            if self._left:
                taken = self._held[: self._left]
                del self._held[: len(taken)]
                out += taken
                self._left -= len(taken)
                self._closing = self._left == 0
                if self._left:
                    break
                continue
            line, found, _ = self._held.partition(b"\n")
            if not found:
                if len(self._held) > _TOP_CHUNK:
                    raise Garbled("a chunk of the answer has no size")
                break
            del self._held[: len(line) + 1]
            text = bytes(line).strip()
            if self._closing and not text:
                self._closing = False
                continue
            size = text.partition(b";")[0].strip()
            if len(line) > _TOP_CHUNK or _SIZE.fullmatch(size) is None:
                raise Garbled("a chunk of the answer has no size")
            self._left = int(size, 16)
            self.ended = self._left == 0
        return bytes(out)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The first lines of an answer."""

    status: int
    headers: Mapping[str, str]

    @property
    def chunked(self) -> bool:
        """Return whether the body comes in chunks."""
        return "chunked" in self.headers.get("transfer-encoding", "").lower()

    @property
    def length(self) -> int | None:
        """Return how many bytes the body says it has, None where it ends with the connection.

        Raises:
            Garbled: what stands there is no length.
        """
        said = self.headers.get("content-length")
        if said is None:
            return None
        if not (said.isascii() and said.isdigit() and len(said) <= 12):  # noqa: PLR2004 - a terabyte
            raise Garbled(f"the answer's length is {said[:40]!r}")
        return int(said)


def split_head(held: bytes | bytearray) -> tuple[bytes, int] | None:
    """Return the head's bytes and where the body starts, None while the head is not whole."""
    ends = [(held.find(mark), len(mark)) for mark in (b"\r\n\r\n", b"\n\n")]
    found = [(at, at + length) for at, length in ends if at >= 0]
    if not found:
        return None
    at, body = min(found)
    return bytes(held[:at]), body


def read_headers(lines: list[str]) -> dict[str, str]:
    """Return the headers of these lines, names in lower case; what is no header is passed over."""
    pairs = (line.partition(":") for line in lines if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def read_head(head: bytes) -> Head:
    """Return what an answer's first lines say.

    Raises:
        Garbled: they are not HTTP's.
    """
    first, *rest = head.decode("latin-1").splitlines() or [""]
    version, _, status = first.partition(" ")
    number = status[:3]
    if not version.startswith("HTTP/1.") or not (number.isascii() and number.isdigit()):
        raise Garbled(f"the answer does not begin as HTTP: {first[:60]!r}")
    return Head(status=int(number), headers=read_headers(rest))


class AnswerParser:
    """An answer without I/O: bytes in, cut anywhere; what comes after its end is passed over.

    Args:
        most: bytes of the body, at most.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = bytearray()
        self._head: Head | None = None
        self._length: int | None = None
        self._chunks: Chunks | None = None
        self._body = bytearray()

    @property
    def share(self) -> float | None:
        """Return the share (0..1) of the body that has come, None while its length is unknown."""
        return min(1.0, len(self._body) / self._length) if self._length else None

    def feed(self, data: bytes) -> Answer | None:
        """Return the answer once it is whole.

        Raises:
            Garbled: it is not HTTP, or larger than `most`.
        """
        if self._head is None:
            self._held += data
            data = self._begin()
            if self._head is None:
                return None
        self._body += data if self._chunks is None else self._chunks.feed(data)
        if len(self._body) > self._most and (self._length is None or self._length > self._most):
            raise Garbled(f"the answer is larger than {self._most} bytes")
        if self._length is not None and len(self._body) >= self._length:
            return self._answer(self._length)
        if self._chunks is not None and self._chunks.ended:
            return self._answer(len(self._body))
        return None

    def end(self) -> Answer:
        """Return the answer that ends with the connection.

        Raises:
            Unplugged: nothing came.
            Garbled: only a part came.
        """
        if self._head is None:
            if not self._held:
                raise Unplugged("the service hung up without a word")
            raise Garbled("the answer ended within its head")
        if self._length is not None or self._chunks is not None:
            raise Garbled(f"the answer ended after {len(self._body)} bytes of {self._length}")
        return self._answer(len(self._body))

    def _begin(self) -> bytes:
        while (parts := split_head(self._held)) is not None:
            head, start = parts
            rest = bytes(self._held[start:])
            seen = read_head(head)
            if seen.status >= 200:  # noqa: PLR2004 - below are 100 Continue and its like
                self._head = seen
                self._chunks = Chunks() if seen.chunked else None
                self._length = None if seen.chunked else seen.length
                if self._length is not None and self._length > self._most:
                    raise Garbled(f"the answer is larger than {self._most} bytes")
                return rest
            self._held = bytearray(rest)
        if len(self._held) > MOST_HEAD:
            raise Garbled("the answer's head has no end")
        return b""

    def _answer(self, length: int) -> Answer:
        head = self._head
        if head is None:
            raise Garbled("the answer has no head")
        return Answer(status=head.status, headers=head.headers, body=bytes(self._body[:length]))


def write_request(request: Request, *, port: int, token: str | None) -> bytes:
    """Return a request's bytes, in the spelling that the strictest services want.

    Some look for ``Content-Length: `` exactly so, and take what the first read gives as body.
    """
    headers = {
        "Host": f"{LOOPBACK}:{port}",
        "Content-Type": "application/json",
        "Content-Length": str(len(request.body)),
        **({} if token is None else {"Authorization": f"Bearer {token}"}),
        "Connection": "close",
        **dict(request.headers),
    }
    lines = [f"{request.verb} {request.path} HTTP/1.1"]
    lines.extend(f"{name}: {value}" for name, value in headers.items())
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii") + request.body


class Line:
    """The way to the service on one port; a connection for each request.

    Args:
        port: TCP port on the loopback address.
        token: of services that want one.
        clock: monotonic seconds.
    """

    def __init__(
        self, port: int, *, token: str | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.port = port
        self._token = token
        self._clock = clock
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._closed = False

    def ask(
        self,
        request: Request,
        *,
        deadline: float,
        most: int = MOST_INFO,
        progress: Callable[[float], None] | None = None,
    ) -> Answer:
        """Return the service's answer.

        Args:
            request: sent in one write.
            deadline: seconds for all of it, however slowly the bytes drip.
            most: bytes of the answer's body, at most.
            progress: told the share (0..1) that has come, where the answer says its length.

        Raises:
            Unplugged: no service there, or it went away, or the line was closed.
            Silent: the deadline passed.
            Garbled: what came is no whole HTTP answer, or too large.
        """
        until = self._clock() + deadline
        parser = AnswerParser(most)
        with self._connected(request, until) as connection:
            while True:
                data = self._receive(connection, until)
                answer = parser.feed(data) if data else self._last(parser)
                if progress is not None and parser.share is not None:
                    progress(parser.share)
                if answer is not None:
                    return answer

    @contextmanager
    def stream(
        self, request: Request, *, start: float, patience: float
    ) -> Iterator[Iterator[bytes]]:
        """Give the bytes of an answer that goes on, head and all, as they come.

        Args:
            request: sent in one write.
            start: seconds until its first byte, at most: a camera may have to be started.
            patience: seconds without a byte after which the service counts as silent.

        Raises:
            Unplugged, Silent: as `ask`; also while the bytes are read.
        """
        until = self._clock() + start
        with self._connected(request, until) as connection:
            yield self._pieces(connection, until, patience)

    def close(self) -> None:
        """End what is under way, from whatever thread; afterwards every call is `Unplugged`."""
        with self._lock:
            self._closed = True
            for connection in self._open:
                _hang_up(connection)

    def _pieces(self, connection: socket.socket, until: float, patience: float) -> Iterator[bytes]:
        while data := self._receive(connection, until):
            yield data
            until = self._clock() + patience

    def _last(self, parser: AnswerParser) -> Answer:
        if self._closed:
            raise Unplugged(f"port {self.port}: closed")
        return parser.end()

    @contextmanager
    def _connected(self, request: Request, until: float) -> Iterator[socket.socket]:
        try:
            connection = socket.create_connection(
                (LOOPBACK, self.port), timeout=max(0.01, until - self._clock())
            )
        except TimeoutError as error:
            raise Silent(f"port {self.port}: no connection in time") from error
        except OSError as error:
            raise Unplugged(f"port {self.port}: no service there ({error.strerror})") from error
        try:
            with self._lock:
                if self._closed:
                    raise Unplugged(f"port {self.port}: closed")
                self._open.add(connection)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            asked = write_request(request, port=self.port, token=self._token)
            try:
                connection.sendall(asked)
            except TimeoutError as error:
                raise Silent(f"port {self.port}: the request was not taken") from error
            except OSError as error:
                raise Unplugged(f"port {self.port}: the service went away") from error
            yield connection
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _receive(self, connection: socket.socket, until: float) -> bytes:
        left = until - self._clock()
        if left <= 0:
            raise Silent(f"port {self.port}: no answer in time")
        connection.settimeout(left)
        try:
            return connection.recv(_PIECE)
        except TimeoutError as error:
            raise Silent(f"port {self.port}: no answer in time") from error
        except OSError as error:
            raise Unplugged(f"port {self.port}: the service went away") from error


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it hung up first
