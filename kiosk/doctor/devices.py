"""The devices as an examination gets at them: opened for it, or lent by the running kiosk.

It examines nothing.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from hardware.camera.open import open_camera
from hardware.camera.port import CameraInfo, Frame
from hardware.codes.open import open_code_reader
from hardware.codes.port import CodeReaderInfo
from hardware.errors import Silent, Unplugged
from hardware.finger.open import open_reader
from hardware.finger.port import FingerReader
from hardware.printer.open import open_printer
from hardware.printer.port import PrinterInfo, PrinterStatus
from kiosk.fittings import Fittings
from kiosk.settings import Settings

_ANSWER: Final = 2.0
_FRAME: Final = 2.0
"""Seconds that one frame may let wait for itself; then the camera counts as silent."""


class Devices(Protocol):
    """Where an examination finds the devices. Each raises `Broken` where one is not there."""

    def frames(self, count: int) -> tuple[CameraInfo, list[Frame]]:
        """Return what the camera is and `count` frames that follow each other."""
        ...

    def reader(self) -> AbstractContextManager[FingerReader | None]:
        """Lend the fingerprint reader; None where somebody else has it just now."""
        ...

    def scanner(self) -> CodeReaderInfo:
        """Return what the scanner is."""
        ...

    def printer(self) -> tuple[PrinterInfo, PrinterStatus | None]:
        """Return what the printer is and how it does, None where it does not say."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Devices that are opened for the examination, where no kiosk runs."""

    settings: Settings

    def frames(self, count: int) -> tuple[CameraInfo, list[Frame]]:
        """Return what the camera is and `count` frames that follow each other.

        Raises:
            Broken: it is not there.
        """
        camera = open_camera(self.settings.camera)
        try:
            return camera.info, [camera.read() for _ in range(count)]
        finally:
            camera.close()

    @contextmanager
    def reader(self) -> Iterator[FingerReader | None]:
        """Lend the fingerprint reader.

        Raises:
            Broken: it is not there.
        """
        reader = open_reader(self.settings.reader)
        try:
            yield reader
        finally:
            reader.close()

    def scanner(self) -> CodeReaderInfo:
        """Return what the scanner is.

        Raises:
            Broken: it is not there.
        """
        scanner = open_code_reader(self.settings.code_reader)
        try:
            return scanner.info
        finally:
            scanner.close()

    def printer(self) -> tuple[PrinterInfo, PrinterStatus | None]:
        """Return what the printer is and how it does.

        Raises:
            Broken: it is not there.
        """
        printer = open_printer(self.settings.printer)
        try:
            return printer.info, printer.status(deadline=_ANSWER)
        finally:
            printer.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lent:
    """Devices of a running kiosk, which goes on using them."""

    fittings: Fittings

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
