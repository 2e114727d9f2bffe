"""Our own SBI service on real sockets: what it answers, and how it takes its time."""

import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from hardware.errors import Silent, Unplugged
from hardware.finger.port import Touch, Wanted
from hardware.sbi.answers import Answers, Signer
from hardware.sbi.chain import FIRST, follow
from hardware.sbi.desk import Desk
from hardware.sbi.messages import (
    CaptureAnswer,
    DeviceInfo,
    DigitalId,
    decode_discovered,
    decode_informed,
)
from hardware.sbi.offers import FingerOffer
from hardware.sbi.service import LOOPBACK, PortsTaken, SbiService
from hardware.sbi.stream import Picture, StreamParser
from hardware.sbi.tokens import parse, verify
from hardware.sbi.vocabulary import ROLLED, ErrorCode
from tests.sbi_authority import CHAIN, NOW, PlainRecords, key
from tests.sbi_desk import (
    LEFT,
    PATIENCE,
    SLAP,
    Film,
    Hand,
    Started,
    ask,
    capture,
    code,
    code_or_none,
    pictures,
    serving,
    talk,
    wish,
    write,
)


@pytest.fixture(scope="module")
def started() -> Iterator[Started]:
    with serving() as running:
        yield running


@pytest.mark.parametrize(
    ("kind", "serials"),
    [
        ("Biometric Device", {"SN-1", "SN-2", "SN-4"}),
        ("Finger", {"SN-1", "SN-4"}),
        ("Face", {"SN-2"}),
    ],
)
def test_discovery_names_the_devices_of_a_kind(
    started: Started, kind: str, serials: set[str]
) -> None:
    _, _, body = ask(started[0].port, "MOSIPDISC", "/device", {"type": kind})
    found = decode_discovered(body)
    assert {DigitalId.from_unsigned(one.digital_id).serial_no for one in found} == serials
    assert all(one.error is not None and one.error.code == 0 for one in found)
    assert all(one.device_status == "Ready" for one in found)


def test_discovery_without_a_body_names_all(started: Started) -> None:
    _, _, body = ask(started[0].port, "MOSIPDISC", "/device")
    assert len(decode_discovered(body)) == 3


@pytest.mark.parametrize(("kind", "said"), [("Iris", 202), ("Nose", 114)])
def test_discovery_of_what_is_not_there_is_one_error(
    started: Started, kind: str, said: int
) -> None:
    _, _, body = ask(started[0].port, "MOSIPDISC", "/device", {"type": kind})
    (entry,) = decode_discovered(body)
    assert entry.error is not None
    assert entry.error.code == said


def test_info_is_signed_and_says_what_a_device_can(started: Started) -> None:
    _, _, body = ask(started[0].port, "MOSIPDINFO", "/info")
    found = {}
    for entry in decode_informed(body):
        info = DeviceInfo.decode(verify(parse(entry.device_info)))
        identity = DigitalId.decode(verify(parse(info.digital_id)))
        found[identity.serial_no] = (identity, info)
    slap, info = found["SN-1"]
    assert (slap.type, slap.device_sub_type) == ("Finger", "Slap")
    assert info.device_sub_id == ("1", "2", "3")
    assert info.device_code == "SN-1"
    assert info.spec_version == ("0.9.5",)
    assert info.certification == "L0"
    assert "Rolled" in info.impression_types
    assert found["SN-4"][0].device_sub_type == "Single"
    assert found["SN-2"][0].device_sub_type == "Full face"


def test_a_slap_comes_back_finger_by_finger_signed_and_tied(started: Started) -> None:
    answer = capture(started[0].port)
    found = pictures(answer)
    assert tuple(one.bio_sub_type for one in found) == LEFT
    assert {one.transaction_id for one in found} == {"abcd-1"}
    assert {one.quality_score for one in found} == {"70"}
    assert {one.requested_score for one in found} == {"40"}
    previous = FIRST
    for entry, one in zip(answer.biometrics, found, strict=True):
        previous = follow(previous, one.record)
        assert entry.hash == previous
    assert started[1].asked[-1] == Wanted(positions=(7, 8, 9, 10), touch=Touch.SLAP)


def test_the_chain_goes_on_from_the_hash_that_is_given(started: Started) -> None:
    last = capture(started[0].port).biometrics[-1].hash
    answer = capture(started[0].port, bio_deviceSubId="2", bio_previousHash=last)
    first = pictures(answer)[0]
    assert answer.biometrics[0].hash == follow(last, first.record)


