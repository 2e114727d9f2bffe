"""An SBI service on this machine: our readers and camera, offered to others over HTTP.

Whoever can open a connection on the loopback address can ask for a picture: that is the weakness
of the whole interface. Web pages are refused (they cannot hide their `Origin`), other names of
this machine too (`Host`), and where a token is set, whoever does not know it. It takes no picture
itself.
"""

import hmac
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import Any, Final

import cv2
import numpy as np
from flask import Flask, Response, request
from numpy.typing import NDArray
from werkzeug.exceptions import HTTPException
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from hardware.sbi.desk import Desk
from hardware.sbi.messages import (
    CaptureRequest,
    Denied,
    DiscoveryRequest,
    Failure,
    MessageInvalid,
    StreamRequest,
    encode_list,
)
from hardware.sbi.offers import Look
from hardware.sbi.vocabulary import PATHS, PORTS, ErrorCode, Verb
from hardware.sbi.wishes import Refusal

log = logging.getLogger(__name__)

LOOPBACK: Final = "127.0.0.1"
MOST_REQUEST: Final = 64 * 1024
"""Bytes of a request's body, at most; one for ten fingers takes about 1 KiB."""
READ_SECONDS: Final = 5.0
"""For a whole request to come over, however slowly its bytes drip."""
MOST_CONNECTIONS: Final = 16
FRAMES: Final = 8.0
"""Live pictures a second; the specification wants three at least."""
MOST_STREAM: Final = 300.0
"""Seconds of a stream, at most, and where nobody says another."""
_WIDEST: Final = 1280
"""Pixels of a live picture."""
_JPEG: Final = 80
_BOUNDARY: Final = "--BoundaryString"
"""Announced with the two dashes that stand before it in the body: so do the devices there are."""
_BROWSER: Final = ("Origin", "Sec-Fetch-Site")
"""Headers that only a browser sends, and that no page can leave out."""
_WHOLE: Final = "thunhan.whole"
"""Is called once a request has come whole."""
_GONE: Final = "thunhan.gone"
"""Says whether whoever asked has hung up."""
_SETTLE: Final = 10.0
"""Seconds for what is under way to end when the service does."""
_JSON: Final = "application/json"
Wsgi = Callable[..., Iterable[bytes]]


class PortsTaken(OSError):
    """Every port of the range is in use."""


class SbiService:
    """The service; one thread for each connection.

    Args:
        desk: the devices; closed with the service.
        token: that every request must carry (`Authorization: Bearer`), None for none.
        ports: the first free one is taken; 0 is any.
        wrap: put around the WSGI application, for whoever stands between it and the wire.
        clock: monotonic seconds.

    Raises:
        PortsTaken: no port is free.
    """

    def __init__(
        self,
        desk: Desk,
        *,
        token: str | None = None,
        ports: Iterable[int] = PORTS,
        wrap: Callable[[Wsgi], Wsgi] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._desk, self._clock = desk, clock
        self._over = threading.Event()
        app = _app(self, token)
        with _bound(ports) as listener:
            self.port: int = listener.getsockname()[1]
            self._server = _Server(
                LOOPBACK,
                self.port,
                app if wrap is None else wrap(app),
                _Handler,
                fd=listener.fileno(),
            )
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.1},
            name="sbi",
            daemon=True,
        )
        self._thread.start()

    @property
    def desk(self) -> Desk:
        """Return the devices."""
        return self._desk

    def stop(self) -> None:
        """Answer nobody any more and let the devices go; may be called twice."""
        if self._over.is_set():
            return
        self._over.set()
        self._server.shutdown()
        self._thread.join()
        # With its device closed, a capture that is under way ends.
        self._desk.close()
        self._server.settle()
        self._server.server_close()

    def pictures(self, look: Look, newest: Callable[[], bool], seconds: float) -> Iterator[bytes]:
        """Yield parts of a multipart answer, one live picture in each."""
        until = self._clock() + seconds
        last: NDArray[np.uint8] | None = None
        part = b""
        while not self._over.is_set() and newest() and self._clock() < until:
            picture = look()
            if picture is not None:
                if picture is not last:
                    part, last = _part(picture), picture
                yield part
            else:
                # The head goes out with it: a camera that starts is not a service that is silent.
                yield b"\r\n"
            self._over.wait(1 / FRAMES)


class _Verbs:
    """What is done for each verb."""

    def __init__(self, service: SbiService) -> None:
        self._service, self._desk = service, service.desk

    def discover(self) -> Response:
        body = request.get_data()
        wanted = DiscoveryRequest.decode(body) if body.strip() else DiscoveryRequest()
        return _json(encode_list(self._desk.discover(wanted, self._service.port)))

    def inform(self) -> Response:
        return _json(encode_list(self._desk.inform(self._service.port)))

    def capture(self) -> Response:
        wanted = CaptureRequest.decode(request.get_data())
        gone = request.environ.get(_GONE, lambda: False)
        return _json(self._desk.capture(wanted, gone).encode())

    def stream(self) -> Response:
        wanted = StreamRequest.decode(request.get_data())
        seconds = min(int(wanted.timeout or MOST_STREAM * 1000) / 1000, MOST_STREAM)
        held = ExitStack()
        look, newest = held.enter_context(self._desk.watched(wanted.device_id))
        answer = Response(
            self._service.pictures(look, newest, seconds),
            content_type=f"multipart/x-mixed-replace; boundary={_BOUNDARY}",
        )
        answer.call_on_close(held.close)
        return answer


