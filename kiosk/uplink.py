"""The kiosk's half of the conversation with the server: signed requests, resumable uploads.

It keeps nothing and tries nothing twice: what to do without a network is decided by `uploader`
and by the visit.

    UplinkError
    ├── NoNetwork        no answer, or one that says later; the same request may be sent again
    ├── Refused          the server understood and says no, with words for people
    └── ServerForeign    whoever answered is not our server, or does not keep to the protocol
"""

import secrets
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Self, TypeVar

import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from http_message_signatures import HTTPMessageSigner
from http_message_signatures.algorithms import ECDSA_P256_SHA256
from pydantic import BaseModel, ValidationError

from kiosk.device import Device
from kiosk.ledger import Entry
from kiosk.protocol import (
    CheckIn,
    LeaveVisit,
    Receipt,
    Refusal,
    Station,
    UploadStart,
    UploadState,
    Visit,
)
from kiosk.receipts import NotVouched, sealing_keys, verify_receipt

CHUNK = 1024 * 1024
"""Bytes of one PATCH: what is sent again at most after a cut."""
MAX_ANSWER = 1024 * 1024
_TIMEOUT = httpx.Timeout(30.0, connect=5.0)
_LABEL = "thunhan"
_COVERED = ("@method", "@target-uri")
_LATER = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
_ROUNDS = 3
"""How often a whole packet may be asked for again within one upload."""
M = TypeVar("M", bound=BaseModel)


class UplinkError(Exception):
    """The root."""


class NoNetwork(UplinkError):
    """No answer, or one that says later; the same request may be sent again."""


class Refused(UplinkError):
    """The server understood and says no."""

    def __init__(self, refusal: Refusal, status: int) -> None:
        super().__init__(f"{status} {refusal.code}")
        self.refusal = refusal
        self.status = status

    @property
    def final(self) -> bool:
        """Whether this is about the content, so that sending the same again will not help."""
        return self.status == HTTPStatus.UNPROCESSABLE_ENTITY


class ServerForeign(UplinkError):
    """Whoever answered is not our server, or does not keep to the protocol."""


@dataclass(frozen=True, slots=True)
class _Message:
    """A request as the signer wants to see it; writing a header reaches the request."""

    method: str
    url: str
    headers: httpx.Headers


class _Signed(httpx.Auth):
    """RFC 9421 with the device's key over method, target, body and upload offset."""

    requires_request_body = True

    def __init__(self, device: Device, clock: Callable[[], datetime]) -> None:
        self._device = device
        self._clock = clock
        self._signer = HTTPMessageSigner(signature_algorithm=ECDSA_P256_SHA256)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        message = _Message(request.method, str(request.url), request.headers)
        offset = ("upload-offset",) if "upload-offset" in request.headers else ()
        prepared = self._signer.prepare(
            message,
            key_id=self._device.id,
            created=self._clock(),
            nonce=secrets.token_hex(16),
            label=_LABEL,
            covered_component_ids=_COVERED + offset,
            body=request.content or None,
        )
        signature = ECDSA_P256_SHA256.signature_from_der(self._device.sign(prepared.signature_base))
        self._signer.apply(message, prepared, signature)
        yield request