def test_a_request_as_the_reference_client_writes_it_is_answered(started: Started) -> None:
    request = {
        "env": "Staging", "purpose": "Registration", "specVersion": "0.9.5", "timeout": "40000",
        "captureTime": "2026-11-25T09:00:01.123456789",
        "transactionId": "7b4d4e0a-92a2-4a3d-9d6f-4c2c8d5a9a10",
        "bio": [
            {"type": "Finger", "count": "3", "bioSubType": None, "exception": [LEFT[3]],
             "requestedScore": "40", "deviceId": "1", "deviceSubId": "1", "previousHash": None},
        ],
        "customOpts": None,
    }  # fmt: skip
    status, _, body = ask(
        started[0].port,
        "RCAPTURE",
        "/capture",
        request,
        "Content-Type: Content-Type; charset=UTF-8",
    )
    assert status == 200
    # It knows these fields and falls over any other.
    said = json.loads(body)
    assert set(said) == {"biometrics"}
    assert {frozenset(one) for one in said["biometrics"]} == {
        frozenset({"specVersion", "data", "hash", "error"})
    }
    assert len(pictures(CaptureAnswer.decode(body))) == 3


def test_missing_fingers_are_not_waited_for(started: Started) -> None:
    found = pictures(capture(started[0].port, bio_count="3", bio_exception=[LEFT[3]]))
    assert tuple(one.bio_sub_type for one in found) == LEFT[:3]


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ({"bio_deviceSubId": "3", "bio_count": "2"}, Wanted(positions=(1, 6), touch=Touch.THUMBS)),
        (
            {"bio_count": "1", "bio_bioSubType": [LEFT[0]]},
            Wanted(positions=(7,), touch=Touch.SINGLE),
        ),
        (
            {"bio_deviceSubId": "0", "bio_count": "1", "bio_bioSubType": [LEFT[1]],
             "customOpts": list(ROLLED)},
            Wanted(positions=(8,), touch=Touch.ROLLED),
        ),
    ],
    ids=["thumbs", "one", "rolled"],
)  # fmt: skip
def test_the_reader_is_asked_for_the_touch_that_is_wanted(
    started: Started, said: dict[str, object], wanted: Wanted
) -> None:
    assert len(pictures(capture(started[0].port, **said))) == len(wanted.positions)
    assert started[1].asked[-1] == wanted


def test_a_reader_of_one_finger_takes_the_one_that_is_named(started: Started) -> None:
    said = {"bio_deviceId": "4", "bio_deviceSubId": "0", "bio_count": "1"}
    (one,) = pictures(capture(started[0].port, **said, bio_bioSubType=["Right Thumb"]))
    assert one.bio_sub_type == "Right Thumb"
    assert code(capture(started[0].port, **said)) == ErrorCode.SUB_TYPE


def test_a_face_is_the_best_of_several_frames(started: Started) -> None:
    said = {"bio_deviceId": "2", "bio_type": "Face", "bio_deviceSubId": "0", "bio_count": "1"}
    (one,) = pictures(capture(started[0].port, **said, bio_requestedScore="20"))
    assert one.bio_type == "Face"
    assert int(one.quality_score) >= 20
    missing = capture(started[0].port, **said, bio_exception=["Left Thumb"])
    assert len(pictures(missing)) == 1


