"""Asks the unsealing process to open a capture by a grant; holds no key itself."""

import http.client
import socket
from http import HTTPStatus
from pathlib import Path
from uuid import UUID

import cbor2

from server.unseal.answer import CBOR, OPEN, AnswerGarbled, Opened

__all__ = ["GrantRefused", "Opened", "PacketBad", "Unsealer", "UnsealerDown"]

ANSWER_WITHIN = 60.0
"""Seconds without a byte: the first comparison after a start loads its model."""
LARGEST_ANSWER = 48 * 1024 * 1024


class GrantRefused(Exception):
    """The grant is unknown, used or expired: nothing was opened; ask for another one."""


class PacketBad(Exception):
    """The stored packet cannot be opened as what it should be; the grant is used up."""


class UnsealerDown(Exception):
    """The unsealing process does not answer, or not as it should."""


class _OverSocket(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("unseal", timeout=ANSWER_WITHIN)
        self._path = path

    def connect(self) -> None:
        """Connect, or leave nothing open."""
        opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            opened.settimeout(self.timeout)
            opened.connect(str(self._path))
        except BaseException:
            opened.close()
            raise
        self.sock = opened


class Unsealer:
    """The unsealing process behind its socket; may be used by several threads."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    def open(self, grant: UUID) -> Opened:
        """Return the capture the grant is for, compared with the registry's portrait.

        Raises:
            GrantRefused: the grant is unknown, used or expired.
            PacketBad: the packet was altered, or is another one than the row says.
            UnsealerDown: nobody answers, or not as they should.
        """
        status, body = self._ask(cbor2.dumps(grant.bytes))
        if status == HTTPStatus.FORBIDDEN:
            raise GrantRefused
        if status == HTTPStatus.UNPROCESSABLE_ENTITY:
            raise PacketBad
        if status != HTTPStatus.OK:
            raise UnsealerDown(f"answered {status}")
        try:
            return Opened.decode(body)
        except AnswerGarbled as error:
            raise UnsealerDown(f"garbled: {error}") from error

    def _ask(self, body: bytes) -> tuple[int, bytes]:
        connection = _OverSocket(self._socket)
        try:
            connection.request("POST", OPEN, body, {"Content-Type": CBOR})
            answer = connection.getresponse()
            read = answer.read(LARGEST_ANSWER + 1)
        except (OSError, http.client.HTTPException) as error:
            raise UnsealerDown(f"{type(error).__name__}: {error}") from error
        finally:
            connection.close()
        if len(read) > LARGEST_ANSWER:
            raise UnsealerDown("the answer is too long")
        return answer.status, read
