"""Tokens, hash chain and messages of SBI: what is written is read, anything else is refused."""

import base64
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Callable

import jwt
import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hardware.sbi import tokens
from hardware.sbi.chain import FIRST, HashInvalid, follow
from hardware.sbi.messages import (
    MOST_ITEMS,
    Bio,
    Biometric,
    CaptureAnswer,
    Captured,
    CaptureRequest,
    DigitalId,
    Discovered,
    DiscoveryRequest,
    Failure,
    Informed,
    MessageInvalid,
    StreamRequest,
    Wire,
    decode_base64url,
    decode_date,
    decode_discovered,
    decode_informed,
    encode_base64url,
    encode_date,
    encode_list,
)
from hardware.sbi.tokens import SignatureMismatch, TokenInvalid, parse, sign, verify
from hardware.sbi.vocabulary import EYES, FINGER_NAMES, FINGERS, ROLLED, ErrorCode, Verb
from tests.sbi_authority import CHAIN, DEVICE, NOW, key

PAYLOAD = b'{"transactionId":"abcd"}'


def _part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def _x5c(*certificates: x509.Certificate) -> list[str]:
    der = serialization.Encoding.DER
    return [base64.b64encode(one.public_bytes(der)).decode("ascii") for one in certificates]


def _forged(signature: bytes = b"x" * 256, **said: object) -> str:
    header = {"alg": "RS256", "typ": "JWT", "x5c": _x5c(*CHAIN)} | said
    return f"{_part(json.dumps(header).encode())}.{_part(PAYLOAD)}.{_part(signature)}"


def test_a_token_gives_back_what_was_signed_and_by_whom() -> None:
    token = parse(sign(PAYLOAD, key(2), CHAIN))
    assert verify(token) == PAYLOAD
    assert token.chain == CHAIN
    assert token.leaf == DEVICE


def test_a_token_is_what_other_software_reads() -> None:
    text = sign(PAYLOAD, key(2), CHAIN)
    header = jwt.get_unverified_header(text)
    assert header["alg"] == "RS256"
    assert header["typ"] == "JWT"
    assert base64.b64decode(header["x5c"][0]) == DEVICE.public_bytes(serialization.Encoding.DER)
    assert jwt.decode(text, key(2).public_key(), algorithms=["RS256"]) == json.loads(PAYLOAD)


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_token_changed_in_any_part_is_not_believed(part: int) -> None:
    parts = sign(PAYLOAD, key(2), CHAIN).split(".")
    raw = bytearray(base64.urlsafe_b64decode(parts[part] + "=="))
    raw[len(raw) // 2] ^= 1
    parts[part] = _part(bytes(raw))
    with pytest.raises(TokenInvalid):
        verify(parse(".".join(parts)))


def test_a_token_signed_by_another_key_than_it_names_is_not_believed() -> None:
    with pytest.raises(SignatureMismatch):
        verify(parse(sign(PAYLOAD, key(3), CHAIN)))


def _by_public_key() -> str:
    """Return what a verifier takes that uses the public key as a shared secret."""
    header = {"alg": "HS256", "typ": "JWT", "x5c": _x5c(*CHAIN)}
    signed = f"{_part(json.dumps(header).encode())}.{_part(PAYLOAD)}"
    secret = (
        key(2)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return f"{signed}.{_part(hmac.digest(secret, signed.encode(), 'sha256'))}"


def _elliptic() -> x509.Certificate:
    own = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "curve")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(own.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + dt.timedelta(days=1))
        .sign(own, hashes.SHA256())
    )


