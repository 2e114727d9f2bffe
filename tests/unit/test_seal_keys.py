"""Sealing keys are kept in a file that only its owner reads, and are what they say they are."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from biometrics.seal.errors import KeysInvalid
from biometrics.seal.keys import FILE, PQ_BYTES, PrivateKeys, PublicKeys
from biometrics.seal.opening import open_packet
from tests.captures import bench, capture


def test_keys_that_were_saved_open_what_was_sealed_to_them(tmp_path: Path) -> None:
    desk = bench()
    desk.keys.save(tmp_path / "a" / "b")
    loaded = PrivateKeys.load(tmp_path / "a" / "b")
    assert loaded.public == desk.keys.public
    _, opened = open_packet(desk.sealed().packet, loaded, expect={})
    assert opened == capture()


def test_saved_keys_are_for_their_owner_only_and_never_replaced(tmp_path: Path) -> None:
    keys = PrivateKeys.create("k1")
    keys.save(tmp_path)
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        PrivateKeys.create("k1").save(tmp_path)
    assert PrivateKeys.load(tmp_path).public == keys.public


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o660])
def test_keys_that_others_may_read_are_refused(tmp_path: Path, mode: int) -> None:
    PrivateKeys.create("k1").save(tmp_path)
    (tmp_path / FILE).chmod(mode)
    with pytest.raises(KeysInvalid, match="0600"):
        PrivateKeys.load(tmp_path)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"kid": "k1"}', '{"kid": "k1", "p256": "x"}', '{"kid": 1}', "x" * 9000],
)
def test_a_file_that_holds_no_keys_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / FILE
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(KeysInvalid):
        PrivateKeys.load(tmp_path)


def test_keys_in_each_others_place_are_refused(tmp_path: Path) -> None:
    PrivateKeys.create("k1").save(tmp_path)
    path = tmp_path / FILE
    table = json.loads(path.read_text(encoding="utf-8"))
    table["p256"], table["x25519"] = table["x25519"], table["p256"]
    path.write_text(json.dumps(table), encoding="utf-8")
    with pytest.raises(KeysInvalid, match="other keys"):
        PrivateKeys.load(tmp_path)


@pytest.mark.parametrize("kid", ["", "..", "a/b", "A", "x" * 33, "-a", "a-"])
def test_a_name_that_could_not_be_a_folder_is_refused(kid: str) -> None:
    with pytest.raises(KeysInvalid):
        PrivateKeys.create(kid)
    with pytest.raises(KeysInvalid):
        PublicKeys(kid=kid, p256=b"", pq=b"")


def test_public_keys_that_are_none_are_refused() -> None:
    public = PrivateKeys.create("k1").public
    assert len(public.pq) == PQ_BYTES
    other_curve = (
        ec.generate_private_key(ec.SECP384R1())
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    for p256, pq in (
        (b"", public.pq),
        (public.p256[:-1], public.pq),
        (other_curve, public.pq),
        (public.p256, public.pq[:-1]),
        (public.p256, public.pq + b"\0"),
        (public.p256, b""),
    ):
        with pytest.raises(KeysInvalid):
            PublicKeys(kid="k1", p256=p256, pq=pq)
