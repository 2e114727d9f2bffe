"""SBI devices as readers and camera, against the simulator with everything that can be wrong."""

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from hardware.errors import Broken, Garbled, Refused, Silent, Unplugged
from hardware.finger.port import Impression, NoImage, Touch, Wanted
from hardware.iris.port import Eye
from hardware.iris.port import NoImage as NoEye
from hardware.sbi.client import SbiClient
from hardware.sbi.distrust import (
    CertificateRevoked,
    ChainUntrusted,
    Distrusted,
    HashChainBroken,
    QualityOverstated,
    RecordInconsistent,
    SerialOther,
    SignatureWrong,
    SubTypesOther,
    TimestampOff,
    TransactionOther,
    VersionOther,
)
from hardware.sbi.face import SbiCamera
from hardware.sbi.faults import Fault
from hardware.sbi.finger import SbiFingerReader
from hardware.sbi.iris import SbiIrisReader
from hardware.sbi.port import FacePicture
from hardware.sbi.preview import MOST_PIXELS, read_jpeg
from hardware.sbi.simulator import SbiSimulator
from hardware.sbi.vocabulary import ErrorCode, Modality
from kiosk.sbi_records import IsoRecords
from tests.sbi_authority import NOW, TRUST, Fixed, PlainRecords
from tests.sbi_station import Station, http

if TYPE_CHECKING:
    from numpy.typing import NDArray

PERSON = 4
LEFT = Wanted(positions=(7, 8), touch=Touch.SLAP)
SCORES = Fixed(score=60)


def now() -> dt.datetime:
    return NOW


@pytest.fixture(scope="module")
def simulator() -> Iterator[SbiSimulator]:
    with SbiSimulator(IsoRecords(), now, scores=SCORES, ports=(0,)) as running:
        yield running


@pytest.fixture(scope="module")
def plain() -> Iterator[SbiSimulator]:
    """Return one whose records have hardly any pixels: what is tried on it is what is signed."""
    with SbiSimulator(
        PlainRecords(), now, scores=SCORES, ports=(0,), modalities=[Modality.FINGER]
    ) as running:
        running.present(PERSON, 7, 8)
        yield running


@pytest.fixture(autouse=True)
def _sound(simulator: SbiSimulator) -> Iterator[None]:
    simulator.present(PERSON, 7, 8)
    yield
    simulator.faults.clear()


def _client(simulator: SbiSimulator, modality: Modality, **said: object) -> SbiClient:
    given = {
        "trust": simulator.trust,
        "records": IsoRecords(),
        "ports": (simulator.port,),
        "scores": SCORES,
    }
    return SbiClient(modality, now=now, **{**given, **said})  # type: ignore[arg-type]


@pytest.fixture
def reader(simulator: SbiSimulator) -> Iterator[SbiFingerReader]:
    opened = SbiFingerReader(_client(simulator, Modality.FINGER), simulated=True)
    yield opened
    opened.close()


def _taken(found: tuple[Impression, ...] | NoImage) -> tuple[Impression, ...]:
    assert not isinstance(found, NoImage)
    return found


def test_a_reader_says_what_the_device_says(reader: SbiFingerReader) -> None:
    assert reader.info.serial == "SIMULATED-SLAP"
    assert reader.info.name == "Thu Nhan simulated slap scanner"
    assert reader.info.simulated
    assert reader.info.takes == frozenset(Touch)
    assert reader.wait_lifted(deadline=0)


@pytest.mark.parametrize(
    ("touch", "laid", "wanted"),
    [
        (Touch.SLAP, (7, 8), (7, 8)),
        (Touch.SLAP, (7, 8), (8,)),
        (Touch.SINGLE, (7,), (7,)),
        (Touch.ROLLED, (8,), (8,)),
    ],
)
def test_fingers_come_back_one_by_one(
    simulator: SbiSimulator,
    reader: SbiFingerReader,
    touch: Touch,
    laid: tuple[int, ...],
    wanted: tuple[int, ...],
) -> None:
    simulator.present(PERSON, *laid)
    told: list[float] = []
    asked = Wanted(positions=wanted, touch=touch)
    found = _taken(reader.capture(asked, deadline=20, progress=told.append))
    assert tuple(one.position for one in found) == wanted
    for one in found:
        assert (one.dpi, one.claimed, one.serial) == (500, 60, "SIMULATED-SLAP")
        assert one.pixels.dtype == np.uint8
        assert one.pixels.std() > 20
        assert one.pixels.shape[1] <= reader.info.width
    assert told[-1] == 1.0


