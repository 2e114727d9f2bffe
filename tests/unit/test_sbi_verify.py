"""Nothing that a device sent is used unless every check is passed; each refusal has its name."""

import base64
import dataclasses
import datetime as dt
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import jwt
import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from hardware.errors import Broken, Garbled, Refused, Unplugged
from hardware.iris.port import Eye
from hardware.sbi.asked import Asked, ask_eyes, ask_face, ask_one, ask_together
from hardware.sbi.certificates import check_chain
from hardware.sbi.chain import FIRST, follow
from hardware.sbi.discovery import Device, read_device
from hardware.sbi.distrust import (
    CertificateRevoked,
    ChainUntrusted,
    CheckName,
    Distrusted,
    HashChainBroken,
    PurposeOther,
    QualityOverstated,
    RecordInconsistent,
    SerialOther,
    SignatureWrong,
    SubTypesOther,
    TimestampOff,
    TransactionOther,
    VersionOther,
)
from hardware.sbi.evidence import Evidence, Expected
from hardware.sbi.exchange import read_capture
from hardware.sbi.messages import Captured, DeviceInfo, Failure, Informed, encode_base64url
from hardware.sbi.outcomes import Mendable, outcome
from hardware.sbi.port import Scores
from hardware.sbi.raw import Answer
from hardware.sbi.tokens import sign
from hardware.sbi.trust import Trust, TrustUnreadable, read_trust
from hardware.sbi.verify import check_device, examine, verify
from hardware.sbi.vocabulary import ErrorCode, Modality, SubId
from tests.sbi_authority import (
    CHAIN,
    DAY,
    DEVICE,
    NOW,
    PROVIDER,
    ROOT,
    SERIAL,
    TRUST,
    Fixed,
    PlainRecords,
    captured,
    certificate,
    finger_record,
    identity,
    key,
    revocations,
)

EXPECTED = Expected(
    transaction="abcd-1",
    version="0.9.5",
    purpose="Registration",
    env="Staging",
    modality=Modality.FINGER,
    sub_types=("Left IndexFinger",),
    serial=SERIAL,
    previous=FIRST,
    at=NOW,
)
RECORD = finger_record()


def _evidence(
    *pictures: Captured,
    expected: Expected = EXPECTED,
    trust: Trust = TRUST,
    scores: Scores | None = None,
) -> Evidence:
    return Evidence(
        pictures, expected, trust=trust, records=PlainRecords(), scores=scores or Fixed(score=60)
    )


def test_a_sound_picture_comes_back_with_what_the_device_claims() -> None:
    (taken,) = verify(_evidence(captured(RECORD)))
    assert taken.sub_type == "Left IndexFinger"
    assert taken.record == RECORD
    assert taken.claimed == 60
    assert taken.at == NOW
    assert taken.hash == follow(FIRST, RECORD)
    assert set(examine(_evidence(captured(RECORD))).values()) == {None}


def test_the_hash_chain_runs_on_within_an_answer_and_from_the_one_before() -> None:
    before = follow(FIRST, b"another")
    other = finger_record(8)
    pictures = (
        captured(RECORD, before),
        captured(other, follow(before, RECORD), bioSubType="Left MiddleFinger"),
    )
    expected = dataclasses.replace(
        EXPECTED, previous=before, sub_types=("Left IndexFinger", "Left MiddleFinger")
    )
    assert len(verify(_evidence(*pictures, expected=expected))) == 2
    for wrong in (
        pictures[::-1],
        (pictures[0], captured(other, before, bioSubType="Left MiddleFinger")),
    ):
        with pytest.raises(HashChainBroken):
            verify(_evidence(*wrong, expected=expected))
    with pytest.raises(HashChainBroken):
        verify(_evidence(*pictures, expected=dataclasses.replace(expected, previous=FIRST)))


def _other_payload(picture: Captured) -> Captured:
    head, payload, signature = picture.data.split(".")
    changed = payload[:-8] + ("A" if payload[-8] != "A" else "B") + payload[-7:]
    return picture.model_copy(update={"data": f"{head}.{changed}.{signature}"})


def _unsigned(picture: Captured) -> Captured:
    _, payload, _ = picture.data.split(".")
    none = encode_base64url(b'{"alg":"none","typ":"JWT"}')
    return picture.model_copy(update={"data": f"{none}.{payload}.AA"})


def _other_device() -> Captured:
    """Return a picture whose identity another key signed."""
    stranger = certificate("Stranger", key(3), None, key(3))
    return captured(RECORD, digitalId=sign(identity().encode(), key(3), (stranger,)))


