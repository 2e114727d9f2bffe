"""The kiosk's own key: it signs every packet and every request, and its hash is the kiosk's name.

It is a software key in a file and says so (`trust`); it enrols nothing, an officer does that with
the public half.
"""

import argparse
import os
import secrets
import stat
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from biometrics.seal.checking import device_id
from kiosk import durable

KEY_FILE = "device-key.pem"
PUBLIC_FILE = "device-public.pem"
_MAX_FILE = 4096
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class DeviceKeyUnfit(Exception):
    """The key file is absent, may be read by others, or holds no P-256 key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A kiosk that can sign.

    Attributes:
        key: P-256; nobody but `sign` uses it.
        id: SHA-256 of the public key, hex.
        trust: where the key lives, as it stands in a packet's header.
    """

    key: ec.EllipticCurvePrivateKey
    id: str
    trust: str = "software"

    def sign(self, message: bytes) -> bytes:
        """Return the ECDSA signature over SHA-256 of `message`, DER."""
        return self.key.sign(message, ec.ECDSA(hashes.SHA256()))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the device whose key is in `folder`.

        Raises:
            DeviceKeyUnfit: absent, a link, readable by others, or not a P-256 key.
        """
        try:
            handle = os.open(folder / KEY_FILE, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError as error:
            raise DeviceKeyUnfit(f"{KEY_FILE} cannot be opened") from error
        with os.fdopen(handle, "rb") as file:
            if os.fstat(file.fileno()).st_mode & _OTHERS:
                raise DeviceKeyUnfit(f"{KEY_FILE} may be read by others; set its mode to 0600")
            pem = file.read(_MAX_FILE)
        try:
            key = serialization.load_pem_private_key(pem, None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise DeviceKeyUnfit(f"{KEY_FILE} holds no key") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
            raise DeviceKeyUnfit(f"{KEY_FILE} holds another kind of key")
        return cls(key=key, id=device_id(key.public_key()))

    @classmethod
    def create(cls, folder: Path) -> Self:
        """Return the device of `folder`, making its key where there is none.

        A key that exists is never replaced: packets signed by it may still be under way.

        Raises:
            DeviceKeyUnfit: there is one that cannot be used.
            OSError: the folder cannot be written.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / KEY_FILE
        if not os.path.lexists(path):
            pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            _place(path, pem, mode=0o600)
        device = cls.load(folder)
        public = device.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        _place(folder / PUBLIC_FILE, public, mode=0o644)
        return device


def _place(path: Path, data: bytes, *, mode: int) -> None:
    """Write a whole file that is not there yet; whoever was first stays."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        durable.write(part, data, mode=mode)
        with suppress(FileExistsError):
            path.hardlink_to(part)
    finally:
        part.unlink(missing_ok=True)
    durable.sync(path.parent)


def main(arguments: list[str] | None = None) -> int:
    """Make the device's key where there is none, and print the device's id."""
    parser = argparse.ArgumentParser(prog="python -m kiosk.device", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="the kiosk's data folder")
    try:
        device = Device.create(parser.parse_args(arguments).folder)
    except (DeviceKeyUnfit, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{device.id}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