def test_what_a_reader_cannot_take_is_refused_before_it_is_asked(
    simulator: SbiSimulator, reader: SbiFingerReader
) -> None:
    for wanted in (
        Wanted(positions=(2, 7), touch=Touch.SLAP),
        Wanted(positions=(7, 8), touch=Touch.SINGLE),
        Wanted(positions=(7, 8), touch=Touch.ROLLED),
        Wanted(positions=(), touch=Touch.SLAP),
    ):
        with pytest.raises(ValueError, match="finger"):
            reader.capture(wanted, deadline=1)
    assert len(_taken(reader.capture(LEFT, deadline=20))) == 2
    single = SbiFingerReader(_client(simulator, Modality.FINGER))
    device = single._client.find()
    info = device.info.model_copy(update={"impression_types": ()})
    identity = device.identity.model_copy(update={"device_sub_type": "Single"})
    single._client._device = replace(device, info=info, identity=identity)
    for touch in (Touch.ROLLED, Touch.SLAP, Touch.THUMBS):
        with pytest.raises(ValueError, match="cannot take"):
            single.capture(Wanted(positions=(7,), touch=touch), deadline=1)
    assert single.info.takes == {Touch.SINGLE}


def test_no_finger_is_no_image(simulator: SbiSimulator, reader: SbiFingerReader) -> None:
    simulator.lift()
    assert reader.capture(LEFT, deadline=1.0) is NoImage.NO_FINGER
    reader.close()
    reader.close()


def test_live_pictures_are_told_while_a_finger_is_waited_for(
    simulator: SbiSimulator, reader: SbiFingerReader
) -> None:
    simulator.lift()
    shown: list[NDArray[np.uint8]] = []
    assert reader.capture(LEFT, deadline=2.0, preview=shown.append) is NoImage.NO_FINGER
    assert len(shown) >= 3
    assert {picture.ndim for picture in shown} == {2}
    # Nothing is left of the stream: the device is free for the next one.
    assert all(thread.name != "sbi-preview" for thread in threading.enumerate())


def test_a_live_picture_that_ends_early_spoils_no_capture(
    simulator: SbiSimulator, reader: SbiFingerReader
) -> None:
    simulator.faults.inject(Fault.SECOND_RESPONSE)
    shown: list[NDArray[np.uint8]] = []
    assert len(_taken(reader.capture(LEFT, deadline=20, preview=shown.append))) == 2
    assert shown


REFUSALS: dict[Fault, type[Broken]] = {
    Fault.BAD_SIGNATURE: SignatureWrong,
    Fault.UNTRUSTED_CHAIN: ChainUntrusted,
    Fault.EXPIRED_LEAF: ChainUntrusted,
    Fault.REVOKED_LEAF: CertificateRevoked,
    Fault.STALE_TIMESTAMP: TimestampOff,
    Fault.OTHER_TRANSACTION: TransactionOther,
    Fault.OTHER_VERSION: VersionOther,
    Fault.BROKEN_HASHES: HashChainBroken,
    Fault.OTHER_SERIAL: SerialOther,
    Fault.MISSING_FINGER: SubTypesOther,
    Fault.EXTRA_FINGER: SubTypesOther,
    Fault.OTHER_POSITION: RecordInconsistent,
    Fault.TRUNCATED_RECORD: RecordInconsistent,
    Fault.INFLATED_QUALITY: QualityOverstated,
    Fault.BUSY: Refused,
    Fault.HANG: Silent,
    Fault.SLOW: Silent,
    Fault.DROP: Garbled,
    Fault.HALF_JSON: Garbled,
    Fault.HUGE: Garbled,
}


@pytest.mark.parametrize("fault", REFUSALS)
def test_every_fault_is_refused_by_its_name_and_the_next_capture_is_sound(
    plain: SbiSimulator, fault: Fault
) -> None:
    client = _client(plain, Modality.FINGER, records=PlainRecords())
    reader = SbiFingerReader(client)
    plain.faults.inject(fault)
    refusal = REFUSALS[fault]
    with pytest.raises(Broken) as caught:
        reader.capture(LEFT, deadline=2.0 if refusal is Silent else 20)
    assert type(caught.value) is refusal
    if isinstance(caught.value, Refused):
        assert caught.value.code == ErrorCode.BUSY
    plain.faults.clear()
    # What the device still does for the last request, a kiosk waits for too.
    for _ in range(50):
        try:
            found = _taken(reader.capture(LEFT, deadline=20))
        except Refused:
            threading.Event().wait(0.1)
            continue
        assert len(found) == 2
        reader.close()
        return
    pytest.fail("the device stayed busy")


