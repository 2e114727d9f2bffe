"""Offers the station's camera and readers to other programs over SBI: `python -m kiosk.sbi`.

Settings as of the kiosk (see `settings`). It captures nobody by itself, and does not run beside a
kiosk that holds the same devices.
"""

import argparse
import datetime as dt
import logging
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Final

import cv2

from biometrics.face.judge import FrameInvalid, PortraitJudge
from hardware.camera.open import CameraUnknown, open_camera
from hardware.errors import Broken
from hardware.finger.open import ReaderUnknown
from hardware.finger.port import FingerReader, Touch
from hardware.iris.port import IrisReader
from hardware.sbi.answers import Answers, Signer
from hardware.sbi.desk import Desk
from hardware.sbi.offers import CameraOffer, Card, FingerOffer, IrisOffer
from hardware.sbi.port import FacePicture
from hardware.sbi.service import PortsTaken, SbiService
from hardware.sbi.vocabulary import PORTS, Environment, Modality
from kiosk import clock
from kiosk.readers import NONE, Readers
from kiosk.sbi_keys import FOLDER, SbiKeyUnfit, StationKeys
from kiosk.sbi_records import FingerScores, IsoRecords
from kiosk.settings import Settings, SettingsMissing

log = logging.getLogger("kiosk.sbi")

MAKE: Final = "Thu Nhan"
_ALL: Final = 100


class StationScores(FingerScores):
    """Beside fingers it scores faces, of which no measure is agreed: by the checks they pass."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._judge: PortraitJudge | None = None

    def face(self, picture: FacePicture) -> int | None:
        """Return how many of a hundred portrait checks a face passes; 0 where there is no face."""
        with self._lock:
            if self._judge is None:
                self._judge = PortraitJudge()
            try:
                verdict = self._judge.judge(picture.pixels)
            except FrameInvalid:
                return None
        if verdict.faces == 0:
            return 0
        passed = [one.passed for one in verdict.findings if one.passed is not None]
        return round(_ALL * sum(passed) / len(passed)) if passed else None


class StationAnswers(Answers):
    """Answers signed by whichever key is the station's at the time."""

    def __init__(self, keys: StationKeys, now: Callable[[], dt.datetime], env: Environment) -> None:
        super().__init__(keys.signer(now()), IsoRecords(), now, env)
        self._keys = keys

    def signer(self) -> Signer:
        """Return whose key signs."""
        return self._keys.signer(self.moment())


def finger_offer(reader: FingerReader) -> FingerOffer:
    """Return a reader of fingers as an SBI device."""
    info = reader.info
    card = Card(
        device_id="1",
        modality=Modality.FINGER,
        serial=info.serial,
        make=MAKE,
        model=info.name,
        firmware="simulated" if info.simulated else "",
        several=Touch.SLAP in info.takes,
        rolls=Touch.ROLLED in info.takes,
    )
    return FingerOffer(reader, card)


def iris_offer(reader: IrisReader) -> IrisOffer:
    """Return an iris reader as an SBI device."""
    info = reader.info
    card = Card(
        device_id="3",
        modality=Modality.IRIS,
        serial=info.serial,
        make=MAKE,
        model=info.name,
        firmware="simulated" if info.simulated else "",
        several=info.both,
    )
    return IrisOffer(reader, card)


def face_offer(spec: str, station: str) -> CameraOffer:
    """Return the camera of that name as an SBI device; it has no serial number but the station's.

    Raises:
        CameraUnknown, Broken: see `open_camera`.
    """
    camera = open_camera(spec)
    info = camera.info
    camera.close()
    card = Card(
        device_id="2",
        modality=Modality.FACE,
        serial=f"{station}-camera",
        make=MAKE,
        model=info.name,
        firmware="simulated" if info.simulated else "",
    )
    return CameraOffer(lambda: open_camera(spec), card)


def serve(
    settings: Settings,
    over: threading.Event,
    *,
    env: Environment = Environment.PRODUCTION,
    open_to_all: bool = False,
    ports: Sequence[int] = PORTS,
) -> None:
    """Offer what the settings name until `over` is set.

    Args:
        settings: of the kiosk.
        over: ends the service.
        env: where it says it works; requests for another environment are refused.
        open_to_all: whether programs of this machine may ask without the token.
        ports: the first free one is taken; 0 is any.

    Raises:
        SbiKeyUnfit: a key file cannot be used.
        PortsTaken: no port is free.
        CameraUnknown, ReaderUnknown, Broken: a device is not there.
    """
    cv2.setNumThreads(1)
    keys = StationKeys(settings.data, settings.name, clock.now())
    with ExitStack() as stack:
        readers = Readers(settings, clock.now)
        stack.callback(readers.close)
        offers: list[FingerOffer | IrisOffer | CameraOffer] = []
        offers.append(finger_offer(readers.fingers()))
        stack.callback(offers[-1].close)
        offers.append(face_offer(settings.camera, settings.name))
        if settings.iris != NONE:
            offers.append(iris_offer(readers.irises()))
            stack.callback(offers[-1].close)
        desk = Desk(offers, StationAnswers(keys, clock.now, env), StationScores())
        service = SbiService(desk, token=None if open_to_all else keys.token, ports=ports)
        stack.callback(service.stop)
        log.info("port %d; token and authority in %s", service.port, settings.data / FOLDER)
        over.wait()


def main(arguments: Sequence[str] | None = None) -> int:
    """Offer the devices of this environment until told to end."""
    parser = argparse.ArgumentParser(prog="python -m kiosk.sbi", description=__doc__)
    parser.add_argument(
        "--environment",
        type=Environment,
        choices=[one for one in Environment if one is not Environment.NONE],
        default=Environment.PRODUCTION,
        help="where it says it works; requests for another environment are refused",
    )
    parser.add_argument(
        "--without-token",
        action="store_true",
        help="let every program of this machine ask: for clients that can send no token",
    )
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    over = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: over.set())
    try:
        serve(
            Settings.from_environment(),
            over,
            env=chosen.environment,
            open_to_all=chosen.without_token,
        )
    except (
        SettingsMissing, SbiKeyUnfit, PortsTaken, CameraUnknown, ReaderUnknown, Broken, OSError
    ) as error:  # fmt: skip
        sys.stderr.write(f"kiosk.sbi: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
