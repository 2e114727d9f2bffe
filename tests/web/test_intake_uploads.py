"""Uploads: resumed, refused, replayed, raced; and what they leave in database and folder."""

import hashlib
import json
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa

from biometrics.seal.keys import PrivateKeys
from biometrics.seal.sealing import Sealed
from kiosk.device import Device as KioskDevice
from kiosk.ledger import Entry
from kiosk.protocol import CheckIn, LeaveVisit, Receipt, UploadState, Visit
from kiosk.receipts import pinned_key, sealing_keys, verify_receipt
from kiosk.uplink import Refused, Uplink
from scheduler.database import Base, connect, transaction
from server.cases import devices, intake
from server.rules.dossier import DossierState
from server.store import audit
from server.store.keys import ReceiptKey
from server.store.tables import Audit, CaptureRow, Journal, Upload, VisitRow
from server.store.vault import Vault
from tests.web.intake_stage import CHUNK, JPEG, Kiosk, Stage, said, stage

BIG = JPEG + bytes(2 * CHUNK + 12345)


@pytest.fixture
def house(engine: sa.Engine, tmp_path: Path, now: datetime) -> Stage:
    return stage(engine, tmp_path, now)


@pytest.fixture
def small(tmp_path: Path, now: datetime) -> Iterator[Stage]:
    """An installation on SQLite alone, where what is tested stops before the database."""
    engine = connect(f"sqlite:///{tmp_path}/small.db")
    Base.metadata.create_all(engine)
    yield stage(engine, tmp_path, now)
    engine.dispose()


def arrived(house: Stage, name: str = "Q1") -> tuple[Kiosk, Visit]:
    kiosk = house.kiosk(name)
    return kiosk, kiosk.arrive(house.booked(at=house.clock() + timedelta(minutes=30)))


def count(house: Stage, table: type) -> int:
    with transaction(house.engine) as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def files(house: Stage) -> set[str]:
    return {
        path.name for path in house.settings.data.rglob("*") if path.suffix in {".part", ".ccap"}
    }


def nothing_was_kept(house: Stage, visit: Visit) -> None:
    assert count(house, CaptureRow) == 0
    assert count(house, Upload) == 0
    assert files(house) == set()
    assert house.dossier(visit.dossier).state is DossierState.AT_STATION
    assert house.appointment_state(visit.appointment) == "arrived"
    with transaction(house.engine) as session:
        assert session.get_one(VisitRow, visit.visit_id).closed_at is None
        assert audit.broken_at(session) is None


def test_a_stored_capture_moves_everything_in_one_step(house: Stage) -> None:
    kiosk, visit = arrived(house)
    sealed = house.sealed(kiosk, visit, operator="CB7")
    house.clock.forward(minutes=5, seconds=0.25)
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
    house.clock.forward(days=3)
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
    house.clock.forward(days=6)
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


def refused(kiosk: Kiosk, sealed: Sealed) -> str:
    answer = kiosk.upload(sealed.digest, sealed.packet)
    assert answer.status_code == 422
    return said(answer)


def test_one_flipped_bit_is_refused_wherever_it_is(small: Stage) -> None:
    kiosk, visit = arrived(small)
    sealed = small.sealed(kiosk, visit)
    spots = [*range(0, len(sealed.packet), 331), len(sealed.packet) - 1]
    for spot in spots:
        packet = bytearray(sealed.packet)
        packet[spot] ^= 1
        answer = kiosk.upload(sealed.digest, bytes(packet))
        assert answer.status_code == 422, spot
        assert said(answer).startswith("packet_")
    nothing_was_kept(small, visit)
    assert kiosk.upload(sealed.digest, sealed.packet).status_code == 200


def test_what_is_no_packet_is_refused(small: Stage) -> None:
    kiosk, visit = arrived(small)
    sealed = small.sealed(kiosk, visit)
    for packet in (
        sealed.packet[:-1],
        sealed.packet[:100],
        sealed.packet + b"\0",
        b"\0",
        b"CCAP1\n",
        b"CCAP1\n\xff\xff" + bytes(5000),
        JPEG + bytes(3000),
        b"<html>" * 100,
    ):
        digest = hashlib.sha256(packet).hexdigest()
        assert refused(kiosk, Sealed(packet=packet, digest=digest, header=sealed.header))
    nothing_was_kept(small, visit)