REFUSED: dict[str, tuple[dict[str, object], int]] = {
    "a short transaction": ({"transactionId": "a"}, 112),
    "a transaction with signs": ({"transactionId": "bad id!"}, 112),
    "another environment": ({"env": "Production"}, 115),
    "an unknown environment": ({"env": "Nowhere"}, 115),
    "authentication": ({"purpose": "Auth"}, 121),
    "another version": ({"specVersion": "0.9.2"}, 123),
    "no time": ({"timeout": "0"}, 123),
    "two at once": ({"bio": wish()["bio"] * 2}, 109),
    "another kind": ({"bio_type": "Nose"}, 114),
    "a kind of another device": ({"bio_type": "Iris"}, 120),
    "no such device": ({"bio_deviceId": "9"}, 106),
    "no such part": ({"bio_deviceSubId": "7"}, 120),
    "five fingers": ({"bio_count": "5"}, 109),
    "no finger": ({"bio_count": "0"}, 109),
    "three of four": ({"bio_count": "3"}, 113),
    "a finger that is none": ({"bio_bioSubType": ["Left Toe"]}, 119),
    "a finger of the other hand": ({"bio_bioSubType": ["Right IndexFinger"]}, 119),
    "a finger twice": ({"bio_bioSubType": [LEFT[0]] * 2, "bio_count": "2"}, 119),
    "fingers of two hands": (
        {"bio_deviceSubId": "0", "bio_bioSubType": [LEFT[0], "Right IndexFinger"],
         "bio_count": "2"}, 109,
    ),
    "an exception that is none": ({"bio_exception": ["Tail"], "bio_count": "3"}, 117),
    "everything missing": ({"bio_exception": list(LEFT), "bio_count": "1"}, 113),
    "a score beyond": ({"bio_requestedScore": "101"}, 123),
    "a slap rolled": ({"customOpts": list(ROLLED)}, 119),
    "two faces": (
        {"bio_deviceId": "2", "bio_type": "Face", "bio_deviceSubId": "0", "bio_count": "2"}, 109,
    ),
    "a face's finger": (
        {"bio_deviceId": "2", "bio_type": "Face", "bio_deviceSubId": "0", "bio_count": "1",
         "bio_bioSubType": ["Left Thumb"]}, 119,
    ),
    "a face without a tail": (
        {"bio_deviceId": "2", "bio_type": "Face", "bio_deviceSubId": "0", "bio_count": "1",
         "bio_exception": ["Tail"]}, 117,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_wish_that_cannot_be_is_refused_by_its_code(started: Started, name: str) -> None:
    said, number = REFUSED[name]
    asked = len(started[1].asked)
    assert code(capture(started[0].port, **said)) == number
    assert len(started[1].asked) == asked


def test_it_listens_on_the_loopback_address_and_the_first_free_port() -> None:
    with socket.socket() as taken, socket.socket() as probe:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        probe.bind((LOOPBACK, 0))
        free = probe.getsockname()[1]
        probe.close()
        used = taken.getsockname()[1]
        answers = Answers(Signer(key=key(2), chain=CHAIN), PlainRecords(), lambda: NOW)
        service = SbiService(Desk([], answers, None), ports=(used, free))
        try:
            assert service.port == free
            with socket.create_connection((LOOPBACK, free), timeout=PATIENCE) as connection:
                assert connection.getpeername()[0] == LOOPBACK
            with pytest.raises(OSError, match=r"."):
                socket.create_connection(("127.0.0.2", free), timeout=PATIENCE).close()
        finally:
            service.stop()
        with pytest.raises(PortsTaken):
            SbiService(Desk([], answers, None), ports=(used,))


def test_while_one_captures_others_are_told_that_it_is_busy() -> None:
    going_on = threading.Event()
    with serving(Hand(waits=going_on)) as (service, hand):
        answers: list[CaptureAnswer] = []
        thread = threading.Thread(target=lambda: answers.append(capture(service.port)))
        thread.start()
        while not hand.asked:
            time.sleep(0.01)
        assert code(capture(service.port)) == ErrorCode.BUSY
        said = decode_discovered(ask(service.port, "MOSIPDISC", "/device", {"type": "Finger"})[2])
        status = {one.device_id: (one.device_status, one.error and one.error.code) for one in said}
        assert status == {"1": ("Busy", 111), "4": ("Ready", 0)}
        going_on.set()
        thread.join()
        assert len(pictures(answers[0])) == 4
        assert len(pictures(capture(service.port))) == 4


def test_at_the_score_the_picture_is_taken_at_once_and_it_is_the_best() -> None:
    with serving(Hand(quality=[20, 45, 30])) as (service, hand):
        found = pictures(capture(service.port))
        assert {one.quality_score for one in found} == {"45"}
        assert len(hand.asked) == 2


def test_what_a_reader_claims_is_passed_on_where_nobody_measures() -> None:
    with serving(Hand(quality=[33]), scores=None) as (service, hand):
        assert {one.quality_score for one in pictures(capture(service.port, timeout="300"))} == {
            "33"
        }
        hand.claims = False
        assert {one.quality_score for one in pictures(capture(service.port))} == {""}


def test_when_time_is_over_the_best_picture_there_was_is_given() -> None:
    with serving(Hand(quality=[20, 35, 30])) as (service, hand):
        found = pictures(capture(service.port, timeout="900"))
        assert {one.quality_score for one in found} == {"35"}
        assert len(hand.asked) > 2


@pytest.mark.parametrize(
    ("hand", "number"),
    [
        (Hand(there=False), ErrorCode.NO_OBJECT),
        (Hand(error=Unplugged("x")), ErrorCode.NO_DEVICE),
        (Hand(error=Silent("x")), ErrorCode.NOT_READY),
        (Hand(error=Silent("x"), waits=threading.Event()), ErrorCode.CAPTURE_TIMEOUT),
    ],
    ids=["nothing there", "unplugged", "silent", "too late"],
)
def test_a_capture_that_gives_nothing_says_why(hand: Hand, number: ErrorCode) -> None:
    with serving(hand) as (service, _):
        assert code(capture(service.port, timeout="400")) == number
        hand.there, hand.error, hand.waits = True, None, None
        assert len(pictures(capture(service.port))) == 4


def test_who_hangs_up_is_not_captured_for() -> None:
    with serving(Hand(there=False)) as (service, hand):
        body = json.dumps(wish(timeout="60000")).encode()
        with socket.create_connection((LOOPBACK, service.port), timeout=PATIENCE) as connection:
            connection.sendall(write("RCAPTURE", "/capture", body, service.port))
            while not hand.asked:
                time.sleep(0.01)
        hand.there = True
        until = time.monotonic() + PATIENCE
        while code_or_none(capture(service.port)) == ErrorCode.BUSY:
            assert time.monotonic() < until
            time.sleep(0.05)


def test_stopping_ends_a_capture_under_way() -> None:
    hand = Hand(waits=threading.Event())
    with serving(hand) as (service, _):
        answers: list[bytes] = []
        request = write("RCAPTURE", "/capture", json.dumps(wish()).encode(), service.port)
        thread = threading.Thread(target=lambda: answers.append(talk(service.port, request)))
        thread.start()
        while not hand.asked:
            time.sleep(0.01)
        service.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive()
        with pytest.raises(ConnectionRefusedError):
            ask(service.port, "MOSIPDINFO", "/info")


def streamed(port: int, device: str, milliseconds: int) -> tuple[bytes, list[Picture]]:
    body = json.dumps({"deviceId": device, "deviceSubId": "0", "timeout": str(milliseconds)})
    found = talk(port, write("STREAM", "/stream", body.encode(), port))
    parser = StreamParser()
    return found, [one for one in parser.feed(found) if isinstance(one, Picture)]


def test_a_stream_has_the_framing_that_devices_have(started: Started) -> None:
    data, found = streamed(started[0].port, "1", 1000)
    head, _, rest = data.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.0 200")
    assert b"Content-Type: multipart/x-mixed-replace; boundary=--BoundaryString" in head
    assert b"Transfer-Encoding" not in head
    assert b"Access-Control" not in data
    assert rest.startswith(b"--BoundaryString\r\nContent-Type: image/jpeg\r\nContent-Length: ")
    assert rest.endswith(b"\xff\xd9\r\n\r\n")
    assert len(found) >= 3


def test_a_face_stream_shows_the_cameras_frames(started: Started) -> None:
    _, found = streamed(started[0].port, "2", 1000)
    assert len({one.jpeg for one in found}) >= 3


def test_a_camera_that_breaks_is_said_and_opened_again() -> None:
    broken = [Film(Silent("no picture"))]
    with serving(camera=lambda: broken.pop() if broken else Film()) as (service, _):
        said = {"bio_deviceId": "2", "bio_type": "Face", "bio_deviceSubId": "0", "bio_count": "1"}
        assert code(capture(service.port, **said)) == ErrorCode.NOT_READY
        until = time.monotonic() + PATIENCE
        while code_or_none(capture(service.port, **said)) != 0:
            assert time.monotonic() < until


def test_a_stream_of_no_such_device_is_an_error(started: Started) -> None:
    port = started[0].port
    status, _, body = ask(port, "STREAM", "/stream", {"deviceId": "9"})
    assert status == 200
    assert json.loads(body)["error"]["errorCode"] == "106"


def test_the_newest_stream_goes_on_alone_and_a_capture_beside_it(started: Started) -> None:
    port = started[0].port
    body = json.dumps({"deviceId": "1", "deviceSubId": "0", "timeout": "60000"}).encode()
    with socket.create_connection((LOOPBACK, port), timeout=PATIENCE) as first:
        first.sendall(write("STREAM", "/stream", body, port))
        assert first.recv(100)
        said = decode_discovered(ask(port, "MOSIPDISC", "/device", {"type": "Finger"})[2])
        assert {one.device_id: one.device_status for one in said} == {"1": "Busy", "4": "Ready"}
        assert len(pictures(capture(port))) == 4
        assert streamed(port, "1", 600)[1]
        while first.recv(65536):
            pass
    assert capture(port).biometrics[0].data


def test_two_devices_of_one_id_are_no_desk() -> None:
    answers = Answers(Signer(key=key(2), chain=CHAIN), PlainRecords(), lambda: NOW)
    with pytest.raises(ValueError, match="one id"):
        Desk([FingerOffer(Hand(), SLAP), FingerOffer(Hand(), SLAP)], answers, None)
