"""Answers that are none, or from somebody else, and what the uploader makes of refusals."""

import gzip
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from biometrics.seal.keys import PrivateKeys
from kiosk.device import Device
from kiosk.ledger import Entry
from kiosk.outbox import Outbox
from kiosk.protocol import (
    BothLanguages,
    CheckIn,
    LeaveVisit,
    Receipt,
    Refusal,
    UploadStart,
    UploadState,
)
from kiosk.receipts import message_of
from kiosk.uplink import CHUNK, MAX_ANSWER, NoNetwork, Refused, ServerForeign, Uplink, UplinkError
from kiosk.uploader import Pace, Uploader
from tests.captures import AT, capture
from tests.unit.test_outbox_station import keys, signature, station

KEY = ec.generate_private_key(ec.SECP256R1())
STRANGER = ec.generate_private_key(ec.SECP256R1())
REFUSAL = Refusal(code="no", text=BothLanguages(vi="Không được", en="No"))
KEYS = PrivateKeys.create("ingest-2026-11").public
Answer = Callable[[httpx.Request], httpx.Response]


@dataclass
class Desk:
    """A kiosk before a server that says whatever the test wants."""

    device: Device
    outbox: Outbox
    answer: Answer
    asked: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self.answer(request)

    def put(self) -> Entry:
        return self.outbox.put(
            capture(),
            keys=KEYS,
            station="S01",
            captured_at=AT,
            mono=1.0,
            boot_id="",
            software="0.1.0",
            operator=None,
        )

    def send(self, entry: Entry) -> Receipt:
        return self.uplink.upload(entry, self.outbox.packet(entry))

    @property
    def uplink(self) -> Uplink:
        return Uplink(
            "http://intake.test",
            self.device,
            KEY.public_key(),
            clock=lambda: AT,
            transport=httpx.MockTransport(self),
        )


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    device = Device.create(tmp_path)
    with Outbox(tmp_path / "outbox", device) as outbox:
        yield Desk(device, outbox, says("", 500))


def reply(content: bytes, status: int = 200, **headers: str) -> httpx.Response:
    """A response as it comes from a line: not read yet."""
    return httpx.Response(status, stream=httpx.ByteStream(content), headers=headers)


def says(answer: bytes | str, status: int = 200, **headers: str) -> Answer:
    content = answer if isinstance(answer, bytes) else answer.encode()
    return lambda _: reply(content, status, **headers)


REFUSED = REFUSAL.model_dump_json()
PAGE = "<!doctype html><title>Wi-Fi</title>"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (says("", 500), NoNetwork),
        (says(REFUSED, 500), NoNetwork),
        (says(PAGE, 502), NoNetwork),
        (says(REFUSED, 503), NoNetwork),
        (says(REFUSED, 507), NoNetwork),
        (says("", 408), NoNetwork),
        (says("", 429), NoNetwork),
        (says(REFUSED, 429), Refused),
        (says(REFUSED, 400), Refused),
        (says(REFUSED, 401), Refused),
        (says(REFUSED, 404), Refused),
        (says(REFUSED, 409), Refused),
        (says(REFUSED, 422), Refused),
        (says(PAGE, 404), ServerForeign),
        (says("", 403), ServerForeign),
        (says(PAGE, 200), ServerForeign),
        (says("", 302, location="http://login.test/"), ServerForeign),
        (says("{}", 200), ServerForeign),
        (says(b"\xff\xfe", 200), ServerForeign),
        (says(bytes(MAX_ANSWER + 1), 200), ServerForeign),
        (says(REFUSED, 200), ServerForeign),
    ],
)
@pytest.mark.parametrize(
    "ask",
    [
        lambda desk, _: desk.uplink.station(),
        lambda desk, _: desk.uplink.check_in(CheckIn(ticket="T")),
        lambda desk, entry: desk.send(entry),
    ],
    ids=["station", "check-in", "upload"],
)
def test_what_is_no_answer_of_our_server_is_told_apart(
    desk: Desk, ask: Callable[[Desk, Entry], object], answer: Answer, error: type[UplinkError]
) -> None:
    entry = desk.put()
    desk.answer = answer
    with pytest.raises(error):
        ask(desk, entry)
    assert desk.outbox.waiting() == (entry,)


def test_leaving_needs_no_answer_but_a_success(desk: Desk) -> None:
    leave = LeaveVisit(visit_id=UUID(int=1), reason="timed_out")
    desk.answer = says("", 204)
    desk.uplink.leave(leave)
    assert LeaveVisit.model_validate_json(desk.asked[0].content) == leave
    desk.answer = says(REFUSED, 404)
    with pytest.raises(Refused):
        desk.uplink.leave(leave)


