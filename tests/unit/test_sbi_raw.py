"""HTTP to an SBI service and its stream: whatever the bytes, a bounded answer or a refusal."""

import socket
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from hardware.errors import Broken, Garbled, Silent, Unplugged
from hardware.sbi.raw import MOST_HEAD, Answer, AnswerParser, Chunks, Line, Request, write_request
from hardware.sbi.stream import Ended, Picture, StreamParser

Script = Callable[[socket.socket], None]


class Service:
    """A service that does with a connection what the script says."""

    def __init__(self, script: Script) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.asked: list[bytes] = []
        self._script = script
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                self.asked.append(connection.recv(65536))
                try:
                    self._script(connection)
                except OSError:
                    continue

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


@pytest.fixture
def serve() -> Iterator[Callable[[Script], Service]]:
    services: list[Service] = []

    def start(script: Script) -> Service:
        services.append(Service(script))
        return services[-1]

    yield start
    for service in services:
        service.close()


INFO = Request("MOSIPDINFO", "/info")


def _says(*pieces: bytes, pause: float = 0.0) -> Script:
    def script(connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause)

    return script


def _whole(data: bytes, size: int, most: int = 10_000) -> Answer | None:
    parser = AnswerParser(most)
    for at in range(0, len(data), size):
        answer = parser.feed(data[at : at + size])
        if answer is not None:
            return answer
    return None


LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Y:z\r\n\r\nhello\r\n\r\n"
CHUNKED = (
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"
)


@pytest.mark.parametrize("data", [LENGTH, CHUNKED, LENGTH.replace(b"\r\n", b"\n")])
@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_an_answer_is_read_wherever_it_is_cut(data: bytes, size: int) -> None:
    answer = _whole(data, size)
    assert answer is not None
    assert (answer.status, answer.body) == (200, b"hello")


def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    parser = AnswerParser(100)
    assert parser.feed(b"HTTP/1.0 405 OK\r\n\r\nhel") is None
    assert parser.feed(b"lo") is None
    answer = parser.end()
    assert (answer.status, answer.body) == (405, b"hello")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"SSH-2.0-OpenSSH_9\r\n\r\n", "does not begin as HTTP"),
        (b"HTTP/1.1 abc\r\n\r\n", "does not begin as HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "length is '-5'"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1e3\r\n\r\n", "length is '1e3'"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", "larger than"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + bytes(20_000), "larger than"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n" + bytes(20_000),
            "larger",
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", "no size"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"a" * 99, "no size"),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * MOST_HEAD, "no end"),
    ],
)
def test_what_is_no_bounded_http_answer_is_garbled(data: bytes, said: str) -> None:
    with pytest.raises(Garbled, match=said):
        _whole(data, 1000)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", Unplugged),
        (b"HTTP/1.1 200", Garbled),
        (LENGTH[:50], Garbled),
        (CHUNKED[:-7], Garbled),
    ],
)
def test_half_an_answer_is_no_answer(data: bytes, error: type[Broken]) -> None:
    parser = AnswerParser(100)
    parser.feed(data)
    with pytest.raises(error):
        parser.end()


def test_any_bytes_end_as_an_answer_or_as_garbled() -> None:
    rng = np.random.default_rng(1)
    for _ in range(10_000):
        data = bytearray(CHUNKED if rng.random() < 0.5 else LENGTH)
        for _ in range(rng.integers(1, 6)):
            data[rng.integers(len(data))] = rng.integers(256)
        parser = AnswerParser(1000)
        try:
            if parser.feed(bytes(data)) is None:
                parser.end()
        except (Garbled, Unplugged):
            continue


def test_chunks_after_the_last_are_passed_over() -> None:
    chunks = Chunks()
    assert chunks.feed(b"1\r\na\r\n0\r\n\r\n1\r\nb\r\n") == b"a"
    assert chunks.feed(b"1\r\nc\r\n") == b""