def _borrowed_identity() -> Captured:
    """Return a picture of a device as good as any, under an identity it has read from another."""
    other = certificate("Other", key(4), PROVIDER, key(1))
    theirs = sign(identity().encode(), key(2), CHAIN)
    return captured(RECORD, signer=key(4), chain=(other, PROVIDER), digitalId=theirs)


SIGNED_BY_ANOTHER = captured(RECORD, signer=key(3))
FAULTS: dict[str, tuple[Callable[[], Captured], type[Distrusted]]] = {
    "payload changed": (lambda: _other_payload(captured(RECORD)), SignatureWrong),
    "no signature": (lambda: _unsigned(captured(RECORD)), SignatureWrong),
    "no token": (lambda: Captured(spec_version="0.9.5", data="e30", hash=""), SignatureWrong),
    "another key": (lambda: SIGNED_BY_ANOTHER, SignatureWrong),
    "identity unsigned": (lambda: captured(RECORD, digitalId="e30.e30.AA"), SignatureWrong),
    "identity of a stranger": (_other_device, ChainUntrusted),
    "chain without its provider": (lambda: captured(RECORD, chain=(DEVICE,)), ChainUntrusted),
    "another device": (lambda: captured(RECORD, who=identity("SN-2")), SerialOther),
    "another device code": (lambda: captured(RECORD, deviceCode="SN-2"), SerialOther),
    "an identity read from another": (_borrowed_identity, SerialOther),
    "late": (lambda: captured(RECORD, timestamp="2026-11-25T02:05:01Z"), TimestampOff),
    "early": (lambda: captured(RECORD, timestamp="2026-11-25T01:54:59Z"), TimestampOff),
    "another transaction": (lambda: captured(RECORD, transactionId="abcd-2"), TransactionOther),
    "another version": (lambda: captured(RECORD, spec_version="1.0"), VersionOther),
    "another purpose": (lambda: captured(RECORD, purpose="Auth"), PurposeOther),
    "another environment": (lambda: captured(RECORD, env="Developer"), PurposeOther),
    "another finger": (lambda: captured(RECORD, bioSubType="Left Thumb"), SubTypesOther),
    "another modality": (lambda: captured(RECORD, bioType="Face"), SubTypesOther),
    "no hash": (lambda: captured(RECORD, hashed=""), HashChainBroken),
    "hash of words": (lambda: captured(RECORD, hashed="0" * 64), HashChainBroken),
    "record of another finger": (lambda: captured(finger_record(8)), RecordInconsistent),
    "record of no finger": (lambda: captured(finger_record(0)), RecordInconsistent),
    "record rolled": (lambda: captured(finger_record(rolled=True)), RecordInconsistent),
    "record of nothing": (lambda: captured(b"\0\1\2"), RecordInconsistent),
    "quality overstated": (lambda: captured(RECORD, qualityScore="76"), QualityOverstated),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_refused_by_its_name(name: str) -> None:
    make, refusal = FAULTS[name]
    with pytest.raises(Distrusted) as caught:
        verify(_evidence(make()))
    assert type(caught.value) is refusal
    assert caught.value.check == refusal.check
    if refusal is not SignatureWrong:
        found = examine(_evidence(make()))
        assert isinstance(found[refusal.check], refusal)
        assert next(name for name, refused in found.items() if refused is not None) == refusal.check


def test_every_check_has_a_fault_that_it_refuses() -> None:
    assert {refusal.check for _, refusal in FAULTS.values()} == set(CheckName)


@pytest.mark.parametrize(
    ("pictures", "sub_types"),
    [
        ([], ("Left IndexFinger",)),
        (["Left IndexFinger"], ("Left IndexFinger", "Left MiddleFinger")),
        (["Left IndexFinger", "Left IndexFinger"], ("Left IndexFinger", "Left MiddleFinger")),
        (["Left IndexFinger", "Left MiddleFinger"], ("Left IndexFinger",)),
        ([None], ("Left IndexFinger",)),
    ],
)
def test_fingers_too_few_too_many_or_twice_are_refused(
    pictures: list[str | None], sub_types: tuple[str, ...]
) -> None:
    evidence = _evidence(
        *(captured(RECORD, bioSubType=name) for name in pictures),
        expected=dataclasses.replace(EXPECTED, sub_types=sub_types),
    )
    with pytest.raises(SubTypesOther):
        verify(evidence)


@pytest.mark.parametrize(
    "said",
    [
        {"timestamp": "yesterday"},
        {"timestamp": "2026-02-30T00:00:00Z"},
        {"qualityScore": "many"},
        {"qualityScore": "101"},
        {"qualityScore": "nan"},
        {"bioValue": "+/+/"},
        {"bioType": 7},
        {"transactionId": "a" * 5000},
        {"digitalId": ""},
    ],
)
def test_what_is_signed_and_not_as_specified_is_no_picture(said: dict[str, object]) -> None:
    with pytest.raises(Broken):
        verify(_evidence(captured(RECORD, said=said)))


def test_quality_is_compared_on_average_and_only_where_both_sides_say_one() -> None:
    verify(_evidence(captured(RECORD, qualityScore="74")))
    verify(_evidence(captured(RECORD, qualityScore="99"), scores=Fixed(score=None)))
    (taken,) = verify(_evidence(captured(RECORD, qualityScore="")))
    assert taken.claimed is None
    evidence = Evidence(
        [captured(RECORD, qualityScore="99")],
        EXPECTED,
        trust=TRUST,
        records=PlainRecords(),
        scores=None,
    )
    (taken,) = verify(evidence)
    assert taken.claimed == 99


def test_eyes_and_faces_are_held_to_what_was_asked() -> None:
    expected = dataclasses.replace(EXPECTED, modality=Modality.IRIS, sub_types=("Left",))
    right = json.dumps({"eye": "right"}).encode()
    left = json.dumps({"eye": "left"}).encode()
    said = {"bioType": "Iris", "bioSubType": "Left"}
    assert len(verify(_evidence(captured(left, said=said), expected=expected))) == 1
    with pytest.raises(RecordInconsistent):
        verify(_evidence(captured(right, said=said), expected=expected))
    face = dataclasses.replace(EXPECTED, modality=Modality.FACE, sub_types=("",))
    assert (
        len(verify(_evidence(captured(b"{}", bioType="Face", bioSubType=None), expected=face))) == 1
    )
    with pytest.raises(SubTypesOther):
        verify(_evidence(captured(b"{}", bioType="Face", bioSubType="Left"), expected=face))


def test_a_device_that_is_not_enrolled_is_refused() -> None:
    with pytest.raises(SerialOther, match="not enrolled"):
        verify(_evidence(captured(RECORD), trust=dataclasses.replace(TRUST, serials=frozenset())))
    verify(_evidence(captured(RECORD), trust=dataclasses.replace(TRUST, serials=None)))


def test_a_chip_may_sign_the_identity_with_a_key_of_its_own() -> None:
    verify(
        _evidence(_borrowed_identity(), trust=dataclasses.replace(TRUST, chips=frozenset({SERIAL})))
    )


def _leaf(**said: object) -> tuple[x509.Certificate, ...]:
    return (certificate("D", key(2), PROVIDER, key(1), **said), PROVIDER)  # type: ignore[arg-type]


NO_AUTHORITY = certificate("Provider", key(1), ROOT, key(0))
WEAK = certificate("D", key(9, 1024), PROVIDER, key(1))
CHAINS: dict[str, tuple[tuple[x509.Certificate, ...], str]] = {
    "over": (_leaf(since=NOW - 9 * DAY, until=NOW - DAY), "not valid at validation time"),
    "not yet": (_leaf(since=NOW + DAY), "not valid at validation time"),
    "an authority's": (_leaf(authority=True), "no device's"),
    "provider is no authority": ((DEVICE, NO_AUTHORITY), "cA must be asserted"),
    "self-signed": ((certificate("Device", key(2), None, key(2)),), "exhausted"),
    "weak": ((WEAK, PROVIDER), "2048 bits"),
    "no anchor of ours": ((certificate("D", key(2), None, key(8)),), "exhausted"),
}


@pytest.mark.parametrize("name", CHAINS)
def test_a_certificate_that_leads_nowhere_is_refused(name: str) -> None:
    chain, said = CHAINS[name]
    with pytest.raises(ChainUntrusted, match=said):
        check_chain(chain, TRUST, NOW)


def test_a_chain_is_followed_to_its_anchor_and_no_further() -> None:
    assert check_chain(CHAIN, TRUST, NOW) == (DEVICE, PROVIDER, ROOT)
    assert check_chain(CHAIN, Trust(anchors=(PROVIDER,)), NOW) == (DEVICE, PROVIDER)
    assert check_chain(_leaf(usage=False), TRUST, NOW)[-1] == ROOT
    with pytest.raises(ChainUntrusted, match="no trust anchor"):
        check_chain(CHAIN, Trust(), NOW)
    with pytest.raises(ChainUntrusted):
        check_chain(CHAIN, TRUST, NOW + 40 * DAY)


def test_a_certificate_taken_back_is_refused_also_its_providers() -> None:
    for revoked in (
        revocations(DEVICE),
        revocations(PROVIDER, issuer=ROOT, by=key(0)),
    ):
        with pytest.raises(CertificateRevoked):
            check_chain(CHAIN, dataclasses.replace(TRUST, revoked=(revoked,)), NOW)
    other = revocations(_leaf()[0])
    forged = revocations(DEVICE, by=key(3))
    assert check_chain(CHAIN, dataclasses.replace(TRUST, revoked=(other, forged)), NOW)


def test_a_folder_of_trust_is_read_and_an_empty_one_believes_nobody(tmp_path: Path) -> None:
    assert read_trust(tmp_path / "missing") == Trust()
    (tmp_path / "a.pem").write_bytes(ROOT.public_bytes(Encoding.PEM))
    (tmp_path / "b.crl").write_bytes(revocations(DEVICE).public_bytes(Encoding.PEM))
    (tmp_path / "c.crl").write_bytes(revocations().public_bytes(Encoding.DER))
    devices = [
        {"serialNo": SERIAL, "type": "Finger"},
        {"serialNo": "SN-2", "type": "Iris", "certification": "L1"},
    ]
    (tmp_path / "devices.json").write_text(json.dumps(devices))
    trust = read_trust(tmp_path)
    assert (trust.anchors, trust.serials) == ((ROOT,), frozenset({SERIAL, "SN-2"}))
    assert trust.chips == {"SN-2"}
    with pytest.raises(CertificateRevoked):
        check_chain(CHAIN, trust, NOW)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.pem", b"no certificate"),
        ("a.crl", b"no list"),
        ("a.crl", b"-----BEGIN X509 CRL-----\n-----END X509 CRL-----\n"),
        ("devices.json", b"{}"),
        ("devices.json", b"[1]"),
        ("devices.json", b'[{"serialNo": ""}]'),
        ("devices.json", b"[" * 100_000),
        ("devices.json", b"\xff"),
        ("devices.json", b" " * (4 * 1024 * 1024 + 1)),
    ],
)
def test_a_file_of_trust_that_cannot_be_read_is_named(
    tmp_path: Path, name: str, data: bytes
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(TrustUnreadable, match=name):
        read_trust(tmp_path)


def _device(serial: str = SERIAL, code: str = SERIAL, by: int = 2) -> Device:
    info = DeviceInfo(
        device_status="Ready",
        device_id="1",
        digital_id=sign(identity(serial).encode(), key(by), CHAIN),
        device_code=code,
    )
    return read_device(Informed(device_info=sign(info.encode(), key(by), CHAIN)), 4501)


def test_a_device_is_held_to_the_same_before_it_is_asked() -> None:
    check_device(_device(), TRUST, NOW)
    for device, refusal in (
        (_device(by=3), SignatureWrong),
        (_device(serial="SN-2", code="SN-2"), SerialOther),
        (_device(code="SN-2"), SerialOther),
    ):
        with pytest.raises(refusal):
            check_device(device, TRUST, NOW)
    with pytest.raises(ChainUntrusted):
        check_device(_device(), Trust(serials=None), NOW)


@pytest.mark.parametrize(
    "entry",
    [
        Informed(error=Failure.of(ErrorCode.NOT_FOUND)),
        Informed(),
        Informed(device_info="e30.e30.e30"),
        Informed(device_info=sign(b"{}", key(2), CHAIN)),
    ],
)
def test_an_entry_that_describes_no_device_is_garbled(entry: Informed) -> None:
    with pytest.raises(Garbled):
        read_device(entry, 4501)


@pytest.mark.parametrize(
    ("code", "meant"),
    [
        ("0", None),
        ("101", Mendable.NOTHING_THERE),
        ("701", Mendable.NOTHING_THERE),
        ("102", Mendable.UNCLEAR),
        ("105", Mendable.MISPLACED),
    ],
)
def test_what_a_person_can_mend_is_a_value(code: str, meant: Mendable | None) -> None:
    assert outcome(Failure(error_code=code), "port 1") is meant
    assert outcome(None, "port 1") is None


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("106", Unplugged),
        ("202", Unplugged),
        ("100", Refused),
        ("103", Refused),
        ("111", Refused),
        ("599", Refused),
        ("E7", Garbled),
        ("", Garbled),
    ],
)
def test_what_is_broken_is_raised_with_its_code(code: str, error: type[Broken]) -> None:
    with pytest.raises(error, match="port 1") as caught:
        outcome(Failure(error_code=code), "port 1")
    if isinstance(caught.value, Refused):
        assert caught.value.code == int(code)


