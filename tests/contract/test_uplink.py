"""The kiosk and its server, through a network that cuts, loses and returns: one capture, once."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
import pytest

from biometrics.capture import JPEG, Capture, Consent
from biometrics.seal.keys import PublicKeys
from kiosk.device import Device
from kiosk.ledger import Entry
from kiosk.outbox import Outbox
from kiosk.protocol import CheckIn, LeaveVisit, Visit
from kiosk.receipts import sealing_keys
from kiosk.uplink import CHUNK, NoNetwork, Refused, Uplink
from kiosk.uploader import Pace, Uploader
from tests.captures import capture, picture
from tests.contract.houses import House, real_house, small_house

BIG = 2 * CHUNK + 200_000
"""Bytes of a portrait whose packet goes up in three chunks."""
PACE = Pace(first=timedelta(milliseconds=5), longest=timedelta(milliseconds=50))

Fault = Callable[[httpx.Request, "Network"], httpx.Response]


def fine(request: httpx.Request, network: "Network") -> httpx.Response:
    return network.carry(request)


def cut(request: httpx.Request, network: "Network") -> httpx.Response:
    """Lose the connection when half of the body is out."""
    body = request.content

    def half() -> Iterator[bytes]:
        yield body[: len(body) // 2]
        raise httpx.WriteError("cut", request=request)

    torn = httpx.Request(
        request.method, request.url, headers=request.headers, stream=_Stream(half())
    )
    network.sent += len(body) // 2 if request.method == "PATCH" else 0
    return network.inner.handle_request(torn)


def lose_answer(request: httpx.Request, network: "Network") -> httpx.Response:
    """Let the server do it, and never hear of it."""
    response = network.carry(request)
    response.read()
    response.close()
    raise httpx.ReadError("lost", request=request)


def no_route(request: httpx.Request, network: "Network") -> httpx.Response:
    raise httpx.ConnectError("no route", request=request)


class _Stream(httpx.SyncByteStream):
    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces


@dataclass
class Network(httpx.BaseTransport):
    """The real one, but for what a test does to it."""

    inner: httpx.HTTPTransport = field(default_factory=httpx.HTTPTransport)
    faults: list[Fault] = field(default_factory=list)
    """What happens to the next requests, in turn; then all is fine."""
    watch: Callable[[httpx.Request], None] | None = None
    sent: int = 0
    """Bytes of packets that went out."""
    failed: int = 0
    statuses: list[int] = field(default_factory=list)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        if self.watch is not None:
            self.watch(request)
        fault = self.faults.pop(0) if self.faults else fine
        self.failed += fault is not fine
        return fault(request, self)

    def carry(self, request: httpx.Request) -> httpx.Response:
        self.sent += len(request.content) if request.method == "PATCH" else 0
        response = self.inner.handle_request(request)
        self.statuses.append(response.status_code)
        return response

    def close(self) -> None:
        self.inner.close()


@dataclass
class Kiosk:
    """The real parts of a kiosk, in one place."""

    house: House
    device: Device
    outbox: Outbox
    network: Network
    uplink: Uplink
    uploader: Uploader

    def keys(self) -> PublicKeys:
        return sealing_keys(self.uplink.station().keys, self.house.receipt_key)

    def visit(self) -> Visit:
        return self.uplink.check_in(CheckIn(ticket=self.house.ticket()))

    def sealed(self, size: int = BIG) -> Entry:
        return self.put(self.visit(), self.keys(), size)

    def put(self, visit: Visit, keys: PublicKeys, size: int) -> Entry:
        return self.outbox.put(
            captured(visit, size, at=self.house.clock()),
            keys=keys,
            station=visit.station,
            captured_at=self.house.clock(),
            mono=1.0,
            boot_id="",
            software="0.1.0",
            operator=None,
        )

    def drain(self) -> int:
        """Try until everything is up, and return how often it failed on the way."""
        failures = 0
        while self.outbox.waiting():
            try:
                self.uploader.drain()
            except NoNetwork:
                failures += 1
                assert failures < 200
        return failures


def captured(visit: Visit, size: int, *, at: datetime) -> Capture:
    return capture(
        visit=str(visit.visit_id),
        dossier=visit.dossier,
        appointment=str(visit.appointment),
        portrait=replace(capture().portrait, image=picture(JPEG, 1, size)),
        consent=Consent(version=visit.notice.version, sha256=visit.notice.sha256, at=at),
    )


@pytest.fixture(params=["small", "real"])
def house(request: pytest.FixtureRequest, tmp_path: Path, now: datetime) -> Iterator[House]:
    built: House = small_house()
    if request.param == "real":
        built = real_house(tmp_path, now)
    built.up()
    yield built
    built.down()


@pytest.fixture
def kiosk(house: House, tmp_path: Path) -> Iterator[Kiosk]:
    device = Device.create(tmp_path / "kiosk")
    house.enrol(device)
    network = Network()
    with (
        Outbox(tmp_path / "kiosk" / "outbox", device) as outbox,
        Uplink(
            house.url, device, house.receipt_key, clock=house.clock, transport=network
        ) as uplink,
    ):
        uploader = Uploader(outbox, uplink, clock=house.clock, pace=PACE)
        yield Kiosk(house, device, outbox, network, uplink, uploader)


def arrived_once(kiosk: Kiosk, *entries: Entry) -> None:
    assert kiosk.house.stored() == {entry.digest: 1 for entry in entries}
    assert kiosk.outbox.waiting() == ()
    for entry in entries:
        settled = kiosk.outbox.of_visit(entry.visit)
        assert settled is not None
        assert settled.receipt is not None


def test_a_capture_goes_up_and_its_receipt_is_kept(kiosk: Kiosk) -> None:
    entry = kiosk.sealed()
    assert kiosk.drain() == 0
    arrived_once(kiosk, entry)
    assert kiosk.network.sent == entry.size


def test_a_visit_that_ends_without_a_capture_is_told(kiosk: Kiosk) -> None:
    visit = kiosk.visit()
    kiosk.uplink.leave(LeaveVisit(visit_id=visit.visit_id, reason="gave_up"))
    assert kiosk.house.departed(visit.visit_id)


def test_an_unknown_ticket_is_refused_with_words(kiosk: Kiosk) -> None:
    with pytest.raises(Refused) as refused:
        kiosk.uplink.check_in(CheckIn(ticket="ABCD"))
    assert refused.value.refusal.text.vi
    assert not refused.value.final


def test_a_device_nobody_enrolled_is_refused(house: House, tmp_path: Path) -> None:
    stranger = Device.create(tmp_path / "stranger")
    with (
        Uplink(house.url, stranger, house.receipt_key, clock=house.clock) as uplink,
        pytest.raises(Refused),
    ):
        uplink.station()


@pytest.mark.parametrize("at", range(5))
@pytest.mark.parametrize("fault", [cut, lose_answer, no_route])
def test_a_fault_costs_at_most_one_chunk_and_never_a_second_capture(
    kiosk: Kiosk, fault: Fault, at: int
) -> None:
    """Requests are: begin, three chunks; the fifth is fine in any case."""
    entry = kiosk.sealed()
    kiosk.network.faults = [fine] * at + [fault]
    failures = kiosk.drain()
    assert failures == (at < 4)
    arrived_once(kiosk, entry)
    assert kiosk.network.sent <= entry.size + CHUNK
    # What is sent once more is what the server cannot have: an answer lost costs no byte.
    if fault is lose_answer:
        assert kiosk.network.sent == entry.size


def test_a_kiosk_uploads_once_its_server_is_back(kiosk: Kiosk) -> None:
    entry = kiosk.sealed()
    kiosk.house.down()
    for _ in range(3):
        with pytest.raises(NoNetwork):
            kiosk.uploader.drain()
    assert kiosk.outbox.waiting() == (entry,)
    kiosk.house.up()
    kiosk.drain()
    arrived_once(kiosk, entry)


def test_a_server_that_restarts_between_chunks_goes_on_where_it_was(kiosk: Kiosk) -> None:
    entry = kiosk.sealed()

    def restart(request: httpx.Request) -> None:
        if request.headers.get("upload-offset") == str(2 * CHUNK):
            kiosk.network.watch = None
            kiosk.house.down()
            kiosk.house.up()

    kiosk.network.watch = restart
    kiosk.drain()
    arrived_once(kiosk, entry)
    assert kiosk.network.sent <= entry.size + CHUNK


def test_two_uploads_of_one_packet_meet_and_go_on_at_the_servers_offset(kiosk: Kiosk) -> None:
    entry = kiosk.sealed()
    other = Network()

    def overtake(request: httpx.Request) -> None:
        if request.method == "PATCH":
            kiosk.network.watch = None
            other.faults = [fine, fine, no_route]
            with pytest.raises(NoNetwork):
                second.upload(entry, kiosk.outbox.packet(entry))

    kiosk.network.watch = overtake
    with Uplink(
        kiosk.house.url,
        kiosk.device,
        kiosk.house.receipt_key,
        clock=kiosk.house.clock,
        transport=other,
    ) as second:
        assert kiosk.drain() == 0
    assert 409 in kiosk.network.statuses
    arrived_once(kiosk, entry)
    assert kiosk.network.sent + other.sent <= entry.size + CHUNK


def test_a_capture_that_was_set_aside_may_follow_newer_ones(kiosk: Kiosk) -> None:
    older, newer = kiosk.sealed(100), kiosk.sealed(100)
    kiosk.uplink.upload(newer, kiosk.outbox.packet(newer))
    kiosk.drain()
    assert kiosk.house.stored() == {older.digest: 1, newer.digest: 1}


def test_a_bad_network_loses_nothing_and_doubles_nothing(kiosk: Kiosk) -> None:
    entries = [kiosk.sealed(CHUNK + 50_000) for _ in range(5)]
    rng = np.random.default_rng(20261124)
    chances: list[Fault] = [fine, fine, cut, lose_answer, no_route]
    kiosk.network.faults = [chances[at] for at in rng.integers(0, len(chances), 60)]
    failures = kiosk.drain()
    assert failures >= 5
    assert kiosk.house.stored() == {entry.digest: 1 for entry in entries}
    assert kiosk.outbox.waiting() == ()
    total = sum(entry.size for entry in entries)
    assert kiosk.network.sent <= total + kiosk.network.failed * CHUNK


def test_every_request_is_signed_as_agreed_and_no_nonce_is_used_twice(tmp_path: Path) -> None:
    house = small_house()
    house.up()
    device = Device.create(tmp_path)
    house.enrol(device)
    with (
        Outbox(tmp_path / "outbox", device) as outbox,
        Uplink(house.url, device, house.receipt_key, clock=house.clock) as uplink,
    ):
        uploader = Uploader(outbox, uplink, clock=house.clock)
        Kiosk(house, device, outbox, Network(), uplink, uploader).sealed(100)
        uploader.drain()
    house.down()
    memory = house.memory
    assert len(memory.nonces) == len(memory.seen) == 4
    base = ['"@method"', '"@target-uri"']
    covered = [
        [name for name in result.covered_components if name != '"@signature-params"']
        for result in memory.seen
    ]
    assert covered == [
        [*base, '"content-digest"'],
        base,
        [*base, '"content-digest"'],
        [*base, '"upload-offset"', '"content-digest"'],
    ]
    for result in memory.seen:
        assert result.label == "thunhan"
        assert set(result.parameters) == {"created", "keyid", "alg", "nonce"}
        assert result.parameters["keyid"] == device.id
        assert len(result.nonce or "") == 32


def test_the_thread_sends_at_once_what_is_put_and_waits_out_a_dead_server(kiosk: Kiosk) -> None:
    """No pause of a minute: the first capture wakes it, the second comes up with the server."""
    patient = replace(PACE, longest=timedelta(milliseconds=200))
    uploader = Uploader(kiosk.outbox, kiosk.uplink, clock=kiosk.house.clock, pace=patient)
    uploader.start()
    first = kiosk.sealed(100)
    eventually(lambda: kiosk.outbox.waiting() == ())
    visit, keys = kiosk.visit(), kiosk.keys()
    kiosk.house.down()
    second = kiosk.put(visit, keys, 100)
    eventually(lambda: uploader.report.failures > 1)
    assert uploader.report.trouble is NoNetwork
    assert uploader.report.waiting == 1
    kiosk.house.up()
    eventually(lambda: kiosk.outbox.waiting() == ())
    eventually(lambda: uploader.report.failures == 0)
    uploader.stop()
    assert kiosk.house.stored() == {first.digest: 1, second.digest: 1}


def eventually(true: Callable[[], bool]) -> None:
    for _ in range(2000):
        if true():
            return
        time.sleep(0.01)
    pytest.fail("it did not become so")