class Uplink:
    """A connection to one server; may be used by several threads."""

    def __init__(
        self,
        server: str,
        device: Device,
        receipt_key: ec.EllipticCurvePublicKey,
        *,
        clock: Callable[[], datetime],
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Prepare a connection; nothing is sent yet.

        Args:
            server: address of the intake, ``https://intake.example.vn``.
            device: signs every request.
            receipt_key: the server's pinned key.
            clock: aware time, for the signatures.
            transport: what carries the requests; httpx's own where None.
        """
        self._device = device
        self._receipt_key = receipt_key
        self._http = httpx.Client(
            base_url=server,
            auth=_Signed(device, clock),
            timeout=_TIMEOUT,
            follow_redirects=False,
            trust_env=False,
            transport=transport,
        )

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def station(self) -> Station:
        """Return what this kiosk keeps to work without a network; its keys are vouched for.

        Raises:
            NoNetwork, Refused, ServerForeign: see the module.
        """
        station = _read(Station, self._ask("GET", "/kiosk/station"))
        try:
            sealing_keys(station.keys, self._receipt_key)
        except NotVouched as error:
            raise ServerForeign(str(error)) from error
        return station

    def check_in(self, who: CheckIn) -> Visit:
        """Return the visit of whoever brought this ticket or card.

        Raises:
            NoNetwork, Refused, ServerForeign: see the module.
        """
        return _read(Visit, self._ask("POST", "/kiosk/check-in", who))

    def leave(self, leave: LeaveVisit) -> None:
        """Say that a visit ended without a capture.

        Raises:
            NoNetwork, Refused, ServerForeign: see the module.
        """
        self._ask("POST", "/kiosk/leave", leave)

    def upload(self, entry: Entry, packet: Path) -> Receipt:
        """Send what the server has not got yet of a packet, and return the verified receipt.

        May be called again after any failure: the server is asked first how much it has.

        Raises:
            NoNetwork, Refused, ServerForeign: see the module.
            OSError: the packet cannot be read.
        """
        start = UploadStart(digest=entry.digest, size=entry.size)
        state = self._state(entry, self._ask("POST", "/kiosk/uploads", start))
        left = _ROUNDS * entry.size + CHUNK
        with packet.open("rb") as file:
            while state.receipt is None:
                file.seek(state.offset)
                chunk = file.read(CHUNK)
                after = self._send(entry, state.offset, chunk)
                left -= len(chunk)
                if left < 0 or (after.receipt is None and after.offset == state.offset):
                    raise ServerForeign("the server takes what is sent, but does not get on")
                state = after
        try:
            verify_receipt(
                state.receipt,
                self._receipt_key,
                digest=entry.digest,
                device=self._device.id,
                sequence=entry.sequence,
            )
        except NotVouched as error:
            raise ServerForeign(str(error)) from error
        return state.receipt

    def _send(self, entry: Entry, offset: int, chunk: bytes) -> UploadState:
        answer = self._ask(
            "PATCH",
            f"/kiosk/uploads/{entry.digest}",
            chunk,
            headers={"Upload-Offset": str(offset)},
            also=HTTPStatus.CONFLICT,
        )
        return self._state(entry, answer)

    def _state(self, entry: Entry, answer: bytes) -> UploadState:
        state = _read(UploadState, answer)
        if state.digest != entry.digest or not 0 <= state.offset <= entry.size:
            raise ServerForeign("the server speaks of another upload")
        return state

    def _ask(
        self,
        method: str,
        path: str,
        body: BaseModel | bytes | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        also: HTTPStatus | None = None,
    ) -> bytes:
        """Return the answer's body, of a status of success or `also`."""
        raw = isinstance(body, bytes)
        content = body.model_dump_json().encode() if isinstance(body, BaseModel) else body
        kind = "application/octet-stream" if raw else "application/json"
        # No compression: a small answer must not become a large one.
        sent = {"Accept": "application/json", "Accept-Encoding": "identity", **(headers or {})}
        if content is not None:
            sent["Content-Type"] = kind
        try:
            with self._http.stream(method, path, content=content, headers=sent) as response:
                answer = _limited(response)
        except httpx.RequestError as error:
            raise NoNetwork(f"{method} {path}: {type(error).__name__}") from error
        status = response.status_code
        refusal = None if response.is_success else _refusal(answer)
        if response.is_success or (status == also and refusal is None):
            return answer
        if response.is_server_error:
            raise NoNetwork(f"{method} {path}: {status}")
        if refusal is not None:
            raise Refused(refusal, status)
        if status in _LATER:
            raise NoNetwork(f"{method} {path}: {status}")
        raise ServerForeign(f"{method} {path}: {status}")


def _limited(response: httpx.Response) -> bytes:
    answer = b""
    for piece in response.iter_raw():
        answer += piece
        if len(answer) > MAX_ANSWER:
            raise ServerForeign("the answer is larger than any of ours")
    return answer


def _read(kind: type[M], answer: bytes) -> M:
    try:
        return kind.model_validate_json(answer)
    except ValidationError as error:
        # A hotel's sign-in page, an old proxy, a server of another version.
        raise ServerForeign(f"the answer is no {kind.__name__}") from error


def _refusal(answer: bytes) -> Refusal | None:
    try:
        return Refusal.model_validate_json(answer)
    except ValidationError:
        return None
