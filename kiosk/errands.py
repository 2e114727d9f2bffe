"""What the kiosk does for itself meanwhile: it asks for its station's news, and says who left.

It leads no visit and sends no capture (see `uploader`).
"""

import logging
import threading
from datetime import datetime
from typing import Final, Protocol

from kiosk.departures import Departures, Ear
from kiosk.protocol import CheckIn, RosterOfficer, Station, Visit
from kiosk.receipts import NotVouched
from kiosk.station import Known, StationMemory
from kiosk.uplink import UplinkError

log = logging.getLogger(__name__)

NEWS_EVERY: Final = 600.0
"""Seconds between two questions for the station's keys and officers."""
AGAIN_AFTER: Final = 15.0
"""Seconds until what failed is tried again."""


class Server(Ear, Protocol):
    """The server, as a visit needs it; see `kiosk.uplink.Uplink`."""

    def station(self) -> Station:
        """Return what this kiosk keeps to work without a network."""
        ...

    def check_in(self, who: CheckIn) -> Visit:
        """Return the visit of whoever brought this ticket or card."""
        ...


class Errands:
    """One thread; what it learnt last is at hand without a network."""

    def __init__(self, server: Server, memory: StationMemory, departures: Departures) -> None:
        self._server = server
        self._memory = memory
        self._departures = departures
        self._known = memory.recall()
        self._wake = threading.Event()
        self._stop = False
        self._thread = threading.Thread(target=self._run, name="errands", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the request under way."""
        self._stop = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def wake(self) -> None:
        """Run the errands now: somebody left."""
        self._wake.set()

    @property
    def known(self) -> Known | None:
        """Return what is known of the station, None before the server was reached once."""
        return self._known

    def officers(self) -> tuple[RosterOfficer, ...]:
        """Return who may help here."""
        return self._known.station.officers if self._known else ()

    def ready(self, *, now: datetime) -> bool:
        """Return whether a new visit could be sealed."""
        return self._known is not None and self._known.may_begin(now=now)

    def run(self) -> bool:
        """Run every errand once; False where something is left to do."""
        return all([self._ask_news(), self._departures.send(self._server) == 0])

    def _ask_news(self) -> bool:
        try:
            self._known = self._memory.keep(self._server.station())
        except (UplinkError, NotVouched, OSError) as error:
            log.info("no news of the station: %s", error)
            return False
        return True

    def _run(self) -> None:
        while not self._stop:
            self._wake.clear()
            try:
                done = self.run()
            except Exception:
                # The only thread that tells the server who left must outlive a full disk.
                log.exception("errands put off")
                done = False
            self._wake.wait(NEWS_EVERY if done else AGAIN_AFTER)
