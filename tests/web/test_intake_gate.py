"""Who gets through the intake's gate: signed, enrolled, fresh, once; and what nonsense is told."""

import json
import secrets
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from kiosk.protocol import CheckIn
from scheduler.database import transaction
from server.cases import devices
from server.store.tables import Nonce
from server.web.guard import audiences_of
from server.web.intake.gate import AHEAD, MAX_AGE
from tests.web.intake_stage import Stage, said, stage

STATION = "/kiosk/station"
CHECK_IN = "/kiosk/check-in"


@pytest.fixture
def house(engine: sa.Engine, tmp_path: Path, now: datetime) -> Stage:
    return stage(engine, tmp_path, now)


def test_an_unsigned_request_is_refused(house: Stage) -> None:
    answer = house.kiosk().send("GET", STATION)
    assert (answer.status_code, said(answer)) == (401, "signature_wrong")


def test_an_unknown_device_is_refused(house: Stage) -> None:
    answer = house.stranger().ask("GET", STATION)
    assert (answer.status_code, said(answer)) == (401, "device_unknown")


def test_a_key_that_claims_another_devices_name_is_refused(house: Stage) -> None:
    forged = house.stranger()
    headers = forged.signed("GET", STATION)
    named = {name: value.replace(forged.id, house.kiosk().id) for name, value in headers.items()}
    assert said(forged.send("GET", STATION, b"", named)) == "signature_wrong"


def test_a_revoked_device_is_refused(house: Stage) -> None:
    assert house.kiosk().ask("GET", STATION).status_code == 200
    with transaction(house.engine) as session:
        devices.revoke(session, name="Q1", now=house.clock())
    answer = house.kiosk().ask("GET", STATION)
    assert (answer.status_code, said(answer)) == (403, "device_revoked")


def test_a_request_sent_twice_is_taken_once(house: Stage) -> None:
    headers = house.kiosk().signed("GET", STATION)
    assert house.kiosk().send("GET", STATION, b"", headers).status_code == 200
    answer = house.kiosk().send("GET", STATION, b"", headers)
    assert (answer.status_code, said(answer)) == (401, "replayed")


def test_two_devices_may_use_one_nonce(house: Stage) -> None:
    nonce = secrets.token_hex(16)
    for name in ("Q1", "Q2"):
        kiosk = house.kiosk(name)
        headers = kiosk.signed("GET", STATION, nonce=nonce)
        assert kiosk.send("GET", STATION, b"", headers).status_code == 200


def test_a_signature_is_good_for_five_minutes(house: Stage) -> None:
    second, kiosk = timedelta(seconds=1), house.kiosk()
    for age in (MAX_AGE, -AHEAD):
        headers = kiosk.signed("GET", STATION, created=house.clock() - age)
        assert kiosk.send("GET", STATION, b"", headers).status_code == 200
    for age in (MAX_AGE + second, -AHEAD - second, timedelta(days=20000)):
        headers = kiosk.signed("GET", STATION, created=house.clock() - age)
        answer = kiosk.send("GET", STATION, b"", headers)
        assert (answer.status_code, said(answer)) == (401, "clock_wrong")


def test_nonces_are_forgotten_once_they_are_worth_nothing(house: Stage) -> None:
    for _ in range(3):
        assert house.kiosk().ask("GET", STATION).status_code == 200
    house.clock.goes_on(minutes=10)
    assert house.kiosk().ask("GET", STATION).status_code == 200
    with transaction(house.engine) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Nonce)) == 1


def test_a_signature_without_a_proper_nonce_is_refused(house: Stage) -> None:
    for nonce in (None, "a" * 31, "A" * 32, "g" * 32, "0" * 33):
        headers = house.kiosk().signed("GET", STATION, nonce=nonce)
        assert said(house.kiosk().send("GET", STATION, b"", headers)) == "signature_wrong"


def test_a_signature_that_leaves_something_out_is_refused(house: Stage) -> None:
    for covered in (("@method",), ("@target-uri",), ("@method", "@path")):
        headers = house.kiosk().signed("GET", STATION, covered=covered)
        assert said(house.kiosk().send("GET", STATION, b"", headers)) == "signature_wrong"


def test_a_body_that_is_not_signed_is_refused(house: Stage) -> None:
    headers = house.kiosk().signed("POST", CHECK_IN)
    body = CheckIn(ticket="0000").model_dump_json().encode()
    assert said(house.kiosk().send("POST", CHECK_IN, body, headers)) == "signature_wrong"


def test_an_offset_that_is_not_signed_is_refused(house: Stage) -> None:
    path = f"/kiosk/uploads/{'a' * 64}"
    headers = house.kiosk().signed("PATCH", path, b"x", covered=("@method", "@target-uri"))
    headers["Upload-Offset"] = "0"
    assert said(house.kiosk().send("PATCH", path, b"x", headers)) == "signature_wrong"


