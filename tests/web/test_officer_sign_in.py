"""Officers sign in: everything wrong is one answer, guesses are counted, sessions end."""

import re
import unicodedata
from datetime import datetime, timedelta
from pathlib import Path

import pyotp
import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from werkzeug.test import TestResponse

from server.cases import officers, signing_in
from server.store import totp
from server.store.tables import Officer, OfficerSession, Throttle
from tests.officers import PASSWORD, SECRET, Office


@pytest.fixture
def office(engine: sa.Engine, tmp_path: Path, now: datetime) -> Office:
    return Office(engine, tmp_path, now)


def plain(answer: TestResponse, typed: str) -> tuple[int, str, list[str]]:
    """What an answer tells, without what is random or was typed."""
    text = re.sub(r'nonce="[^"]*"|value="[0-9a-f]{64}"', "", answer.text)
    names = sorted(name for name, _ in answer.headers)
    return answer.status_code, text.replace(f'value="{typed}"', 'value=""'), names


def officer(office: Office, officer_id: str = "v.an") -> Officer:
    with office.session() as session:
        return session.get_one(Officer, officer_id)


def test_an_officer_signs_in_and_is_led_to_their_page(office: Office) -> None:
    browser = office.browser()
    answer = browser.sign_in("v.an")
    assert answer.status_code == 303
    cookie = next(
        c for c in answer.headers.getlist("Set-Cookie") if c.startswith("officer_session")
    )
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert browser.get("/").headers["Location"] == "/queue"
    assert office.entries() == [("officer:v.an", "sign_in")]


def test_the_database_holds_no_token_a_thief_could_use(office: Office) -> None:
    browser = office.signed_in("v.an")
    cookie = browser.client.get_cookie("officer_session", domain="localhost")
    assert cookie is not None
    with office.session() as session:
        row = session.scalars(sa.select(OfficerSession)).one()
    assert len(cookie.decoded_value) == 43
    assert cookie.decoded_value.encode() not in (row.token_hash, row.csrf.encode())


@pytest.mark.parametrize(
    ("who", "password", "code"),
    [
        ("nobody", PASSWORD, None),
        ("v.an", "not it at all", None),
        ("v.an", PASSWORD, "000000"),
        ("v.an", PASSWORD, ""),
        ("", "", ""),
        ("gone", PASSWORD, None),
        ("locked", PASSWORD, None),
    ],
)
def test_everything_wrong_is_one_answer_and_one_piece_of_work(
    office: Office,
    monkeypatch: pytest.MonkeyPatch,
    who: str,
    password: str,
    code: str | None,
) -> None:
    work: list[str] = []
    verify = PasswordHasher.verify

    def counted(self: PasswordHasher, password_hash: str, given: str) -> bool:
        work.append(password_hash.split("$")[3])
        return verify(self, password_hash, given)

    if who == "gone":
        with office.session() as session:
            officers.disable(session, "v.an", now=office.clock.now)
    if who == "locked":
        with office.session() as session:
            session.get_one(Officer, "v.an").locked_until = office.clock.now + timedelta(minutes=9)
    typed = "v.an" if who in {"gone", "locked"} else who
    expected = plain(office.browser().sign_in("somebody.else", password="x"), "somebody.else")
    monkeypatch.setattr(PasswordHasher, "verify", counted)
    answer = office.browser().sign_in(typed, password=password, code=code)
    assert plain(answer, typed) == expected
    assert expected[0] == 422
    assert work == ["m=65536,t=3,p=4"]
    assert office.entries()[-1][1] == "sign_in.refused"


def test_the_decoy_costs_what_a_real_hash_costs() -> None:
    assert not officers.HASHER.check_needs_rehash(signing_in.DECOY_HASH)


def test_a_code_works_once(office: Office) -> None:
    code = office.code()
    assert office.browser().sign_in("v.an", code=code).status_code == 303
    assert office.browser().sign_in("v.an", code=code).status_code == 422
    office.clock.goes_on(seconds=signing_in.STEP)
    assert office.browser().sign_in("v.an", code=code).status_code == 422
    assert office.browser().sign_in("v.an").status_code == 303