def test_every_fault_of_the_simulator_is_tried() -> None:
    assert set(REFUSALS) | {Fault.SECOND_RESPONSE} == set(Fault)


@pytest.mark.parametrize("fault", [Fault.UNTRUSTED_CHAIN, Fault.EXPIRED_LEAF, Fault.REVOKED_LEAF])
def test_a_device_that_is_not_trusted_does_not_even_open(
    simulator: SbiSimulator, fault: Fault
) -> None:
    simulator.faults.inject(fault)
    with pytest.raises(Distrusted):
        SbiFingerReader(_client(simulator, Modality.FINGER))


def test_a_slow_answer_is_whole_where_there_is_time(
    simulator: SbiSimulator, reader: SbiFingerReader
) -> None:
    simulator.faults.inject(Fault.SLOW)
    assert len(_taken(reader.capture(LEFT, deadline=60))) == 2


def test_a_service_that_went_away_is_found_again_with_its_device(simulator: SbiSimulator) -> None:
    with SbiSimulator(IsoRecords(), now, ports=(0,), modalities=[Modality.FINGER]) as first:
        port = first.port
        first.present(PERSON, 7, 8)
        trust = replace(simulator.trust, anchors=simulator.trust.anchors + first.trust.anchors)
        client = _client(simulator, Modality.FINGER, trust=trust, ports=(port,))
        reader = SbiFingerReader(client)
        assert len(_taken(reader.capture(LEFT, deadline=20))) == 2
    with pytest.raises(Unplugged):
        reader.capture(LEFT, deadline=5)
    assert reader.info.serial == "SIMULATED-SLAP"
    with SbiSimulator(IsoRecords(), now, ports=(port,), modalities=[Modality.FINGER]) as second:
        second.present(PERSON, 7, 8)
        with pytest.raises(ChainUntrusted):
            reader.capture(LEFT, deadline=20)
        client._trust = replace(trust, anchors=trust.anchors + second.trust.anchors)
        assert len(_taken(reader.capture(LEFT, deadline=20))) == 2
    reader.close()


def test_a_reader_closed_by_another_thread_ends_its_capture(
    simulator: SbiSimulator, reader: SbiFingerReader
) -> None:
    simulator.lift()
    shown = threading.Event()

    def close() -> None:
        shown.wait(10)
        reader.close()

    closer = threading.Thread(target=close)
    closer.start()
    began = time.monotonic()
    with pytest.raises(Unplugged):
        reader.capture(LEFT, deadline=60, preview=lambda _picture: shown.set())
    assert time.monotonic() - began < 40
    closer.join(10)


def test_eyes_are_taken_verified(simulator: SbiSimulator) -> None:
    reader = SbiIrisReader(_client(simulator, Modality.IRIS), simulated=True)
    assert (reader.info.both, reader.info.simulated) == (True, True)
    assert reader.info.serial == "SIMULATED-IRIS"
    simulator.show(PERSON, Eye.LEFT)
    assert reader.capture((Eye.LEFT, Eye.RIGHT), deadline=1.5) is NoEye.NO_EYE
    simulator.show(PERSON)
    shown: list[NDArray[np.uint8]] = []
    found = reader.capture((Eye.RIGHT, Eye.LEFT), deadline=20, preview=shown.append)
    assert not isinstance(found, NoEye)
    assert [one.eye for one in found] == [Eye.RIGHT, Eye.LEFT]
    assert all(one.pixels.ndim == 2 and one.claimed == 60 for one in found)
    simulator.faults.inject(Fault.OTHER_POSITION)
    with pytest.raises(RecordInconsistent):
        reader.capture((Eye.LEFT,), deadline=20)
    with pytest.raises(ValueError, match="no eye"):
        reader.capture((), deadline=1)
    reader.close()
    with pytest.raises(Unplugged):
        reader.capture((Eye.LEFT,), deadline=1)


