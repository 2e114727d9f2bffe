r"""Where the parts of a CCAP1 packet lie, and the names that keep its hashes apart.

    "CCAP1\n" | u16 n | header (n) | W1 (113) | W2 (1168) | chunks | u16 m | signature (m)

The header's `length` fixes the number and size of the chunks, so every byte of a packet has one
meaning. Nothing here is authenticated.
"""

import hashlib
import struct
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes, hpke
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from biometrics.seal.errors import PacketForeign, PacketTruncated
from biometrics.seal.header import MAX_BYTES, MAX_CONTENT, Header

MAGIC = b"CCAP1\n"
CHUNK = 64 * 1024
TAG = 16
KEY = 32
W1 = 65 + KEY + TAG
"""Uncompressed P-256 point, wrapped key, tag."""
W2 = 1088 + 32 + KEY + TAG
"""ML-KEM-768 ciphertext, X25519 point, wrapped key, tag."""
SIGNATURE_LENGTHS = range(8, 73)
"""DER of two numbers below 2^256."""
_LENGTH = struct.Struct(">H")
_PREFIX = len(MAGIC) + _LENGTH.size
_ROUND = MAX_CONTENT + TAG * -(-MAX_CONTENT // CHUNK)
MAX_PACKET = _PREFIX + MAX_BYTES + W1 + W2 + _ROUND + _LENGTH.size + SIGNATURE_LENGTHS[-1]

P256_SUITE = hpke.Suite(hpke.KEM.P256, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
PQ_SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)

_WRAP = b"cccd-capture/v1/wrap"
_BODY = b"cccd-capture/v1/body"
_SIGN = b"cccd-capture/v1/sig"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """One packet taken apart; views, not copies, where they are large."""

    header: Header
    header_hash: bytes
    w1: bytes
    w2: bytes
    body: memoryview
    signed: memoryview
    """All bytes before the signature's length."""
    signature: bytes


def begin(header: bytes) -> bytes:
    """Return what stands before the wrapped keys."""
    return MAGIC + _LENGTH.pack(len(header)) + header


def end(signature: bytes) -> bytes:
    """Return what stands behind the last chunk."""
    return _LENGTH.pack(len(signature)) + signature


def header_of(packet: bytes) -> bytes:
    """Return the header's bytes.

    Raises:
        PacketForeign: another magic.
        PacketTruncated: it ends within the header, or announces one that is too long.
    """
    if not packet.startswith(MAGIC):
        raise PacketForeign("the bytes do not begin as a CCAP1 packet")
    if len(packet) < _PREFIX:
        raise PacketTruncated("the packet ends before its header")
    (size,) = _LENGTH.unpack_from(packet, len(MAGIC))
    if size > MAX_BYTES or _PREFIX + size > len(packet):
        raise PacketTruncated("the packet ends within its header, or announces too long a one")
    return packet[_PREFIX : _PREFIX + size]


def split(packet: bytes) -> Parts:
    """Return the parts of `packet`.

    Raises:
        PacketForeign: another magic.
        HeaderInvalid: see `Header.decode`.
        PacketTruncated: shorter or longer than the header says.
    """
    encoded = header_of(packet)
    header = Header.decode(encoded)
    start = _PREFIX + len(encoded)
    body = start + W1 + W2
    stop = body + header.length + TAG * -(-header.length // CHUNK)
    if stop + _LENGTH.size > len(packet):
        raise PacketTruncated("the packet ends before its last chunk")
    (size,) = _LENGTH.unpack_from(packet, stop)
    if size not in SIGNATURE_LENGTHS or stop + _LENGTH.size + size != len(packet):
        raise PacketTruncated("the packet does not end with its signature")
    view = memoryview(packet)
    return Parts(
        header=header,
        header_hash=hashlib.sha256(encoded).digest(),
        w1=packet[start : start + W1],
        w2=packet[start + W1 : body],
        body=view[body:stop],
        signed=view[:stop],
        signature=packet[stop + _LENGTH.size :],
    )


def wrap_info(header_hash: bytes) -> bytes:
    """Return the HPKE info that binds a wrapped key to its header."""
    return _WRAP + header_hash


def to_sign(digest: bytes) -> bytes:
    """Return the message a device signs for a packet of this digest (32 bytes)."""
    return _SIGN + digest


def body_key(k1: bytes, k2: bytes, header_hash: bytes) -> bytes:
    """Return the key of the chunks; both halves are needed."""
    hkdf = HKDF(algorithm=hashes.SHA256(), length=KEY, salt=None, info=_BODY + header_hash)
    return hkdf.derive(k1 + k2)


def nonce(index: int, *, last: bool) -> bytes:
    """Return the STREAM nonce of a chunk: place and end are part of it."""
    return bytes(7) + struct.pack(">IB", index, last)
