"""Asks the population registry over HTTP, with little patience and a limit on what it reads.

It keeps nothing: who needs the answer later stores it with the dossier.
"""

import json
import time
from types import TracebackType
from typing import Self

import httpx

from server.registry.port import AskedInTransaction, Person, RegistryDown, RegistryGarbled
from server.store import held

CONNECT_WITHIN = 2.0
"""Seconds."""
ANSWER_WITHIN = 5.0
"""Seconds between two pieces of the answer: a citizen waits on the page meanwhile."""
WHOLE_WITHIN = 12.0
"""Seconds for a whole answer that comes in drops."""
LARGEST_ANSWER = 4 * 1024 * 1024
JPEG = b"\xff\xd8\xff"


class RegistryClient:
    """The registry at an address."""

    def __init__(self, url: str, transport: httpx.BaseTransport | None = None) -> None:
        self._http = httpx.Client(
            base_url=url,
            timeout=httpx.Timeout(ANSWER_WITHIN, connect=CONNECT_WITHIN),
            trust_env=False,
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def find(self, personal_number: str) -> Person | None:
        """Return the person, or None where the registry knows nobody of this number.

        Raises:
            RegistryDown: nobody can say now.
            RegistryGarbled: the answer is no person, or another one.
            AskedInTransaction: the caller holds the database meanwhile.
        """
        body = self._get(f"/people/{_twelve(personal_number)}")
        if body is None:
            return None
        try:
            fields = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise RegistryGarbled("not JSON") from error
        if not isinstance(fields, dict):
            raise RegistryGarbled("not a JSON object")
        person = Person.from_json(fields)
        if person.personal_number != personal_number:
            raise RegistryGarbled("another person than asked for")
        return person

    def portrait(self, personal_number: str) -> bytes | None:
        """Return the JPEG the registry holds of the person, or None.

        Raises:
            RegistryDown: nobody can say now.
            RegistryGarbled: the answer is no JPEG.
            AskedInTransaction: the caller holds the database meanwhile.
        """
        body = self._get(f"/people/{_twelve(personal_number)}/portrait")
        if body is not None and not body.startswith(JPEG):
            raise RegistryGarbled("not a JPEG")
        return body

    def _get(self, path: str) -> bytes | None:
        if held.a_transaction_is_open():
            raise AskedInTransaction(path)
        began = time.monotonic()
        try:
            with self._http.stream("GET", path) as answer:
                body = bytearray()
                for piece in answer.iter_bytes():
                    body += piece
                    if len(body) > LARGEST_ANSWER:
                        raise RegistryGarbled("the answer is too long")
                    if time.monotonic() - began > WHOLE_WITHIN:
                        raise RegistryDown("the answer comes in drops")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise RegistryDown(f"{type(error).__name__}: {error}") from error
        if answer.status_code == httpx.codes.OK:
            return bytes(body)
        # A 404 of a proxy says nothing about the person: only the registry's own does.
        if answer.status_code == httpx.codes.NOT_FOUND and bytes(body) == b'{"found":false}':
            return None
        raise RegistryDown(f"answered {answer.status_code}")


def _twelve(personal_number: str) -> str:
    if len(personal_number) != 12 or not personal_number.isascii():  # noqa: PLR2004 - its length
        raise ValueError("a personal number has twelve digits")
    if not personal_number.isdigit():
        raise ValueError("a personal number has twelve digits")
    return personal_number
