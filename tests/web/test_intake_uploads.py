"""Uploads: resumed, replayed, raced, cut off; and what they leave in database and folder."""

import json
import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from kiosk.device import Device as KioskDevice
from kiosk.ledger import Entry
from kiosk.protocol import CheckIn, LeaveVisit, Receipt, UploadState
from kiosk.receipts import pinned_key, sealing_keys, verify_receipt
from kiosk.uplink import Refused, Uplink
from scheduler.database import transaction
from server.cases import devices, intake
from server.rules.dossier import DossierState
from server.store.tables import CaptureRow, Journal, Upload, VisitRow
from server.store.vault import Vault
from tests.web.intake_checks import arrived, count, files, on_sqlite
from tests.web.intake_stage import CHUNK, JPEG, Kiosk, Stage, said, stage


@pytest.fixture
def house(engine: sa.Engine, tmp_path: Path, now: datetime) -> Stage:
    return stage(engine, tmp_path, now)


@pytest.fixture
def small(tmp_path: Path, now: datetime) -> Iterator[Stage]:
    made = on_sqlite(tmp_path, now)
    yield made
    made.engine.dispose()


BIG = JPEG + bytes(2 * CHUNK + 12345)


def test_a_stored_capture_moves_everything_in_one_step(house: Stage) -> None:
    kiosk, visit = arrived(house)
    house.officer("CB7")
    sealed = house.sealed(kiosk, visit, operator="CB7")
    house.clock.goes_on(minutes=5, seconds=0.25)
    answer = kiosk.upload(sealed.digest, sealed.packet)
    assert answer.status_code == 200, answer.text
    state = UploadState.model_validate_json(answer.data)
    assert state.offset == len(sealed.packet)
    assert state.receipt is not None
    verify_receipt(
        state.receipt,
        pinned_key(house.settings.data / "keys"),
        digest=sealed.digest,
        device=kiosk.id,
        sequence=1,
    )
    dossier = house.dossier(visit.dossier)
    assert dossier.state is DossierState.CAPTURED
    assert dossier.due_on == date(2026, 12, 4)  # seven working days after Wednesday the 25th
    assert house.appointment_state(visit.appointment) == "served"
    with transaction(house.engine) as session:
        row = session.get_one(CaptureRow, sealed.digest)
        assert (row.sequence, row.station, row.operator) == (1, "S01", "CB7")
        assert (row.simulated, row.size, row.visit_id) == (True, len(sealed.packet), visit.visit_id)
        assert row.received_at == house.clock()
        assert Receipt.model_validate_json(json.dumps(row.receipt)) == state.receipt
        closed = session.get_one(VisitRow, visit.visit_id)
        assert (closed.how, closed.closed_at) == ("sealed", house.clock())
        note = session.scalars(sa.select(Journal.note).where(Journal.event == "seal")).one()
        assert note == {"digest": sealed.digest, "sequence": 1}
    assert Vault(house.settings.data).read(sealed.digest) == sealed.packet
    assert files(house) == {f"{sealed.digest}.ccap"}
    assert count(house, Upload) == 0


def test_an_upload_goes_on_after_a_cut(house: Stage) -> None:
    kiosk, visit = arrived(house)
    sealed = house.sealed(kiosk, visit, image=BIG)
    assert kiosk.start(sealed.digest, len(sealed.packet)).json == {
        "digest": sealed.digest,
        "offset": 0,
        "receipt": None,
    }
    answer = kiosk.patch(sealed.digest, 0, sealed.packet[:CHUNK])
    assert answer.json is not None
    assert (answer.status_code, answer.json["offset"]) == (200, CHUNK)
    # The kiosk was switched off, the server restarted: a part half written, days later.
    part = house.settings.data / "uploads" / f"{sealed.digest}.part"
    part.write_bytes(part.read_bytes() + b"torn")
    house.clock.goes_on(days=3)
    path = f"/kiosk/uploads/{sealed.digest}"
    known = kiosk.ask("GET", path).json
    assert known is not None
    assert known["offset"] == CHUNK
    assert kiosk.upload(sealed.digest, sealed.packet).status_code == 200
    assert Vault(house.settings.data).read(sealed.digest) == sealed.packet
    stored = kiosk.ask("GET", path).json
    assert stored is not None
    assert stored["receipt"]["digest"] == sealed.digest


