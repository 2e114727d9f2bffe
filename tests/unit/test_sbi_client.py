"""The client finds a device, holds it to what it said, and outlives whatever its service does."""

import dataclasses
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from hardware.errors import Broken, Garbled, Refused, Silent, Unplugged
from hardware.sbi.asked import ask_face
from hardware.sbi.chain import FIRST, follow
from hardware.sbi.client import Carried, SbiClient
from hardware.sbi.discovery import discover
from hardware.sbi.distrust import (
    ChainUntrusted,
    SerialOther,
    SubTypesOther,
    TransactionOther,
)
from hardware.sbi.messages import (
    Captured,
    Failure,
)
from hardware.sbi.outcomes import Mendable
from hardware.sbi.raw import MOST_CAPTURE
from hardware.sbi.trust import Trust
from hardware.sbi.vocabulary import ErrorCode, Modality
from tests.sbi_authority import (
    NOW,
    SERIAL,
    TRUST,
    PlainRecords,
    captured,
    finger_record,
    identity,
)
from tests.sbi_station import LEFT, Station, answer, asked_of, honest, http


@pytest.fixture
def station() -> Iterator[Callable[..., Station]]:
    stations: list[Station] = []

    def start(**said: object) -> Station:
        stations.append(Station(**said))  # type: ignore[arg-type]
        return stations[-1]

    yield start
    for one in stations:
        one.close()


def _client(*ports: int, trust: Trust = TRUST, **said: object) -> SbiClient:
    return SbiClient(
        Modality.FINGER,
        trust=trust,
        records=PlainRecords(),
        now=lambda: NOW,
        ports=ports,
        **said,  # type: ignore[arg-type]
    )


def test_a_capture_comes_back_in_the_order_it_was_asked_for(
    station: Callable[..., Station],
) -> None:
    service = station()
    client = _client(service.port)
    backwards = dataclasses.replace(LEFT, sub_types=LEFT.sub_types[::-1])
    taken = client.capture(backwards, deadline=10)
    assert not isinstance(taken, Mendable)
    assert [one.sub_type for one in taken] == ["Left MiddleFinger", "Left IndexFinger"]
    (message,) = service.captures()
    bio = message.bio[0]
    assert (bio.count, bio.device_sub_id, bio.device_id) == ("2", "1", "7")
    assert bio.exception == ("Left RingFinger", "Left LittleFinger")
    assert (message.env, message.purpose, message.spec_version) == (
        "Staging",
        "Registration",
        "0.9.5",
    )
    assert 7_000 <= int(message.timeout) < 10_000


def test_each_capture_has_a_transaction_of_its_own_and_is_tied_to_the_one_before(
    station: Callable[..., Station],
) -> None:
    service = station()
    carried = Carried()
    client = _client(service.port, carried=carried)
    for _ in range(2):
        client.capture(LEFT, deadline=10)
    first, second = service.captures()
    assert first.transaction_id != second.transaction_id
    before = follow(follow(FIRST, finger_record(7)), finger_record(8))
    assert (first.bio[0].previous_hash, second.bio[0].previous_hash) == (FIRST, before)
    assert carried.hash == follow(follow(before, finger_record(7)), finger_record(8))


def test_a_refused_answer_leaves_the_hash_chain_where_it_was(
    station: Callable[..., Station],
) -> None:
    service = station()
    client = _client(service.port)
    client.capture(LEFT, deadline=10)
    before = client.carried.hash
    service.answers[b"RCAPTURE"] = lambda request: answer(
        captured(finger_record(), before, said={"transactionId": asked_of(request).transaction_id})
    )
    with pytest.raises(SubTypesOther):
        client.capture(LEFT, deadline=10)
    assert client.carried.hash == before
    service.answers[b"RCAPTURE"] = honest
    assert len(client.capture(LEFT, deadline=10)) == 2  # type: ignore[arg-type]


def test_an_answer_played_again_is_refused(station: Callable[..., Station]) -> None:
    kept: list[bytes] = []

    def keep(request: bytes) -> bytes:
        kept.append(honest(request))
        return kept[0]

    client = _client(station(capture=keep).port)
    client.capture(LEFT, deadline=10)
    with pytest.raises(TransactionOther):
        client.capture(LEFT, deadline=10)


