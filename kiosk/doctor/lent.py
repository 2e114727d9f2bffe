"""Devices that a running kiosk lends to its examination, and goes on using.

It examines nothing.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from hardware.camera.port import CameraInfo, Frame
from hardware.codes.port import CodeReaderInfo
from hardware.errors import Silent, Unplugged
from hardware.finger.port import FingerReader
from hardware.iris.port import IrisInfo
from hardware.printer.port import PrinterInfo, PrinterStatus
from kiosk.booth import IRIS
from kiosk.fittings import Fittings

_FRAME: Final = 2.0
"""Seconds that one frame may let wait for itself; then the camera counts as silent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lent:
    """Devices of a running kiosk, which goes on using them.

    Attributes:
        away: names of the devices that do not work now, as the booth keeps them.
    """

    fittings: Fittings
    away: Collection[str] = ()

    def frames(self, count: int) -> tuple[CameraInfo, list[Frame]]:
        """Return what the camera is and `count` frames that follow each other.

        Raises:
            Unplugged: it is not there.
            Silent: it gives no frames.
        """
        lens, frames, seen = self.fittings.lens, list[Frame](), 0
        until = self.fittings.clock.monotonic() + _FRAME
        while len(frames) < count:
            frame = lens.newest(seen)
            now = self.fittings.clock.monotonic()
            if frame is not None:
                seen, until = frame.number, now + _FRAME
                frames.append(frame)
            elif now >= until:
                raise Silent("the camera gives no pictures")
        if lens.info is None:
            raise Unplugged("the camera is not there")
        return lens.info, frames

    @contextmanager
    def reader(self) -> Iterator[FingerReader | None]:
        """Lend the fingerprint reader; None while a finger is wanted.

        Raises:
            Unplugged: it is not there.
        """
        reader = self.fittings.taker.lent()
        if reader is None and self.fittings.taker.standing.plan == ():
            raise Unplugged("the reader is not there")
        yield reader

    def irises(self) -> IrisInfo:
        """Return what the iris scanner is.

        Raises:
            Unplugged: it is not there.
        """
        irises = self.fittings.irises
        if irises is None or irises.info is None or IRIS in self.away:
            raise Unplugged("the iris scanner is not there")
        return irises.info

    def scanner(self) -> CodeReaderInfo:
        """Return what the scanner is.

        Raises:
            Unplugged: it is not there.
        """
        scanner = self.fittings.scanner
        if scanner is None or scanner.info is None:
            raise Unplugged("the scanner is not there")
        return scanner.info

    def printer(self) -> tuple[PrinterInfo, PrinterStatus | None]:
        """Return what the printer is and how it does.

        Raises:
            Broken: it is not there.
        """
        if self.fittings.paper is None:
            raise Unplugged("there is no printer")
        return self.fittings.paper.status()