HOSTILE: dict[str, Callable[[], str]] = {
    "nothing": lambda: "",
    "two parts": lambda: "a.b",
    "four parts": lambda: _forged() + ".a",
    "no base64url": lambda: "a+b.c/d.e=f",
    "a line break": lambda: _forged() + "\n",
    "no signature": lambda: _forged(b"").rstrip("."),
    "an empty signature": lambda: _forged(b""),
    "alg none": lambda: _forged(alg="none"),
    "alg none without signature": lambda: _forged(b"", alg="none"),
    "alg missing": lambda: _forged(alg=None),
    "alg a list": lambda: _forged(alg=["RS256"]),
    "another RSA algorithm": lambda: _forged(alg="RS1"),
    "the public key as a secret": _by_public_key,
    "a header that must be understood": lambda: _forged(crit=["exp"], exp=1),
    "a payload that is not encoded": lambda: _forged(b64=False),
    "no certificate": lambda: _forged(x5c=[]),
    "certificates missing": lambda: _forged(x5c=None),
    "a certificate as text": lambda: _forged(x5c=_x5c(DEVICE)[0]),
    "a certificate of another kind": lambda: _forged(x5c=[7]),
    "a certificate that is none": lambda: _forged(x5c=[base64.b64encode(b"none").decode()]),
    "a certificate cut short": lambda: _forged(x5c=[_x5c(DEVICE)[0][:400]]),
    "too many certificates": lambda: _forged(x5c=_x5c(DEVICE) * 9),
    "a curve's certificate": lambda: _forged(x5c=_x5c(_elliptic())),
    "a header that is no JSON": lambda: f"{_part(b'alg')}.{_part(b'')}a.{_part(b'x')}",
    "a header that is no object": lambda: f"{_part(b'[1]')}.{_part(b'x')}.{_part(b'x')}",
    "a deep header": lambda: f"{_part(b'[' * 9000)}.{_part(b'x')}.{_part(b'x')}",
    "a long header": lambda: _forged(pad="x" * tokens.MOST_HEADER),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_token_is_refused(name: str) -> None:
    with pytest.raises(TokenInvalid):
        verify(parse(HOSTILE[name]()))


def test_a_token_beyond_all_bounds_is_not_even_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    text = sign(PAYLOAD, key(2), CHAIN)
    monkeypatch.setattr(tokens, "MOST_BYTES", len(text) - 1)
    with pytest.raises(TokenInvalid, match="at most"):
        parse(text)


def test_two_thousand_damaged_tokens_raise_nothing_else() -> None:
    generator = np.random.default_rng(5)
    good = sign(PAYLOAD, key(2), CHAIN).encode()
    refused = 0
    for _ in range(2000):
        damaged = bytearray(good[: int(generator.integers(1, len(good) + 1))])
        for _ in range(int(generator.integers(0, 4))):
            damaged[int(generator.integers(len(damaged)))] = int(generator.integers(128))
        try:
            verify(parse(damaged.decode("ascii")))
        except TokenInvalid:
            refused += 1
    # What is left was not damaged at all, or only in bits that base64 has no use for.
    assert refused > 1900


def test_the_hash_chain_is_that_of_bytes() -> None:
    first, second = b"record one", b"record two"
    start = hashlib.sha256(b"").digest()
    one = hashlib.sha256(start + hashlib.sha256(first).digest())
    two = hashlib.sha256(one.digest() + hashlib.sha256(second).digest())
    assert follow(FIRST, first) == one.hexdigest().upper()
    assert follow(follow(FIRST, first), second) == two.hexdigest().upper()
    assert follow(one.hexdigest(), second) == two.hexdigest().upper()


def test_the_hash_chain_notices_order_and_omission() -> None:
    records = [b"a", b"b", b"c"]

    def last(which: list[bytes]) -> str:
        previous = FIRST
        for record in which:
            previous = follow(previous, record)
        return previous

    ends = {last(records), last(records[::-1]), last(records[:2]), last([b"a", b"c"])}
    assert len(ends) == 4


@pytest.mark.parametrize(
    "previous", ["0", "G" * 64, "A" * 63, "A" * 65, " " + "A" * 63, "A" * 64 + "\n"]
)
def test_a_hash_that_is_none_is_refused(previous: str) -> None:
    with pytest.raises(HashInvalid):
        follow(previous, b"")


def test_the_ten_fingers_have_iso_positions() -> None:
    assert FINGERS["Right Thumb"] == 1
    assert FINGERS["Left IndexFinger"] == 7
    assert FINGERS["Left LittleFinger"] == 10
    assert sorted(FINGER_NAMES) == list(range(1, 11))
    assert set(EYES) == {"Left", "Right"}


def _bio(**said: object) -> dict[str, object]:
    return {"type": "Finger", "count": "4", "deviceId": "2", "deviceSubId": "1"} | said


def _request(**said: object) -> bytes:
    whole = {
        "env": "Staging",
        "purpose": "Registration",
        "specVersion": "0.9.5",
        "timeout": "10000",
        "captureTime": "2026-11-23T11:00:47Z",
        "transactionId": "abcd-1",
        "bio": [_bio()],
    }
    return json.dumps(whole | said).encode()


def test_a_capture_request_reads_as_the_specification_writes_it() -> None:
    request = CaptureRequest.decode(
        _request(
            bio=[
                _bio(
                    bioSubType=[],
                    exception=["Left LittleFinger"],
                    requestedScore="40",
                    previousHash="",
                )
            ],
            customOpts=None,
        )
    )
    assert request.bio[0].exception == ("Left LittleFinger",)
    assert request.bio[0].requested_score == "40"
    assert not request.rolled
    assert CaptureRequest.decode(request.encode()) == request


def test_what_vendors_write_loosely_is_read() -> None:
    request = CaptureRequest.decode(
        _request(
            timeout=10000,
            domainUri="https://example.test",
            bio=[_bio(count=4, bioSubType=None, exception=None, deviceId=2, previousHash=None)],
        )
    )
    assert request.timeout == "10000"
    assert request.bio[0] == Bio(type="Finger", count="4", device_id="2", device_sub_id="1")


def test_fingers_are_asked_for_rolled_by_an_option_of_our_own() -> None:
    assert CaptureRequest.decode(_request(customOpts=list(ROLLED))).rolled
    others: list[object] = [{}, [], "Rolled", [{"name": "impressionType", "value": "Plain"}]]
    for other in others:
        assert not CaptureRequest.decode(_request(customOpts=other)).rolled


BAD: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"{",
    "another encoding": '{"env":"é"}'.encode("utf-16"),
    "half a character": b'{"env":"\xff\xfe"}',
    "a list": b"[]",
    "deep": b"[" * 100_000,
    "deep options": b'{"customOpts":' + b"[" * 100_000,
    "no bio": _request(bio=[]),
    "bio missing": _request(bio=None),
    "too many": _request(bio=[_bio()] * (MOST_ITEMS + 1)),
    "too many fingers": _request(bio=[_bio(bioSubType=["x"] * (MOST_ITEMS + 1))]),
    "a long name": _request(env="x" * 129),
    "a negative time": _request(timeout="-1"),
    "a time that is no number": _request(timeout="ten"),
    "a time beyond bounds": _request(timeout="9" * 10),
    "a true time": _request(timeout=True),
    "a count that is a list": _request(bio=[_bio(count=[4])]),
    "a hash that is none": _request(bio=[_bio(previousHash="xyz")]),
    "a hash with a line break": _request(bio=[_bio(previousHash="A" * 64 + "\n")]),
    "an environment that is a number of arrays": _request(env=[[]]),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_request_is_refused_in_a_short_sentence(name: str) -> None:
    with pytest.raises(MessageInvalid) as refused:
        CaptureRequest.decode(BAD[name])
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    "message",
    [
        DiscoveryRequest(type="Finger"),
        DigitalId(serial_no="1", type="Iris"),
        Discovered(device_id="1", device_sub_id=("1", "2"), error=Failure.of(ErrorCode.BUSY)),
        Informed(device_info="a.b.c"),
        StreamRequest(device_id="1", timeout="5"),
        CaptureAnswer(biometrics=(Captured(data="a.b.c", hash="A" * 64),)),
        Biometric(
            digital_id="a.b.c", bio_type="Finger", purpose="Registration", env="Staging",
            bio_value="QUJD", transaction_id="abcd", timestamp="2026-11-23T11:00:47Z",
        ),
    ],
    ids=lambda message: type(message).__name__,
)  # fmt: skip
def test_every_message_reads_back(message: Wire) -> None:
    assert type(message).decode(message.encode()) == message


