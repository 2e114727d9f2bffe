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
CHIP: Final = "L1"
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
        chips: serials of those whose identity a chip signs with a key of its own (level L1);
            every other device signs its identity and its pictures with one key, or anybody with
            a certificate could send another's identity along.
    """

    anchors: tuple[x509.Certificate, ...] = ()
    revoked: tuple[x509.CertificateRevocationList, ...] = ()
    serials: frozenset[str] | None = frozenset()
    chips: frozenset[str] = frozenset()


def read_trust(folder: Path) -> Trust:
    """Return what stands in a folder: ``*.pem`` anchors, ``*.crl`` lists and ``devices.json``.

    A folder or file that is missing is empty: then nothing is believed. ``devices.json`` is a
    list of objects like ``{"serialNo": "...", "type": "Finger", "certification": "L0"}``, of which
    the first is a must.

    Raises:
        TrustUnreadable: a file that is there cannot be read as what it should be.
    """
    anchors: list[x509.Certificate] = []
    for path in sorted(folder.glob("*.pem")):
        anchors.extend(_read(path, x509.load_pem_x509_certificates))
    path = folder / DEVICES
    levels = _read(path, _levels) if path.exists() else {}
    return Trust(
        anchors=tuple(anchors),
        revoked=tuple(_read(path, _load_list) for path in sorted(folder.glob("*.crl"))),
        serials=frozenset(levels),
        chips=frozenset(serial for serial, level in levels.items() if level == CHIP),
    )


def _read(path: Path, load: Callable[[bytes], _T]) -> _T:
    try:
        if path.stat().st_size > _MOST:
            raise TrustUnreadable(f"{path}: larger than {_MOST} bytes")
        return load(path.read_bytes())
    except OSError as error:
        raise TrustUnreadable(f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError, x509.InvalidVersion) as error:
        raise TrustUnreadable(f"{path}: {error}") from error


def _load_list(data: bytes) -> x509.CertificateRevocationList:
    if data.lstrip().startswith(b"-----"):
        return x509.load_pem_x509_crl(data)
    return x509.load_der_x509_crl(data)


def _levels(data: bytes) -> dict[str, str]:
    """Return the level of certification of each enrolled serial number."""
    entries = json.loads(data)
    if not isinstance(entries, list):
        raise TrustUnreadable("not a list of devices")
    levels: dict[str, str] = {}
    for entry in entries:
        serial = entry.get("serialNo") if isinstance(entry, dict) else None
        if not isinstance(serial, str) or not serial:
            raise TrustUnreadable("a device without a serialNo")
        levels[serial] = str(entry.get("certification", ""))
    return levels