def test_a_device_is_found_by_its_serial_number_among_several(
    station: Callable[..., Station],
) -> None:
    trust = dataclasses.replace(TRUST, serials=frozenset({SERIAL, "SN-2"}))
    first, second = station(), station(who=identity("SN-2"))
    face = station(who=identity(kind="Face"))
    ports = (face.port, first.port, second.port)
    assert _client(*ports, trust=trust).find().identity.serial_no == SERIAL
    assert _client(*ports, trust=trust, serial="SN-2").find().identity.serial_no == "SN-2"
    with pytest.raises(Unplugged, match="SN-3"):
        _client(*ports, trust=trust, serial="SN-3").find()
    # One that is not enrolled is passed over for one that is.
    assert _client(second.port, first.port).find().identity.serial_no == SERIAL
    with pytest.raises(SerialOther):
        _client(second.port).find()


def test_a_device_that_is_not_trusted_or_not_for_registration_is_never_asked(
    station: Callable[..., Station],
) -> None:
    service = station()
    with pytest.raises(ChainUntrusted):
        _client(service.port, trust=Trust(serials=None)).capture(LEFT, deadline=10)
    auth = station(purpose="Auth")
    with pytest.raises(Unplugged):
        _client(auth.port).capture(LEFT, deadline=10)
    assert service.captures() == auth.captures() == []


def test_a_service_that_comes_back_elsewhere_is_found_again(
    station: Callable[..., Station],
) -> None:
    first = station()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    client = _client(first.port, port)
    client.capture(LEFT, deadline=10)
    first.close()
    with pytest.raises(Unplugged):
        client.capture(LEFT, deadline=10)
    with pytest.raises(Unplugged, match="no SBI finger device"):
        client.capture(LEFT, deadline=10)
    station(port=port)
    assert len(client.capture(LEFT, deadline=10)) == 2  # type: ignore[arg-type]


def _error(code: str) -> bytes:
    return answer(Captured(error=Failure(error_code=code)))


@pytest.mark.parametrize(
    ("body", "meant"),
    [
        (_error("101"), Mendable.NOTHING_THERE),
        (_error("701"), Mendable.NOTHING_THERE),
        (http(b'{"error":{"errorCode":"105","errorInfo":"x"}}'), Mendable.MISPLACED),
    ],
)
def test_what_a_person_can_mend_is_no_error(
    station: Callable[..., Station], body: bytes, meant: Mendable
) -> None:
    assert _client(station(capture=body).port).capture(LEFT, deadline=10) is meant


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", Unplugged),
        (b"HTTP/1.1 200", Garbled),
        (http(b""), Garbled),
        (http(b"null"), Garbled),
        (http(b'{"biometrics":[]}'), Garbled),
        (http(b'{"biometrics":[{}]}'), Broken),
        (http(b'{"biometrics":' + b"[" * 100_000), Garbled),
        (http(b'{"biometrics":[' + b",".join([b"{}"] * 1000) + b"]}"), Garbled),
        (http(b"<html>no", 403), Refused),
        (http(b"{}", 500), Garbled),
        (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (MOST_CAPTURE + 1), Garbled),
        (http(b'{"biometrics":[]}')[:-3], Garbled),
        (_error("111"), Refused),
        (_error("202"), Unplugged),
        (_error("none"), Garbled),
        (answer(captured(finger_record()), Captured(error=Failure(error_code="103"))), Refused),
    ],
)
def test_a_bad_answer_is_broken_and_the_next_good_one_is_taken(
    station: Callable[..., Station], body: bytes, error: type[Broken]
) -> None:
    service = station(capture=body)
    client = _client(service.port)
    with pytest.raises(error):
        client.capture(LEFT, deadline=10)
    service.answers[b"RCAPTURE"] = honest
    assert len(client.capture(LEFT, deadline=10)) == 2  # type: ignore[arg-type]


def test_a_refusal_keeps_its_code(station: Callable[..., Station]) -> None:
    for body, code in ((_error("111"), ErrorCode.BUSY), (http(b"no", 403), 403)):
        with pytest.raises(Refused) as caught:
            _client(station(capture=body).port).capture(LEFT, deadline=10)
        assert caught.value.code == code