def test_a_request_is_spelt_as_the_strictest_services_read_it(
    serve: Callable[[Script], Service],
) -> None:
    service = serve(_says(LENGTH))
    line = Line(service.port, token="secret")
    answer = line.ask(Request("RCAPTURE", "/capture", b'{"a":1}'), deadline=5)
    assert answer.body == b"hello"
    head, _, body = service.asked[0].partition(b"\r\n\r\n")
    assert body == b'{"a":1}'
    assert head.splitlines() == [
        b"RCAPTURE /capture HTTP/1.1",
        b"Host: 127.0.0.1:%d" % service.port,
        b"Content-Type: application/json",
        b"Content-Length: 7",
        b"Authorization: Bearer secret",
        b"Connection: close",
    ]
    assert b"Authorization" not in write_request(INFO, port=1, token=None)
    assert b"Origin" not in head


def test_no_service_is_unplugged_and_one_that_hangs_up_too(
    serve: Callable[[Script], Service],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Unplugged, match="no service there"):
        Line(port).ask(INFO, deadline=1)
    with pytest.raises(Unplugged):
        Line(serve(_says()).port).ask(INFO, deadline=5)


def test_bytes_that_drip_do_not_stretch_the_deadline(serve: Callable[[Script], Service]) -> None:
    service = serve(_says(*[bytes([octet]) for octet in LENGTH * 20], pause=0.05))
    began = time.monotonic()
    with pytest.raises(Silent):
        Line(service.port).ask(INFO, deadline=0.4)
    assert time.monotonic() - began < 20


def test_a_line_closed_by_another_thread_ends_what_is_under_way(
    serve: Callable[[Script], Service],
) -> None:
    asked = threading.Event()

    def hold(connection: socket.socket) -> None:
        asked.set()
        connection.recv(1)

    line = Line(serve(hold).port)

    def close() -> None:
        asked.wait(5)
        line.close()

    closer = threading.Thread(target=close)
    closer.start()
    with pytest.raises(Unplugged):
        line.ask(INFO, deadline=30)
    closer.join(5)
    with pytest.raises(Unplugged, match="closed"):
        line.ask(INFO, deadline=5)


def test_progress_is_told_where_the_length_is_known(serve: Callable[[Script], Service]) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
    told: list[float] = []
    service = serve(_says(head, b"hello", b"hello", pause=0.05))
    Line(service.port).ask(INFO, deadline=5, progress=told.append)
    assert told[-1] == 1.0
    assert told == sorted(told)


HEAD = (
    b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=--BoundaryString\r\n\r\n"
)
REPLY = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 54\r\nContent-Type: application/json\r\n\r\n"
    b'{"error":{"errorCode":"609","errorInfo":"time is out"}}'
)


def _jpeg(number: int, size: int = 300) -> bytes:
    middle = np.random.default_rng(number).integers(0, 250, size, dtype=np.uint8).tobytes()
    return b"\xff\xd8" + middle + b"\xff\xd9"


def _part(jpeg: bytes, length: int | None = None) -> bytes:
    return (
        b"--BoundaryString\r\nAccess-Control-Allow-Origin:*\r\nContent-Type:image/jpeg\r\n"
        b"Content-Length:%d\r\n\r\n"
        % (len(jpeg) if length is None else length)
        + jpeg
        + b"\r\n\r\n"
    )


def _parse(data: bytes, size: int, most: int = 5000) -> tuple[list[Picture | Ended], StreamParser]:
    parser = StreamParser(most)
    found: list[Picture | Ended] = []
    for at in range(0, len(data), size):
        found.extend(parser.feed(data[at : at + size]))
    found.extend(parser.end())
    return found, parser


@pytest.mark.parametrize("size", [1, 13, 100, 100_000])
def test_a_stream_is_read_wherever_it_is_cut_up_to_the_second_answer(size: int) -> None:
    pictures = [_jpeg(number) for number in range(3)]
    data = HEAD + b"".join(_part(jpeg) for jpeg in pictures)
    answer = REPLY.replace(b"54", b"55")
    found, parser = _parse(data + answer, size)
    assert found == [
        *(Picture(jpeg=jpeg) for jpeg in pictures),
        Ended(code=609, said="time is out"),
    ]
    assert parser.damaged == 0
    assert parser.ended
    assert parser.feed(_part(pictures[0])) == ()


@pytest.mark.parametrize("size", [1, 100, 100_000])
def test_a_second_answer_without_a_length_ends_with_the_connection(size: int) -> None:
    answer = REPLY.replace(b"Content-Length: 54\r\n", b"")
    found, _ = _parse(HEAD + _part(_jpeg(1)) + answer, size)
    assert found == [Picture(jpeg=_jpeg(1)), Ended(code=609, said="time is out")]


