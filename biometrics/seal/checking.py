"""Checking a packet without being able to open it: who sealed it, and that no bit has changed.

It holds no private key and decides nothing about devices, sequences or appointments.
"""

import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from biometrics.seal.errors import DeviceWrong, SignatureWrong
from biometrics.seal.header import Header
from biometrics.seal.layout import header_of, split, to_sign


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A header that its device has signed for, and the packet's content address in hex."""

    header: Header
    digest: str


def device_id(key: ec.EllipticCurvePublicKey) -> str:
    """Return the name of a device: SHA-256 of its public key (SubjectPublicKeyInfo, DER), hex."""
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(der).hexdigest()


def look(packet: bytes) -> Header:
    """Return what the packet claims to be; nobody has vouched for it.

    Raises:
        PacketForeign: another magic.
        PacketTruncated: it ends within the header.
        HeaderInvalid: see `Header.decode`.
    """
    return Header.decode(header_of(packet))


def check(packet: bytes, device_key: ec.EllipticCurvePublicKey) -> Checked:
    """Return the header of a packet that the holder of `device_key` sealed.

    Raises:
        PacketForeign: another magic.
        PacketTruncated: shorter or longer than its header says.
        HeaderInvalid: see `Header.decode`.
        DeviceWrong: the header names another device.
        SignatureWrong: altered, or signed by another key.
    """
    parts = split(packet)
    if parts.header.device != device_id(device_key):
        raise DeviceWrong("the header names another device than the one that is asked")
    digest = hashlib.sha256(parts.signed).digest()
    try:
        device_key.verify(parts.signature, to_sign(digest), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise SignatureWrong("the device did not sign these bytes") from None
    return Checked(header=parts.header, digest=digest.hex())