@pytest.mark.parametrize(
    "fault",
    [
        httpx.ConnectError,
        httpx.ConnectTimeout,
        httpx.ReadError,
        httpx.ReadTimeout,
        httpx.WriteError,
        httpx.RemoteProtocolError,
    ],
)
def test_every_fault_of_the_line_is_no_network(
    desk: Desk, fault: type[httpx.TransportError]
) -> None:
    def fall(request: httpx.Request) -> httpx.Response:
        raise fault("gone", request=request)

    desk.answer = fall
    with pytest.raises(NoNetwork):
        desk.uplink.station()


def test_a_small_answer_does_not_become_a_large_one(desk: Desk) -> None:
    bomb = gzip.compress(bytes(64 * 1024 * 1024))
    assert len(bomb) < MAX_ANSWER
    desk.answer = says(bomb, 200, **{"content-encoding": "gzip"})
    with pytest.raises(ServerForeign):
        desk.uplink.station()
    assert desk.asked[0].headers["accept-encoding"] == "identity"


def test_a_station_whose_keys_the_pinned_key_did_not_sign_is_foreign(desk: Desk) -> None:
    desk.answer = says(station(keys(STRANGER)).model_dump_json())
    with pytest.raises(ServerForeign):
        desk.uplink.station()


def receipt_of(
    entry: Entry, desk: Desk, key: ec.EllipticCurvePrivateKey = KEY, **changes: object
) -> Receipt:
    fields = {
        "number": "1",
        "digest": entry.digest,
        "device": desk.device.id,
        "sequence": entry.sequence,
        "received_at": AT,
        "signature": "",
        **changes,
    }
    unsigned = Receipt.model_validate(fields)
    return unsigned.model_copy(update={"signature": signature(message_of(unsigned), key)})


def stored(entry: Entry, receipt: Receipt, **changes: object) -> str:
    fields = {"digest": entry.digest, "offset": entry.size, "receipt": receipt, **changes}
    return UploadState.model_validate(fields).model_dump_json()


def test_a_receipt_for_what_was_stored_before_is_taken_without_sending_again(desk: Desk) -> None:
    entry = desk.put()
    receipt = receipt_of(entry, desk)
    desk.answer = says(stored(entry, receipt))
    assert desk.send(entry) == receipt
    (asked,) = desk.asked
    assert UploadStart.model_validate_json(asked.content) == UploadStart(
        digest=entry.digest, size=entry.size
    )


@pytest.mark.parametrize(
    "wrong",
    [
        lambda entry, desk: stored(entry, receipt_of(entry, desk, STRANGER)),
        lambda entry, desk: stored(entry, receipt_of(entry, desk, sequence=9)),
        lambda entry, desk: stored(entry, receipt_of(entry, desk, digest="0" * 64)),
        lambda entry, desk: stored(entry, receipt_of(entry, desk, device="0" * 64)),
        lambda entry, desk: stored(entry, receipt_of(entry, desk), digest="0" * 64),
        lambda entry, desk: stored(entry, receipt_of(entry, desk), offset=entry.size + 1),
        lambda entry, desk: stored(entry, receipt_of(entry, desk), offset=-1),
    ],
)
def test_a_receipt_that_is_not_for_this_packet_lets_nothing_go(
    desk: Desk, wrong: Callable[[Entry, Desk], str]
) -> None:
    entry = desk.put()
    desk.answer = says(wrong(entry, desk))
    with pytest.raises(ServerForeign):
        desk.send(entry)
    assert desk.outbox.waiting() == (entry,)


@pytest.mark.parametrize("offsets", [[0], [0, 1]])
def test_a_server_that_never_gets_on_is_given_up(desk: Desk, offsets: list[int]) -> None:
    entry = desk.put()

    def turn(_: httpx.Request) -> httpx.Response:
        offset = offsets[len(desk.asked) % len(offsets)]
        state = UploadState(digest=entry.digest, offset=offset)
        return reply(state.model_dump_json().encode())

    desk.answer = turn
    with pytest.raises(ServerForeign, match="get on"):
        desk.send(entry)
    sent = sum(len(request.content) for request in desk.asked if request.method == "PATCH")
    assert sent <= 4 * entry.size + 2 * CHUNK


@dataclass
class Turner:
    """A clock the test turns."""

    at: datetime = AT

    def __call__(self) -> datetime:
        return self.at


def by_digest(desk: Desk, answers: dict[str, Answer]) -> Answer:
    """Answer uploads by what they are about, and take all others."""

    def answer(request: httpx.Request) -> httpx.Response:
        asked = UploadStart.model_validate_json(request.content)
        if asked.digest in answers:
            return answers[asked.digest](request)
        (entry,) = [entry for entry in desk.outbox.waiting() if entry.digest == asked.digest]
        return reply(stored(entry, receipt_of(entry, desk)).encode())

    return answer


