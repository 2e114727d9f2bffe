"""The commands that make keys and let kiosks in, as whoever runs an installation types them."""

import base64
import json
import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from biometrics.seal.keys import PrivateKeys
from kiosk.protocol import SealingKeys
from kiosk.receipts import NotVouched, pinned_key, sealing_keys
from scheduler.database import Base, connect, transaction
from server.__main__ import main
from server.store.keys import KeysMissing, ReceiptKey, published, to_seal_with
from server.store.tables import Audit, Device, Upload
from tests.web.intake_stage import SECRET, Stage, id_of, pem, stage


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "secret").write_bytes(SECRET)
    for name, value in {
        "DATABASE": f"sqlite:///{tmp_path}/small.db",
        "DATA": str(tmp_path / "data"),
        "SECRET_FILE": str(tmp_path / "secret"),
        "UNSEAL_SOCKET": str(tmp_path / "unseal.sock"),
    }.items():
        monkeypatch.setenv(f"THUNHAN_{name}", value)
    return tmp_path


def create_keys(folder: Path, *more: str) -> int:
    return main(["keys-create", "--unseal-folder", str(folder / "unseal"), *more])


def test_keys_are_made_signed_and_apart(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert create_keys(folder, "--kid", "ingest-1") == 0
    assert "ingest-1" in capsys.readouterr().out
    private = PrivateKeys.load(folder / "unseal/ingest-1")
    (keys,) = published(folder / "data")
    pinned = pinned_key(folder / "data/keys")
    assert sealing_keys(keys, pinned) == private.public
    assert base64.b64decode(keys.pq) == private.public.pq
    with pytest.raises(NotVouched):
        sealing_keys(keys.model_copy(update={"kid": "ingest-2"}), pinned)


def test_private_keys_are_readable_by_their_owner_only(folder: Path) -> None:
    create_keys(folder, "--kid", "ingest-1")
    private = [
        folder / "data/keys/receipt-private.pem",
        folder / "unseal/ingest-1/private-keys.json",
    ]
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}


def test_keys_are_never_written_over(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    create_keys(folder, "--kid", "ingest-1")
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert create_keys(folder, "--kid", "ingest-1") == 1
    assert "already" in capsys.readouterr().err
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before


def test_a_second_pair_is_signed_by_the_same_receipt_key(folder: Path, now: datetime) -> None:
    create_keys(folder, "--kid", "ingest-1")
    pinned = (folder / "data/keys/receipt-key.pem").read_bytes()
    create_keys(folder, "--kid", "ingest-2")
    assert (folder / "data/keys/receipt-key.pem").read_bytes() == pinned
    first, second = published(folder / "data")
    assert {first.kid, second.kid} == {"ingest-1", "ingest-2"}
    assert to_seal_with(folder / "data", now=now) in (first, second)
    assert to_seal_with(folder / "data", now=first.not_after) is None


@pytest.mark.parametrize("kid", ["../x", "A", "", "a" * 33, "a/b", "-a"])
def test_a_name_that_is_no_name_is_refused(folder: Path, kid: str) -> None:
    assert create_keys(folder, f"--kid={kid or '/'}") == 1
    assert published(folder / "data") == ()
    assert not (folder / "unseal").exists()


def test_a_receipt_key_that_is_none_is_said(folder: Path) -> None:
    with pytest.raises(KeysMissing):
        ReceiptKey.load(folder / "data")
    create_keys(folder, "--kid", "ingest-1")
    (folder / "data/keys/receipt-private.pem").write_bytes(b"-----BEGIN NOTHING-----")
    with pytest.raises(KeysMissing):
        ReceiptKey.load(folder / "data")
    assert create_keys(folder, "--kid", "ingest-2") == 1


@pytest.fixture
def house(tmp_path: Path, now: datetime, folder: Path) -> Iterator[Stage]:
    engine = connect(f"sqlite:///{tmp_path}/small.db")
    Base.metadata.create_all(engine)
    yield stage(engine, folder, now)
    engine.dispose()


def add_device(folder: Path, public: bytes, *, name: str = "Q1", station: str = "S01") -> int:
    path = folder / "device.pem"
    path.write_bytes(public)
    return main(["device-add", "--name", name, "--station", station, "--public-key", str(path)])


def test_a_device_is_let_in_and_named_by_its_key(
    house: Stage, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    assert add_device(folder, pem(key)) == 0
    assert capsys.readouterr().out.strip() == id_of(key)
    with transaction(house.engine) as session:
        row = session.get_one(Device, id_of(key))
        assert (row.name, row.station, row.trust) == ("Q1", "S01", "software")
        assert session.scalars(sa.select(Audit.action)).all() == ["device.enrolled"]


def _public(
    key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey,
) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def test_what_is_no_p256_public_key_is_refused(
    house: Stage, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    for wrong in (
        b"",
        b"\0" * 100,
        pem(key)[:-40],
        private,
        _public(ec.generate_private_key(ec.SECP384R1())),
        _public(ed25519.Ed25519PrivateKey.generate()),
        pem(key) + b"x" * 5000,
    ):
        assert add_device(folder, wrong) == 1
        assert "key" in capsys.readouterr().err
    assert main(["device-add", "--name", "a", "--station", "S01", "--public-key", "/nowhere"]) == 1
    with transaction(house.engine) as session:
        assert session.scalars(sa.select(Device)).all() == []


def test_a_name_a_key_and_a_station_are_checked(house: Stage, folder: Path) -> None:
    key, other = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    assert add_device(folder, pem(key)) == 0
    assert add_device(folder, pem(key), name="Q2") == 1
    assert add_device(folder, pem(other)) == 1
    assert add_device(folder, pem(other), name="Q2", station="S99") == 1
    assert add_device(folder, pem(other), name="Q2") == 0


def test_a_revoked_device_takes_its_half_sent_packets_along(house: Stage) -> None:
    kiosk = house.kiosk()
    kiosk.start("a" * 64, 100)
    kiosk.patch("a" * 64, 0, b"half")
    part = house.settings.data / "uploads" / f"{'a' * 64}.part"
    assert part.read_bytes() == b"half"
    assert main(["device-revoke", "--name", "Q1"]) == 0
    assert not part.exists()
    with transaction(house.engine) as session:
        assert session.scalars(sa.select(Upload)).all() == []
        assert session.get_one(Device, kiosk.id).revoked_at is not None
    assert main(["device-revoke", "--name", "Q1"]) == 1
    assert main(["device-revoke", "--name", "nobody"]) == 1


def test_public_keys_are_published_as_the_kiosk_reads_them(folder: Path) -> None:
    create_keys(folder)
    (path,) = (folder / "data/keys/sealing").iterdir()
    keys = SealingKeys.model_validate_json(path.read_bytes())
    assert path.name == f"{keys.kid}.json"
    assert set(json.loads(path.read_text())) == set(SealingKeys.model_fields)
