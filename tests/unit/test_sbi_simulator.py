"""Simulated SBI devices: hands, eyes and a sitter behind the real service and the real client."""

import json
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from cryptography import x509

from hardware.errors import Unplugged
from hardware.finger.hand import SimulatedHand
from hardware.finger.port import Impression, NoImage, Touch, Wanted
from hardware.finger.synthesis import Condition
from hardware.iris.drawing import draw
from hardware.iris.port import Eye
from hardware.iris.port import NoImage as NoEye
from hardware.iris.simulated import SimulatedIrisReader
from hardware.sbi.asked import ask_face, ask_together
from hardware.sbi.certificates import check_chain
from hardware.sbi.client import SbiClient
from hardware.sbi.distrust import SerialOther
from hardware.sbi.faults import Fault
from hardware.sbi.messages import DeviceInfo, DigitalId, decode_informed
from hardware.sbi.outcomes import Mendable
from hardware.sbi.port import FacePicture, FingerPicture
from hardware.sbi.simulator import SbiSimulator
from hardware.sbi.slap_scanner import SlapScanner
from hardware.sbi.tokens import parse, verify
from hardware.sbi.vocabulary import Environment, Modality
from kiosk.sbi_records import IsoRecords
from tests.sbi_authority import NOW, Fixed
from tests.sbi_desk import ask, talk, write

PERSON = 4
RIGHT = Wanted(positions=(2, 3), touch=Touch.SLAP)
ONE = Wanted(positions=(2,), touch=Touch.SINGLE)
ROLLED = Wanted(positions=(2,), touch=Touch.ROLLED)


@pytest.fixture(scope="module")
def simulator() -> Iterator[SbiSimulator]:
    with SbiSimulator(IsoRecords(), lambda: NOW, scores=Fixed(score=60), ports=(0,)) as running:
        yield running


@pytest.fixture
def scanner() -> Iterator[SlapScanner]:
    made = SlapScanner()
    yield made
    made.close()


def client(simulator: SbiSimulator, modality: Modality) -> SbiClient:
    return SbiClient(
        modality,
        trust=simulator.trust,
        records=IsoRecords(),
        now=lambda: NOW,
        scores=Fixed(score=60),
        ports=(simulator.port,),
    )


def taken(found: tuple[Impression, ...] | NoImage) -> tuple[Impression, ...]:
    assert not isinstance(found, NoImage)
    return found


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def test_every_device_says_that_it_is_simulated(simulator: SbiSimulator) -> None:
    entries = decode_informed(ask(simulator.port, "MOSIPDINFO", "/info")[2])
    infos = [DeviceInfo.decode(verify(parse(entry.device_info))) for entry in entries]
    for info in infos:
        assert "simulated" in DigitalId.decode(verify(parse(info.digital_id))).model
    assert {info.env for info in infos} == {Environment.STAGING}
    assert len(infos) == 3


@pytest.mark.parametrize("between", [0, 1])
def test_its_chain_leads_to_its_own_anchor_and_to_no_other(
    simulator: SbiSimulator, between: int
) -> None:
    with SbiSimulator(
        IsoRecords(),
        lambda: NOW,
        ports=(0,),
        modalities=[Modality.IRIS],
        intermediate=bool(between),
    ) as other:
        (entry,) = decode_informed(ask(other.port, "MOSIPDINFO", "/info")[2])
        chain = parse(entry.device_info).chain
        assert len(chain) == 1 + between
        assert len(check_chain(chain, other.trust, NOW)) == 2 + between
        assert other.trust.anchors == tuple(x509.load_pem_x509_certificates(other.anchor))
        with pytest.raises(Exception, match="not trusted"):
            check_chain(chain, simulator.trust, NOW)


def test_a_hand_is_taken_whole_with_real_records(simulator: SbiSimulator) -> None:
    simulator.present(PERSON, 2, 3)
    found = client(simulator, Modality.FINGER).capture(ask_together((2, 3)), deadline=20)
    assert not isinstance(found, Mendable)
    for one, position in zip(found, (2, 3), strict=True):
        assert isinstance(one.picture, FingerPicture)
        assert one.picture.position == position
        assert one.picture.rolled is False
        assert one.claimed == 60
        assert one.picture.quality == 60
        print_of = SimulatedHand(PERSON).finger(position).impression(1)
        assert one.picture.pixels.shape == print_of.shape
    simulator.lift()
    nothing = client(simulator, Modality.FINGER).capture(ask_together((2, 3)), deadline=1)
    assert nothing is Mendable.NOTHING_THERE


