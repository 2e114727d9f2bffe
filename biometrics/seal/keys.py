"""The keys a capture is sealed to: one classical, one post-quantum, and both are needed to open.

It rotates nothing and fetches nothing. Private keys are software keys in a file; see docs/seal.md
for what a hardware module would change.
"""

import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hpke, serialization
from cryptography.hazmat.primitives.asymmetric import ec, mlkem, x25519

from biometrics.seal.errors import KeysInvalid
from biometrics.seal.header import KID

FILE = "private-keys.json"
PQ_MLKEM = 1184
PQ_BYTES = PQ_MLKEM + 32
"""ML-KEM-768 encapsulation key (FIPS 203), then the X25519 public key (RFC 7748)."""
_MAX_FILE = 8192
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKeys:
    """What a kiosk needs to seal.

    Attributes:
        kid: name of the pair.
        p256: SubjectPublicKeyInfo, DER.
        pq: raw ML-KEM-768 and X25519 public keys, 1216 bytes.
    """

    kid: str
    p256: bytes
    pq: bytes

    def __post_init__(self) -> None:
        if KID.fullmatch(self.kid) is None:
            raise KeysInvalid("the keys' name is not allowed")
        self.load()

    def load(self) -> tuple[ec.EllipticCurvePublicKey, hpke.MLKEM768X25519PublicKey]:
        """Return the key objects.

        Raises:
            KeysInvalid: the bytes are not a P-256 key, or not 1216 bytes of the hybrid.
        """
        try:
            p256 = serialization.load_der_public_key(self.p256)
            pq = hpke.MLKEM768X25519PublicKey(
                mlkem.MLKEM768PublicKey.from_public_bytes(self.pq[:PQ_MLKEM]),
                x25519.X25519PublicKey.from_public_bytes(self.pq[PQ_MLKEM:]),
            )
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise KeysInvalid("the bytes are not public keys") from error
        if not isinstance(p256, ec.EllipticCurvePublicKey) or p256.curve.name != "secp256r1":
            raise KeysInvalid("the classical key is not of P-256")
        return p256, pq


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateKeys:
    """What the unsealing process needs to open."""

    kid: str
    p256: ec.EllipticCurvePrivateKey
    mlkem768: mlkem.MLKEM768PrivateKey
    curve25519: x25519.X25519PrivateKey

    @classmethod
    def create(cls, kid: str) -> Self:
        """Return new keys of this name.

        Raises:
            KeysInvalid: the name is not `KID`.
        """
        if KID.fullmatch(kid) is None:
            raise KeysInvalid("the keys' name is not allowed")
        return cls(
            kid=kid,
            p256=ec.generate_private_key(ec.SECP256R1()),
            mlkem768=mlkem.MLKEM768PrivateKey.generate(),
            curve25519=x25519.X25519PrivateKey.generate(),
        )

    @property
    def pq(self) -> hpke.MLKEM768X25519PrivateKey:
        """The hybrid key as HPKE takes it."""
        return hpke.MLKEM768X25519PrivateKey(self.mlkem768, self.curve25519)

    @property
    def public(self) -> PublicKeys:
        """The public half."""
        return PublicKeys(
            kid=self.kid,
            p256=self.p256.public_key().public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            ),
            pq=self.mlkem768.public_key().public_bytes_raw()
            + self.curve25519.public_key().public_bytes_raw(),
        )

    def save(self, folder: Path) -> None:
        """Write `FILE` into `folder` (made if absent), for its owner only, never over another.

        Raises:
            FileExistsError: there are keys already.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = json.dumps({"kid": self.kid, **{name: _pem(key) for name, key in self._named()}})
        handle = os.open(folder / FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the keys that `save` wrote into `folder`.

        Raises:
            FileNotFoundError: there are none.
            KeysInvalid: others may read the file, or it holds no keys.
        """
        path = folder / FILE
        if path.stat().st_mode & _OTHERS:
            raise KeysInvalid(f"{FILE} may be read by others; set its mode to 0600")
        if path.stat().st_size > _MAX_FILE:
            raise KeysInvalid(f"{FILE} is too large")
        try:
            table = json.loads(path.read_text(encoding="utf-8"))
            kid = table.pop("kid")
            keys = {
                name: serialization.load_pem_private_key(pem.encode(), None)
                for name, pem in table.items()
            }
        except (ValueError, TypeError, AttributeError, KeyError, UnsupportedAlgorithm) as error:
            raise KeysInvalid(f"{FILE} holds no keys") from error
        p256, kem, x = keys.get("p256"), keys.get("mlkem768"), keys.get("x25519")
        if not (
            isinstance(kid, str)
            and KID.fullmatch(kid)
            and isinstance(p256, ec.EllipticCurvePrivateKey)
            and p256.curve.name == "secp256r1"
            and isinstance(kem, mlkem.MLKEM768PrivateKey)
            and isinstance(x, x25519.X25519PrivateKey)
        ):
            raise KeysInvalid(f"{FILE} holds other keys")
        return cls(kid=kid, p256=p256, mlkem768=kem, curve25519=x)

    def _named(
        self,
    ) -> tuple[
        tuple[str, ec.EllipticCurvePrivateKey | mlkem.MLKEM768PrivateKey | x25519.X25519PrivateKey],
        ...,
    ]:
        return (("p256", self.p256), ("mlkem768", self.mlkem768), ("x25519", self.curve25519))


def _pem(
    key: ec.EllipticCurvePrivateKey | mlkem.MLKEM768PrivateKey | x25519.X25519PrivateKey,
) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode("ascii")