def test_a_capture_that_comes_days_later_costs_no_day(house: Stage) -> None:
    kiosk, visit = arrived(house)
    sealed = house.sealed(kiosk, visit)
    house.clock.goes_on(days=6)
    assert kiosk.upload(sealed.digest, sealed.packet).status_code == 200
    assert house.dossier(visit.dossier).due_on == date(2026, 12, 4)


def test_a_piece_at_another_offset_is_answered_with_the_right_one(house: Stage) -> None:
    kiosk, visit = arrived(house)
    sealed = house.sealed(kiosk, visit, image=BIG)
    kiosk.start(sealed.digest, len(sealed.packet))
    for offset in (1, CHUNK, 999_999_999):
        answer = kiosk.patch(sealed.digest, offset, sealed.packet[:10])
        assert answer.status_code == 409
        assert UploadState.model_validate_json(answer.data).offset == 0
    kiosk.patch(sealed.digest, 0, sealed.packet[:CHUNK])
    again = kiosk.patch(sealed.digest, 0, sealed.packet[:CHUNK])  # its answer was lost
    assert again.status_code == 409
    assert UploadState.model_validate_json(again.data).offset == CHUNK
    assert kiosk.upload(sealed.digest, sealed.packet).status_code == 200


def test_a_part_the_disk_has_lost_is_asked_for_again(small: Stage) -> None:
    kiosk, visit = arrived(small)
    sealed = small.sealed(kiosk, visit, image=BIG)
    kiosk.start(sealed.digest, len(sealed.packet))
    kiosk.patch(sealed.digest, 0, sealed.packet[:CHUNK])
    (small.settings.data / "uploads" / f"{sealed.digest}.part").unlink()
    answer = kiosk.patch(sealed.digest, CHUNK, sealed.packet[CHUNK : 2 * CHUNK])
    assert answer.status_code == 409
    assert UploadState.model_validate_json(answer.data).offset == 0
    assert kiosk.upload(sealed.digest, sealed.packet).status_code == 200


def test_an_offset_that_is_no_number_is_refused(small: Stage) -> None:
    kiosk = small.kiosk()
    path = f"/kiosk/uploads/{'a' * 64}"
    for offset in ("", "-1", "1e3", "0x0", "+0", "1" * 30):
        answer = kiosk.ask("PATCH", path, b"x", offset=offset)
        assert (answer.status_code, said(answer)) == (400, "message_wrong"), offset
    assert count(small, Upload) == 0


def test_empty_huge_and_overlong_pieces_are_refused(small: Stage) -> None:
    kiosk, visit = arrived(small)
    sealed = small.sealed(kiosk, visit, image=BIG)
    kiosk.start(sealed.digest, len(sealed.packet))
    assert said(kiosk.patch(sealed.digest, 0, b"")) == "chunk_empty"
    assert said(kiosk.patch(sealed.digest, 0, bytes(CHUNK + 1))) == "too_large"
    assert said(kiosk.patch(sealed.digest, 0, bytes(8 * CHUNK))) == "too_large"
    tiny = small.sealed(kiosk, visit, sequence=2)
    kiosk.start(tiny.digest, len(tiny.packet))
    assert said(kiosk.patch(tiny.digest, 0, tiny.packet + b"x")) == "chunk_beyond"
    assert kiosk.upload(sealed.digest, sealed.packet).status_code == 200


SIZES = (b"0", b"-1", b"67108865", b'"5"', b"1.5", b"null", b"1e400")


def test_sizes_that_cannot_be_are_refused(small: Stage) -> None:
    kiosk, _ = arrived(small)
    for size in SIZES:
        body = b'{"digest": "%s", "size": %s}' % (b"a" * 64, size)
        answer = kiosk.ask("POST", "/kiosk/uploads", body)
        assert (answer.status_code, said(answer)) == (400, "message_wrong"), size
    assert count(small, Upload) == 0