def test_lists_read_back_and_a_lone_error_is_a_list_of_one() -> None:
    entries = (Discovered(device_id="1"), Discovered(device_id="2"))
    assert decode_discovered(encode_list(entries)) == entries
    alone = b'{"error":{"errorCode":"202","errorInfo":"x"}}'
    (entry,) = decode_informed(alone)
    assert entry.error is not None
    assert entry.error.code == ErrorCode.NO_DEVICE
    with pytest.raises(MessageInvalid):
        decode_discovered(encode_list(entries * MOST_ITEMS))


def test_an_identity_that_is_not_signed_reads_back() -> None:
    identity = DigitalId(serial_no="SN", type="Finger", make="Ỏ")
    assert DigitalId.from_unsigned(identity.unsigned()) == identity
    with pytest.raises(MessageInvalid):
        DigitalId.from_unsigned("!!")


def test_error_codes_have_words_and_stay_themselves_on_the_wire() -> None:
    assert all(code.info for code in ErrorCode)
    assert Failure.of(ErrorCode.BUSY).code == 111
    assert Failure(error_code="x1").code is None
    assert json.loads(Failure.of(ErrorCode.BUSY).encode()) == {
        "errorCode": "111",
        "errorInfo": "Device is busy",
    }
    for said in ({"errorCode": 111, "errorInfo": "x"}, {"errorcode": "111", "errorinfo": "x"}):
        assert Failure.decode(json.dumps(said).encode()) == Failure(
            error_code="111", error_info="x"
        )


