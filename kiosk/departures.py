"""People who left before their capture was sealed: kept until the server knows, then forgotten.

It holds a visit's id and why it ended, nothing of the person.
"""

import logging
from http import HTTPStatus
from pathlib import Path
from typing import Protocol
from uuid import UUID

from kiosk import durable
from kiosk.protocol import LeaveVisit
from kiosk.uplink import Refused, UplinkError

log = logging.getLogger(__name__)

_LARGEST = 4096
_OVER_THERE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT})
"""The server knows better: the visit is none of ours, or over by time or by its capture."""


class Ear(Protocol):
    """Whoever tells the server."""

    def leave(self, leave: LeaveVisit) -> None:
        """Tell the server that a visit ended without a capture.

        Raises:
            UplinkError: it could not be told, or says no.
        """
        ...


class Departures:
    """A folder of one small file for each visit the server has not been told of."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, leave: LeaveVisit) -> None:
        """Keep `leave` until it is sent, durably.

        Raises:
            OSError: the disk refused.
        """
        durable.replace(self._path(leave.visit_id), leave.model_dump_json().encode())

    def __contains__(self, visit: UUID) -> bool:
        return self._path(visit).exists()

    def send(self, ear: Ear) -> int:
        """Tell the server of everybody who left, and return how many it has not heard of yet."""
        waiting = 0
        for path in sorted(self._folder.glob("*.json")):
            try:
                leave = LeaveVisit.model_validate_json(path.read_bytes()[:_LARGEST])
            except ValueError:
                log.warning("%s is no departure and was let go", path.name)
                path.unlink()
                continue
            try:
                ear.leave(leave)
            except Refused as error:
                log.warning("departure %s: %s", path.stem, error)
                if error.status not in _OVER_THERE:
                    # It is about us, not about the visit: a clock set wrong is set right again.
                    waiting += 1
                    continue
            except UplinkError:
                waiting += 1
                continue
            path.unlink(missing_ok=True)
        return waiting

    def _path(self, visit: UUID) -> Path:
        return self._folder / f"{visit}.json"
