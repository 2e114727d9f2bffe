"""Keys of the station's own SBI service: an authority made once, device keys that it renews.

They lie in files that nobody else may read; a key in a file is level L0, and says so. Whom this
station trusts stands elsewhere (`hardware.sbi.trust`).
"""

import datetime as dt
import os
import secrets
import stat
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from hardware.sbi.answers import Signer
from hardware.sbi.authority import Authority
from kiosk import durable

FOLDER: Final = "sbi-service"
ANCHOR: Final = "authority.pem"
"""The certificate that others put among their trust anchors."""
TOKEN: Final = "token"  # noqa: S105 - a file's name
_KEY: Final = "authority-key.pem"
_RENEWED: Final = dt.timedelta(days=7)
"""Before its time is over a device key is replaced by another."""
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_MOST: Final = 64 * 1024
_TOKEN_BYTES: Final = 32


class SbiKeyUnfit(Exception):
    """A key file may be read by others, or holds no such key; the message names it."""


class StationKeys:
    """The authority and the device key of a station's service.

    Args:
        folder: of the kiosk; the keys lie in a folder of their own in it.
        name: of the station, as its certificates say it.
        at: now, aware.

    Raises:
        SbiKeyUnfit: a file is there and cannot be used.
        OSError: the folder cannot be written.
    """

    def __init__(self, folder: Path, name: str, at: dt.datetime) -> None:
        self._folder = folder / FOLDER
        self._name = name
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (self._folder / _KEY).exists():
            self._create(at)
        self._authority = self._load()
        self.token = self._token()
        self._signer = self._authority.issue(f"{name} SBI device", at)

    def signer(self, at: dt.datetime) -> Signer:
        """Return the device's key, a new one before the old one's time is over."""
        if self._signer.chain[0].not_valid_after_utc - at < _RENEWED:
            self._signer = self._authority.issue(f"{self._name} SBI device", at)
        return self._signer

    def _create(self, at: dt.datetime) -> None:
        authority = Authority.create(f"{self._name} SBI", at)
        pem = authority.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        durable.replace(self._folder / ANCHOR, authority.anchor, mode=0o644)
        # The key last: with it everything is there.
        durable.replace(self._folder / _KEY, pem)

    def _load(self) -> Authority:
        try:
            key = serialization.load_pem_private_key(_secret(self._folder / _KEY), None)
            chain = x509.load_pem_x509_certificates((self._folder / ANCHOR).read_bytes())
        except (ValueError, TypeError, OSError, UnsupportedAlgorithm) as error:
            raise SbiKeyUnfit(f"{self._folder}: no authority of an SBI service") from error
        if not isinstance(key, rsa.RSAPrivateKey) or len(chain) != 1:
            raise SbiKeyUnfit(f"{self._folder / _KEY} holds another kind of key")
        if chain[0].public_key() != key.public_key():
            raise SbiKeyUnfit(f"{self._folder / ANCHOR} is not of the key beside it")
        return Authority(key=key, chain=tuple(chain))

    def _token(self) -> str:
        path = self._folder / TOKEN
        if not path.exists():
            durable.replace(path, secrets.token_urlsafe(_TOKEN_BYTES).encode("ascii"))
        token = _secret(path).decode("ascii", "replace").strip()
        if not (token.isascii() and token.isprintable() and token):
            raise SbiKeyUnfit(f"{path} holds no token")
        return token


def _secret(path: Path) -> bytes:
    """Return what is in a file that nobody else may read."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(handle, "rb") as file:
        if os.fstat(file.fileno()).st_mode & _OTHERS:
            raise SbiKeyUnfit(f"{path} may be read by others; set its mode to 0600")
        return file.read(_MOST)
