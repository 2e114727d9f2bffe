"""The touch page over HTTP: whom it answers, what it shows, and that presses count once."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.rehearsal import Rehearsal, Role
from kiosk.screens import Screen
from kiosk.web.app import kiosk_app
from kiosk.web.view import state
from tests.kiosk_stage import NAME, PIN, Stage, drawing, stage, until

FORMS = re.compile(r'<form method="post" action="/press/(\w+)"')


@pytest.fixture
def kiosk(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as made:
        yield made


def page(kiosk: Stage) -> str:
    answer = kiosk.web.get("/")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_the_whole_way_by_forms_alone(kiosk: Stage) -> None:
    kiosk.form("type_code")
    kiosk.form("code", ticket="abcd-2345-efgh-t")
    assert NAME.upper() in page(kiosk)
    kiosk.form("confirm")
    assert "checked" not in page(kiosk)
    kiosk.form("agree", agreed="yes")
    kiosk.form("sit_down")

    kiosk.sit()
    assert kiosk.web.get("/portrait.jpg").data.startswith(b"\xff\xd8\xff")
    kiosk.form("keep")
    assert 'data-finger="10"' in page(kiosk)
    kiosk.lay(1, 2)
    kiosk.lay(*kiosk.wanted)
    until(lambda: kiosk.shows(Screen.READ_BACK))
    assert kiosk.web.get("/print/plain/2.png").data.startswith(b"\x89PNG")
    assert kiosk.web.get("/print/plain/3.png").status_code == 404
    assert "/print/plain/1.png" in page(kiosk)
    kiosk.form("to_sign")
    answer = kiosk.form("sign", signature=drawing())
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert "S01-000001" in page(kiosk)
    assert kiosk.web.get("/portrait.jpg").status_code == 404
    kiosk.form("finish")
    assert NAME.upper() not in page(kiosk)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_screen_is_drawn_in_both_languages(kiosk: Stage, language: str) -> None:
    kiosk.to_sealed()
    kiosk.press("language", to=language)
    for screen in Screen:
        if screen in {Screen.HELP, Screen.DESK}:
            continue
        kiosk.booth._screen = screen
        text = page(kiosk)
        assert f'<html lang="{language}">' in text
        assert f"screen-{screen}" in text
        assert "<h1" in text
        assert " style=" not in text
        assert not re.search(r"\son[a-z]+=", text)
    kiosk.booth._screen = Screen.SEALED
    kiosk.press("call_officer")
    assert "screen-help" in page(kiosk)
    kiosk.press("pin", officer="cb01", pin=PIN)
    for screen in (Screen.PORTRAIT, Screen.FINGERS, Screen.SIGN, Screen.CONFIRM):
        kiosk.booth._screen = screen
        assert "screen-desk" in page(kiosk)


def test_a_reload_shows_the_same_screen_with_the_same_token(kiosk: Stage) -> None:
    kiosk.to_confirm()
    token = kiosk.booth.token
    assert page(kiosk).count(f'data-step="{token}"') == 1
    page(kiosk)
    assert kiosk.booth.token == token


def test_a_second_press_is_answered_by_the_screen_that_is_now(kiosk: Stage) -> None:
    kiosk.to_confirm()
    token = kiosk.booth.token
    for _ in range(2):
        assert kiosk.form("confirm", token).status_code == 303
    assert kiosk.shows(Screen.NOTICE)
    late = kiosk.web.post("/press/confirm", json={"step": token})
    assert late.status_code == 409
    assert late.get_json()["screen"] == "notice"
    ok = kiosk.web.post("/press/back", json={"step": late.get_json()["step"]})
    assert (ok.status_code, ok.get_json()["screen"]) == (200, "confirm")


def test_getting_changes_nothing(kiosk: Stage) -> None:
    kiosk.to_prepare()
    before = (kiosk.booth.token, kiosk.booth.visit.state)
    for path in ("/", "/state", "/press/give_up", "/portrait.jpg", "/static/kiosk.js", "/nothing"):
        kiosk.web.get(path).close()
    assert (kiosk.booth.token, kiosk.booth.visit.state) == before


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_of_another_site_can_neither_press_nor_look(
    kiosk: Stage, headers: dict[str, str]
) -> None:
    kiosk.to_confirm()
    answer = kiosk.web.post("/press/confirm", data={"step": kiosk.booth.token}, headers=headers)
    assert answer.status_code == 403
    assert kiosk.web.get("/state", headers=headers).status_code == 403
    assert kiosk.web.get("/portrait.jpg", headers=headers).status_code == 403
    assert kiosk.shows(Screen.CONFIRM)


@pytest.mark.parametrize("host", ["evil.example", "10.0.0.7", "127.0.0.1.evil.example", "kiosk"])
def test_a_name_that_only_resolves_to_us_is_refused(kiosk: Stage, host: str) -> None:
    for path in ("/", "/state", "/live.mjpg", "/static/kiosk.js"):
        assert kiosk.web.get(path, headers={"Host": host}).status_code == 400
    assert kiosk.web.post("/press/type_code", headers={"Host": host}).status_code == 400


def test_every_answer_carries_the_headers_errors_included(kiosk: Stage) -> None:
    for path in ("/", "/state", "/nothing", "/static/../app.py", "/font/Comic.ttf", "/print/x.png"):
        answer = kiosk.web.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
    first, second = (kiosk.web.get("/") for _ in range(2))
    assert first.headers["Content-Security-Policy"] != second.headers["Content-Security-Policy"]
    nonce = re.search(r'nonce="([^"]+)"', first.get_data(as_text=True))
    assert nonce
    assert f"'nonce-{nonce[1]}'" in first.headers["Content-Security-Policy"]


def test_a_huge_or_strange_body_is_refused_and_nothing_is_lost(kiosk: Stage) -> None:
    kiosk.to_sign()
    step = kiosk.booth.token
    huge = kiosk.web.post("/press/sign", data={"step": step, "signature": "x" * 800_000})
    assert huge.status_code == 413
    assert kiosk.web.post("/press/sign", json=["step"]).status_code == 400
    assert (
        kiosk.web.post("/press/sign", data=b"{", content_type="application/json").status_code == 400
    )
    assert kiosk.web.post("/press/no_such", data={"step": step}).status_code == 404
    assert kiosk.shows(Screen.SIGN)
    assert kiosk.form("sign", signature=drawing()).status_code == 303
    assert kiosk.shows(Screen.SEALED)


def test_the_state_names_nobody(kiosk: Stage) -> None:
    kiosk.to_read_back()
    assert NAME not in kiosk.web.get("/state").get_data(as_text=True)


def test_the_stream_tells_every_change(kiosk: Stage) -> None:
    stream = kiosk.web.get("/events").iter_encoded()
    assert b'"screen": "attract"' in next(stream)
    kiosk.press("type_code")
    assert b'"screen": "type_code"' in next(stream)


def test_a_stand_in_puts_a_band_on_every_screen(kiosk: Stage) -> None:
    assert state(kiosk.booth)["rehearsal"] is True
    assert 'class="band"' in page(kiosk)
    kiosk.booth.stand_ins.clear()
    assert 'class="band"' not in page(kiosk)


def test_the_rehearsal_page_exists_only_with_a_stand_in(kiosk: Stage) -> None:
    assert kiosk.web.get("/rehearsal").status_code == 404
    assert kiosk.web.post("/rehearsal", json={"person": 2}).status_code == 404


def test_the_rehearsal_page_plays_roles_and_refuses_foreigners(kiosk: Stage) -> None:
    rehearsal = Rehearsal(kiosk.taker, lambda: True, Role())
    web = kiosk_app(kiosk.booth, name="Máy 1", rehearsal=rehearsal).test_client()
    assert web.get("/rehearsal").status_code == 200
    assert web.post("/rehearsal", json={"person": 5, "behaviour": "dark"}).status_code == 200
    assert (rehearsal.role.person, rehearsal.role.behaviour) == (5, "dark")
    assert web.post("/rehearsal", data={"person": "x"}).status_code == 422
    foreign = web.post("/rehearsal", json={"person": 6}, headers={"Origin": "http://evil.example"})
    assert foreign.status_code == 403
    assert rehearsal.role.person == 5


def test_each_press_on_a_page_brings_the_pages_own_token(kiosk: Stage) -> None:
    kiosk.to_confirm()
    text = page(kiosk)
    assert len(FORMS.findall(text)) == text.count(f'name="step" value="{kiosk.booth.token}"')
    assert {"confirm", "not_me", "call_officer", "give_up", "language"} <= set(FORMS.findall(text))


def test_who_insists_on_a_finger_that_was_given_for_another_gives_both_again(kiosk: Stage) -> None:
    kiosk.to_fingers()
    kiosk.lay(2)
    kiosk.lay(2, 2)
    until(lambda: kiosk.wanted == (1,))
    kiosk.lay(1, 2)
    kiosk.lay(*kiosk.wanted)
    until(lambda: kiosk.shows(Screen.READ_BACK))


def test_an_officer_has_a_finger_taken_anew(kiosk: Stage) -> None:
    kiosk.to_fingers()
    kiosk.lay(1)
    kiosk.officer()
    assert 'formaction="/press/reopen_finger"' in page(kiosk)
    kiosk.form("reopen_finger", position="1", kind="plain")
    assert kiosk.wanted == (1,)


def test_a_finger_recorded_as_missing_by_mistake_can_be_chosen_again(kiosk: Stage) -> None:
    kiosk.to_fingers()
    kiosk.officer()
    kiosk.form("missing", position="1", reason="worn")
    assert list(kiosk.taker.standing.missing) == [1]
    assert 'name="position" value="1"' in page(kiosk)
    kiosk.form("reopen_finger", position="1")
    assert list(kiosk.taker.standing.missing) == []


def test_an_officer_signs_in_by_touch_alone(kiosk: Stage) -> None:
    kiosk.press("call_officer")
    keys = set(re.findall(r'data-key="(.)"', page(kiosk)))
    assert keys == set("0123456789abcdefghijklmnopqrstuvwxyz.-_")
    assert "data-erase" in page(kiosk)
