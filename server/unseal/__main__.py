"""``python -m server.unseal --keys FOLDER``: opens captures for whoever may use its Unix socket."""

import argparse
import logging
import os
import signal
import socket
import stat
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import cbor2
from flask import Flask, Response, request
from werkzeug.serving import BaseWSGIServer, make_server

from biometrics.face import descriptor
from biometrics.face.compare import Comparer
from biometrics.face.reading import Reader
from scheduler.database import connect
from server import clock
from server.registry.client import RegistryClient
from server.settings import Settings
from server.store.vault import Vault
from server.unseal.answer import CBOR, OPEN, Opened
from server.unseal.client import GrantRefused, PacketBad
from server.unseal.opening import Unsealing

log = logging.getLogger(__name__)

LARGEST_REQUEST = 64
OWNER_AND_GROUP = 0o117
"""The umask under which the socket appears: 0660 from its first moment. The officers' app runs as
another user, who may not read the keys, of our group; see also `server.store.vault`."""


class SocketTaken(Exception):
    """Somebody listens on the socket already, or something else lies there."""


def create_app(open_by: Callable[[UUID], Opened]) -> Flask:
    """Return the app: one route, a grant in, a capture out."""
    app = Flask("server.unseal", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_REQUEST

    def answer() -> Response:
        try:
            asked = cbor2.loads(request.get_data())
            # What is no bytes would end in an assertion of UUID, not in an answer.
            grant = UUID(bytes=asked if isinstance(asked, bytes) else b"")
        except (cbor2.CBORDecodeError, ValueError, TypeError):
            return Response(status=400)
        try:
            return Response(open_by(grant).encode(), mimetype=CBOR)
        except GrantRefused:
            return Response(status=403)
        except PacketBad as error:
            log.warning("a packet could not be opened: %s", error)
            return Response(status=422)

    app.add_url_rule(OPEN, view_func=answer, methods=["POST"])
    return app


def _clear(path: Path) -> None:
    """Take away a socket that a process which is gone has left behind.

    Raises:
        SocketTaken: somebody listens there, or it is no socket.
    """
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.stat().st_mode):
            raise SocketTaken(f"{path} is no socket")
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()
            else:
                raise SocketTaken(f"somebody listens on {path}")


def listen(path: Path, app: Flask) -> BaseWSGIServer:
    """Return a server on the socket `path`, which only its owner and our group may use.

    Raises:
        SocketTaken: somebody listens there, or it is no socket.
    """
    _clear(path)
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    before = os.umask(OWNER_AND_GROUP)
    try:
        return make_server(f"unix://{path}", 0, app, threaded=True)
    finally:
        os.umask(before)


def main(arguments: list[str] | None = None) -> int:
    """Serve until stopped and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=Path, required=True, help="folder of the private keys")
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO)
    settings = Settings.from_environment()
    # A missing or altered model is said now, not to the first officer.
    chosen = settings.face_model
    model = descriptor.shipped() if chosen is None else descriptor.from_file(chosen)
    # This process holds the keys: what comes from kiosks and registry is decoded elsewhere.
    reader = Reader()
    reader.start()
    comparer = Comparer(model, reader.read)
    log.info(
        "faces are compared with %s (SHA-256 %s): match up to %s, no match above %s",
        model.name,
        model.sha256,
        model.match_at_most,
        model.no_match_above,
    )
    unsealing = Unsealing(
        engine=connect(settings.database),
        vault=Vault(settings.data),
        keys=asked.keys,
        registry=RegistryClient(settings.registry_url),
        comparer=comparer,
        clock=clock.now,
    )
    server = listen(settings.unseal_socket, create_app(unsealing.open))
    for wanted in (signal.SIGTERM, signal.SIGINT):
        signal.signal(wanted, lambda *_: threading.Thread(target=server.shutdown).start())
    try:
        server.serve_forever()
    finally:
        server.server_close()
        reader.close()
        settings.unseal_socket.unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