def test_nothing_that_is_signed_can_be_changed(house: Stage) -> None:
    kiosk = house.kiosk()
    body = CheckIn(ticket="0000-0000-0000-0").model_dump_json().encode()
    other = body.replace(b"0000", b"0001", 1)

    def signed(method: str = "POST", **changed: tuple[str, str]) -> dict[str, str]:
        headers = kiosk.signed(method, CHECK_IN, body)
        for name, (before, after) in changed.items():
            header = name.replace("_", "-")
            assert before in headers[header]
            headers[header] = headers[header].replace(before, after, 1)
        return headers

    changed = {
        "body": kiosk.send("POST", CHECK_IN, other, signed()),
        "path": kiosk.send("POST", "/kiosk/leave", body, signed()),
        "query": kiosk.send("POST", CHECK_IN + "?a=1", body, signed()),
        "method": kiosk.send("POST", CHECK_IN, body, signed("PUT")),
        "digest": kiosk.send("POST", CHECK_IN, body, signed(Content_Digest=("sha-256", "sha-512"))),
        "input": kiosk.send("POST", CHECK_IN, body, signed(Signature_Input=("nonce", "tag"))),
        "signature": kiosk.send("POST", CHECK_IN, body, signed(Signature=("=:", "=:AAAA"))),
    }
    assert {what: answer.status_code for what, answer in changed.items()} == dict.fromkeys(
        changed, 401
    )
    assert {said(answer) for answer in changed.values()} == {"signature_wrong"}


NONSENSE = [
    ("Signature-Input", ""),
    ("Signature-Input", "thunhan"),
    ("Signature-Input", "thunhan=()"),
    ("Signature-Input", "thunhan=1"),
    ("Signature-Input", "x=(" + '"a" ' * 2000 + ")"),
    ("Signature-Input", 'thunhan=("@method" "@target-uri");created=99999999999999;keyid="a"'),
    ("Signature-Input", 'thunhan=("@method" "@target-uri");created=1.5;keyid="a"'),
    ("Signature-Input", 'thunhan=("@method" "@target-uri");created=-1;keyid=5;nonce="a"'),
    ("Signature-Input", 'a=("@method");created=1;keyid="a", a=("@method");created=1;keyid="a"'),
    ("Signature", ""),
    ("Signature", "thunhan=::"),
    ("Signature", 'thunhan="AAAA"'),
    ("Signature", "thunhan=:AAAA:"),
    ("Signature", "other=:AAAA:"),
    ("Signature", "(((((((((("),
    ("Signature", "\xff\xfe"),
]


def test_nonsense_for_a_signature_is_refused_quietly(house: Stage) -> None:
    for name, value in NONSENSE:
        headers = house.kiosk().signed("GET", STATION)
        headers[name] = value
        answer = house.kiosk().send("GET", STATION, b"", headers)
        assert answer.status_code == 401, (name, value)
        assert said(answer) in {"signature_wrong", "clock_wrong", "device_unknown"}


BODIES = [
    b"",
    b"null",
    b"[]",
    b"not JSON",
    b"\xff\xfe\x00",
    b'{"ticket": 5}',
    b'{"ticket": ""}',
    b'{"ticket": "' + b"0" * 41 + b'"}',
    b'{"ticket": "0", "officer": true}',
    b"{}",
    b'{"ticket": "0", "card": {"personal_number": "001090000001", "birth_date": "1990-01-01"}}',
    b'{"card": {"personal_number": "1", "birth_date": "1990-01-01"}}',
    b'{"card": {"personal_number": "001090000001", "birth_date": "1990-02-30"}}',
    b"[" * 2000,
    b'{"ticket": "\\ud800"}',
]


def test_a_message_that_is_none_is_refused(house: Stage) -> None:
    for body in BODIES:
        answer = house.kiosk().ask("POST", CHECK_IN, body)
        assert (answer.status_code, said(answer)) == (400, "message_wrong"), body


def test_a_message_that_is_far_too_long_is_refused(house: Stage) -> None:
    for size in (8192, 2 * 1024 * 1024):
        answer = house.kiosk().ask("POST", CHECK_IN, b'{"ticket": "' + b"0" * size + b'"}')
        assert (answer.status_code, said(answer)) == (413, "too_large")


def test_addresses_and_methods_that_are_not_there_are_told_in_our_words(house: Stage) -> None:
    answer = house.kiosk().ask("GET", "/kiosk/nothing")
    assert (answer.status_code, said(answer)) == (404, "not_found")
    answer = house.kiosk().ask("DELETE", STATION)
    assert (answer.status_code, said(answer)) == (405, "method_wrong")


def test_what_breaks_says_nothing_of_itself(house: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.web.intake.counter.keys.to_seal_with", lambda *_, **__: 1 / 0)
    answer = house.kiosk().ask("GET", STATION)
    assert (answer.status_code, said(answer)) == (500, "broken")
    assert "division" not in answer.text


def test_a_database_that_is_away_is_no_wrong_signature(house: Stage) -> None:
    """A kiosk calls an officer for its signature, and tries again later for our troubles."""
    kiosk = house.kiosk()
    with transaction(house.engine) as session:
        session.execute(sa.text("ALTER TABLE device RENAME TO away"))
    answer = kiosk.ask("GET", STATION)
    assert (answer.status_code, said(answer)) == (500, "broken")


def test_only_kiosks_may_call_the_intake(house: Stage) -> None:
    views = house.app.view_functions
    ours = [rule for rule in house.app.url_map.iter_rules() if rule.rule.startswith("/kiosk")]
    assert len(ours) == 6
    assert {audiences_of(views[rule.endpoint]) for rule in ours} == {("kiosk",)}


def test_another_host_is_not_answered(house: Stage) -> None:
    with house.app.test_client() as client:
        headers = house.kiosk().signed("GET", STATION)
        answer = client.get(STATION, headers=headers, base_url="http://evil.example")
    assert answer.status_code == 400
    assert json.loads(answer.data)["code"] == "message_wrong"
