"""Fingers this station knows: its officers' own, and those it saw today for other dossiers.

They help to notice a wrong finger while the person is still there, and are no evidence: they are
never sent anywhere. It judges nothing and calls nobody.

Today's lie in a folder that the kiosks of a station may share, under a key of the day beside
them; key and entries are erased at night, and at a start that finds them stale. So nobody reads
yesterday's from a copy of the disk; whoever can read the folder today can read today's. Officers'
stay, in this kiosk's own folder, under a key made of the kiosk's own.
"""

import logging
import secrets
import threading
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import cbor2
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from biometrics.capture import MAX_ID, MAX_RECORD, Print
from biometrics.finger import limits
from biometrics.finger.known import Hit, HitKind
from biometrics.finger.minutiae import Minutiae
from biometrics.finger.search import Gallery
from biometrics.records import minutiae as records
from biometrics.records.minutiae import RecordInvalid
from kiosk import durable, shelf

log = logging.getLogger(__name__)

FOLDER: Final = "references"
OFFICERS: Final = "officers.ref"
_KEY: Final = ".key"
_ENTRY: Final = ".ref"
_MOST: Final = 20
"""Fingers of one entry: ten plain, ten rolled."""
_OFFICERS_INFO: Final = b"thunhan officers' references 1"
_CANDIDATES: Final = 3

Fingers = tuple[tuple[int, bytes], ...]
"""Position and minutiae record (ISO/IEC 19794-2) of each."""


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Whose:
    """One reference: whose it is (an officer's name, or a dossier's code), and where it lies."""

    kind: HitKind
    who: str
    entry: str
    number: int


def fingers_of(prints: Iterable[Print]) -> Fingers:
    """Return what is remembered of prints: those that have a record of minutiae."""
    return tuple((one.position, one.template) for one in prints if one.template is not None)


