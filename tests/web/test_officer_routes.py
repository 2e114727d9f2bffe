"""Every route of the officers' app by every role: written down here, and held to it."""

from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from server.store.tables import Role
from server.web.guard import EVERYBODY, audiences_of
from tests.officers import OFFICERS, STATION, Browser, Office

VERIFIER, SUPERVISOR = Role.VERIFIER.value, Role.SUPERVISOR.value
CAPTURER, AUDITOR = Role.CAPTURER.value, Role.AUDITOR.value
ALL = {VERIFIER, SUPERVISOR, CAPTURER, AUDITOR}
DECIDING = {VERIFIER, SUPERVISOR}
AT_COUNTER = DECIDING | {CAPTURER}
NOBODY_TOO = {*ALL, EVERYBODY}

MATRIX: dict[tuple[str, str], set[str]] = {
    ("GET", "/"): ALL,
    ("GET", "/sign-in"): NOBODY_TOO,
    ("POST", "/sign-in"): NOBODY_TOO,
    ("GET", "/static/<name>"): NOBODY_TOO,
    ("GET", "/font/<weight>.ttf"): NOBODY_TOO,
    ("GET", "/queue"): DECIDING,
    ("GET", "/captures/<digest>"): DECIDING,
    ("POST", "/captures/<digest>"): DECIDING,
    ("POST", "/captures/<digest>/decision"): DECIDING,
    ("POST", "/captures/<digest>/release"): DECIDING,
    ("POST", "/captures/<digest>/files/<name>"): DECIDING,
    ("POST", "/captures/<digest>/fingers/<int:position>/<kind>/<name>"): DECIDING,
    ("POST", "/captures/<digest>/records/<name>"): DECIDING,
    ("GET", "/counter"): AT_COUNTER,
    ("POST", "/counter/<digest>/hand-over"): AT_COUNTER,
    ("POST", "/counter/<digest>/take-back-in"): DECIDING,
    ("GET", "/today"): AT_COUNTER,
    ("POST", "/today/<station>/reception"): AT_COUNTER,
    ("POST", "/today/<station>/appointments/<uuid:appointment>/arrive"): AT_COUNTER,
    ("POST", "/today/<station>/points/<point>/call"): AT_COUNTER,
    ("POST", "/today/<station>/points/<point>/<any(open,close):what>"): AT_COUNTER,
    (
        "POST",
        "/today/<station>/numbers/<int:number>/<any(again,begin,end,gone,back):what>",
    ): AT_COUNTER,
    ("POST", "/today/<station>/note"): AT_COUNTER,
    ("GET", "/hours"): {SUPERVISOR},
    ("POST", "/hours/change"): {SUPERVISOR},
    ("POST", "/hours/lane"): {SUPERVISOR},
    ("GET", "/hours/stranded"): {SUPERVISOR},
    ("POST", "/hours/stranded/<uuid:dossier_id>"): {SUPERVISOR},
    ("GET", "/assisted"): AT_COUNTER,
    ("POST", "/assisted"): AT_COUNTER,
    ("GET", "/assisted/<uuid:dossier>/<proof>"): AT_COUNTER,
    ("GET", "/assisted/<uuid:dossier>/<proof>/slip.pdf"): AT_COUNTER,
    ("GET", "/assisted/<uuid:dossier>/<proof>/when"): AT_COUNTER,
    ("POST", "/assisted/<uuid:dossier>/<proof>/when"): AT_COUNTER,
    ("POST", "/assisted/<uuid:dossier>/<proof>/cancel"): AT_COUNTER,
    ("GET", "/draws"): {SUPERVISOR},
    ("POST", "/draws"): {SUPERVISOR},
    ("POST", "/draws/<uuid:draw_id>/draw"): {SUPERVISOR},
    ("POST", "/draws/<uuid:draw_id>/cancel"): {SUPERVISOR},
    ("GET", "/planner"): {SUPERVISOR},
    ("POST", "/planner/open"): {SUPERVISOR},
    ("GET", "/audit"): {AUDITOR},
    ("POST", "/audit"): {AUDITOR},
    # Last: it ends the sessions the others are tried with.
    ("POST", "/sign-out"): ALL,
}
VALUES = {
    "<digest>": "f" * 64,
    "<station>": STATION,
    "<uuid:appointment>": "00000000-0000-4000-8000-000000000000",
    "<point>": "may-1",
    "<any(open,close):what>": "close",
    "<int:number>/<any(again,begin,end,gone,back):what>": "1/again",
    "<name>": "mark.svg",
    "files/mark.svg": "files/3x4",
    "<int:position>/<kind>/mark.svg": "3/plain/iso-19794-2-2011",
    "records/mark.svg": "records/cbeff",
    "<weight>": "Bold",
    "<proof>": "0",
    "<uuid:dossier>": "00000000-0000-4000-8000-000000000000",
    "<uuid:draw_id>": "00000000-0000-4000-8000-000000000000",
    "<uuid:dossier_id>": "00000000-0000-4000-8000-000000000000",
}


@pytest.fixture
def office(engine: sa.Engine, tmp_path: Path, now: datetime) -> Office:
    return Office(engine, tmp_path, now)


def path_of(rule: str) -> str:
    for name, value in VALUES.items():
        rule = rule.replace(name, value)
    return rule


def is_let_in(browser: Browser, method: str, rule: str) -> bool:
    """Whether the route answered, whatever it found; the sign-in page and 403 are no."""
    path = path_of(rule)
    answer = browser.get(path) if method == "GET" else browser.post(path)
    answer.close()
    turned_away = answer.headers.get("Location", "").startswith("/sign-in") and "out" not in rule
    assert answer.status_code < 500
    assert not turned_away or answer.status_code == 303
    return not turned_away and answer.status_code != 403


def test_the_matrix_names_every_route(office: Office) -> None:
    found = {
        (method, rule.rule)
        for rule in office.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert found == set(MATRIX)


def test_every_route_says_who_may_call_it_as_the_matrix_does(office: Office) -> None:
    for rule in office.app.url_map.iter_rules():
        methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        said = set(audiences_of(office.app.view_functions[rule.endpoint]))
        for method in methods:
            expected = MATRIX[method, rule.rule]
            assert said == ({EVERYBODY} if EVERYBODY in expected else expected), rule


def test_every_role_is_let_in_where_the_matrix_says_and_nowhere_else(office: Office) -> None:
    wrong = []
    for officer_id in ("v.an", "s.dung", "c.chi", "a.giang"):
        role = OFFICERS[officer_id][1].value
        browser = office.signed_in(officer_id)
        for (method, rule), audiences in MATRIX.items():
            if is_let_in(browser, method, rule) != (role in audiences):
                wrong.append((role, method, rule))
    assert wrong == []


def test_nobody_is_led_to_the_sign_in_page_everywhere_else(office: Office) -> None:
    browser = office.browser()
    wrong = []
    for (method, rule), audiences in MATRIX.items():
        if rule == "/sign-out":
            assert browser.post(rule).headers["Location"] == "/sign-in"
            assert office.entries() == [("officer:unknown", "sign_in.refused")]
        elif is_let_in(browser, method, rule) != (EVERYBODY in audiences):
            wrong.append((method, rule))
    assert wrong == []