def test_an_older_code_does_not_work_after_a_newer_one(office: Office) -> None:
    before = office.code()
    office.clock.goes_on(seconds=signing_in.STEP)
    assert office.browser().sign_in("v.an").status_code == 303
    assert office.browser().sign_in("v.an", code=before).status_code == 422


def test_a_telephone_may_be_half_a_minute_off_and_no_more(office: Office) -> None:
    statuses = {}
    for officer_id, steps in (("v.an", -2), ("v.binh", -1), ("v.xa", 1), ("c.chi", 2)):
        at = int(office.clock.now.timestamp()) + steps * signing_in.STEP
        code = pyotp.TOTP(SECRET).at(at)
        spaced = f" {code[:3]} {code[3:]}"
        statuses[steps] = office.browser().sign_in(officer_id, code=spaced).status_code
    assert statuses == {-2: 422, -1: 303, 1: 303, 2: 422}


def test_five_failures_lock_and_each_further_one_locks_longer(office: Office) -> None:
    waits = []
    for _ in range(signing_in.TRIES):
        assert officer(office).locked_until is None
        office.browser().sign_in("v.an", password="wrong")
    for _ in range(6):
        until = officer(office).locked_until
        assert until is not None
        waits.append(until - office.clock.now)
        assert office.browser().sign_in("v.an").status_code == 422
        assert officer(office).locked_until == until
        office.clock.now = until
        office.browser().sign_in("v.an", password="wrong")
    assert waits[:4] == [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8)]
    assert waits[-1] == signing_in.LONGEST_WAIT
    until = officer(office).locked_until
    assert until is not None
    office.clock.now = until
    assert office.browser().sign_in("v.an").status_code == 303
    assert (officer(office).failures, officer(office).locked_until) == (0, None)


@pytest.mark.parametrize("how", ["another secret", "another officer", "in plain text", "altered"])
def test_a_totp_secret_that_cannot_be_read_lets_nobody_in(office: Office, how: str) -> None:
    secret = office.settings.secret
    put = {
        "another secret": totp.hide(SECRET, officer_id="v.an", secret=bytes(32)),
        "another officer": totp.hide(SECRET, officer_id="v.binh", secret=secret),
        "in plain text": SECRET,
        "altered": "AAAA" + totp.hide(SECRET, officer_id="v.an", secret=secret)[4:],
    }[how]
    with office.session() as session:
        session.get_one(Officer, "v.an").totp_secret = put
    assert office.browser().sign_in("v.an").status_code == 422
    decoy = pyotp.TOTP(signing_in.DECOY_SECRET).at(int(office.clock.now.timestamp()))
    assert office.browser().sign_in("v.an", code=decoy).status_code == 422
    with office.session() as session:
        session.get_one(Officer, "v.an").totp_secret = totp.hide(
            SECRET, officer_id="v.an", secret=secret
        )
    assert office.browser().sign_in("v.an").status_code == 303


def test_guesses_made_at_once_are_counted_one_by_one(office: Office) -> None:
    """All were proved before the first was counted, the last of them with the right data."""
    with office.session() as session:
        candidate = signing_in.look(session, "v.an", secret=office.settings.secret)
    now = office.clock.now
    wrong = signing_in.prove(candidate, password="wrong", code="000000", now=now)
    right = signing_in.prove(candidate, password=PASSWORD, code=office.code(), now=now)
    for proof in (*[wrong] * signing_in.TRIES, right):
        with office.session() as session:
            assert signing_in.admit(session, proof, bind=lambda: "b", now=now) is None


def test_a_network_that_guesses_too_much_is_told_to_wait(office: Office) -> None:
    assert office.browser().sign_in("-", password="").status_code == 422
    with office.session() as session:
        session.execute(sa.update(Throttle).values(count=signing_in.BY_NETWORK.tries))
    answer = office.browser().sign_in("v.an")
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    office.clock.goes_on(seconds=signing_in.BY_NETWORK.seconds)
    assert office.browser().sign_in("v.an").status_code == 303


def test_an_idle_session_ends_and_a_used_one_goes_on(office: Office) -> None:
    browser = office.signed_in("v.an")
    for _ in range(3):
        office.clock.goes_on(minutes=9)
        assert browser.get("/queue").status_code == 200
    office.clock.goes_on(minutes=10)
    answer = browser.get("/queue")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/sign-in?ended=yes"
    assert "Phiên làm việc đã kết thúc" in browser.get(answer.headers["Location"]).text


