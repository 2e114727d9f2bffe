"""Opening the kiosk's camera and readers by the names its settings give them.

It takes no picture and no finger. Stand-ins come from here too, with whoever presses on them.
"""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Final, Protocol

from hardware.camera.open import open_camera
from hardware.camera.port import Camera
from hardware.camera.sitter import SitterCamera
from hardware.errors import Unplugged
from hardware.finger.open import open_reader
from hardware.finger.port import FingerReader, StandIn
from hardware.finger.simulated_reader import SimulatedReader
from hardware.iris.port import Eye, IrisReader
from hardware.libfprint.simulated import SimulatedLibfprint
from hardware.sbi.client import SbiClient
from hardware.sbi.face import SbiCamera
from hardware.sbi.finger import SbiFingerReader
from hardware.sbi.iris import SbiIrisReader
from hardware.sbi.simulator import SbiSimulator
from hardware.sbi.trust import Trust, TrustUnreadable, read_trust
from hardware.sbi.vocabulary import PORTS, Modality
from kiosk.sbi_records import FingerScores, IsoRecords
from kiosk.settings import Settings

ANCHORS: Final = "sbi-anchors"
"""Folder, in the kiosk's own, of whom SBI devices are trusted by; see `hardware.sbi.trust`."""
NONE: Final = "none"
_SBI: Final = "sbi"
_SIMULATED: Final = "sbi-simulated"
_STAND_IN: Final = "simulated"
SITTER: Final = "sitter:"


class Eyes(Protocol):
    """What a simulated iris scanner has beside: somebody who looks into it."""

    def show(self, person_seed: int, *eyes: Eye) -> None:
        """Have a person look into it with these eyes open, none for both."""
        ...


class Readers:
    """What the settings of one kiosk name.

    Args:
        now: the time, aware.
    """

    def __init__(self, settings: Settings, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._now = now
        self._lock = threading.Lock()
        self._simulator: SbiSimulator | None = None

    @property
    def simulated(self) -> bool:
        """Return whether a device is a stand-in, so that somebody must play the citizen."""
        settings = self._settings
        names = (settings.camera, settings.reader, settings.iris)
        return any(name.endswith(_STAND_IN) or name.startswith(SITTER) for name in names)

    def camera(self) -> Camera:
        """Return the camera.

        Raises:
            Broken: it is not there, or is not trusted.
        """
        kind, _, serial = self._settings.camera.partition(":")
        if kind in {_SBI, _SIMULATED}:
            client = self._client(Modality.FACE, kind, serial)
            return SbiCamera(client, simulated=kind == _SIMULATED)
        return open_camera(self._settings.camera)

    def sitter(self, camera: Camera) -> SitterCamera | None:
        """Return who sits before a simulated camera, None before one in earnest."""
        if self._settings.camera == _SIMULATED:
            return self._simulated().sitter
        return camera if isinstance(camera, SitterCamera) else None

    def fingers(self) -> FingerReader:
        """Return the reader of fingers.

        Raises:
            Broken: it is not there, does not answer as such a reader does, or is not trusted.
        """
        kind, _, serial = self._settings.reader.partition(":")
        if kind in {_SBI, _SIMULATED}:
            client = self._client(Modality.FINGER, kind, serial)
            return SbiFingerReader(client, simulated=kind == _SIMULATED)
        return open_reader(self._settings.reader)

    def irises(self) -> IrisReader:
        """Return the iris scanner.

        Raises:
            Broken: none is set, it is not there, or is not trusted.
        """
        kind, _, serial = self._settings.iris.partition(":")
        if kind in {_SBI, _SIMULATED}:
            client = self._client(Modality.IRIS, kind, serial)
            return SbiIrisReader(client, simulated=kind == _SIMULATED)
        raise Unplugged("no iris scanner is set")

    def hand(self, reader: FingerReader) -> StandIn | None:
        """Return the hand that presses on a stand-in, None for a reader in earnest."""
        if self._settings.reader == _SIMULATED:
            return self._simulated()
        return reader if isinstance(reader, SimulatedReader | SimulatedLibfprint) else None

    def eyes(self) -> Eyes | None:
        """Return whoever looks into a simulated iris scanner, None before one in earnest."""
        return self._simulated() if self._settings.iris == _SIMULATED else None

    def close(self) -> None:
        """Let the stand-ins go; may be called twice."""
        with self._lock:
            if self._simulator is not None:
                self._simulator.stop()

    def _simulated(self) -> SbiSimulator:
        with self._lock:
            if self._simulator is None:
                self._simulator = SbiSimulator(IsoRecords(), self._now)
            return self._simulator

    def _client(self, modality: Modality, kind: str, serial: str) -> SbiClient:
        simulator = self._simulated() if kind == _SIMULATED else None
        return SbiClient(
            modality,
            trust=self._trust() if simulator is None else simulator.trust,
            records=IsoRecords(),
            scores=FingerScores() if modality is Modality.FINGER else None,
            now=self._now,
            serial=serial or None,
            ports=PORTS if simulator is None else (simulator.port,),
        )

    def _trust(self) -> Trust:
        try:
            return read_trust(self._settings.data / ANCHORS)
        except (TrustUnreadable, OSError) as error:
            # A file that cannot be read is mended while the kiosk runs, as a plug is put back.
            raise Unplugged(f"whom to trust cannot be read: {error}") from error
