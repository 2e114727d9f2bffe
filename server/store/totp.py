"""TOTP secrets at rest: encrypted under the installation's secret, each bound to its officer.

It checks no code: that is `server.cases.signing_in`.
"""

import base64
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE = 12
_INFO = b"thunhan/totp/1"


class Unreadable(Exception):
    """Encrypted under another secret or for another officer, or altered."""


def _cipher(secret: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=_INFO).derive(secret))


def hide(base32: str, *, officer_id: str, secret: bytes) -> str:
    """Return what may stand in the officer's row: base64 of nonce, AES-256-GCM text and tag."""
    nonce = secrets.token_bytes(NONCE)
    hidden = _cipher(secret).encrypt(nonce, base32.encode(), officer_id.encode())
    return base64.b64encode(nonce + hidden).decode()


def reveal(hidden: str, *, officer_id: str, secret: bytes) -> str:
    """Return the secret in base32.

    Raises:
        Unreadable: it was not hidden with this `secret` for this officer.
    """
    try:
        raw = base64.b64decode(hidden, validate=True)
        plain = _cipher(secret).decrypt(raw[:NONCE], raw[NONCE:], officer_id.encode())
    except (ValueError, InvalidTag) as error:
        raise Unreadable(officer_id) from error
    return plain.decode()