def test_a_face_is_photographed_also_to_prove_a_missing_finger(simulator: SbiSimulator) -> None:
    for asked in (ask_face(), ask_face((7,))):
        found = client(simulator, Modality.FACE).capture(asked, deadline=20)
        assert not isinstance(found, Mendable)
        assert isinstance(found[0].picture, FacePicture)
        assert found[0].picture.pixels.shape == (720, 1280, 3)
    assert simulator.sitter.info.simulated


def test_a_token_of_its_own_is_wanted_where_it_is_set() -> None:
    with SbiSimulator(
        IsoRecords(), lambda: NOW, ports=(0,), modalities=[Modality.IRIS], token="abc"
    ) as simulator:  # fmt: skip
        assert ask(simulator.port, "MOSIPDINFO", "/info")[0] == 403
        assert (
            ask(simulator.port, "MOSIPDINFO", "/info", None, "Authorization: Bearer abc")[0] == 200
        )


def test_a_device_of_another_serial_is_noticed_and_the_fault_can_be_taken_out(
    simulator: SbiSimulator,
) -> None:
    simulator.present(PERSON, 2, 3)
    asking = client(simulator, Modality.FINGER)
    simulator.faults.inject(Fault.OTHER_SERIAL)
    with pytest.raises(SerialOther):
        asking.capture(ask_together((2, 3)), deadline=20)
    simulator.faults.clear()
    assert not isinstance(asking.capture(ask_together((2, 3)), deadline=20), Mendable)


def test_a_stream_may_end_with_a_whole_second_answer_in_it(simulator: SbiSimulator) -> None:
    simulator.faults.inject(Fault.SECOND_RESPONSE)
    body = json.dumps({"deviceId": "1", "deviceSubId": "1", "timeout": "20000"}).encode()
    data = talk(simulator.port, write("STREAM", "/stream", body, simulator.port))
    simulator.faults.clear()
    assert data.count(b"HTTP/1.0 200") == 2
    assert b'"errorCode":"609"' in data


def test_fingers_of_the_wrong_hand_are_taken_for_those_asked_for_from_left_to_right(
    scanner: SlapScanner,
) -> None:
    scanner.present(PERSON, 7, 8)
    first, second = taken(scanner.capture(RIGHT, deadline=5))
    assert (first.position, second.position) == (2, 3)
    # Its index finger is the right one of the two.
    wide = SimulatedHand(PERSON).finger(8).impression(1)
    assert likeness(first.pixels, wide) > 0.9
    assert likeness(second.pixels, wide) < 0.5


def test_no_two_frames_are_alike_and_no_two_touches(scanner: SlapScanner) -> None:
    scanner.present(PERSON, 2)
    (first,) = taken(scanner.capture(ONE, deadline=5))
    (again,) = taken(scanner.capture(ONE, deadline=5))
    scanner.present(PERSON, 2)
    (other,) = taken(scanner.capture(ONE, deadline=5))
    assert not np.array_equal(first.pixels, again.pixels)
    assert likeness(first.pixels, again.pixels) > 0.95
    assert likeness(first.pixels, other.pixels) < 0.9


def test_a_rolled_print_shows_more_skin_than_a_flat_one(scanner: SlapScanner) -> None:
    for position in (1, 2, 5):
        scanner.present(PERSON, position)
        (flat,) = taken(
            scanner.capture(Wanted(positions=(position,), touch=Touch.SINGLE), deadline=5)
        )
        (rolled,) = taken(
            scanner.capture(Wanted(positions=(position,), touch=Touch.ROLLED), deadline=5)
        )
        assert rolled.pixels.shape == (448, 400)
        assert skin(rolled.pixels) > 1.3 * skin(flat.pixels)


def skin(pixels: np.ndarray) -> int:
    """Return how many pixels are dark: about half of what lies on the glass."""
    return int(np.count_nonzero(pixels < 128))


def test_fewer_fingers_than_wanted_are_waited_for_and_then_those_come(
    scanner: SlapScanner,
) -> None:
    scanner.present(PERSON, 3)
    (only,) = taken(scanner.capture(RIGHT, deadline=0.3))
    assert only.position == 3
    scanner.present(PERSON, 7)
    assert scanner.capture(RIGHT, deadline=0.3) is NoImage.NO_FINGER
    scanner.lift()
    assert scanner.capture(ONE, deadline=0.2) is NoImage.NO_FINGER
    assert scanner.wait_lifted(deadline=0.1)


