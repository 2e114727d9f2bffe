"""SBI devices for rehearsals and tests: the real service over hands, a sitter and eyes made up.

Real HTTP on the loopback address, an authority of its own that is thrown away with it, and faults
on request. It announces itself as simulated in every device's model.
"""

import datetime as dt
import functools
import time
from collections.abc import Callable, Iterable
from typing import Final, Self

from cryptography import x509

from hardware.camera.sitter import SitterCamera
from hardware.finger.synthesis import Condition
from hardware.iris.port import Eye
from hardware.iris.simulated import SimulatedIrisReader
from hardware.sbi.answers import Signer
from hardware.sbi.authority import DEVICE_LIFE, Authority
from hardware.sbi.desk import Desk
from hardware.sbi.faults import Fault, Faults, FaultyAnswers, Signers, Wire
from hardware.sbi.offers import CameraOffer, Card, FingerOffer, IrisOffer, Offer
from hardware.sbi.port import Records, Scores
from hardware.sbi.service import SbiService
from hardware.sbi.slap_scanner import SERIAL, SlapScanner
from hardware.sbi.trust import Trust
from hardware.sbi.vocabulary import PORTS, Environment, Modality

MAKE: Final = "Thu Nhan"
FIRMWARE: Final = "simulated"
CARDS: Final = {
    Modality.FINGER: Card(
        device_id="1",
        modality=Modality.FINGER,
        serial=SERIAL,
        make=MAKE,
        model="simulated slap scanner",
        firmware=FIRMWARE,
        several=True,
        rolls=True,
    ),
    Modality.FACE: Card(
        device_id="2",
        modality=Modality.FACE,
        serial="SIMULATED-FACE",
        make=MAKE,
        model="simulated sitter",
        firmware=FIRMWARE,
    ),
    Modality.IRIS: Card(
        device_id="3",
        modality=Modality.IRIS,
        serial="SIMULATED-IRIS",
        make=MAKE,
        model="simulated iris reader",
        firmware=FIRMWARE,
        several=True,
    ),
}
_LONG_AGO: Final = 3 * DEVICE_LIFE


class SbiSimulator:
    """A service with a slap scanner, a face camera and an iris reader behind it.

    Args:
        records: writes ISO records.
        now: the time, aware.
        scores: measures quality; None: pictures are taken at once and claim none.
        person: who sits before the camera at first.
        modalities: which devices it has.
        intermediate: whether an authority stands between the root and the devices.
        token: that requests must carry, None for none.
        ports: the first free one is taken; 0 is any.
        env: where it says it works.
        clock: monotonic seconds.

    Attributes:
        faults: what is wrong with it.
        fingers: the slap scanner behind it.
        irises: the iris reader behind it.
        sitter: the camera behind it, with whoever sits there.

    Raises:
        PortsTaken: no port is free.
    """

    def __init__(
        self,
        records: Records,
        now: Callable[[], dt.datetime],
        *,
        scores: Scores | None = None,
        person: int = 1,
        modalities: Iterable[Modality] = tuple(Modality),
        intermediate: bool = True,
        token: str | None = None,
        ports: Iterable[int] = PORTS,
        env: Environment = Environment.STAGING,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.faults = Faults()
        self.fingers = SlapScanner(clock=clock)
        self.irises = SimulatedIrisReader(clock=clock)
        # Whoever sits there takes a second to come: no live picture waits for that.
        self.sitter = SitterCamera(person)
        self._root = Authority.create("simulated root", now())
        issuer = (
            self._root.intermediate("simulated provider", now()) if intermediate else self._root
        )
        right = issuer.issue("simulated device", now())
        revoked = issuer.issue("simulated device, taken back", now(), key=right.key)
        self.revocations = issuer.revoke(revoked.chain[:1], now())
        offers: dict[Modality, Callable[[], Offer]] = {
            Modality.FINGER: lambda: FingerOffer(self.fingers, CARDS[Modality.FINGER]),
            Modality.FACE: lambda: CameraOffer(
                lambda: self.sitter, CARDS[Modality.FACE], clock=clock
            ),
            Modality.IRIS: lambda: IrisOffer(self.irises, CARDS[Modality.IRIS]),
        }
        wanted = tuple(modalities)
        self._serials = frozenset(CARDS[modality].serial for modality in wanted)
        signers = Signers(
            right=right,
            wrong={
                Fault.REVOKED_LEAF: lambda: revoked,
                Fault.EXPIRED_LEAF: functools.cache(
                    lambda: issuer.issue("simulated device", now() - _LONG_AGO, key=right.key)
                ),
                Fault.UNTRUSTED_CHAIN: functools.cache(lambda: _stranger(right, now())),
            },
        )
        desk = Desk(
            [offers[modality]() for modality in wanted],
            FaultyAnswers(self.faults, signers, records, now, env),
            scores,
            clock=clock,
        )
        wire = Wire(self.faults)
        self._service = SbiService(desk, token=token, ports=ports, wrap=wire.around, clock=clock)

    @property
    def port(self) -> int:
        """Return the TCP port on the loopback address."""
        return self._service.port

    @property
    def anchor(self) -> bytes:
        """Return the root's certificate, PEM."""
        return self._root.anchor

    @property
    def trust(self) -> Trust:
        """Return the trust of a station that has enrolled these devices."""
        return Trust(
            anchors=tuple(x509.load_pem_x509_certificates(self.anchor)),
            revoked=(self.revocations,),
            serials=self._serials,
        )

    def present(self, person_seed: int, *positions: int, condition: str = Condition.WELL) -> None:
        """Put fingers on the glass; as `SlapScanner.present`."""
        self.fingers.present(person_seed, *positions, condition=condition)

    def lift(self) -> None:
        """Take every finger off the glass."""
        self.fingers.lift()

    def show(self, person_seed: int, *eyes: Eye) -> None:
        """Have a person look into the iris reader; as `SimulatedIrisReader.show`."""
        self.irises.show(person_seed, *eyes)

    def stop(self) -> None:
        """End the service and let its devices go; may be called twice."""
        self.faults.end()
        self._service.stop()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the service."""
        self.stop()


def _stranger(right: Signer, at: dt.datetime) -> Signer:
    """Return the device's key under a root that nobody knows."""
    return Authority.create("simulated root", at).issue("simulated device", at, key=right.key)