def test_a_session_ends_after_eight_hours_however_busy(office: Office) -> None:
    browser = office.signed_in("v.an")
    began = office.clock.now
    while office.clock.now - began < signing_in.LONGEST - timedelta(minutes=6):
        office.clock.goes_on(minutes=6)
        assert browser.get("/counter").status_code == 200
    office.clock.now = began + signing_in.LONGEST
    assert browser.get("/counter").status_code == 303


def test_signing_out_kills_the_cookie(office: Office) -> None:
    browser = office.signed_in("v.an")
    cookie = browser.client.get_cookie("officer_session", domain="localhost")
    assert cookie is not None
    assert browser.post("/sign-out").status_code == 303
    browser.client.set_cookie("officer_session", cookie.decoded_value, domain="localhost")
    assert browser.get("/queue").status_code == 303
    assert office.entries() == [("officer:v.an", "sign_in"), ("officer:v.an", "sign_out")]


def test_a_stolen_session_cookie_is_worth_nothing_in_another_browser(office: Office) -> None:
    browser, thief = office.signed_in("v.an"), office.browser()
    cookie = browser.client.get_cookie("officer_session", domain="localhost")
    assert cookie is not None
    thief.token()
    thief.client.set_cookie("officer_session", cookie.decoded_value, domain="localhost")
    assert thief.get("/queue").status_code == 303


def test_signing_in_again_ends_the_session_before(office: Office) -> None:
    browser = office.signed_in("v.an")
    old = {c: browser.client.get_cookie(c, domain="localhost") for c in ("officer_session",)}
    token = browser.token()
    office.clock.goes_on(seconds=signing_in.STEP)
    answer = browser.client.post(
        "/sign-in",
        base_url="http://localhost",
        data={"csrf": token, "officer": "v.an", "password": PASSWORD, "code": office.code()},
    )
    assert answer.status_code == 303
    new = browser.client.get_cookie("officer_session", domain="localhost")
    assert old["officer_session"] != new
    with office.session() as session:
        rows = session.scalars(sa.select(OfficerSession).order_by(OfficerSession.started_at)).all()
    assert [row.ended_at is None for row in rows] == [False, True]


def test_a_disabled_officer_is_out_at_the_next_click(office: Office) -> None:
    browser = office.signed_in("v.an")
    with office.session() as session:
        officers.disable(session, "v.an", now=office.clock.now)
    assert browser.get("/queue").status_code == 303
    office.clock.goes_on(seconds=signing_in.STEP)
    assert office.browser().sign_in("v.an").status_code == 422


def test_a_form_from_another_site_is_refused(office: Office) -> None:
    browser = office.signed_in("v.an")
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}):
        answer = browser.client.post(
            "/sign-out",
            base_url="http://localhost",
            data={"csrf": browser.token()},
            headers=headers,
        )
        assert answer.status_code == 403
    answer = browser.client.post("/sign-out", base_url="http://localhost", data={})
    assert answer.status_code == 403
    assert browser.get("/queue").status_code == 200


HOSTILE = ("v.an\x00", "\x00", "x" * 15_000, "v.an' OR 1=1 --", "<script>", "..", "\u202e", "🦀")


def test_hostile_sign_in_data_are_just_wrong(office: Office) -> None:
    for typed in HOSTILE:
        answer = office.browser().sign_in(typed, password=typed, code=typed)
        assert answer.status_code == 422
        assert "<script>" not in answer.text
    for typed in HOSTILE[:4]:
        assert office.browser().sign_in("v.an", code=typed).status_code == 422


def test_a_form_too_large_is_refused(office: Office) -> None:
    assert office.browser().sign_in("v.an", password="x" * 70_000).status_code == 413


def test_a_password_is_the_same_however_a_keyboard_writes_its_accents(office: Office) -> None:
    decomposed = unicodedata.normalize("NFD", PASSWORD)
    assert decomposed != PASSWORD
    assert office.browser().sign_in("v.an", password=decomposed).status_code == 303