def test_a_finger_that_comes_meanwhile_is_taken_and_seen_live(scanner: SlapScanner) -> None:
    scanner.present(PERSON, 2)
    scanner.lift()
    seen: list[np.ndarray] = []
    shares: list[float] = []

    def lay(picture: np.ndarray) -> None:
        if not seen:
            threading.Thread(target=lambda: scanner.present(PERSON, 2)).start()
        seen.append(picture)

    assert taken(scanner.capture(ONE, deadline=20, progress=shares.append, preview=lay))
    assert seen[0].min() > 200
    assert seen[-1].min() < 100
    assert shares == [1.0]
    assert not scanner.wait_lifted(deadline=0.05)


@pytest.mark.parametrize(
    "press",
    [
        lambda scanner: scanner.present(PERSON),
        lambda scanner: scanner.present(PERSON, 2, 2),
        lambda scanner: scanner.present(PERSON, 2, 3, 4, 5, 1),
        lambda scanner: scanner.present(PERSON, 11),
        lambda scanner: scanner.present(PERSON, 2, condition="frozen"),
        lambda scanner: scanner.capture(Wanted(positions=(2, 3), touch=Touch.ROLLED), deadline=1),
        lambda scanner: scanner.capture(Wanted(positions=(), touch=Touch.SLAP), deadline=1),
    ],
    ids=["none", "twice", "five", "no finger", "no condition", "two rolled", "nothing wanted"],
)
def test_what_no_hand_can_do_is_refused(
    scanner: SlapScanner, press: Callable[[SlapScanner], object]
) -> None:
    with pytest.raises(ValueError, match=r"."):
        press(scanner)


def test_a_closed_scanner_is_unplugged_also_for_who_waits(scanner: SlapScanner) -> None:
    errors: list[Exception] = []

    def wait() -> None:
        try:
            scanner.capture(ONE, deadline=30)
        except Unplugged as error:
            errors.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    scanner.close()
    thread.join(20)
    assert len(errors) == 1
    with pytest.raises(Unplugged):
        scanner.wait_lifted(deadline=1)


def test_a_condition_is_seen_in_the_print(scanner: SlapScanner) -> None:
    prints = {}
    for condition in (Condition.WELL, Condition.PARTIAL):
        scanner.present(PERSON, 2, condition=condition)
        (one,) = taken(scanner.capture(ONE, deadline=5))
        prints[condition] = skin(one.pixels)
    assert prints[Condition.PARTIAL] < 0.6 * prints[Condition.WELL]


def test_an_iris_is_the_same_person_for_ever_and_each_look_another() -> None:
    assert np.array_equal(draw(1, Eye.LEFT, 1), draw(1, Eye.LEFT, 1))
    looks = [draw(1, Eye.LEFT, 2), draw(1, Eye.RIGHT, 1), draw(2, Eye.LEFT, 1)]
    for other in looks:
        assert not np.array_equal(draw(1, Eye.LEFT, 1), other)
    assert looks[0].shape == (480, 640)
    # A pupil, a white of the eye, and two reflections.
    assert looks[0].min() < 30
    assert looks[0].max() > 230


def test_eyes_are_taken_when_they_are_open() -> None:
    reader = SimulatedIrisReader()
    both = (Eye.LEFT, Eye.RIGHT)
    assert reader.capture(both, deadline=0.2) is NoEye.NO_EYE
    reader.show(PERSON, Eye.LEFT)
    assert reader.capture(both, deadline=0.2) is NoEye.NO_EYE
    reader.show(PERSON)
    seen: list[np.ndarray] = []
    found = reader.capture(both, deadline=20, preview=seen.append)
    assert isinstance(found, tuple)
    assert [one.eye for one in found] == list(both)
    assert all(one.pixels.shape == (480, 640) for one in found)
    assert seen
    reader.leave()
    assert reader.capture((Eye.LEFT,), deadline=0.2) is NoEye.NO_EYE
    for wrong in ((), (Eye.LEFT, Eye.LEFT)):
        with pytest.raises(ValueError, match="once"):
            reader.capture(wrong, deadline=1)
    with pytest.raises(ValueError, match="third"):
        reader.show(PERSON, "third")  # type: ignore[arg-type]
    assert reader.info.simulated
    reader.close()
    with pytest.raises(Unplugged):
        reader.capture(both, deadline=1)