@pytest.mark.parametrize("size", [1, 100, 100_000])
def test_an_answer_in_place_of_a_stream_says_why(size: int) -> None:
    found, _ = _parse(REPLY.replace(b"54", b"55"), size)
    assert found == [Ended(code=609, said="time is out")]


@pytest.mark.parametrize("size", [1, 100, 100_000])
@pytest.mark.parametrize(
    "bad",
    [
        _part(_jpeg(9)[:100], length=302),
        _part(_jpeg(9, 8000)),
        _part(_jpeg(9), length=10**30),
        _part(_jpeg(9), length=100),
        _part(b"no picture at all"),
        _part(b""),
        b"\0\1\2 noise between the parts",
        b"--BoundaryString\r\nContent-Type:image/jpeg\r\n\r\n" + _jpeg(9)[:-1] + b"\r\n",
    ],
    ids=["cut", "huge", "absurd length", "short length", "text", "empty", "noise", "unmeasured"],
)
def test_a_damaged_part_costs_no_other(bad: bytes, size: int) -> None:
    found, parser = _parse(HEAD + _part(_jpeg(1)) + bad + _part(_jpeg(2)) + _part(_jpeg(3)), size)
    assert found == [Picture(jpeg=_jpeg(number)) for number in (1, 2, 3)]
    assert parser.damaged >= 1


def test_pictures_without_lengths_go_to_the_next_boundary() -> None:
    bare = b"--BoundaryString\r\nContent-Type:image/jpeg\r\n\r\n"
    found, parser = _parse(HEAD + bare + _jpeg(1) + b"\r\n" + bare + _jpeg(2) + b"\r\n" + bare, 50)
    assert found == [Picture(jpeg=_jpeg(1)), Picture(jpeg=_jpeg(2))]
    assert parser.damaged == 0


@pytest.mark.parametrize("boundary", [b"", b"; boundary=BoundaryString", b'; boundary="--x y"'])
def test_an_unnamed_or_quoted_boundary_is_found(boundary: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace" + boundary + b"\r\n\r\n"
    part = _part(_jpeg(1)).replace(b"--BoundaryString", b"--x y" if b"x y" in boundary else b"--B2")
    if b"=BoundaryString" in boundary:
        part = _part(_jpeg(1))
    found, _ = _parse(head + part + part, 50)
    assert found == [Picture(jpeg=_jpeg(1))] * 2


def test_a_chunked_stream_is_unpacked() -> None:
    body = _part(_jpeg(1)) + _part(_jpeg(2))
    head = HEAD[:-2] + b"Transfer-Encoding: chunked\r\n\r\n"
    packed = b"".join(b"%x\r\n%s\r\n" % (7, body[at : at + 7].ljust(7)) for at in range(0, 700, 7))
    found, _ = _parse(head + packed, 33)
    assert found == [Picture(jpeg=_jpeg(1))]


def test_what_is_no_http_is_garbled_and_any_bytes_end() -> None:
    with pytest.raises(Garbled):
        StreamParser().feed(b"220 ready\r\n\r\n")
    with pytest.raises(Garbled):
        StreamParser().feed(bytes(10_000))
    rng = np.random.default_rng(2)
    whole = HEAD + _part(_jpeg(1)) + _part(_jpeg(2)) + REPLY
    for _ in range(10_000):
        data = bytearray(whole)
        for _ in range(rng.integers(1, 30)):
            data[rng.integers(len(data))] = rng.integers(256)
        try:
            found, _ = _parse(bytes(data), 200)
        except Garbled:
            continue
        assert len(found) <= 3


@pytest.mark.parametrize(
    ("body", "ended"),
    [
        (b'[{"error":{"errorCode":"111","errorInfo":"busy"}}]', Ended(code=111, said="busy")),
        (b'{"error":null}', Ended(code=None, said="{'error': None}")),
        (b'{"error":{"errorCode":"x"}}', Ended(code=None, said="")),
        (b"[" * 100_000, Ended(code=None, said="[" * 80)),
        (b"plain", Ended(code=None, said="plain")),
    ],
)
def test_the_end_is_told_however_it_is_written(body: bytes, ended: Ended) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    found, _ = _parse(answer, 1000)
    assert [one.code for one in found if isinstance(one, Ended)] == [ended.code]
    assert len(found) == 1