def test_what_is_asked_says_which_part_and_what_is_missing() -> None:
    slap = ask_together((7, 8, 9))
    assert (slap.sub_id, slap.exceptions) == (SubId.LEFT, ("Left LittleFinger",))
    assert slap.sub_types == ("Left IndexFinger", "Left MiddleFinger", "Left RingFinger")
    assert ask_together((1, 6)).sub_id is SubId.BOTH
    assert ask_together((2,)).exceptions == (
        "Right MiddleFinger",
        "Right RingFinger",
        "Right LittleFinger",
    )
    assert ask_one(3).named == ("Right MiddleFinger",)
    assert ask_eyes((Eye.LEFT,)).sub_id is SubId.LEFT
    assert ask_eyes((Eye.LEFT, Eye.RIGHT)).sub_id is SubId.BOTH
    assert ask_face((1,)).exceptions == ("Right Thumb",)


@pytest.mark.parametrize(
    ("ask", "what"),
    [
        (ask_together, (2, 7)),
        (ask_together, (2, 2)),
        (ask_together, ()),
        (ask_one, 11),
        (ask_eyes, ()),
        (ask_eyes, (Eye.LEFT, Eye.LEFT)),
        (ask_face, (0,)),
    ],
)
def test_what_nobody_can_take_is_not_asked_for(
    ask: Callable[[object], Asked], what: object
) -> None:
    with pytest.raises(ValueError, match=r"finger|eye"):
        ask(what)


