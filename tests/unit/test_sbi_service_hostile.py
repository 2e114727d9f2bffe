"""Our own SBI service on real sockets: whom it refuses, and what it survives."""

import contextlib
import json
import socket
import time
from collections.abc import Iterator

import numpy as np
import pytest

from hardware.sbi import service as sbi_service
from hardware.sbi.service import LOOPBACK, MOST_CONNECTIONS
from tests.sbi_desk import (
    PATIENCE,
    Started,
    ask,
    read,
    serving,
    talk,
    wish,
    write,
)


@pytest.fixture(scope="module")
def started() -> Iterator[Started]:
    with serving() as running:
        yield running


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"bio":' + b"[" * 30_000]
)
@pytest.mark.parametrize(
    ("verb", "path"), [("RCAPTURE", "/capture"), ("STREAM", "/stream")], ids=["capture", "stream"]
)
def test_a_body_that_is_no_request_is_malformed(
    started: Started, verb: str, path: str, body: bytes
) -> None:
    port = started[0].port
    status, _, said = read(talk(port, write(verb, path, body, port)))
    assert status == 200
    assert json.loads(said)["error"]["errorCode"] == "123"


@pytest.mark.parametrize(
    ("verb", "path", "status"),
    [
        ("CAPTURE", "/capture", 405),
        ("GET", "/capture", 405),
        ("POST", "/capture", 405),
        ("OPTIONS", "/capture", 405),
        ("RCAPTURE", "/device", 405),
        ("MOSIPDISC", "/nowhere", 404),
        ("MOSIPDISC", "/../etc/passwd", 404),
    ],
)
def test_other_verbs_and_paths_are_refused(
    started: Started, verb: str, path: str, status: int
) -> None:
    port = started[0].port
    found, headers, body = ask(port, verb, path, wish())
    assert found == status
    assert json.loads(body)["error"]["errorCode"] == "500"
    assert not any(name.startswith("access-control") for name in headers)


@pytest.mark.parametrize(
    "line", ["Origin: http://evil.test", "Origin: null", "Sec-Fetch-Site: same-origin"]
)
@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("RCAPTURE", "/capture"),
        ("MOSIPDINFO", "/info"),
        ("STREAM", "/stream"),
        ("OPTIONS", "/info"),
    ],
)
def test_a_web_page_is_refused_whatever_it_asks(
    started: Started, verb: str, path: str, line: str
) -> None:
    asked = len(started[1].asked)
    status, headers, _ = ask(started[0].port, verb, path, wish(), line)
    assert status == 403
    assert not any(name.startswith("access-control") for name in headers)
    assert len(started[1].asked) == asked


@pytest.mark.parametrize(
    "host",
    ["localhost:{port}", "evil.test:{port}", "127.0.0.1", "127.0.0.1:1", "[::1]:{port}", "x"],
)
def test_a_name_that_is_not_ours_is_refused(started: Started, host: str) -> None:
    port = started[0].port
    status, _, _ = ask(port, "MOSIPDINFO", "/info", None, host=host.format(port=port))
    assert status == 403


def test_two_hosts_or_none_are_refused(started: Started) -> None:
    port = started[0].port
    status, _, _ = ask(port, "MOSIPDINFO", "/info", None, f"Host: {LOOPBACK}:{port}")
    assert status == 403
    assert read(talk(port, b"MOSIPDINFO /info HTTP/1.1\r\n\r\n"))[0] == 403


def test_with_a_token_nobody_else_is_answered() -> None:
    with serving(token="s3cret") as (service, hand):
        for line in ("X: y", "Authorization: Bearer", "Authorization: Bearer s3creT",
                     "Authorization: Basic s3cret", "Authorization: Bearer é"):  # fmt: skip
            for verb, path in (("MOSIPDINFO", "/info"), ("RCAPTURE", "/capture")):
                assert ask(service.port, verb, path, wish(), line)[0] == 403
        assert not hand.asked
        assert (
            ask(service.port, "MOSIPDINFO", "/info", None, "Authorization: Bearer s3cret")[0] == 200
        )


def test_a_body_too_large_or_of_no_length_is_refused_unread(
    started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sbi_service, "READ_SECONDS", 0.5)
    port = started[0].port
    nothing = write("RCAPTURE", "/capture", b"", port)
    large = nothing.replace(b"Content-Length: 0", b"Content-Length: 999999999")
    assert read(talk(port, large))[0] == 413
    chunked = nothing.replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    for chunk in (b"8000\r\n" + b" " * 0x8000 + b"\r\n", b"-1\r\n", b"0\r\n\r\n", b"zz"):
        assert read(talk(port, chunked + chunk))[0] == 411


def test_a_request_that_does_not_come_whole_is_given_up(
    started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sbi_service, "READ_SECONDS", 0.3)
    port = started[0].port
    whole = write("RCAPTURE", "/capture", json.dumps(wish()).encode(), port)
    asked = len(started[1].asked)
    for part in (whole[:-1], whole[:40], b"R"):
        answer = talk(port, part)
        assert not answer or read(answer)[0] >= 400
    assert len(started[1].asked) == asked


def test_a_request_that_drips_is_given_up(
    started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sbi_service, "READ_SECONDS", 0.5)
    asked = len(started[1].asked)
    with socket.create_connection((LOOPBACK, started[0].port), timeout=PATIENCE) as connection:
        with contextlib.suppress(ConnectionError):
            for byte in write("RCAPTURE", "/capture", json.dumps(wish()).encode(), started[0].port):
                connection.sendall(bytes([byte]))
                time.sleep(0.02)
        with contextlib.suppress(ConnectionError):
            answer = connection.recv(65536)
            assert not answer or read(answer)[0] >= 400
    assert len(started[1].asked) == asked


def test_too_many_connections_are_hung_up_on_and_the_next_is_answered(started: Started) -> None:
    port = started[0].port
    with contextlib.ExitStack() as stack:
        idle = [
            stack.enter_context(socket.create_connection((LOOPBACK, port), timeout=PATIENCE))
            for _ in range(MOST_CONNECTIONS)
        ]
        assert talk(port, write("MOSIPDINFO", "/info", b"", port)) == b""
        for connection in idle:
            connection.shutdown(socket.SHUT_WR)
        for connection in idle:
            with contextlib.suppress(ConnectionError):
                while connection.recv(65536):
                    pass
    assert ask(port, "MOSIPDINFO", "/info")[0] == 200


def test_what_is_tried_on_it_at_random_leaves_it_answering(started: Started) -> None:
    port = started[0].port
    generator = np.random.default_rng(11)
    good = write("RCAPTURE", "/capture", json.dumps(wish(transactionId="a")).encode(), port)
    for _ in range(250):
        damaged = bytearray(good[: int(generator.integers(1, len(good) + 1))])
        for _ in range(int(generator.integers(0, 8))):
            damaged[int(generator.integers(len(damaged)))] = int(generator.integers(256))
        with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port)) as connection:
            connection.sendall(bytes(damaged))
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(PATIENCE)
            while connection.recv(65536):
                pass
    assert ask(port, "MOSIPDINFO", "/info")[0] == 200