def test_moments_are_utc_in_whole_seconds() -> None:
    hanoi = dt.timezone(dt.timedelta(hours=7))
    assert encode_date(dt.datetime(2026, 11, 25, 9, 0, 1, 999, hanoi)) == "2026-11-25T02:00:01Z"
    assert decode_date("2026-11-25T09:00:01.123456+07:00") == dt.datetime(
        2026, 11, 25, 2, 0, 1, tzinfo=dt.UTC
    )
    with pytest.raises(ValueError, match="time zone"):
        encode_date(dt.datetime(2026, 11, 25))  # noqa: DTZ001 - that is what is refused


@pytest.mark.parametrize(
    "text",
    ["", "2026-11-25", "2026-11-25T09:00:01", "2026-13-25T09:00:01Z", "0001-01-01T00:00:00+23:59",
     "٢٠٢٦-11-25T09:00:01Z", "2026-11-25T09:00:01Z\n"],
)  # fmt: skip
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(MessageInvalid):
        decode_date(text)


def test_base64url_is_read_filled_up_or_not() -> None:
    for data in (b"", b"a", b"ab", b"abc", bytes(range(256))):
        text = encode_base64url(data)
        assert decode_base64url(text) == data
        assert decode_base64url(text + "=" * (-len(text) % 4)) == data
    for bad in ("a", "a=b=", "ab cd", "é", "a*bc"):
        with pytest.raises(MessageInvalid):
            decode_base64url(bad)


def test_ten_thousand_damaged_messages_raise_nothing_else() -> None:
    generator = np.random.default_rng(7)
    good = _request()
    read = 0
    for _ in range(10_000):
        damaged = bytearray(good)
        for _ in range(int(generator.integers(1, 6))):
            damaged[int(generator.integers(len(damaged)))] = int(generator.integers(256))
        try:
            CaptureRequest.decode(bytes(damaged))
            read += 1
        except MessageInvalid:
            continue
    assert 0 < read < 5000


def test_the_verb_for_authentication_is_known_by_name() -> None:
    assert Verb.AUTHENTICATE.value == "CAPTURE"
