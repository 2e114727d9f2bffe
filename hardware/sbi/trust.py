"""Whom a station believes: trust anchors, revocation lists and the devices enrolled for it.

It only reads them; what they are held against stands in `verify`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from cryptography import x509

_T = TypeVar("_T")
DEVICES: Final = "devices.json"
_MOST: Final = 4 * 1024 * 1024
"""Bytes of one file, at most."""


class TrustUnreadable(ValueError):
    """A file of the trust folder is not what its name says; the message names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whom a station believes.

    Attributes:
        anchors: certificates to one of which every chain must lead.
        revoked: revocation lists; each counts for the certificates of who signed it, also when
            it is old: a station without a network keeps the last it had.
        serials: of the devices enrolled for this station; None where none is asked for, as when
            a device is tried before it is enrolled.
    """

    anchors: tuple[x509.Certificate, ...] = ()
    revoked: tuple[x509.CertificateRevocationList, ...] = ()
    serials: frozenset[str] | None = frozenset()


def read_trust(folder: Path) -> Trust:
    """Return what stands in a folder: ``*.pem`` anchors, ``*.crl`` lists and ``devices.json``.

    A folder or file that is missing is empty: then nothing is believed. ``devices.json`` is a
    list of objects like ``{"serialNo": "...", "type": "Finger"}``.

    Raises:
        TrustUnreadable: a file that is there cannot be read as what it should be.
    """
    anchors: list[x509.Certificate] = []
    for path in sorted(folder.glob("*.pem")):
        anchors.extend(_read(path, x509.load_pem_x509_certificates))
    return Trust(
        anchors=tuple(anchors),
        revoked=tuple(_read(path, _load_list) for path in sorted(folder.glob("*.crl"))),
        serials=_read(folder / DEVICES, _serials) if (folder / DEVICES).exists() else frozenset(),
    )


def _read(path: Path, load: Callable[[bytes], _T]) -> _T:
    try:
        if path.stat().st_size > _MOST:
            raise TrustUnreadable(f"{path}: larger than {_MOST} bytes")
        return load(path.read_bytes())
    except OSError as error:
        raise TrustUnreadable(f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise TrustUnreadable(f"{path}: {error}") from error


def _load_list(data: bytes) -> x509.CertificateRevocationList:
    if data.lstrip().startswith(b"-----"):
        return x509.load_pem_x509_crl(data)
    return x509.load_der_x509_crl(data)


def _serials(data: bytes) -> frozenset[str]:
    entries = json.loads(data)
    if not isinstance(entries, list):
        raise TrustUnreadable("not a list of devices")
    serials = [entry.get("serialNo") if isinstance(entry, dict) else None for entry in entries]
    if not all(isinstance(serial, str) and serial for serial in serials):
        raise TrustUnreadable("a device without a serialNo")
    return frozenset(str(serial) for serial in serials)
