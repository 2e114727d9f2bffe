"""A client of one SBI device on this machine: found by its serial number, asked, and held to it.

What comes back was verified or is not returned at all. It shows no picture and judges none.
"""

import datetime as dt
import threading
import time
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from hardware.errors import Unplugged
from hardware.sbi.asked import Asked
from hardware.sbi.chain import FIRST
from hardware.sbi.discovery import PATIENCE, Device, discover
from hardware.sbi.distrust import Distrusted
from hardware.sbi.evidence import Evidence, Taken
from hardware.sbi.exchange import ask_capture, expect, read_capture, write_capture
from hardware.sbi.live import Live
from hardware.sbi.messages import (
    CaptureRequest,
    StreamRequest,
)
from hardware.sbi.outcomes import Mendable
from hardware.sbi.port import Records, Scores
from hardware.sbi.raw import MOST_CAPTURE, Answer, Line
from hardware.sbi.trust import Trust
from hardware.sbi.verify import check_device, verify
from hardware.sbi.vocabulary import (
    PORTS,
    Modality,
    Purpose,
    SubId,
)

SCORE: Final = 40
"""Quality 0..100 at which a device takes the picture by itself, where nobody says another."""
_LATE: Final = 2.0
"""Seconds that a device may answer after the time it was given, at most."""


@dataclass(slots=True)
class Carried:
    """The hash that the next record is tied to; shared by the clients of one station."""

    hash: str = FIRST


class SbiClient:
    """One device, found again wherever its service comes up.

    Args:
        modality: of the device.
        trust: whom the station believes.
        records: reads ISO records.
        now: the time, aware.
        serial: of the device; None: the first that is trusted.
        scores: measures quality again; None: claims are not checked.
        carried: the hash chain, where it is shared with other clients.
        ports: where services are looked for.
        token: for services that want one.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        modality: Modality,
        *,
        trust: Trust,
        records: Records,
        now: Callable[[], dt.datetime],
        serial: str | None = None,
        scores: Scores | None = None,
        carried: Carried | None = None,
        ports: Iterable[int] = PORTS,
        token: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.modality = modality
        self.carried = Carried() if carried is None else carried
        self._trust, self._records, self._scores = trust, records, scores
        self._now, self._clock = now, clock
        self._serial, self._ports, self._token = serial, tuple(ports), token
        self._asking = threading.Lock()
        self._guard = threading.Lock()
        self._device: Device | None = None
        self._open: weakref.WeakSet[Line | Live] = weakref.WeakSet()
        self._closed = False

    def find(self, *, deadline: float = PATIENCE) -> Device:
        """Return the device, looked for where it is not known (any more).

        Raises:
            Unplugged: none of this modality and serial number is there, or closed.
            Distrusted: it is there, and not trusted.
        """
        with self._guard:
            if self._closed:
                raise Unplugged("the device was closed")
            if self._device is not None:
                return self._device
        device = self._look(deadline)
        with self._guard:
            if self._closed:
                raise Unplugged("the device was closed")
            self._device = device
        return device

    def capture(
        self,
        asked: Asked,
        *,
        deadline: float,
        score: int = SCORE,
        progress: Callable[[float], None] | None = None,
    ) -> tuple[Taken, ...] | Mendable:
        """Ask for pictures and return them verified, in the order in which they were asked for.

        Args:
            asked: what is wanted.
            deadline: seconds until the whole command must have ended; the device is given a
                little less, and takes its best picture when that is over.
            score: quality 0..100 at which the device takes the picture by itself.
            progress: told the share (0..1) of the answer that has come over.

        Raises:
            Unplugged: the device went away; the next call looks for it again.
            Silent, Garbled, Refused: see `hardware.errors`.
            Distrusted: what came did not pass a check.
        """
        until = self._clock() + deadline
        with self._asking:
            device = self.find(deadline=min(PATIENCE, deadline))
            left = until - self._clock()
            message = write_capture(
                device,
                asked,
                # The device may answer late; ours is the deadline that must hold.
                seconds=max(0.1, left - min(_LATE, left / 4)),
                score=score,
                previous=self.carried.hash,
                now=self._now(),
            )
            answer = self._ask(device.port, message, until, progress)
            captured = read_capture(answer, f"port {device.port}")
            if isinstance(captured, Mendable):
                return captured
            taken = verify(
                Evidence(
                    captured,
                    expect(message, device, asked, self._now()),
                    trust=self._trust,
                    records=self._records,
                    scores=self._scores,
                )
            )
            self.carried.hash = taken[-1].hash.upper()
        return tuple(sorted(taken, key=lambda one: asked.sub_types.index(one.sub_type)))

    def stream(self, sub_id: SubId, *, seconds: float) -> Live:
        """Return the device's live pictures for so many seconds; it is asked once they are read.

        Raises:
            Unplugged: the device is not there.
            Distrusted: it is not trusted.
        """
        device = self.find()
        body = StreamRequest(
            device_id=device.info.device_id,
            device_sub_id=sub_id,
            timeout=str(int(seconds * 1000)),
        ).encode()
        with self._guard:
            if self._closed:
                raise Unplugged("the device was closed")
            live = Live(self._line(device.port), body, self._lose)
            self._open.add(live)
        return live

    def close(self) -> None:
        """End what is under way, from whatever thread; may be called twice."""
        with self._guard:
            self._closed = True
            self._device = None
            under_way = tuple(self._open)
        for one in under_way:
            one.close()

    def _look(self, deadline: float) -> Device:
        refusal: Distrusted | None = None
        services = discover(
            deadline=deadline, ports=self._ports, token=self._token, clock=self._clock
        )
        for device in (device for service in services for device in service.devices):
            if device.identity.type != self.modality or device.info.purpose not in {
                "",
                Purpose.REGISTRATION,
            }:
                continue
            if self._serial not in {None, device.identity.serial_no}:
                continue
            try:
                check_device(device, self._trust, self._now())
            except Distrusted as error:
                refusal = refusal or error
                continue
            return device
        if refusal is not None:
            raise refusal
        named = "" if self._serial is None else f" {self._serial}"
        raise Unplugged(f"no SBI {self.modality.lower()} device{named} on this machine")

    def _ask(
        self,
        port: int,
        message: CaptureRequest,
        until: float,
        progress: Callable[[float], None] | None,
    ) -> Answer:
        with self._guard:
            if self._closed:
                raise Unplugged("the device was closed")
            line = self._line(port)
            self._open.add(line)
        try:
            return line.ask(
                ask_capture(message),
                deadline=until - self._clock(),
                most=MOST_CAPTURE,
                progress=progress,
            )
        except Unplugged:
            self._lose(port)
            raise

    def _line(self, port: int) -> Line:
        return Line(port, token=self._token, clock=self._clock)

    def _lose(self, port: int) -> None:
        with self._guard:
            if self._device is not None and self._device.port == port:
                self._device = None