def officers_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the key of the officers' references, made of the kiosk's own."""
    secret = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    made = HKDF(algorithm=hashes.SHA256(), length=shelf.KEY_BYTES, salt=None, info=_OFFICERS_INFO)
    return made.derive(secret)


class References:
    """The references of one kiosk; every method may be called from any thread.

    Args:
        folder: of today's, perhaps shared with other kiosks.
        own: folder of the officers'.
        key: of the officers'.
    """

    def __init__(self, folder: Path, own: Path, key: bytes) -> None:
        self._folder = folder
        self._path = own / OFFICERS
        self._officers_key = key
        self._lock = threading.Lock()
        self._gallery = Gallery[Whose]()
        self._read: dict[str, list[Whose]] = {}
        """What each file gave, so that each is read once."""
        self._officers = self._recall()
        for who, fingers in self._officers.items():
            self._take_in(HitKind.OFFICER, who, OFFICERS, fingers)

    # Today's

    def sweep(self, on: date) -> None:
        """Erase what is not of the day `on`; a disk that refuses is said and tried again."""
        with self._lock:
            for path in self._files():
                if path.name.startswith(_day(on)):
                    continue
                self._forget(path.name)
                try:
                    shelf.erase(path)
                except OSError:
                    log.exception("a reference of another day could not be erased")

    def keep(self, dossier: str, prints: Iterable[Print], *, on: date) -> None:
        """Remember the fingers that were captured for `dossier` until the night.

        Raises:
            OSError: the disk refused.
        """
        entry = cbor2.dumps({"dossier": dossier, "fingers": list(fingers_of(prints))})
        name = f"{_day(on)}{secrets.token_hex(8)}{_ENTRY}"
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        durable.replace(self._folder / name, shelf.lock(self._key_of(on), name, entry))

    def refresh(self, on: date) -> None:
        """Take in what the station's kiosks have seen on the day `on`, and erase what is older."""
        self.sweep(on)
        with self._lock:
            for path in self._files():
                if path.suffix == _ENTRY and path.name not in self._read:
                    self._take(path, on)

    def known(self, dossier: str, *, on: date) -> "KnownFingers":
        """Return who is known to whoever is captured for `dossier` on the day `on`.

        Nothing is read yet, so that nobody waits for it; each look at a finger reads what is new.
        """
        return KnownFingers(self, dossier, on)

    # Officers'

    def enrol(self, officer: str, prints: Iterable[Print]) -> None:
        """Remember an officer's own fingers, in place of what was known of them.

        Raises:
            OSError: the disk refused; what was known stays.
        """
        with self._lock:
            self._write({**self._officers, officer: fingers_of(prints)})

    def retire(self, officers: Collection[str]) -> None:
        """Forget everybody who is not among `officers`: they work elsewhere now.

        No officers at all say nothing: the roster has not come yet.

        Raises:
            OSError: the disk refused.
        """
        with self._lock:
            if not officers:
                return
            left = {who: known for who, known in self._officers.items() if who in officers}
            if left != self._officers:
                self._write(left)

    def enrolled(self, officer: str) -> bool:
        """Return whether fingers of `officer` are known."""
        with self._lock:
            return officer in self._officers

    # Looking

    def search(self, minutiae: Minutiae) -> tuple[tuple[Whose, float], ...]:
        """Return the likest references, best first."""
        with self._lock:
            found = self._gallery.search(minutiae, most=_CANDIDATES)
        return tuple((one.key, one.score) for one in found)

    def _files(self) -> list[Path]:
        try:
            return sorted(self._folder.iterdir())
        except OSError:
            return []

    def _key_of(self, on: date) -> bytes:
        path = self._folder / f"{_day(on)}{_KEY}"
        key = shelf.first(path, secrets.token_bytes(shelf.KEY_BYTES))
        if len(key) != shelf.KEY_BYTES:
            raise OSError(f"{path.name} holds no key")
        return key

    def _take(self, path: Path, on: date) -> None:
        self._read[path.name] = []
        try:
            plain = shelf.unlock(self._key_of(on), path.name, shelf.read(path))
            dossier, fingers = _entry(plain)
        except (OSError, shelf.NotOurs) as error:
            log.warning("a reference cannot be read: %s", error)
            return
        self._take_in(HitKind.TODAY, dossier, path.name, fingers)

    def _take_in(self, kind: HitKind, who: str, entry: str, fingers: Fingers) -> None:
        taken = self._read.setdefault(entry, [])
        for _, template in fingers:
            whose = Whose(kind=kind, who=who, entry=entry, number=len(taken))
            try:
                (view, *_) = records.decode(template).views
            except (RecordInvalid, ValueError):
                log.warning("a reference holds no minutiae")
                continue
            self._gallery.add(whose, records.as_minutiae(view))
            taken.append(whose)

    def _forget(self, name: str) -> None:
        for whose in self._read.pop(name, ()):
            self._gallery.remove(whose)

    def _recall(self) -> dict[str, Fingers]:
        try:
            plain = shelf.unlock(self._officers_key, OFFICERS, shelf.read(self._path))
            return {who: _fingers(rows) for who, rows in cbor2.loads(plain).items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, AttributeError, cbor2.CBORDecodeError) as error:
            log.warning("the officers' references cannot be read: %s", error)
            return {}

    def _write(self, officers: dict[str, Fingers]) -> None:
        plain = cbor2.dumps({who: list(known) for who, known in officers.items()})
        durable.replace(self._path, shelf.lock(self._officers_key, OFFICERS, plain))
        self._forget(OFFICERS)
        self._officers = officers
        for who, known in officers.items():
            self._take_in(HitKind.OFFICER, who, OFFICERS, known)


class KnownFingers:
    """What one visit may be told; a `biometrics.finger.known.Known`.

    Fingers captured for the visit's own dossier are no news: a second visit brings the same.
    """

    def __init__(self, references: References, dossier: str, on: date) -> None:
        self._references = references
        self._dossier = dossier
        self._on = on

    def find(self, minutiae: Minutiae) -> Hit | None:
        """Return whose finger this surely is, None where it is nobody's that is known."""
        self._references.refresh(self._on)
        for whose, score in self._references.search(minutiae):
            own = whose.kind is HitKind.TODAY and whose.who == self._dossier
            if score >= limits.SAME_FROM.value and not own:
                return Hit(kind=whose.kind, who=whose.who, score=score)
        return None


def _day(on: date) -> str:
    return f"{on.isoformat()}-"


def _entry(plain: bytes) -> tuple[str, Fingers]:
    try:
        entry = cbor2.loads(plain)
        dossier = entry["dossier"]
        if not isinstance(dossier, str) or not 0 < len(dossier) <= MAX_ID:
            raise shelf.NotOurs("an entry names no dossier")
        return dossier, _fingers(entry["fingers"])
    except (cbor2.CBORDecodeError, KeyError, TypeError) as error:
        raise shelf.NotOurs("an entry is not as we write it") from error


def _fingers(rows: object) -> Fingers:
    if not isinstance(rows, list) or len(rows) > _MOST:
        raise shelf.NotOurs("an entry holds no fingers")
    found: list[tuple[int, bytes]] = []
    for row in rows:
        match row:
            case [int(position), bytes(record)] if len(record) <= MAX_RECORD:
                found.append((position, record))
            case _:
                raise shelf.NotOurs("an entry holds something else than fingers")
    return tuple(found)