def test_a_packet_the_server_does_not_want_is_kept_and_the_others_go_up(desk: Desk) -> None:
    first, second = desk.put(), desk.put()
    desk.answer = by_digest(desk, {first.digest: says(REFUSED, 422)})
    turner = Turner()
    uploader = Uploader(desk.outbox, desk.uplink, clock=turner, pace=Pace())
    uploader.drain()
    (kept,) = desk.outbox.waiting()
    assert (kept.sequence, kept.refusal) == (first.sequence, REFUSAL)
    assert desk.outbox.packet(kept).is_file()
    assert (uploader.report.waiting, uploader.report.refused) == (1, 1)

    asked = len(desk.asked)
    turner.at += timedelta(minutes=59)
    uploader.drain()
    assert len(desk.asked) == asked
    turner.at += timedelta(minutes=1)
    desk.answer = by_digest(desk, {})
    uploader.drain()
    assert desk.outbox.waiting() == ()
    settled = desk.outbox.of_visit(second.visit)
    assert settled is not None
    assert settled.refusal is None


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_that_is_not_about_the_packet_stops_the_round(desk: Desk, status: int) -> None:
    desk.put(), desk.put()
    desk.answer = says(REFUSED, status)
    uploader = Uploader(desk.outbox, desk.uplink, clock=lambda: AT, pace=Pace())
    with pytest.raises(Refused):
        uploader.drain()
    assert len(desk.asked) == 1
    assert [entry.refusal for entry in desk.outbox.waiting()] == [None, None]


def test_a_packet_the_server_stumbles_over_does_not_hold_the_others_up_for_ever(
    desk: Desk,
) -> None:
    first, second = desk.put(), desk.put()
    desk.answer = by_digest(desk, {first.digest: says("", 500)})
    pace = Pace(first=timedelta(milliseconds=1), longest=timedelta(milliseconds=2), patience=3)
    uploader = Uploader(desk.outbox, desk.uplink, clock=lambda: AT, pace=pace)
    uploader.start()
    try:
        _until(lambda: {entry.digest for entry in desk.outbox.waiting()} == {first.digest})
    finally:
        uploader.stop()
    assert second.digest not in {entry.digest for entry in desk.outbox.waiting()}
    assert uploader.report.failures >= 3


def test_a_packet_that_is_gone_does_not_stop_the_others(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    gone, there = desk.put(), desk.put()
    desk.outbox.packet(gone).unlink()
    receipts = {entry.digest: receipt_of(entry, desk).model_dump_json() for entry in (gone, there)}

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "PATCH":
            digest = request.url.path.rpartition("/")[2]
            size = len(request.content)
            receipt = Receipt.model_validate_json(receipts[digest])
            state = UploadState(digest=digest, offset=size, receipt=receipt)
        else:
            digest = UploadStart.model_validate_json(request.content).digest
            state = UploadState(digest=digest, offset=0)
        return reply(state.model_dump_json().encode())

    desk.answer = answer
    Uploader(desk.outbox, desk.uplink, clock=lambda: AT).drain()
    assert [entry.digest for entry in desk.outbox.waiting()] == [gone.digest]
    assert "is not there" in caplog.text


def test_receipted_packets_are_let_go_after_their_grace(desk: Desk) -> None:
    entry = desk.put()
    desk.answer = by_digest(desk, {})
    turner = Turner()
    uploader = Uploader(desk.outbox, desk.uplink, clock=turner, pace=Pace())
    uploader.drain()
    assert desk.outbox.packet(entry).is_file()
    turner.at += Pace().grace
    uploader.drain()
    assert not desk.outbox.packet(entry).exists()


def test_a_thread_that_meets_the_unforeseen_goes_on(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    entry = desk.put()
    broken = [True]

    def answer(request: httpx.Request) -> httpx.Response:
        if broken:
            broken.pop()
            raise RuntimeError("nobody foresaw this")
        return by_digest(desk, {})(request)

    desk.answer = answer
    pace = Pace(first=timedelta(milliseconds=1), longest=timedelta(milliseconds=2))
    uploader = Uploader(desk.outbox, desk.uplink, clock=lambda: AT, pace=pace)
    uploader.start()
    try:
        _until(lambda: desk.outbox.waiting() == ())
    finally:
        uploader.stop()
    assert "nobody foresaw this" in caplog.text
    settled = desk.outbox.of_visit(entry.visit)
    assert settled is not None
    assert settled.receipt is not None


def _until(true: Callable[[], bool]) -> None:
    for _ in range(2000):
        if true():
            return
        time.sleep(0.005)
    pytest.fail("it did not become so")
