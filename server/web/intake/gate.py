"""Recognises a kiosk by its signature over the request (RFC 9421): enrolled, fresh, seen once.

It does not judge what is asked.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import Response, g, request
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    InvalidSignature,
)
from http_message_signatures.algorithms import ECDSA_P256_SHA256
from sqlalchemy.orm import Session
from werkzeug.urls import iri_to_uri

from scheduler.database import reading, retrying
from server.cases import devices
from server.cases.refusals import Reason, Refused
from server.store.tables import Device, Nonce
from server.web.intake.desk import desk, refuse

MAX_AGE = timedelta(seconds=300)
"""[D] A signature older than this is refused; nonces are remembered for as long."""
AHEAD = timedelta(seconds=60)
"""[D] How far a kiosk's clock may run before ours; the library's own 5 s are few for a kiosk."""
NONCE = re.compile(r"[0-9a-f]{32}")
COVERED = ("@method", "@target-uri")
COVERED_BY_METHOD: Mapping[str, tuple[str, ...]] = {"PATCH": (*COVERED, "upload-offset")}
MOST_FORGOTTEN = 100
"""Old nonces one request deletes: more than it adds, and nobody waits for it."""


class Stale(InvalidSignature):
    """Made too long ago, or in the future."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Message:
    """A request as the library takes it."""

    method: str
    url: str
    headers: Any


class _Verifier(HTTPMessageVerifier):
    """The library's verifier by our clock instead of the machine's."""

    def __init__(self, resolver: "_Enrolled", now: datetime) -> None:
        super().__init__(signature_algorithm=ECDSA_P256_SHA256, key_resolver=resolver)
        self._now = now

    def validate_created_and_expires(
        self,
        sig_input: Any,  # noqa: ANN401 - the library's
        max_age: timedelta | None = None,
    ) -> None:
        """Refuse what is too old, or not made yet.

        Raises:
            Stale: it is.
        """
        created = sig_input.params.get("created")
        expires = sig_input.params.get("expires")
        if type(created) is not int or not (expires is None or type(expires) is int):
            raise InvalidSignature("a signature without a time")
        age = self._now.timestamp() - created
        allowed = (max_age or MAX_AGE).total_seconds()
        if not -AHEAD.total_seconds() <= age <= allowed:
            raise Stale("too old, or from the future")
        if expires is not None and expires < self._now.timestamp():
            raise Stale("expired")


class _Enrolled(HTTPSignatureKeyResolver):
    """Finds the key of an enrolled device, and remembers whose it was."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self.device: Device | None = None

    def resolve_public_key(self, key_id: str) -> object | None:
        """Return the device's public key, or None where nobody enrolled it."""
        with reading(self._engine) as session:
            self.device = session.get(Device, key_id)
            if self.device is None:
                return None
            # It outlives the session, which expires what it holds.
            session.expunge(self.device)
        return devices.public_key(self.device.public_key)


def admit(audience: str) -> Response | None:
    """Let in a request that an enrolled device has signed, once; see `server.web.guard.Gate`."""
    del audience
    try:
        g.device = _device(desk().clock())
    except Refused as refused:
        return refuse(refused)
    return None


def _device(now: datetime) -> Device:
    described = _Message(
        method=request.method,
        url=_target(),
        headers=request.headers,
    )
    enrolled = _Enrolled(desk().engine)
    verifier = _Verifier(enrolled, now)
    try:
        results = verifier.verify(
            described,
            max_age=MAX_AGE,
            require_components=COVERED_BY_METHOD.get(request.method, COVERED),
        )
        # Only now: nobody else makes us read a megabyte, and no transaction waits for it.
        verifier.verify_body(described, results, request.get_data())
    except Stale:
        raise Refused(Reason.CLOCK_WRONG) from None
    except HTTPMessageSignaturesException as error:
        if isinstance(error.__cause__, sa.exc.SQLAlchemyError):
            # The library takes whatever breaks in a resolver for a wrong signature.
            raise error.__cause__ from None
        unknown = enrolled.device is None and "Signature-Input" in request.headers
        reason = Reason.DEVICE_UNKNOWN if unknown else Reason.SIGNATURE_WRONG
        raise Refused(reason) from None
    device = enrolled.device
    if device is None or len(results) != 1:
        raise Refused(Reason.SIGNATURE_WRONG)
    if device.revoked_at is not None:
        raise Refused(Reason.DEVICE_REVOKED)
    _use_once(device, results[0].nonce, now=now)
    return device


def _target() -> str:
    """Return the address the kiosk signed: its scheme is a setting, never a proxy's header."""
    scheme = "https" if desk().settings.https else "http"
    query = request.query_string.decode("latin-1")
    return f"{scheme}://{request.host}{iri_to_uri(request.path)}" + (f"?{query}" if query else "")


def _use_once(device: Device, nonce: str | None, *, now: datetime) -> None:
    if nonce is None or not NONCE.fullmatch(nonce):
        raise Refused(Reason.SIGNATURE_WRONG)

    def use(session: Session) -> None:
        old = (
            sa.select(Nonce.nonce)
            .where(Nonce.device_id == device.id, Nonce.until < now)
            .limit(MOST_FORGOTTEN)
        )
        session.execute(
            sa.delete(Nonce)
            .where(Nonce.device_id == device.id, Nonce.nonce.in_(old.scalar_subquery()))
            .execution_options(synchronize_session=False)
        )
        until = now + MAX_AGE + AHEAD
        session.add(Nonce(device_id=device.id, nonce=nonce, until=until))

    try:
        retrying(desk().engine, use)
    except sa.exc.IntegrityError:
        raise Refused(Reason.REPLAYED) from None
