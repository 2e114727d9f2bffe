"""What the server vouches for is believed by its pinned key alone, fresh or remembered."""

import base64
import json
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from biometrics.seal.keys import PrivateKeys
from kiosk.protocol import Receipt, RosterOfficer, SealingKeys, Station
from kiosk.receipts import (
    KEY_FILE,
    NotVouched,
    ReceiptKeyUnfit,
    pinned_key,
    sealing_keys,
    still_good,
    verify_receipt,
)
from kiosk.station import StationMemory
from tests.captures import AT

KEY = ec.generate_private_key(ec.SECP256R1())
STRANGER = ec.generate_private_key(ec.SECP256R1())
PUBLIC = PrivateKeys.create("ingest-2026-11").public
DIGEST, DEVICE = "a" * 64, "b" * 64


def signature(message: bytes, key: ec.EllipticCurvePrivateKey = KEY) -> str:
    return base64.b64encode(key.sign(message, ec.ECDSA(hashes.SHA256()))).decode()


def receipt(key: ec.EllipticCurvePrivateKey = KEY, **changes: object) -> Receipt:
    """A receipt signed over bytes written out here, as another program would write them."""
    text = (
        f'{{"device":"{DEVICE}","digest":"{DIGEST}","number":"Số 1",'
        '"received_at":"2026-11-24T02:30:00Z","sequence":3}'
    )
    fields = {
        **json.loads(text),
        "signature": signature(b"thunhan/receipt/1\n" + text.encode(), key),
    }
    return Receipt.model_validate_json(json.dumps({**fields, **changes}))


def keys(key: ec.EllipticCurvePrivateKey = KEY, **changes: object) -> SealingKeys:
    p256, pq = base64.b64encode(PUBLIC.p256).decode(), base64.b64encode(PUBLIC.pq).decode()
    text = (
        f'{{"kid":"{PUBLIC.kid}","not_after":"2027-02-01T00:00:00Z","p256":"{p256}","pq":"{pq}"}}'
    )
    message = b"thunhan/sealing-keys/1\n" + text.encode()
    fields = {**json.loads(text), "signature": signature(message, key)}
    return SealingKeys.model_validate_json(json.dumps({**fields, **changes}))


def station(signed: SealingKeys) -> Station:
    officer = RosterOfficer(officer="cb-01", name="Nguyễn Văn Án", pin_hash="$argon2id$x")
    return Station(code="HN-01", name="Công an phường Cửa Nam", keys=signed, officers=(officer,))


def test_a_receipt_of_this_packet_by_the_pinned_key_is_believed() -> None:
    verify_receipt(receipt(), KEY.public_key(), digest=DIGEST, device=DEVICE, sequence=3)


@pytest.mark.parametrize(
    "wrong",
    [
        receipt(STRANGER),
        receipt(number="Số 2"),
        receipt(received_at="2026-11-24T02:30:01Z"),
        receipt(signature="AAAA"),
        receipt(signature="="),
        receipt(digest="c" * 64),
        receipt(sequence=4),
        receipt(device="c" * 64),
    ],
)
def test_any_other_receipt_is_not(wrong: Receipt) -> None:
    with pytest.raises(NotVouched):
        verify_receipt(wrong, KEY.public_key(), digest=DIGEST, device=DEVICE, sequence=3)


def test_sealing_keys_by_the_pinned_key_are_believed() -> None:
    assert sealing_keys(keys(), KEY.public_key()) == PUBLIC


@pytest.mark.parametrize(
    "wrong", [keys(STRANGER), keys(kid="mine"), keys(pq=""), keys(not_after="2099-01-01T00:00:00Z")]
)
def test_any_other_sealing_keys_are_not(wrong: SealingKeys) -> None:
    with pytest.raises(NotVouched):
        sealing_keys(wrong, KEY.public_key())


def test_a_signature_over_what_is_no_key_is_not_believed() -> None:
    text = '{"kid":"k","not_after":"2027-02-01T00:00:00Z","p256":"AAAA","pq":"AAAA"}'
    signed = signature(b"thunhan/sealing-keys/1\n" + text.encode())
    odd = SealingKeys.model_validate_json(json.dumps({**json.loads(text), "signature": signed}))
    with pytest.raises(NotVouched, match="no key"):
        sealing_keys(odd, KEY.public_key())


def test_keys_are_good_for_new_visits_until_they_end() -> None:
    end = keys().not_after
    assert still_good(keys(), now=end - timedelta(seconds=1))
    assert not still_good(keys(), now=end)


def test_a_station_is_remembered_across_restarts(tmp_path: Path) -> None:
    kept = StationMemory(tmp_path, KEY.public_key()).keep(station(keys()))
    recalled = StationMemory(tmp_path, KEY.public_key()).recall()
    assert recalled == kept
    assert kept.keys == PUBLIC
    assert kept.may_begin(now=AT)
    assert not kept.may_begin(now=AT + timedelta(days=365))


def test_a_station_with_foreign_keys_does_not_replace_a_good_one(tmp_path: Path) -> None:
    memory = StationMemory(tmp_path, KEY.public_key())
    kept = memory.keep(station(keys()))
    with pytest.raises(NotVouched):
        memory.keep(station(keys(STRANGER)))
    assert memory.recall() == kept


def test_nothing_kept_is_nothing_known(tmp_path: Path) -> None:
    assert StationMemory(tmp_path, KEY.public_key()).recall() is None


@pytest.mark.parametrize(
    "harm", [b"", b"{", b"\xff" * 10, station(keys(STRANGER)).model_dump_json().encode()]
)
def test_a_memory_that_was_tampered_with_is_let_go(tmp_path: Path, harm: bytes) -> None:
    memory = StationMemory(tmp_path, KEY.public_key())
    memory.keep(station(keys()))
    (path,) = tmp_path.iterdir()
    path.write_bytes(harm)
    assert memory.recall() is None


def test_the_pinned_key_is_read_from_its_file(tmp_path: Path) -> None:
    public = KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (tmp_path / KEY_FILE).write_bytes(public)
    assert pinned_key(tmp_path) == KEY.public_key()


def test_a_pin_that_is_no_key_is_refused(tmp_path: Path) -> None:
    other = ec.generate_private_key(ec.SECP384R1()).public_key()
    pem = other.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    with pytest.raises(ReceiptKeyUnfit):
        pinned_key(tmp_path)
    for text in (b"", b"no key", pem):
        (tmp_path / KEY_FILE).write_bytes(text)
        with pytest.raises(ReceiptKeyUnfit):
            pinned_key(tmp_path)
