"""What the server vouches for: receipts and sealing keys, held against the one key the kiosk pins.

It fetches nothing; a transport may lie, a signature by the pinned key may not.
"""

import base64
import binascii
import json
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from biometrics.seal.errors import KeysInvalid
from biometrics.seal.keys import PublicKeys
from kiosk.protocol import Receipt, SealingKeys

KEY_FILE = "receipt-key.pem"
_RECEIPT = b"thunhan/receipt/1\n"
_KEYS = b"thunhan/sealing-keys/1\n"
_MAX_FILE = 4096


class ReceiptKeyUnfit(Exception):
    """The pinned key is absent or is not a P-256 public key: the kiosk cannot know its server."""


class NotVouched(Exception):
    """Not signed by the pinned key, or about something else than was asked."""


def pinned_key(folder: Path) -> ec.EllipticCurvePublicKey:
    """Return the server's receipt key from `folder`.

    Raises:
        ReceiptKeyUnfit: absent, or not a P-256 public key in PEM.
    """
    try:
        with (folder / KEY_FILE).open("rb") as file:
            key = serialization.load_pem_public_key(file.read(_MAX_FILE))
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ReceiptKeyUnfit(f"{KEY_FILE} cannot be read") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
        raise ReceiptKeyUnfit(f"{KEY_FILE} holds another kind of key")
    return key


def message_of(model: Receipt | SealingKeys) -> bytes:
    """Return the bytes that the receipt key signs: canonical JSON of the other fields."""
    fields = model.model_dump(mode="json", exclude={"signature"})
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return (_RECEIPT if isinstance(model, Receipt) else _KEYS) + text.encode()


def verify_receipt(
    receipt: Receipt, key: ec.EllipticCurvePublicKey, *, digest: str, device: str, sequence: int
) -> None:
    """Accept a receipt for exactly this packet.

    Raises:
        NotVouched: about another packet, or not signed by `key`.
    """
    if (receipt.digest, receipt.device, receipt.sequence) != (digest, device, sequence):
        raise NotVouched("the receipt is about another packet")
    _verify(receipt, key)


def sealing_keys(keys: SealingKeys, key: ec.EllipticCurvePublicKey) -> PublicKeys:
    """Return the public keys to seal to. Whether they are due is `still_good`.

    Raises:
        NotVouched: not signed by `key`, or no keys.
    """
    _verify(keys, key)
    try:
        return PublicKeys(
            kid=keys.kid,
            p256=base64.b64decode(keys.p256, validate=True),
            pq=base64.b64decode(keys.pq, validate=True),
        )
    except (KeysInvalid, binascii.Error) as error:
        raise NotVouched("the server vouches for something that is no key") from error


def still_good(keys: SealingKeys, *, now: datetime) -> bool:
    """Return whether a new visit may begin with these keys; one that has begun is sealed anyway."""
    return now < keys.not_after


def _verify(model: Receipt | SealingKeys, key: ec.EllipticCurvePublicKey) -> None:
    try:
        signature = base64.b64decode(model.signature, validate=True)
        key.verify(signature, message_of(model), ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, binascii.Error) as error:
        raise NotVouched("not signed by the server's receipt key") from error