def test_time_is_what_it_is_said_to_be() -> None:
    later = dataclasses.replace(EXPECTED, at=NOW + dt.timedelta(minutes=5))
    verify(_evidence(captured(RECORD), expected=later))
    with pytest.raises(TimestampOff):
        verify(
            _evidence(
                captured(RECORD),
                expected=dataclasses.replace(EXPECTED, at=NOW + dt.timedelta(minutes=5, seconds=1)),
            )
        )


def test_damaged_answers_are_refused_and_nothing_else_happens() -> None:
    sound = b'{"biometrics":[' + captured(RECORD).encode() + b"]}"
    rng = np.random.default_rng(11)
    for _ in range(1500):
        data = bytearray(sound)
        for _ in range(rng.integers(1, 4)):
            data[rng.integers(len(data))] = rng.integers(256)
        try:
            found = read_capture(Answer(status=200, headers={}, body=bytes(data)), "port 1")
            assert not isinstance(found, Mendable)
            verify(_evidence(*found))
        except Broken:
            continue


def _with_certificate(payload: bytes, leaf: bytes, provider: bytes) -> str:
    """Return a token signed by the device's key, whatever its certificates are."""
    x5c = [base64.b64encode(one).decode() for one in (leaf, provider)]
    return jwt.PyJWS().encode(payload, key(2), algorithm="RS256", headers={"x5c": x5c})