def test_a_good_packet_under_another_digest_is_refused(small: Stage) -> None:
    kiosk, visit = arrived(small)
    sealed = small.sealed(kiosk, visit)
    answer = kiosk.upload("b" * 64, sealed.packet)
    assert (answer.status_code, said(answer)) == (422, "packet_digest")
    nothing_was_kept(small, visit)


MISBOUND: list[tuple[dict[str, Any], str]] = [
    ({"dossier": "DEMO.001.026-261125-999999"}, "packet_dossier"),
    ({"appointment": str(uuid4())}, "packet_dossier"),
    ({"visit": str(uuid4())}, "packet_visit"),
    ({"visit": "../../etc"}, "packet_visit"),
    ({"station": "S02"}, "packet_station"),
    ({"consent": bytes(32)}, "packet_notice"),
    ({"trust": "tpm"}, "packet_trust"),
]


def test_a_packet_for_something_else_is_refused(house: Stage) -> None:
    kiosk, visit = arrived(house)
    for changed, expected in MISBOUND:
        assert refused(kiosk, house.sealed(kiosk, visit, **changed)) == expected, changed
    nothing_was_kept(house, visit)
    with transaction(house.engine) as session:
        told = session.scalars(
            sa.select(Audit.detail).where(Audit.action == "capture.refused").order_by(Audit.seq)
        ).all()
    assert [detail["reason"] for detail in told] == [expected for _, expected in MISBOUND]


def test_a_packet_for_another_persons_visit_is_refused(house: Stage) -> None:
    kiosk, visit = arrived(house)
    _, other = arrived(house)
    mixed = house.sealed(kiosk, visit, dossier=other.dossier)
    assert refused(kiosk, mixed) == "packet_dossier"
    nothing_was_kept(house, visit)


def test_a_packet_sealed_to_keys_nobody_holds_is_refused(small: Stage) -> None:
    kiosk, visit = arrived(small)
    sealed = small.sealed(kiosk, visit, keys=PrivateKeys.create("ingest-other"))
    assert refused(kiosk, sealed) == "packet_key"


def test_a_packet_of_another_device_is_refused(house: Stage) -> None:
    kiosk, visit = arrived(house)
    other = house.kiosk("Q2")
    assert refused(other, house.sealed(kiosk, visit)) == "packet_device"
    assert refused(other, house.sealed(other, visit)) == "packet_visit"
    stranger = house.stranger()
    assert refused(kiosk, house.sealed(stranger, visit)) == "packet_device"
    nothing_was_kept(house, visit)


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


def test_unknown_and_revoked_devices_send_nothing(house: Stage) -> None:
    kiosk, visit = arrived(house)
    sealed = house.sealed(kiosk, visit)
    assert said(house.stranger().start(sealed.digest, 5)) == "device_unknown"
    kiosk.start(sealed.digest, len(sealed.packet))
    with transaction(house.engine) as session:
        devices.revoke(session, name="Q1", now=house.clock())
    answer = kiosk.patch(sealed.digest, 0, sealed.packet)
    assert (answer.status_code, said(answer)) == (403, "device_revoked")
    assert count(house, CaptureRow) == 0


def test_a_device_revoked_between_gate_and_commit_stores_nothing(house: Stage) -> None:
    kiosk, visit = arrived(house)
    sealed = house.sealed(kiosk, visit)
    before = house.device(kiosk)
    with transaction(house.engine) as session:
        devices.revoke(session, name="Q1", now=house.clock())
    progress = intake.Progress(
        digest=sealed.digest, size=len(sealed.packet), offset=len(sealed.packet)
    )
    terms = intake.Terms(
        rehearsal=True,
        kids=frozenset({sealed.header.kid}),
        receipts=ReceiptKey.load(house.settings.data),
    )
    with pytest.raises(Exception, match="device_revoked"), transaction(house.engine) as session:
        intake.accept(session, before, sealed.header, progress, terms=terms, now=house.clock())
    assert count(house, CaptureRow) == 0


def test_the_same_packet_again_is_one_capture_with_one_receipt(house: Stage) -> None:
    kiosk, visit = arrived(house)
    sealed = house.sealed(kiosk, visit)
    first = kiosk.upload(sealed.digest, sealed.packet)
    house.clock.forward(hours=5)
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


