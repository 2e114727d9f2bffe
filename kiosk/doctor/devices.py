"""The devices as an examination gets at them, and how they are opened where no kiosk runs.

It examines nothing; a running kiosk lends its own (see `lent`).
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from hardware.camera.port import CameraInfo, Frame
from hardware.codes.open import open_code_reader
from hardware.codes.port import CodeReaderInfo
from hardware.finger.port import FingerReader
from hardware.iris.port import IrisInfo
from hardware.printer.open import open_printer
from hardware.printer.port import PrinterInfo, PrinterStatus
from kiosk.readers import Readers
from kiosk.settings import Settings

_ANSWER: Final = 2.0


class Devices(Protocol):
    """Where an examination finds the devices. Each raises `Broken` where one is not there."""

    def frames(self, count: int) -> tuple[CameraInfo, list[Frame]]:
        """Return what the camera is and `count` frames that follow each other."""
        ...

    def reader(self) -> AbstractContextManager[FingerReader | None]:
        """Lend the fingerprint reader; None where somebody else has it just now."""
        ...

    def irises(self) -> IrisInfo:
        """Return what the iris scanner is."""
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
    readers: Readers

    def frames(self, count: int) -> tuple[CameraInfo, list[Frame]]:
        """Return what the camera is and `count` frames that follow each other.

        Raises:
            Broken: it is not there.
        """
        camera = self.readers.camera()
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
        reader = self.readers.fingers()
        try:
            yield reader
        finally:
            reader.close()

    def irises(self) -> IrisInfo:
        """Return what the iris scanner is.

        Raises:
            Broken: it is not there.
        """
        reader = self.readers.irises()
        try:
            return reader.info
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
