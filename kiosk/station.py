"""What the kiosk remembers of its station, so that a visit can be sealed without a network.

Its sealing keys are held against the pinned key each time they are read. It fetches nothing.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import ValidationError

from biometrics.seal.keys import PublicKeys
from kiosk import durable
from kiosk.protocol import Station
from kiosk.receipts import NotVouched, sealing_keys, still_good

log = logging.getLogger(__name__)

_FILE = "station.json"
_MAX_FILE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A station whose keys the server vouches for."""

    station: Station
    keys: PublicKeys

    def may_begin(self, *, now: datetime) -> bool:
        """Return whether a new visit may begin; one that has begun is sealed in any case."""
        return still_good(self.station.keys, now=now)


class StationMemory:
    """One file, replaced whole whenever the server has said what is true now."""

    def __init__(self, folder: Path, receipt_key: ec.EllipticCurvePublicKey) -> None:
        self._path = folder / _FILE
        self._receipt_key = receipt_key

    def keep(self, station: Station) -> Known:
        """Remember `station`.

        Raises:
            NotVouched: its keys are not signed by the pinned key; the old memory stays.
            OSError: the disk refused; the old memory stays.
        """
        known = Known(station=station, keys=sealing_keys(station.keys, self._receipt_key))
        durable.replace(self._path, station.model_dump_json().encode())
        return known

    def recall(self) -> Known | None:
        """Return what was kept last; None where nothing was, or where it cannot be believed."""
        try:
            with self._path.open("rb") as file:
                station = Station.model_validate_json(file.read(_MAX_FILE))
            return Known(station=station, keys=sealing_keys(station.keys, self._receipt_key))
        except FileNotFoundError:
            return None
        except (OSError, ValidationError, NotVouched) as error:
            log.warning("what was kept of the station is let go: %s", type(error).__name__)
            return None
