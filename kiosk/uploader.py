"""Drains the outbox in the background, at once or days later, and never gives a capture up.

It decides when to try again; what is sent and believed is the uplink's affair.
"""

import logging
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from kiosk.ledger import Entry
from kiosk.outbox import Outbox
from kiosk.uplink import NoNetwork, Refused, ServerForeign, Uplink, UplinkError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How patient the uploader is."""

    first: timedelta = timedelta(seconds=2)
    """After the first failure; doubled by each that follows, with jitter."""
    longest: timedelta = timedelta(minutes=5)
    refused: timedelta = timedelta(hours=1)
    """Until a packet that the server did not want is offered again: it may have been settled."""
    patience: int = 5
    """Failures in a row until the packet they happened on lets the others go first."""
    grace: timedelta = timedelta(days=7)
    """How long a receipted packet stays on the disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Where things stand, for the kiosk's screens."""

    waiting: int
    refused: int
    failures: int
    """Attempts in a row that failed."""
    trouble: type[UplinkError] | None
    """What the last of them was."""


class Uploader:
    """One thread that sends what is due, oldest first."""

    def __init__(
        self,
        outbox: Outbox,
        uplink: Uplink,
        *,
        clock: Callable[[], datetime],
        pace: Pace | None = None,
    ) -> None:
        self._outbox = outbox
        self._uplink = uplink
        self._clock = clock
        self._pace = pace or Pace()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="uploader", daemon=True)
        self._failures = 0
        self._trouble: type[UplinkError] | None = None
        self._current = 0

    def start(self) -> None:
        """Begin; may be called once."""
        self._thread.start()

    def stop(self) -> None:
        """End after the request under way; nothing is lost by it."""
        self._stopping.set()
        self.wake()
        if self._thread.is_alive():
            self._thread.join()

    def wake(self) -> None:
        """Try now: the network is back, or somebody asked."""
        self._outbox.changed.set()

    @property
    def report(self) -> Report:
        """Where things stand."""
        entries = self._outbox.waiting()
        return Report(
            waiting=len(entries),
            refused=sum(entry.refusal is not None for entry in entries),
            failures=self._failures,
            trouble=self._trouble,
        )

    def drain(self) -> None:
        """Send everything that is due, then let go of what is past its grace.

        Raises:
            NoNetwork, Refused, ServerForeign: nothing more can be sent now. A refusal that is
                about one packet is recorded instead, and the next is sent.
        """
        for entry in self._due():
            self._current = entry.sequence
            self._send(entry)
            if self._stopping.is_set():
                return
        self._outbox.let_go(now=self._clock(), grace=self._pace.grace)

    def _due(self) -> list[Entry]:
        now = self._clock()
        due = [
            entry
            for entry in self._outbox.waiting()
            if entry.refused_at is None or entry.refused_at + self._pace.refused <= now
        ]
        if self._failures >= self._pace.patience:
            # It may be this one packet that the server stumbles over.
            due.sort(key=lambda entry: entry.sequence == self._current)
        return due

    def _send(self, entry: Entry) -> None:
        try:
            receipt = self._uplink.upload(entry, self._outbox.packet(entry))
        except Refused as error:
            if not error.final:
                raise
            log.warning("packet %d was refused: %s", entry.sequence, error.refusal.code)
            self._outbox.refused(entry, error.refusal, now=self._clock())
        except FileNotFoundError:
            # The outbox has raised its alarm for it; the others must still go.
            log.critical("packet %d is not there", entry.sequence)
        else:
            self._outbox.receipted(entry, receipt, now=self._clock())

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._outbox.changed.clear()
            try:
                self.drain()
            except (NoNetwork, Refused, ServerForeign) as error:
                self._failures += 1
                self._trouble = type(error)
                log.info("upload put off: %s", error)
            except Exception:
                # The thread is the only way out of the outbox: it must outlive a full disk.
                self._failures += 1
                log.exception("upload put off")
            else:
                self._failures, self._trouble = 0, None
            self._outbox.changed.wait(self._pause().total_seconds())

    def _pause(self) -> timedelta:
        if not self._failures:
            return self._pace.longest
        whole = min(self._pace.first * (1 << min(self._failures - 1, 16)), self._pace.longest)
        # Half of it fixed, half by chance: kiosks that lost one server do not return as one.
        return whole / 2 + whole / 2 * (secrets.randbelow(1001) / 1000)