def _spoilt(data: bytes, rng: np.random.Generator) -> bytes:
    spoilt = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        spoilt[rng.integers(len(spoilt))] ^= rng.integers(1, 256)
    return bytes(spoilt)


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
def test_damaged_certificates_lead_nowhere_and_nothing_else_happens() -> None:
    rng = np.random.default_rng(12)
    leaf, provider = (one.public_bytes(Encoding.DER) for one in CHAIN)
    sound = captured(RECORD)
    payload = base64.urlsafe_b64decode(sound.data.split(".")[1] + "==")
    told: Counter[type[Broken]] = Counter()
    for number in range(1500):
        chain = (_spoilt(leaf, rng), provider) if number % 2 else (leaf, _spoilt(provider, rng))
        picture = sound.model_copy(update={"data": _with_certificate(payload, *chain)})
        with pytest.raises(Broken) as caught:
            verify(_evidence(picture))
        told[type(caught.value)] += 1
    assert set(told) == {SignatureWrong, ChainUntrusted}


@pytest.mark.parametrize("version", [1, 3, 77])
def test_a_certificate_of_no_version_there_is_makes_no_device(version: int) -> None:
    data = DEVICE.public_bytes(Encoding.DER)
    spoilt = data.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01" + bytes([version]), 1)
    provider = PROVIDER.public_bytes(Encoding.DER)
    token = _with_certificate(b"{}", spoilt, provider)
    with pytest.raises(Garbled):
        read_device(Informed(device_info=token), 4501)