TRICKS = (
    "..%2f..%2fsecret",
    "../../secret",
    "A" * 64,
    "a" * 63,
    "a" * 65,
    "a" * 60 + "%00.pem",
    "%2e%2e",
    "a" * 62 + "%0a",
    ".lock-aa",
)


def test_a_digest_never_becomes_a_path(small: Stage) -> None:
    kiosk, _ = arrived(small)
    for trick in TRICKS:
        for method, body in (("GET", b""), ("PATCH", b"x")):
            path = f"/kiosk/uploads/{trick}"
            answer = kiosk.ask(method, path, body, offset="0" if body else None)
            assert answer.status_code in {401, 404, 405}, (method, trick)
        answer = kiosk.ask(
            "POST", "/kiosk/uploads", json.dumps({"digest": trick, "size": 5}).encode()
        )
        assert said(answer) == "message_wrong"
    assert files(small) == set()


def test_nobody_meddles_with_the_upload_of_another_device(house: Stage) -> None:
    kiosk, visit = arrived(house)
    sealed = house.sealed(kiosk, visit)
    kiosk.start(sealed.digest, len(sealed.packet))
    other = house.kiosk("Q2")
    assert said(other.start(sealed.digest, len(sealed.packet))) == "upload_foreign"
    assert said(other.patch(sealed.digest, 0, b"x")) == "upload_foreign"
    assert said(other.ask("GET", f"/kiosk/uploads/{sealed.digest}")) == "upload_foreign"
    assert kiosk.upload(sealed.digest, sealed.packet).status_code == 200
    assert said(other.ask("GET", f"/kiosk/uploads/{sealed.digest}")) == "upload_foreign"


def test_the_same_packet_again_is_one_capture_with_one_receipt(house: Stage) -> None:
    kiosk, visit = arrived(house)
    sealed = house.sealed(kiosk, visit)
    first = kiosk.upload(sealed.digest, sealed.packet)
    house.clock.goes_on(hours=5)
    again = kiosk.start(sealed.digest, len(sealed.packet))
    assert (again.status_code, again.data) == (200, first.data)
    last = kiosk.patch(sealed.digest, len(sealed.packet), b"")
    assert (last.status_code, last.data) == (200, first.data)
    early = kiosk.patch(sealed.digest, 0, sealed.packet)
    assert (early.status_code, early.data) == (409, first.data)
    assert count(house, CaptureRow) == 1
    with transaction(house.engine) as session:
        events = session.scalars(sa.select(Journal.event).where(Journal.event == "seal")).all()
    assert len(events) == 1


def test_the_same_content_signed_anew_is_the_same_capture(small: Stage) -> None:
    """ECDSA signs differently each time; the content address does not cover the signature."""
    kiosk, visit = arrived(small)
    sealed = small.sealed(kiosk, visit)
    first = kiosk.upload(sealed.digest, sealed.packet)
    again = kiosk.start(sealed.digest, len(sealed.packet) + 1)
    assert (again.status_code, again.data) == (200, first.data)


def test_an_upload_announced_with_another_size_begins_anew(small: Stage) -> None:
    kiosk, visit = arrived(small)
    sealed = small.sealed(kiosk, visit, image=BIG)
    kiosk.start(sealed.digest, len(sealed.packet) + 1)
    kiosk.patch(sealed.digest, 0, sealed.packet[:CHUNK])
    assert kiosk.upload(sealed.digest, sealed.packet).status_code == 200
    assert Vault(small.settings.data).read(sealed.digest) == sealed.packet


