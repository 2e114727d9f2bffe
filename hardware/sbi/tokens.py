"""Signed tokens of SBI: JWS compact, RS256, the signer's certificates in the header (`x5c`).

A signature that is right says only that the certificate's key made it; whether anybody believes
that certificate is decided elsewhere, and nothing here reads the payload.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import jwt
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

ALGORITHM: Final = "RS256"
"""The only one; what a header says otherwise is refused, not followed."""
MOST_BYTES: Final = 48 * 1024 * 1024
"""Characters of a token, at most: a 1080p face without compression, twice in base64."""
MOST_HEADER: Final = 64 * 1024
"""Characters of a token's header, at most; three certificates take about 6,000."""
MOST_CERTIFICATES: Final = 8
LEAST_KEY: Final = 2048
MOST_KEY: Final = 8192
"""Bits; a larger key only costs time."""
_PART: Final = re.compile(r"[A-Za-z0-9_-]+")


class TokenInvalid(ValueError):
    """A text is no token of this kind: its form, its header, its algorithm or its size."""


class SignatureMismatch(TokenInvalid):
    """The signature is not that of the certificate's key over these bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token taken apart; its signature is not looked at before `verify`.

    Attributes:
        chain: the certificates it carries, the signer's own first; none of them is trusted.
        payload: what was signed.
        signed: the bytes over which the signature goes.
    """

    chain: tuple[x509.Certificate, ...]
    payload: bytes
    signed: bytes
    signature: bytes

    @property
    def leaf(self) -> x509.Certificate:
        """Return the signer's own certificate."""
        return self.chain[0]


def sign(payload: bytes, key: rsa.RSAPrivateKey, chain: Sequence[x509.Certificate]) -> str:
    """Return a token over `payload` that carries `chain`, the key's own certificate first."""
    x5c = [
        base64.b64encode(one.public_bytes(serialization.Encoding.DER)).decode("ascii")
        for one in chain
    ]
    return jwt.PyJWS().encode(payload, key, algorithm=ALGORITHM, headers={"x5c": x5c})


def parse(text: str) -> Token:
    """Return a token's parts without a look at its signature.

    Raises:
        TokenInvalid: not three parts of base64url, too large, another algorithm than RS256,
            header parts that must be understood (`crit`, `b64`), or no certificate.
    """
    if len(text) > MOST_BYTES:
        raise TokenInvalid(f"a token has at most {MOST_BYTES} characters")
    header, *rest = text.split(".", 3)
    if len(rest) != 2 or not all(map(_PART.fullmatch, (header, *rest))):  # noqa: PLR2004 - 3 in all
        raise TokenInvalid("not three parts of base64url")
    if len(header) > MOST_HEADER:
        raise TokenInvalid(f"a token's header has at most {MOST_HEADER} characters")
    try:
        said: dict[str, Any] = jwt.get_unverified_header(text)
        payload, signature = (_decoded(part) for part in rest)
    except (jwt.InvalidTokenError, ValueError, RecursionError) as error:
        raise TokenInvalid(f"not a token: {error}") from error
    if said.get("alg") != ALGORITHM:
        raise TokenInvalid(f"signed by {str(said.get('alg'))[:20]!r}, not {ALGORITHM}")
    if "crit" in said or said.get("b64") is False:
        raise TokenInvalid("a header that must be understood and is not")
    return Token(
        chain=_chain(said.get("x5c")),
        payload=payload,
        signed=f"{header}.{rest[0]}".encode("ascii"),
        signature=signature,
    )


def verify(token: Token) -> bytes:
    """Return the payload, once the first certificate's key is found to have signed it.

    Raises:
        SignatureMismatch: another key or other bytes.
        TokenInvalid: that key is not RSA of 2048 to 8192 bits.
    """
    try:
        key = token.leaf.public_key()
    except ValueError as error:
        raise TokenInvalid(f"the certificate's key cannot be read: {error}") from error
    if not isinstance(key, rsa.RSAPublicKey) or not LEAST_KEY <= key.key_size <= MOST_KEY:
        raise TokenInvalid(f"the certificate's key is not RSA of {LEAST_KEY} to {MOST_KEY} bits")
    try:
        key.verify(token.signature, token.signed, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature as error:
        raise SignatureMismatch("the signature is not that of the certificate's key") from error
    return token.payload


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _chain(x5c: object) -> tuple[x509.Certificate, ...]:
    if not isinstance(x5c, list) or not 0 < len(x5c) <= MOST_CERTIFICATES:
        raise TokenInvalid(f"a token carries 1 to {MOST_CERTIFICATES} certificates")
    found = []
    for entry in x5c:
        if not isinstance(entry, str):
            raise TokenInvalid("a certificate that is no text")
        try:
            found.append(x509.load_der_x509_certificate(base64.b64decode(entry, validate=True)))
        except (binascii.Error, ValueError) as error:
            raise TokenInvalid(f"a certificate that cannot be read: {error}") from error
    return tuple(found)