def test_a_camera_gives_the_newest_live_picture_and_photographs(simulator: SbiSimulator) -> None:
    camera = SbiCamera(_client(simulator, Modality.FACE), simulated=True)
    first, second = camera.read(), camera.read()
    assert second.number > first.number
    assert second.at > first.at
    assert (camera.info.height, camera.info.width, 3) == second.pixels.shape
    assert camera.info.simulated
    for missing in ((), (1, 7)):
        picture = camera.photograph(missing, deadline=30)
        assert isinstance(picture, FacePicture)
        assert picture.pixels.ndim == 3
    simulator.faults.inject(Fault.BAD_SIGNATURE)
    with pytest.raises(SignatureWrong):
        camera.photograph(deadline=30)
    camera.close()
    camera.close()
    with pytest.raises(Unplugged):
        camera.read()


def _until(camera: SbiCamera, holds: Callable[[object], bool]) -> None:
    for _ in range(200):
        try:
            seen: object = camera.read()
        except Broken as error:
            seen = error
        if holds(seen):
            return
    pytest.fail("it never came")


def test_a_camera_outlives_a_stream_that_ends_hangs_or_breaks(simulator: SbiSimulator) -> None:
    camera = SbiCamera(_client(simulator, Modality.FACE))
    for fault in (Fault.SECOND_RESPONSE, Fault.DROP):
        simulator.faults.inject(fault)
        number = camera.read().number
        # More frames than one stream gives: it was asked for again.
        _until(camera, lambda seen, n=number: getattr(seen, "number", 0) > n + 5)  # type: ignore[misc]
        simulator.faults.clear()
    simulator.faults.inject(Fault.HANG)
    _until(camera, lambda seen: isinstance(seen, Silent))
    simulator.faults.clear()
    _until(camera, lambda seen: not isinstance(seen, Broken))
    camera.close()


def test_a_camera_whose_service_goes_away_is_unplugged() -> None:
    with SbiSimulator(IsoRecords(), now, ports=(0,), modalities=[Modality.FACE]) as gone:
        camera = SbiCamera(
            SbiClient(
                Modality.FACE, trust=gone.trust, records=IsoRecords(), now=now, ports=(gone.port,)
            )
        )
        camera.read()
    _until(camera, lambda seen: isinstance(seen, Unplugged))
    camera.close()


@pytest.mark.parametrize(
    "jpeg",
    [b"", b"\xff\xd8\xff\xd9", b"GIF89a", b"\xff\xd8" + bytes(100)],
)
def test_what_is_no_picture_is_none(jpeg: bytes) -> None:
    assert read_jpeg(jpeg, colour=True) is None


def test_a_picture_that_claims_too_many_pixels_is_not_unpacked() -> None:
    sound = cv2.imencode(".jpg", np.full((10, 20), 90, np.uint8))[1].tobytes()
    decoded = read_jpeg(sound, colour=False)
    assert decoded is not None
    assert decoded.shape == (10, 20)
    at = sound.index(b"\xff\xc0") + 5
    huge = sound[:at] + b"\xff\xff\xff\xff" + sound[at + 4 :]
    assert MOST_PIXELS < 65535 * 65535
    assert read_jpeg(huge, colour=False) is None


@pytest.mark.parametrize(
    "stream",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        http(b'{"error":{"errorCode":"111","errorInfo":"busy"}}'),
        http(b"<html>", 404),
        b"HTTP/1.0 200\r\nContent-Type: multipart/x\r\n\r\n--b\r\n\r\n\xff\xd8\xff\xd9\r\n--b\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_whatever_comes_in_place_of_a_live_picture_the_capture_goes_on(stream: bytes) -> None:
    station = Station()
    station.answers[b"STREAM"] = stream
    client = SbiClient(
        Modality.FINGER,
        trust=TRUST,
        records=PlainRecords(),
        now=now,
        ports=(station.port,),
        token="secret",
    )
    reader = SbiFingerReader(client)
    shown: list[object] = []
    assert len(_taken(reader.capture(LEFT, deadline=20, preview=shown.append))) == 2
    assert shown == []
    assert any(request.startswith(b"STREAM /stream HTTP/1.1") for request in station.asked)
    assert all(b"Authorization: Bearer secret\r\n" in request for request in station.asked)
    reader.close()
    station.close()


def test_both_thumbs_are_a_touch_of_their_own(simulator: SbiSimulator) -> None:
    simulator.present(PERSON, 1, 6)
    reader = SbiFingerReader(_client(simulator, Modality.FINGER))
    thumbs = Wanted(positions=(1, 6), touch=Touch.THUMBS)
    found = _taken(reader.capture(thumbs, deadline=30))
    assert [one.position for one in found] == [1, 6]
    reader.close()
