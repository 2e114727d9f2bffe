"""Opening a packet: only the unsealing process has the keys, and only for the expected context.

It does not check the device's signature, which is the intake's work (see `checking`).
"""

from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from biometrics.capture import Capture, CaptureInvalid
from biometrics.seal.errors import ContentInvalid, ContextWrong, KeysWrong, SealBroken
from biometrics.seal.header import Header
from biometrics.seal.keys import PrivateKeys
from biometrics.seal.layout import (
    CHUNK,
    P256_SUITE,
    PQ_SUITE,
    TAG,
    Parts,
    body_key,
    nonce,
    split,
    wrap_info,
)


def open_packet(
    packet: bytes, keys: PrivateKeys, *, expect: Mapping[str, object]
) -> tuple[Header, Capture]:
    """Return header and capture of `packet`.

    Args:
        packet: the whole packet.
        keys: the pair it was sealed to.
        expect: values that fields of `Header` must have, by their names.

    Raises:
        PacketForeign, PacketTruncated, HeaderInvalid: see `layout.split`.
        KeysWrong: sealed to other keys.
        ContextWrong: a field is not as expected.
        SealBroken: altered, reordered, shortened or lengthened.
        ContentInvalid: what is inside is no capture, or contradicts the header.
        AttributeError: `expect` names a field that headers do not have.
    """
    parts = split(packet)
    header = parts.header
    if header.kid != keys.kid:
        raise KeysWrong(f"sealed to {header.kid}, not to {keys.kid}")
    for name, value in expect.items():
        if getattr(header, name) != value:
            raise ContextWrong(f"{name} is not as expected")
    try:
        capture = Capture.decode(_content(parts, keys))
    except CaptureInvalid as error:
        raise ContentInvalid("what is inside is no capture") from error
    _agree(header, capture)
    return header, capture


def _content(parts: Parts, keys: PrivateKeys) -> bytes:
    info = wrap_info(parts.header_hash)
    size = CHUNK + TAG
    body = parts.body
    try:
        k1 = P256_SUITE.decrypt(parts.w1, keys.p256, info)
        k2 = PQ_SUITE.decrypt(parts.w2, keys.pq, info)
        aes = AESGCM(body_key(k1, k2, parts.header_hash))
        return b"".join(
            aes.decrypt(
                nonce(at // size, last=at + size >= len(body)),
                body[at : at + size],
                parts.header_hash,
            )
            for at in range(0, len(body), size)
        )
    except (InvalidTag, ValueError) as error:
        raise SealBroken("a wrapped key or a chunk was altered") from error


def _agree(header: Header, capture: Capture) -> None:
    pairs = {
        "dossier": header.dossier == capture.dossier,
        "appointment": header.appointment == capture.appointment,
        "visit": header.visit == capture.visit,
        "consent": header.consent.hex() == capture.consent.sha256,
        "simulated": header.simulated == bool(capture.simulated),
    }
    wrong = sorted(name for name, agrees in pairs.items() if not agrees)
    if wrong:
        raise ContentInvalid(f"content and header disagree on {', '.join(wrong)}")
