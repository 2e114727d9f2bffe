"""Which packets are stored and which are refused: damaged, misbound, replayed, simulated."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from biometrics.seal.keys import PrivateKeys
from biometrics.seal.sealing import Sealed
from kiosk.protocol import LeaveVisit
from scheduler.database import transaction
from server.cases import devices, intake
from server.rules.dossier import DossierState
from server.store.keys import ReceiptKey
from server.store.tables import Audit, CaptureRow, Journal
from tests.web.intake_checks import arrived, count, files, nothing_was_kept, on_sqlite, refused
from tests.web.intake_stage import CHUNK, JPEG, Stage, said, stage


@pytest.fixture
def house(engine: sa.Engine, tmp_path: Path, now: datetime) -> Stage:
    return stage(engine, tmp_path, now)


@pytest.fixture
def small(tmp_path: Path, now: datetime) -> Iterator[Stage]:
    made = on_sqlite(tmp_path, now)
    yield made
    made.engine.dispose()


BIG = JPEG + bytes(2 * CHUNK + 12345)


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
    ({"operator": "nobody"}, "packet_officer"),
    ({"operator": "x" * 64}, "packet_officer"),
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
