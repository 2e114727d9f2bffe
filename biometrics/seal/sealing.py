"""Sealing a capture: after this only the unsealing process can read it.

It does not keep the packet and knows no counter: sequence and chain come from the outbox.
"""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict, Unpack

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from biometrics.seal.errors import ContentRefused
from biometrics.seal.header import ID_BYTES, MAX_CONTENT, SUITE, VERSION, Header
from biometrics.seal.keys import PublicKeys
from biometrics.seal.layout import (
    CHUNK,
    KEY,
    P256_SUITE,
    PQ_SUITE,
    begin,
    body_key,
    end,
    nonce,
    to_sign,
    wrap_info,
)


class About(TypedDict):
    """The fields of `Header` that the caller knows; the rest follows from content and keys."""

    dossier: str
    appointment: str
    visit: str
    station: str
    device: str
    sequence: int
    captured_at: datetime
    mono: float
    boot_id: str
    modalities: int
    consent: bytes
    software: str
    operator: str | None
    previous: bytes | None
    trust: str
    simulated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A packet, its content address in hex, and its header."""

    packet: bytes
    digest: str
    header: Header


def seal(
    capture: bytes, *, keys: PublicKeys, sign: Callable[[bytes], bytes], **about: Unpack[About]
) -> Sealed:
    """Return `capture` sealed to `keys` and signed by the device.

    Args:
        capture: what `Capture.encode` gave, at most 32 MiB.
        keys: the server's sealing keys.
        sign: ECDSA P-256 over SHA-256 of its argument, DER.
        about: see `Header`.

    Raises:
        ContentRefused: empty or too large.
        HeaderInvalid: a field of wrong type or out of bounds.
    """
    if not 0 < len(capture) <= MAX_CONTENT:
        raise ContentRefused(f"a capture of {len(capture)} bytes cannot be sealed")
    header = Header(
        v=VERSION,
        suite=SUITE,
        kid=keys.kid,
        packet_id=secrets.token_bytes(ID_BYTES),
        length=len(capture),
        **about,
    )
    encoded = header.encode()
    header_hash = hashlib.sha256(encoded).digest()
    signed = b"".join(
        [
            begin(encoded),
            *_wrapped_and_chunks(capture, keys, header_hash),
        ]
    )
    digest = hashlib.sha256(signed).digest()
    return Sealed(packet=signed + end(sign(to_sign(digest))), digest=digest.hex(), header=header)


def _wrapped_and_chunks(capture: bytes, keys: PublicKeys, header_hash: bytes) -> list[bytes]:
    k1, k2 = secrets.token_bytes(KEY), secrets.token_bytes(KEY)
    p256, pq = keys.load()
    info = wrap_info(header_hash)
    aes = AESGCM(body_key(k1, k2, header_hash))
    content = memoryview(capture)
    return [
        P256_SUITE.encrypt(k1, p256, info),
        PQ_SUITE.encrypt(k2, pq, info),
        *(
            aes.encrypt(
                nonce(at // CHUNK, last=at + CHUNK >= len(capture)),
                content[at : at + CHUNK],
                header_hash,
            )
            for at in range(0, len(capture), CHUNK)
        ),
    ]