def test_one_sequence_is_one_content(house: Stage) -> None:
    kiosk, first = arrived(house)
    _, second = arrived(house)
    _, third = arrived(house)
    stored = house.sealed(kiosk, first, sequence=5)
    assert kiosk.upload(stored.digest, stored.packet).status_code == 200
    assert refused(kiosk, house.sealed(kiosk, second, sequence=5)) == "sequence_reused"
    late = house.sealed(kiosk, second, sequence=4)  # the kiosk sent on past it
    assert kiosk.upload(late.digest, late.packet).status_code == 200
    top = house.sealed(kiosk, third, sequence=2**53)
    assert kiosk.upload(top.digest, top.packet).status_code == 200


def test_another_device_may_use_the_same_sequence(house: Stage) -> None:
    for name in ("Q1", "Q2"):
        kiosk, visit = arrived(house, name)
        sealed = house.sealed(kiosk, visit, sequence=1)
        assert kiosk.upload(sealed.digest, sealed.packet).status_code == 200


def test_a_packet_turned_away_is_taken_once_its_cause_is_mended(house: Stage) -> None:
    kiosk, first = arrived(house)
    _, second = arrived(house)
    early, late = (house.sealed(kiosk, visit, sequence=n) for n, visit in ((1, first), (2, second)))
    public = house.settings.data / "keys/sealing/ingest-test.json"
    kept = public.read_bytes()
    public.unlink()
    assert refused(kiosk, early) == "packet_key"
    public.write_bytes(kept)
    assert kiosk.upload(late.digest, late.packet).status_code == 200
    assert kiosk.upload(early.digest, early.packet).status_code == 200


def test_one_visit_is_one_capture(house: Stage) -> None:
    kiosk, visit = arrived(house)
    first, second = (house.sealed(kiosk, visit, sequence=n) for n in (1, 2))
    assert kiosk.upload(first.digest, first.packet).status_code == 200
    assert refused(kiosk, second) == "visit_closed"
    gone = LeaveVisit(visit_id=visit.visit_id, reason="gave_up")
    assert said(kiosk.ask("POST", "/kiosk/leave", gone)) == "visit_sealed"
    assert house.dossier(visit.dossier).state is DossierState.CAPTURED


def test_a_packet_of_a_visit_that_was_left_is_refused(house: Stage) -> None:
    kiosk, visit = arrived(house)
    sealed = house.sealed(kiosk, visit)
    kiosk.ask("POST", "/kiosk/leave", LeaveVisit(visit_id=visit.visit_id, reason="timed_out"))
    assert refused(kiosk, sealed) == "visit_closed"
    assert count(house, CaptureRow) == 0
    assert files(house) == set()


def test_stand_in_devices_are_let_in_at_rehearsals_only(
    engine: sa.Engine, tmp_path: Path, now: datetime
) -> None:
    earnest = stage(engine, tmp_path, now, rehearsal=False)
    kiosk, visit = arrived(earnest)
    assert refused(kiosk, earnest.sealed(kiosk, visit)) == "packet_simulated"
    nothing_was_kept(earnest, visit)
    real = earnest.sealed(kiosk, visit, simulated=False)
    assert kiosk.upload(real.digest, real.packet).status_code == 200


@pytest.mark.parametrize("hours", [-30, 30])
def test_a_wrong_clock_is_noted_and_loses_nothing(small: Stage, hours: int) -> None:
    kiosk, visit = arrived(small)
    wrong = small.clock().astimezone(UTC) + timedelta(hours=hours)
    sealed = small.sealed(kiosk, visit, captured_at=wrong)
    assert kiosk.upload(sealed.digest, sealed.packet).status_code == 200
    with transaction(small.engine) as session:
        note = session.scalars(sa.select(Journal.note).where(Journal.event == "seal")).one()
    assert note["clock_off"] == 30 * 3600


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


def test_the_database_itself_refuses_a_second_capture_of_a_visit(house: Stage) -> None:
    kiosk, visit = arrived(house)
    sealed = house.sealed(kiosk, visit)
    kiosk.upload(sealed.digest, sealed.packet)
    with transaction(house.engine) as session:
        row = session.get_one(CaptureRow, sealed.digest)
        columns = {c.key: getattr(row, c.key) for c in sa.inspect(CaptureRow).column_attrs}
    for name, value in (("sequence", 2), ("visit_id", None)):
        copy = {**columns, "digest": "c" * 64, name: value}
        copy = {key: value for key, value in copy.items() if not _generated(key)}
        with pytest.raises(sa.exc.IntegrityError), transaction(house.engine) as session:
            session.execute(sa.insert(CaptureRow).values(**copy))


def _generated(name: str) -> bool:
    return CaptureRow.__table__.c[name].computed is not None


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