def test_a_full_disk_is_said_before_anything_is_sent(
    small: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    kiosk, visit = arrived(small)
    sealed = small.sealed(kiosk, visit)
    monkeypatch.setattr("server.store.vault.RESERVE", 2**62)
    answer = kiosk.start(sealed.digest, len(sealed.packet))
    assert (answer.status_code, said(answer)) == (507, "no_room")
    assert count(small, Upload) == 0


def test_one_device_cannot_begin_without_end(small: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MOST_UPLOADS", 3)
    kiosk = small.kiosk()
    answers = [kiosk.start(f"{number:064x}", 5) for number in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]


def test_two_that_complete_one_upload_at_once_store_one_capture(house: Stage) -> None:
    kiosk, visit = arrived(house)
    sealed = house.sealed(kiosk, visit, image=BIG)
    kiosk.start(sealed.digest, len(sealed.packet))
    for offset in range(0, 2 * CHUNK, CHUNK):
        kiosk.patch(sealed.digest, offset, sealed.packet[offset : offset + CHUNK])
    together = threading.Barrier(4)
    answers: list[tuple[int, bytes]] = []

    def finish() -> None:
        together.wait()
        answer = kiosk.patch(sealed.digest, 2 * CHUNK, sealed.packet[2 * CHUNK :])
        answers.append((answer.status_code, answer.data))

    threads = [threading.Thread(target=finish) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(status for status, _ in answers) == [200, 409, 409, 409]
    assert len({body for _, body in answers}) == 1  # the losers are told the same receipt
    assert b'"receipt":{' in answers[0][1]
    assert count(house, CaptureRow) == 1
    assert files(house) == {f"{sealed.digest}.ccap"}


@pytest.mark.parametrize("where", ["before the file moves", "before the commit"])
def test_a_server_that_fell_while_storing_stores_it_later(
    house: Stage, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    kiosk, visit = arrived(house)
    sealed = house.sealed(kiosk, visit)
    store = Vault.store

    def falls(vault: Vault, digest: str) -> None:
        if where == "before the commit":
            store(vault, digest)
        raise OSError("power")

    kiosk.start(sealed.digest, len(sealed.packet))
    with monkeypatch.context() as broken:
        broken.setattr(Vault, "store", falls)
        assert said(kiosk.patch(sealed.digest, 0, sealed.packet)) == "broken"
    assert count(house, CaptureRow) == 0
    assert house.dossier(visit.dossier).state is DossierState.AT_STATION
    answer = kiosk.start(sealed.digest, len(sealed.packet))
    assert answer.status_code == 200
    assert UploadState.model_validate_json(answer.data).receipt is not None
    assert Vault(house.settings.data).read(sealed.digest) == sealed.packet
    assert files(house) == {f"{sealed.digest}.ccap"}


def test_the_real_kiosk_gets_through_with_its_own_client(house: Stage, tmp_path: Path) -> None:
    """Two programs written from one contract: station, check-in, upload, refusal, leaving."""
    made = KioskDevice.create(tmp_path / "kiosk")
    with transaction(house.engine) as session:
        enrolled = devices.enrol(
            session,
            name="real",
            station="S01",
            public_pem=(tmp_path / "kiosk/device-public.pem").read_bytes(),
            trust="software",
            now=house.clock(),
        )
    assert enrolled.id == made.id
    pinned = pinned_key(house.settings.data / "keys")
    ticket = house.booked(at=house.clock() + timedelta(minutes=30))
    with Uplink(
        "http://localhost",
        made,
        pinned,
        clock=house.clock,
        transport=httpx.WSGITransport(app=house.app),
    ) as uplink:
        station = uplink.station()
        assert sealing_keys(station.keys, pinned).kid == "ingest-test"
        visit = uplink.check_in(CheckIn(ticket=ticket))
        with pytest.raises(Refused, match="unknown"):
            uplink.check_in(CheckIn(ticket="0000-0000-0000-0"))
        uplink.leave(LeaveVisit(visit_id=visit.visit_id, reason="gave_up"))
        visit = uplink.check_in(CheckIn(ticket=ticket))
        sealed = house.sealed(Kiosk(house.app, made.key, house.clock), visit, image=BIG)
        packet = tmp_path / "packet"
        packet.write_bytes(sealed.packet)
        entry = Entry(
            sequence=1,
            digest=sealed.digest,
            visit=str(visit.visit_id),
            size=len(sealed.packet),
            sealed_at=house.clock(),
            receipt=None,
            refusal=None,
            refused_at=None,
        )
        receipt = uplink.upload(entry, packet)
        assert uplink.upload(entry, packet) == receipt
    assert house.dossier(visit.dossier).state is DossierState.CAPTURED