def test_a_service_that_says_nothing_is_silent_by_the_deadline(
    station: Callable[..., Station],
) -> None:
    release = threading.Event()

    def hold(request: bytes) -> bytes:
        release.wait(20)
        return honest(request)

    client = _client(station(capture=hold).port)
    client.find()
    began = time.monotonic()
    with pytest.raises(Silent):
        client.capture(LEFT, deadline=0.5)
    assert time.monotonic() - began < 15
    release.set()


def test_closing_ends_a_capture_under_way(station: Callable[..., Station]) -> None:
    asked, release = threading.Event(), threading.Event()

    def hold(_request: bytes) -> bytes:
        asked.set()
        release.wait(20)
        return b""

    client = _client(station(capture=hold).port)

    def close() -> None:
        asked.wait(10)
        client.close()

    closer = threading.Thread(target=close)
    closer.start()
    with pytest.raises(Unplugged):
        client.capture(LEFT, deadline=60)
    closer.join(10)
    release.set()
    client.close()
    for call in (lambda: client.capture(LEFT, deadline=1), client.find):
        with pytest.raises(Unplugged, match="closed"):
            call()


def test_progress_is_told_of_the_answer(station: Callable[..., Station]) -> None:
    told: list[float] = []
    _client(station().port).capture(LEFT, deadline=10, progress=told.append)
    assert told[-1] == 1.0


def test_a_face_with_fingers_missing_asks_for_the_photo_that_proves_it(
    station: Callable[..., Station],
) -> None:
    who = identity(kind="Face")

    def face(request: bytes) -> bytes:
        said = {
            "bioType": "Face",
            "bioSubType": None,
            "transactionId": asked_of(request).transaction_id,
        }
        return answer(captured(b"{}", said=said, who=who))

    service = station(who=who, capture=face)
    client = SbiClient(
        Modality.FACE,
        trust=TRUST,
        records=PlainRecords(),
        now=lambda: NOW,
        ports=(service.port,),
    )
    (taken,) = client.capture(ask_face((6,)), deadline=10)  # type: ignore[misc]
    assert taken.sub_type == ""
    assert service.captures()[0].bio[0].exception == ("Left Thumb",)


def test_discovery_names_every_service_and_what_is_wrong_with_it(
    station: Callable[..., Station],
) -> None:
    good, other, bad, mute = station(), station(who=identity("SN-2")), station(), station()
    bad.answers = {b"MOSIPDINFO": http(b"[1]"), b"MOSIPDISC": http(b"[" * 10_000)}
    mute.answers = dict.fromkeys((b"MOSIPDINFO", b"MOSIPDISC"), b"HTTP/1.1 200 OK\r\n\r\n")
    empty = station()
    failure = json.dumps([{"deviceInfo": "", "error": {"errorCode": "106", "errorInfo": "none"}}])
    empty.answers = {b"MOSIPDINFO": http(failure.encode()), b"MOSIPDISC": http(b"[]")}
    with socket.create_server(("127.0.0.1", 0)) as gone:
        nobody = gone.getsockname()[1]
    ports = (good.port, nobody, other.port, bad.port, mute.port, empty.port)
    found = discover(ports=ports, deadline=10)
    assert [service.port for service in found] == [port for port in ports if port != nobody]
    assert [len(service.devices) for service in found] == [1, 1, 0, 0, 0]
    assert [len(service.said) for service in found] == [0, 0, 2, 2, 1]
    assert found[0].discovered[0].device_id == "7"
    assert "106 none" in found[4].said[0]


def test_a_port_that_hangs_holds_up_no_other_and_discovery_ends(
    station: Callable[..., Station],
) -> None:
    release = threading.Event()
    stuck = [station() for _ in range(3)]
    for one in stuck:
        one.answers[b"MOSIPDINFO"] = lambda _request: b"late" * release.wait(20)
    good = station()
    began = time.monotonic()
    found = discover(ports=[*(one.port for one in stuck), good.port], deadline=1.0)
    assert time.monotonic() - began < 15
    release.set()
    assert [len(service.devices) for service in found] == [0, 0, 0, 1]
    assert all("no answer in time" in service.said[0] for service in found[:3])


def test_nobody_there_is_nothing_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        nobody = gone.getsockname()[1]
    assert discover(ports=(nobody,), deadline=1.0) == ()
    assert discover(ports=(), deadline=1.0) == ()
