"""Asks the unsealing process to open a capture by a grant; holds no key itself."""

from pathlib import Path
from uuid import UUID

import cbor2
import httpx

from server.unseal.answer import CBOR, OPEN, AnswerGarbled, Opened

__all__ = ["GrantRefused", "Opened", "PacketBad", "Unsealer", "UnsealerDown"]

CONNECT_WITHIN = 2.0
"""Seconds."""
ANSWER_WITHIN = 60.0
"""Seconds: the first comparison after a start loads its model."""
LARGEST_ANSWER = 48 * 1024 * 1024


class GrantRefused(Exception):
    """The grant is unknown, used or expired: nothing was opened; ask for another one."""


class PacketBad(Exception):
    """The stored packet cannot be opened as what it should be; the grant is used up."""


class UnsealerDown(Exception):
    """The unsealing process does not answer, or not as it should."""


class Unsealer:
    """The unsealing process behind its socket."""

    def __init__(self, socket: Path) -> None:
        self._http = httpx.Client(
            transport=httpx.HTTPTransport(uds=str(socket)),
            base_url="http://unseal",
            timeout=httpx.Timeout(ANSWER_WITHIN, connect=CONNECT_WITHIN),
            trust_env=False,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def open(self, grant: UUID) -> Opened:
        """Return the capture the grant is for, compared with the registry's portrait.

        Raises:
            GrantRefused: the grant is unknown, used or expired.
            PacketBad: the packet was altered, or is another one than the row says.
            UnsealerDown: nobody answers, or not as they should.
        """
        try:
            with self._http.stream(
                "POST", OPEN, content=cbor2.dumps(grant.bytes), headers={"Content-Type": CBOR}
            ) as answer:
                body = bytearray()
                for piece in answer.iter_bytes():
                    body += piece
                    if len(body) > LARGEST_ANSWER:
                        raise UnsealerDown("the answer is too long")
        except httpx.HTTPError as error:
            raise UnsealerDown(f"{type(error).__name__}: {error}") from error
        if answer.status_code == httpx.codes.FORBIDDEN:
            raise GrantRefused
        if answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
            raise PacketBad
        if answer.status_code != httpx.codes.OK:
            raise UnsealerDown(f"answered {answer.status_code}")
        try:
            return Opened.decode(bytes(body))
        except AnswerGarbled as error:
            raise UnsealerDown(f"garbled: {error}") from error
