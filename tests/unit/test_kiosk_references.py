"""Fingers the station knows: found while the person is there, gone the next day, never readable."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from biometrics.capture import ImpressionKind, Print
from biometrics.finger.known import HitKind
from biometrics.finger.minutiae import Minutiae
from biometrics.records import minutiae as records
from kiosk import shelf
from kiosk.references import FOLDER, OFFICERS, References, officers_key

TODAY = date(2026, 11, 25)
KEY = officers_key(ec.derive_private_key(7, ec.SECP256R1()))
SIDE = 300


def minutiae(finger: int) -> Minutiae:
    rng = np.random.default_rng(finger)
    points = rng.uniform([9, 9, -np.pi, 0.6], [SIDE - 9, SIDE - 9, np.pi, 1.0], (40, 4))
    return Minutiae(points=points.astype(np.float32), extractor="test")


def print_of(finger: int, position: int = 2) -> Print:
    view = records.of(
        minutiae(finger),
        position=position,
        kind=ImpressionKind.PLAIN,
        quality=70,
        width=SIDE,
        height=SIDE,
        dpi=500,
    )
    return Print(
        position=position,
        kind=ImpressionKind.PLAIN,
        image=b"\x89PNG",
        width=SIDE,
        height=SIDE,
        dpi=500,
        nfiq2=70,
        estimate=70.0,
        minutiae=40,
        template=records.encode([view]),
        support=None,
        agreement=None,
        attempts=1,
        reader="test",
    )


@pytest.fixture
def references(tmp_path: Path) -> References:
    return kiosk(tmp_path)


def kiosk(folder: Path, name: str = "one", key: bytes = KEY) -> References:
    own = folder / name
    own.mkdir(exist_ok=True)
    return References(folder / FOLDER, own, key)


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_finger_seen_today_is_found_for_another_dossier_and_not_for_its_own(
    references: References,
) -> None:
    references.keep("D1", [print_of(1), print_of(2, 3)], on=TODAY)
    hit = references.known("D2", on=TODAY).find(minutiae(1))
    assert hit is not None
    assert (hit.kind, hit.who) == (HitKind.TODAY, "D1")
    assert references.known("D2", on=TODAY).find(minutiae(9)) is None
    assert references.known("D1", on=TODAY).find(minutiae(1)) is None


def test_the_kiosks_of_a_station_see_each_others_fingers(tmp_path: Path) -> None:
    one, other = kiosk(tmp_path), kiosk(tmp_path, "two")
    known = other.known("D2", on=TODAY)
    assert known.find(minutiae(5)) is None
    one.keep("D1", [print_of(1)], on=TODAY)
    other.keep("D3", [print_of(5)], on=TODAY)
    assert {known.find(minutiae(finger)).who for finger in (1, 5)} == {"D1", "D3"}  # type: ignore[union-attr]  # both are known


def test_the_next_day_nothing_of_yesterday_is_left(tmp_path: Path, references: References) -> None:
    references.keep("D1", [print_of(1)], on=TODAY)
    assert len(files(tmp_path / FOLDER)) == 2
    references.sweep(TODAY)
    assert len(files(tmp_path / FOLDER)) == 2
    references.sweep(TODAY + timedelta(days=1))
    assert files(tmp_path / FOLDER) == []
    assert references.known("D2", on=TODAY + timedelta(days=1)).find(minutiae(1)) is None


def test_a_kiosk_that_starts_late_erases_what_is_stale(tmp_path: Path) -> None:
    kiosk(tmp_path).keep("D1", [print_of(1)], on=TODAY)
    started = kiosk(tmp_path)
    started.known("D2", on=TODAY + timedelta(days=3)).find(minutiae(1))
    assert files(tmp_path / FOLDER) == []


def test_what_is_erased_is_written_over_first(tmp_path: Path) -> None:
    path, link = tmp_path / "x", tmp_path / "kept"
    path.write_bytes(b"secret " * 9)
    link.hardlink_to(path)
    shelf.erase(path)
    assert not path.exists()
    assert b"secret" not in link.read_bytes()
    shelf.erase(path)


def test_nothing_on_the_disk_is_readable_and_nobody_else_may_open_it(
    tmp_path: Path, references: References
) -> None:
    references.keep("DOSSIER-1", [print_of(1)], on=TODAY)
    references.enrol("cb01", [print_of(2)])
    for path in files(tmp_path):
        data = path.read_bytes()
        assert not any(mark in data for mark in (b"FMR", b"DOSSIER", b"cb01")), path.name
        assert path.stat().st_mode & 0o077 == 0


def test_an_officers_finger_is_found_on_every_dossier_also_after_a_restart(tmp_path: Path) -> None:
    kiosk(tmp_path).enrol("cb01", [print_of(2)])
    again = kiosk(tmp_path)
    hit = again.known("D1", on=TODAY).find(minutiae(2))
    assert hit is not None
    assert (hit.kind, hit.who) == (HitKind.OFFICER, "cb01")
    assert again.enrolled("cb01")
    again.sweep(TODAY + timedelta(days=9))
    assert again.known("D1", on=TODAY).find(minutiae(2)) is not None


def test_an_officer_who_enrols_again_or_leaves_is_known_by_the_old_fingers_no_more(
    references: References,
) -> None:
    references.enrol("cb01", [print_of(2)])
    references.enrol("cb02", [print_of(3)])
    references.enrol("cb01", [print_of(4)])
    known = references.known("D1", on=TODAY)
    assert known.find(minutiae(2)) is None
    assert known.find(minutiae(4)) is not None
    references.retire([])
    assert known.find(minutiae(4)) is not None
    references.retire(["cb02"])
    assert known.find(minutiae(4)) is None
    assert not references.enrolled("cb01")
    assert known.find(minutiae(3)) is not None


def test_officers_of_another_kiosk_cannot_be_read_here(tmp_path: Path) -> None:
    kiosk(tmp_path).enrol("cb01", [print_of(2)])
    other = officers_key(ec.derive_private_key(8, ec.SECP256R1()))
    assert not kiosk(tmp_path, key=other).enrolled("cb01")


@pytest.mark.parametrize("junk", [b"", b"x", b"\0" * 5000, bytes(range(64)), b"\xff" * 1_100_000])
def test_files_that_are_none_of_ours_cost_nothing_else(
    tmp_path: Path, references: References, junk: bytes
) -> None:
    references.keep("D1", [print_of(1)], on=TODAY)
    (tmp_path / FOLDER / f"{TODAY}-junk.ref").write_bytes(junk)
    (tmp_path / FOLDER / f"{TODAY}-other.txt").write_bytes(junk)
    (tmp_path / "one" / OFFICERS).write_bytes(junk)
    assert kiosk(tmp_path).known("D2", on=TODAY).find(minutiae(1)) is not None


def test_an_entry_under_another_name_is_no_entry(tmp_path: Path, references: References) -> None:
    references.keep("D1", [print_of(1)], on=TODAY)
    (entry,) = (tmp_path / FOLDER).glob("*.ref")
    entry.rename(entry.with_name(f"{TODAY}-moved.ref"))
    assert references.known("D2", on=TODAY).find(minutiae(1)) is None


def test_a_damaged_key_of_the_day_is_said_and_keeps_nobody_from_being_captured(
    tmp_path: Path, references: References
) -> None:
    references.keep("D1", [print_of(1)], on=TODAY)
    (key,) = (tmp_path / FOLDER).glob("*.key")
    key.write_bytes(b"short")
    assert kiosk(tmp_path).known("D2", on=TODAY).find(minutiae(1)) is None
    with pytest.raises(OSError, match="no key"):
        references.keep("D2", [print_of(2)], on=TODAY)


def test_prints_without_minutiae_leave_nothing_to_be_found(references: References) -> None:
    references.keep("D1", [replace(print_of(1), template=None)], on=TODAY)
    assert references.known("D2", on=TODAY).find(minutiae(1)) is None
