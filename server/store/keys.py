"""The server's keys in ``data/keys``: the receipt key, and the public keys captures are sealed to.

No private sealing key is ever here: those lie in the unsealing process's own folder.
"""

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from kiosk.protocol import Receipt, SealingKeys

RECEIPT_PREFIX = b"thunhan/receipt/1\n"
SEALING_PREFIX = b"thunhan/sealing-keys/1\n"
PRIVATE = "receipt-private.pem"
PUBLIC = "receipt-key.pem"


class KeysMissing(Exception):
    """The receipt key is absent or unreadable; ``keys-create`` makes it."""


def canonical(fields: Mapping[str, Any]) -> bytes:
    """Return JSON with sorted keys and no spaces, in UTF-8."""
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def folder(data: Path) -> Path:
    """Return the folder of the server's keys."""
    return data / "keys"


def write_private(path: Path, content: bytes) -> None:
    """Write a file that nobody but its owner reads, synced; it must not be there yet.

    Raises:
        FileExistsError: it is there.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


@dataclass(frozen=True, slots=True)
class ReceiptKey:
    """The key receipts and key lists are signed with."""

    private: ec.EllipticCurvePrivateKey

    @classmethod
    def load(cls, data: Path) -> Self:
        """Return the key in ``data/keys``.

        Raises:
            KeysMissing: it is absent or no P-256 key.
        """
        path = folder(data) / PRIVATE
        try:
            key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        except (OSError, ValueError, TypeError) as error:
            raise KeysMissing(f"{path}: {error}") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
            raise KeysMissing(f"{path}: no P-256 key")
        return cls(key)

    @classmethod
    def create(cls, data: Path) -> Self:
        """Make the key and write both halves into ``data/keys``.

        Raises:
            FileExistsError: there is one.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        folder(data).mkdir(mode=0o750, parents=True, exist_ok=True)
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        write_private(folder(data) / PRIVATE, private)
        made = cls(key)
        (folder(data) / PUBLIC).write_bytes(made.public_pem)
        return made

    @property
    def public_pem(self) -> bytes:
        """The public half, which kiosks pin."""
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def _sign(self, prefix: bytes, fields: Mapping[str, Any]) -> str:
        signature = self.private.sign(prefix + canonical(fields), ec.ECDSA(hashes.SHA256()))
        return base64.b64encode(signature).decode()

    def sign_receipt(self, unsigned: Receipt) -> Receipt:
        """Return the receipt with its signature."""
        fields = unsigned.model_dump(mode="json", exclude={"signature"})
        return unsigned.model_copy(update={"signature": self._sign(RECEIPT_PREFIX, fields)})

    def sign_keys(self, unsigned: SealingKeys) -> SealingKeys:
        """Return the key list with its signature."""
        fields = unsigned.model_dump(mode="json", exclude={"signature"})
        return unsigned.model_copy(update={"signature": self._sign(SEALING_PREFIX, fields)})


def publish(data: Path, keys: SealingKeys) -> None:
    """Put signed public keys where the intake finds them, whole or not at all.

    Raises:
        FileExistsError: keys of this name were published before.
    """
    public = folder(data) / "sealing"
    public.mkdir(mode=0o750, parents=True, exist_ok=True)
    path = public / f"{keys.kid}.json"
    if path.exists():
        raise FileExistsError(path)
    half = path.with_suffix(".new")
    half.write_text(keys.model_dump_json(), encoding="utf-8")
    half.rename(path)


def published(data: Path) -> tuple[SealingKeys, ...]:
    """Return every public key list, the one that holds longest first."""
    found = (
        SealingKeys.model_validate_json(path.read_text(encoding="utf-8"))
        for path in (folder(data) / "sealing").glob("*.json")
    )
    return tuple(sorted(found, key=lambda keys: keys.not_after, reverse=True))


def to_seal_with(data: Path, *, now: datetime) -> SealingKeys | None:
    """Return the keys to seal with now, or None where none hold any more."""
    return next((keys for keys in published(data) if keys.not_after > now), None)