def _app(service: SbiService, token: str | None) -> Flask:
    app = Flask("hardware.sbi")
    app.config["MAX_CONTENT_LENGTH"] = MOST_REQUEST
    verbs = _Verbs(service)
    for verb, answer in (
        (Verb.DISCOVER, verbs.discover),
        (Verb.INFORM, verbs.inform),
        (Verb.CAPTURE, verbs.capture),
        (Verb.STREAM, verbs.stream),
    ):
        app.add_url_rule(
            PATHS[verb],
            endpoint=verb,
            view_func=answer,
            methods=[verb],
            provide_automatic_options=False,
        )
    app.before_request(lambda: _admit(service.port, token))
    app.register_error_handler(
        HTTPException, lambda error: _denied(ErrorCode.REFUSED, error.name, error.code or 500)
    )
    app.register_error_handler(
        MessageInvalid, lambda error: _denied(ErrorCode.MALFORMED, str(error)[:200])
    )
    app.register_error_handler(Refusal, lambda refusal: _denied(refusal.code, str(refusal)))
    return app


def _admit(port: int, token: str | None) -> Response | None:
    refused = _refused(port, token)
    if refused is not None:
        log.warning("refused: %s", refused)
        return _denied(ErrorCode.REFUSED, refused, 403)
    if "Transfer-Encoding" in request.headers:
        return _denied(ErrorCode.MALFORMED, "a request says its length", 411)
    body = request.get_data(cache=True)
    whole = request.environ.get(_WHOLE)
    if whole is not None:
        whole()
    if request.content_length is not None and len(body) < request.content_length:
        return _denied(ErrorCode.MALFORMED, "the request did not come whole", 400)
    return None


def _refused(port: int, token: str | None) -> str | None:
    """Return why a request is not even read, None where it may be."""
    for name in _BROWSER:
        if name in request.headers:
            return f"a request with {name} comes from a web page"
    if request.headers.getlist("Host") != [f"{LOOPBACK}:{port}"]:
        return "another host was asked for"
    if token is not None:
        said = request.headers.get("Authorization", "")
        if not hmac.compare_digest(said.encode(), f"Bearer {token}".encode()):
            return "the token is missing or wrong"
    return None


def _json(data: bytes, status: int = 200) -> Response:
    return Response(data, status=status, content_type=_JSON, headers={"Cache-Control": "no-store"})


def _denied(code: ErrorCode, info: str, status: int = 200) -> Response:
    return _json(Denied(error=Failure.of(code, info)).encode(), status)


def _part(picture: NDArray[np.uint8]) -> bytes:
    height, width = picture.shape[:2]
    if width > _WIDEST:
        size = (_WIDEST, round(height * _WIDEST / width))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _JPEG])[1].tobytes()
    head = f"{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
    return head.encode("ascii") + jpeg + b"\r\n\r\n"


def _bound(ports: Iterable[int]) -> socket.socket:
    for port in ports:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((LOOPBACK, port))
            listener.listen(MOST_CONNECTIONS)
        except OSError:
            listener.close()
            continue
        return listener
    raise PortsTaken("every port for such a service is in use")


class _Server(ThreadedWSGIServer):
    """Holds the number of connections within bounds."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - werkzeug's own
        self._served = 0
        self._told = threading.Condition()
        super().__init__(*args, **kwargs)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Serve a connection in a thread of its own, or hang up where there are too many."""
        with self._told:
            full = self._served >= MOST_CONNECTIONS
            self._served += not full
        if full:
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Serve a connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._told:
                self._served -= 1
                self._told.notify_all()

    def settle(self) -> None:
        """Wait until what is under way has ended, but not for ever."""
        with self._told:
            self._told.wait_for(lambda: self._served == 0, timeout=_SETTLE)


class _Handler(WSGIRequestHandler):
    """Gives a request a time in which it must have come, and a stream no chunks."""

    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        """Start the time."""
        super().setup()
        self._timer = threading.Timer(READ_SECONDS, self._give_up)
        self._timer.daemon = True
        self._timer.start()

    def finish(self) -> None:
        """Stop the time."""
        self._timer.cancel()
        super().finish()

    def parse_request(self) -> bool:
        """Read the head; the clients there are take a stream apart that is not chunked."""
        good = super().parse_request()
        if good and self.command == Verb.STREAM:
            self.protocol_version = "HTTP/1.0"
        return good

    def make_environ(self) -> dict[str, Any]:
        """Tell the application how to stop the time."""
        environ = super().make_environ()
        environ[_WHOLE] = self._timer.cancel
        environ[_GONE] = self._gone
        return environ

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:  # noqa: ARG002
        """Say what was asked, not by whom: there is only this machine."""
        log.debug("%s %s: %s", self.command, self.path, code)

    def log_error(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 - its name
        """Say what was wrong with a connection."""
        log.info(format, *args)

    def _gone(self) -> bool:
        try:
            return not self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def _give_up(self) -> None:
        try:
            self.connection.shutdown(socket.SHUT_RD)
        except OSError:
            return  # it hung up first
