"""What was put into the outbox is there until its receipt is, whatever happened in between."""

import errno
import os
import resource
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from biometrics.capture import Capture, CaptureInvalid
from biometrics.seal.checking import check, look
from biometrics.seal.keys import PrivateKeys
from biometrics.seal.opening import open_packet
from biometrics.seal.sealing import seal
from kiosk import ledger
from kiosk.device import Device
from kiosk.ledger import Entry
from kiosk.outbox import RESERVE, SUFFIX, DiskLow, NotKept, Outbox, OutboxBusy
from kiosk.protocol import BothLanguages, Receipt, Refusal
from tests.captures import AT, bench, capture

KEYS = PrivateKeys.create("ingest-2026-11")
Opened = Callable[[], Outbox]


@pytest.fixture
def device(tmp_path: Path) -> Device:
    return Device.create(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "outbox"


@pytest.fixture
def opened(folder: Path, device: Device) -> Iterator[Opened]:
    """Open the outbox; what was open before is closed, as by a restart."""
    last: list[Outbox] = []

    def again() -> Outbox:
        if last:
            last.pop().close()
        last.append(Outbox(folder, device))
        return last[0]

    yield again
    for outbox in last:
        outbox.close()


def put(outbox: Outbox, whole: Capture | None = None) -> Entry:
    return outbox.put(
        whole or capture(),
        keys=KEYS.public,
        station="HN-01",
        captured_at=AT,
        mono=12.5,
        boot_id="",
        software="0.1.0",
        operator=None,
    )


def receipt(entry: Entry, device: Device, **changes: object) -> Receipt:
    fields: dict[str, Any] = {
        "number": "261124-1",
        "digest": entry.digest,
        "device": device.id,
        "sequence": entry.sequence,
        "received_at": AT,
        "signature": "AA==",
        **changes,
    }
    return Receipt(**fields)


REFUSAL = Refusal(code="packet_notice", text=BothLanguages(vi="Không nhận", en="Not taken"))


def files(folder: Path) -> set[str]:
    return {path.name for path in (folder / "packets").iterdir()}


def test_a_capture_that_was_put_is_sealed_signed_and_waits(opened: Opened, device: Device) -> None:
    outbox = opened()
    entry = put(outbox)
    data = outbox.packet(entry).read_bytes()
    checked = check(data, device.key.public_key())
    assert (checked.digest, entry.sequence, len(data)) == (entry.digest, 1, entry.size)
    assert open_packet(data, KEYS, expect={"station": "HN-01"})[1] == capture()
    assert outbox.waiting() == (entry,)
    assert outbox.of_visit(entry.visit) == entry
    assert outbox.of_visit("another") is None
    assert outbox.changed.is_set()


def test_every_packet_names_the_one_before_and_the_count_survives_restarts(
    opened: Opened, device: Device
) -> None:
    headers = []
    digests = []
    for _ in range(3):
        outbox = opened()
        for _ in range(2):
            entry = put(outbox)
            headers.append(look(outbox.packet(entry).read_bytes()))
            digests.append(entry.digest)
            outbox.receipted(entry, receipt(entry, device), now=AT)
        outbox.let_go(now=AT, grace=timedelta(0))
    assert [header.sequence for header in headers] == [1, 2, 3, 4, 5, 6]
    assert [header.previous.hex() if header.previous else None for header in headers] == [
        None,
        *digests[:-1],
    ]


def test_nothing_is_promised_before_file_name_and_row_are_on_the_disk(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox = opened()
    events: list[str] = []
    fsync, rename = os.fsync, Path.rename

    def recorded_fsync(handle: int) -> None:
        events.append("fsync " + Path(f"/proc/self/fd/{handle}").readlink().suffix)
        fsync(handle)

    def recorded_rename(path: Path, target: Path) -> Path:
        events.append("rename")
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", recorded_fsync)
    monkeypatch.setattr(Path, "rename", recorded_rename)
    outbox._ledger._db.set_trace_callback(
        lambda statement: events.append(statement.split()[0]) if "SELECT" not in statement else None
    )
    put(outbox)
    assert events == ["fsync .tmp", "rename", "fsync ", "BEGIN", "INSERT", "COMMIT"]


def test_the_database_is_as_durable_as_the_guarantee_needs(opened: Opened) -> None:
    database = opened()._ledger._db
    asked = {name: database.execute(f"PRAGMA {name}").fetchone()[0] for name in ledger.PRAGMAS}
    assert asked == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 10000,
        "trusted_schema": 0,
        "cell_size_check": 1,
        "secure_delete": 1,
    }


def test_no_plaintext_is_ever_in_the_folder(opened: Opened, folder: Path) -> None:
    outbox = opened()
    entry = put(outbox)
    whole = capture()
    secrets = [whole.portrait.image[at : at + 12] for at in (3, 500, 1500)]
    secrets += [whole.prints[0].image[20:32], whole.signature[20:32]]
    for path in folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert not any(secret in data for secret in secrets), path.name
    assert entry.size > len(whole.portrait.image)


def test_two_processes_cannot_share_an_outbox(opened: Opened, folder: Path, device: Device) -> None:
    opened()
    with pytest.raises(OutboxBusy):
        Outbox(folder, device)
    put(opened())


def test_threads_never_share_a_sequence(opened: Opened) -> None:
    outbox = opened()
    threads = [threading.Thread(target=put, args=(outbox,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [entry.sequence for entry in outbox.waiting()] == list(range(1, 9))


def test_a_capture_that_cannot_be_sealed_uses_no_sequence(opened: Opened) -> None:
    outbox = opened()
    with pytest.raises(CaptureInvalid):
        put(outbox, replace(capture(), visit=""))
    assert put(outbox).sequence == 1


def orphan(device: Device, sequence: int, folder: Path, **changes: object) -> Path:
    """A packet as a power cut leaves it between rename and commit."""
    desk = replace(bench(), device=device.key)
    sealed = seal(
        capture().encode(),
        keys=KEYS.public,
        sign=device.sign,
        **desk.about(sequence=sequence, **changes),
    )
    path = folder / "packets" / (sealed.digest + SUFFIX)
    path.write_bytes(sealed.packet)
    return path


def test_a_start_removes_unfinished_files_and_adopts_finished_ones_in_order(
    opened: Opened, folder: Path, device: Device
) -> None:
    put(opened())
    (folder / "packets" / ".abc.tmp").write_bytes(b"half")
    paths = [orphan(device, sequence, folder) for sequence in (3, 2, 4)]
    outbox = opened()
    in_order = [paths[at].name[: -len(SUFFIX)] for at in (1, 0, 2)]
    assert outbox.recovery.removed == 1
    assert list(outbox.recovery.adopted) == in_order
    assert (outbox.recovery.strange, outbox.recovery.missing) == ((), ())
    assert [entry.digest for entry in outbox.waiting()][1:] == in_order
    assert put(outbox).sequence == 5
    assert opened().recovery.adopted == ()


def strangers(device: Device, folder: Path) -> list[Path]:
    other = Device(key=ec.generate_private_key(ec.SECP256R1()), id=device.id)
    damaged, renamed = orphan(device, 3, folder), orphan(device, 4, folder)
    damaged.write_bytes(damaged.read_bytes()[:-1])
    packets = folder / "packets"
    return [
        damaged,
        renamed.rename(packets / ("0" * 64 + SUFFIX)),
        orphan(other, 5, folder),
        orphan(device, 1, folder),
        _sparse(packets / ("1" * 64 + SUFFIX)),
    ]


def _sparse(path: Path) -> Path:
    with path.open("wb") as file:
        file.truncate(10**10)
    return path


def test_what_is_damaged_or_not_ours_is_put_aside_and_never_deleted(
    opened: Opened, folder: Path, device: Device
) -> None:
    entry = put(opened())
    paths = strangers(device, folder)
    outbox = opened()
    assert set(outbox.recovery.strange) == {path.name for path in paths}
    assert outbox.recovery.adopted == ()
    assert {path.name for path in (folder / "strange").iterdir()} == {path.name for path in paths}
    assert outbox.waiting() == (entry,)


@pytest.mark.parametrize("harm", ["gone", "short"])
def test_a_packet_that_is_gone_without_a_receipt_raises_the_alarm(
    opened: Opened, harm: str, caplog: pytest.LogCaptureFixture
) -> None:
    outbox = opened()
    kept, harmed = put(outbox), put(outbox)
    path = outbox.packet(harmed)
    path.unlink() if harm == "gone" else os.truncate(path, 100)
    again = opened()
    assert again.recovery.missing == (harmed.sequence,)
    assert "without a receipt" in caplog.text
    assert again.waiting() == (kept, harmed)


def test_a_disk_that_refuses_promises_nothing_and_leaves_nothing(
    opened: Opened, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox = opened()
    put(outbox)

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "no space")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(NotKept) as refused:
            put(outbox)
    assert isinstance(refused.value.__cause__, OSError)
    assert len(files(folder)) == 1
    assert put(outbox).sequence == 2
    assert len(outbox.waiting()) == 2


def test_a_row_that_was_refused_leaves_its_sequence_to_its_packet(
    opened: Opened, folder: Path
) -> None:
    outbox = opened()
    put(outbox)
    database = outbox._ledger._db
    database.execute(
        "CREATE TEMP TRIGGER full BEFORE INSERT ON main.packet"
        " BEGIN SELECT RAISE(ROLLBACK, 'no row'); END"
    )
    with pytest.raises(NotKept) as refused:
        put(outbox)
    assert isinstance(refused.value.__cause__, ledger.SequenceTaken | sqlite3.Error)
    assert len(files(folder)) == 2
    database.execute("DROP TRIGGER full")
    assert put(outbox).sequence == 3
    assert [entry.sequence for entry in outbox.waiting()] == [1, 2, 3]
    assert len(outbox.recovery.adopted) == 1


def test_room_for_the_packet_is_held_until_it_is_written(opened: Opened, folder: Path) -> None:
    outbox = opened()
    assert outbox.reserve(least_free=0) is None
    assert (folder / "reserve").stat().st_size == RESERVE
    assert outbox.reserve(least_free=0) is None
    put(outbox)
    assert not (folder / "reserve").exists()


def test_too_little_room_is_told_before_a_visit_begins(opened: Opened, folder: Path) -> None:
    outbox = opened()
    low = outbox.reserve(least_free=2**62)
    assert isinstance(low, DiskLow)
    assert 0 < low.free < low.needed == 2**62


def test_a_disk_without_room_for_the_reserve_is_low(opened: Opened, folder: Path) -> None:
    outbox = opened()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (RESERVE // 2, hard))
    try:
        low = outbox.reserve(least_free=5)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert low == DiskLow(free=low.free if low else 0, needed=RESERVE + 5)
    assert not (folder / "reserve").exists()


def test_a_packet_stays_until_its_receipt_and_its_grace(
    opened: Opened, folder: Path, device: Device
) -> None:
    outbox = opened()
    sent, waiting, refused = put(outbox), put(outbox), put(outbox)
    outbox.receipted(sent, receipt(sent, device), now=AT)
    outbox.refused(refused, REFUSAL, now=AT)
    week = timedelta(days=7)
    assert outbox.let_go(now=AT + week - timedelta(seconds=1), grace=week) == 0
    assert len(files(folder)) == 3
    assert outbox.let_go(now=AT + week, grace=week) == 1
    assert outbox.let_go(now=AT + 99 * week, grace=week) == 0
    assert files(folder) == {entry.digest + SUFFIX for entry in (waiting, refused)}
    assert opened().recovery.missing == ()


def test_a_receipt_settles_a_refusal_and_the_first_one_stays(
    opened: Opened, device: Device
) -> None:
    outbox = opened()
    entry = put(outbox)
    outbox.refused(entry, REFUSAL, now=AT)
    assert outbox.waiting()[0].refusal == REFUSAL
    outbox.receipted(entry, receipt(entry, device), now=AT)
    outbox.receipted(entry, receipt(entry, device, number="other"), now=AT)
    outbox.refused(entry, REFUSAL, now=AT)
    settled = outbox.of_visit(entry.visit)
    assert settled is not None
    assert settled.receipt == receipt(entry, device)
    assert settled.refusal is None
    assert outbox.waiting() == ()


@pytest.mark.parametrize("changes", [{"digest": "0" * 64}, {"sequence": 9}])
def test_a_receipt_of_another_packet_is_not_recorded(
    opened: Opened, device: Device, changes: dict[str, object]
) -> None:
    outbox = opened()
    entry = put(outbox)
    with pytest.raises(ValueError, match="another"):
        outbox.receipted(entry, receipt(entry, device, **changes), now=AT)
    assert outbox.waiting() == (entry,)


def test_a_damaged_database_is_an_error_and_not_a_new_count(
    opened: Opened, folder: Path, device: Device, tmp_path: Path
) -> None:
    put(opened())
    copy = tmp_path / "copy"
    opened()
    shutil.copytree(folder, copy)
    (copy / "outbox.db").write_bytes(b"no database at all" * 500)
    with pytest.raises(sqlite3.DatabaseError):
        Outbox(copy, device)
    # It let go of its lock: a repaired one opens.
    (copy / "outbox.db").unlink()
    with Outbox(copy, device) as repaired:
        assert len(repaired.recovery.adopted) == 1
