"""Hostile and clumsy forms: refused clearly, nothing lost, and no page without words."""

import ast
import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest

from server.rules.cases import Outcome
from server.web import shell
from tests.web.citizens import (
    CHILD,
    HANOI,
    KHUE,
    Browser,
    Office,
    begun,
    birth_of,
    confirm,
    dossier_of,
    fill,
    hold,
    taken,
    time_of,
)

ROOT = Path(__file__).resolve().parents[2]
DAY = date(2026, 11, 30)
HOSTILE = {
    "nul": "Nguyễn\x00 Văn\x00 A",
    "long": "A" * 20_000,
    "emoji": "🙂" * 50,
    "right to left": "\u202eAn\u2066 Nguyễn\u2069",
    "zero width": "\u200b\u200d\ufeff",
    "script": "<script>alert(1)</script>",
    "template": "{{ 7*7 }}{% raw %}",
    "percent": "%s %d %(name)s {0} {name}",
    "lone surrogate": "\udcff",
    "line ends": "a\r\nSet-Cookie: x=y\r\n\r\n",
    "quotes": "\"'`--; DROP TABLE dossier",
}
NAMES = {
    "reason": ("reason",),
    "birth": ("birth_day", "birth_month", "birth_year"),
    "identity": ("number", "name"),
    "contact": ("phone", "email"),
}


@pytest.fixture
def office(database_url: str, tmp_path: Path, now: datetime) -> Iterator[Office]:
    with Office.open(database_url, tmp_path, now) as opened:
        yield opened


on_one_engine = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_hostile_text_is_refused_everywhere_and_breaks_nothing(office: Office) -> None:
    browser = office.browser()
    fill(browser, office.person(KHUE))
    for kind, text in HOSTILE.items():
        typed = text.encode("utf-8", "surrogateescape")
        for page, names in NAMES.items():
            answer = browser.post(f"/book/{page}", dict.fromkeys(names, typed))
            assert answer.status_code == 422, (kind, page)
            assert "<script>" not in answer.text
            assert browser.get(f"/book/{page}").status_code == 200
        for path, name in (("/manage", "ticket"), ("/status", "code"), ("/status/book", "code")):
            answer = browser.post(path, {name: typed, "birth_year": typed})
            assert answer.status_code == 422, (kind, path)
    assert office.registry.times == 1
    assert browser.path == "/book/station"


def test_hostile_text_where_almost_anything_may_stand_is_cleaned(office: Office) -> None:
    browser = office.browser()
    fill(browser, office.person(KHUE))
    address = "Số 1\x00\r\n \u202ephố 🙂 Ví Dụ, <b>Giả Định</b> {{ 7*7 }}"
    browser.post("/book/delivery", {"delivery": "post", "address": address})
    kept = dossier_of(office).answers["address"]
    assert kept == "Số 1 phố 🙂 Ví Dụ, <b>Giả Định</b> {{ 7*7 }}"
    hold(browser, DAY)
    assert "&lt;b&gt;Giả Định&lt;/b&gt; {{ 7*7 }}" in browser.last


@on_one_engine
def test_fields_of_wrong_kinds_or_unknown_names_are_not_kept(office: Office) -> None:
    browser = office.browser()
    fill(browser, office.person(KHUE))
    browser.post("/book/requests", {"requests": ["dna", "x", "dna", "\x00"], "state": "accepted"})
    assert dossier_of(office).answers["requests"] == ["dna"]
    for page, form in (
        ("delivery", {"delivery": "rocket"}),
        ("data", {"data": "maybe"}),
        ("contact", {"phone": ["12", "13"], "evil\x00name": "x", "person": "x"}),
    ):
        assert browser.post(f"/book/{page}", form).status_code == 422
    typed = dossier_of(office).answers["typed"]
    assert set(typed) == {"delivery", "data", "contact"}
    assert typed["contact"] == {"phone": "12"}


@on_one_engine
def test_a_form_of_a_megabyte_is_too_much(office: Office) -> None:
    browser = begun(office, KHUE)
    answer = browser.post("/book/identity", {"name": "A" * 1024 * 1024})
    assert answer.status_code == 413
    assert "quá lớn" in answer.text
    many = browser.post("/book/identity", {f"name{n}": "x" for n in range(3000)})
    assert many.status_code in {413, 422}


@on_one_engine
def test_a_form_from_elsewhere_or_without_a_token_is_refused(office: Office) -> None:
    browser = office.browser()
    fill(browser, office.person(KHUE))
    hold(browser, DAY)
    found = re.search(r'name="csrf" value="(\w+)"', browser.last)
    assert found is not None
    form = {"csrf": found[1], "slot": "x", "agree": "yes"}
    client = browser.client
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        answer = client.post("/book/confirm", data=form, headers=headers)
        assert answer.status_code == 403, headers
    for token in ("", "0" * 64, office_token(office), "é"):
        answer = client.post("/book/confirm", data=form | {"csrf": token})
        assert answer.status_code == 403, token
        assert "Biểu mẫu đã hết hiệu lực" in answer.text
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400
    assert dossier_of(office).code is None


def office_token(office: Office) -> str:
    """Return the token of another browser."""
    other = office.browser()
    other.get("/status")
    found = re.search(r'name="csrf" value="(\w+)"', other.last)
    assert found is not None
    return found[1]


@on_one_engine
def test_every_answer_carries_the_headers_that_keep_it_to_itself(office: Office) -> None:
    browser = office.browser()
    for path in ("/", "/status", "/nothing", "/booked/slip.pdf"):
        headers = browser.get(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
    browser.get("/book/reason")
    answer = browser.post("/book/reason", {"reason": "NEW"}, follow=False)
    cookie = next(v for v in answer.headers.getlist("Set-Cookie") if "citizen_dossier" in v)
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Max-Age=604800" in cookie


@on_one_engine
def test_what_was_typed_stands_there_again_in_the_other_language(office: Office) -> None:
    browser = begun(office, KHUE)
    browser.post("/book/identity", {"number": "12 34", "name": "Trần Thị Bích"})
    answer = browser.get("/book/identity?lang=en")
    assert 'value="12 34"' in answer.text
    assert 'value="Trần Thị Bích"' in answer.text
    assert "Full birth name" in answer.text
    assert 'lang="en"' in answer.text


@on_one_engine
def test_every_error_of_the_summary_leads_to_its_field(office: Office) -> None:
    browser = office.browser()
    fill(browser, office.person(CHILD))
    browser.post("/book/station", {"station": HANOI})
    browser.post("/book/day", {"day": DAY.isoformat()})
    browser.post("/book/time", {"time": time_of(DAY, 8)})
    for path, form in (
        ("/book/station", {}),
        ("/book/day", {}),
        ("/book/time", {}),
        ("/book/confirm", {"slot": time_of(DAY, 8)}),
        ("/book/confirm", {}),
        ("/book/representative", {}),
        ("/book/delivery", {"delivery": "post"}),
        ("/book/contact", {}),
        ("/book/data", {}),
        ("/book/reason", {}),
        ("/book/birth", {}),
        ("/book/identity", {}),
        ("/book/identity", {"fill": "yes", "qr": "x"}),
        ("/manage", {}),
        ("/status", {}),
    ):
        answer = browser.post(path, form)
        summary = re.search(r'class="summary".*?</div>', answer.text, re.DOTALL)
        assert summary is not None, path
        fields = re.findall(r'href="#([\w-]+)"', summary[0])
        assert fields, path
        for field in fields:
            assert f'id="{field}"' in answer.text, (path, field)
        assert answer.text.index("<title>Lỗi:") > 0


CARD = f"{KHUE}||Nguyễn Thị Minh Khuê|01071993|Nữ|Số 1, Giả Định|09042025"


@on_one_engine
@pytest.mark.parametrize("text", [CARD.rpartition("|")[0], CARD, CARD + "|x|y"])
def test_the_text_of_a_card_fills_the_form(office: Office, text: str) -> None:
    browser = begun(office, KHUE)
    answer = browser.post("/book/identity", {"fill": "yes", "qr": text})
    assert f'value="{KHUE}"' in answer.text
    assert 'value="Nguyễn Thị Minh Khuê"' in answer.text
    assert office.registry.times == 0
    assert "Đã điền từ mã QR" in answer.text


@on_one_engine
def test_a_broken_or_somebody_elses_card_is_told(office: Office) -> None:
    browser = begun(office, KHUE)
    for text in ("", "x|y", CARD.replace("01071993", "31021993"), CARD.replace("|", ";"), "|" * 99):
        answer = browser.post("/book/identity", {"fill": "yes", "qr": text, "name": "Bích"})
        assert answer.status_code == 422
        assert "Không đọc được" in answer.text
        assert 'value="Bích"' in answer.text
    other = browser.post(
        "/book/identity", {"fill": "yes", "qr": CARD.replace("01071993", "01071994")}
    )
    assert other.status_code == 422
    assert "khác với ngày sinh" in other.text


FILES = {"static", "font", "photo.drawing"}
"""What answers with a file and not with a page."""


def _addresses(office: Office) -> list[str]:
    """Return every address that answers a GET."""
    found = []
    for rule in office.app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint in FILES:
            continue
        choice = re.search(r"<any\(([^)]*)\):\w+>", rule.rule)
        values = choice[1].split(",") if choice else [""]
        found += [rule.rule.replace(choice[0], v) if choice else rule.rule for v in values]
    # What is still open names one thing among many: tests of its own look at it.
    return sorted(path for path in found if "<" not in path)


def _stages(office: Office) -> Iterator[Browser]:
    """Yield a browser at every stage of the way, the adult's and the child's."""
    yield office.browser()
    for number, purpose in ((KHUE, "RE_LOST"), (CHILD, "NEW")):
        browser = begun(office, number, purpose)
        yield browser
        fill(browser, office.person(number), purpose=purpose)
        yield browser
        browser.post("/book/data", {"data": "no"})
        yield browser
        browser.post("/book/data", {"data": "yes"})
        hold(browser, DAY)
        yield browser
        confirm(browser)
        yield browser
        browser.post("/booked/cancel", {})
        yield browser
        browser.post("/withdraw", {})
        yield browser


@on_one_engine
def test_every_page_at_every_stage_has_words_in_both_languages(office: Office) -> None:
    addresses = _addresses(office)
    assert len(addresses) > 20
    keys = set(shell.words())
    for browser in _stages(office):
        for path in addresses:
            for language, other in (("vi", "English"), ("en", "Tiếng Việt")):
                # A page keeps the language in a cookie: redirected or not, it is in this one.
                answer = browser.get(f"{path}?lang={language}")
                assert answer.status_code == 200, path
                if answer.mimetype != "text/html":
                    continue
                assert f'<html lang="{language}">' in answer.text, path
                assert other in answer.text
                visible = re.sub(r"<[^>]+>", " ", answer.text)
                assert not keys & set(visible.split()), path
        browser.get("/?lang=vi")


@on_one_engine
def test_every_key_the_code_names_has_words(office: Office) -> None:
    words = shell.words()
    families = {key.split(".")[0] for key in words}
    named = set()
    for path in (
        *(ROOT / "server/web/citizen").glob("*.py"),
        ROOT / "server/rules/fields.py",
    ):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                named |= {node.value} if re.fullmatch(r"[a-z_]+\.[a-z_]+", node.value) else set()
    endpoints = set(office.app.view_functions)
    wanted = {key for key in named if key.split(".")[0] in families} - endpoints
    assert len(wanted) > 40
    assert sorted(key for key in wanted if key not in words) == []


def test_everything_that_can_be_chosen_or_found_has_words() -> None:
    words = shell.words()
    told = [f"coming.{outcome.value}.{part}" for outcome in Outcome for part in ("title", "text")]
    told = [key for key in told if not key.startswith("coming.come.")]
    told += [
        f"finding.{name}.{part}" for name in ("different", "down") for part in ("title", "text")
    ]
    assert [key for key in told if key not in words] == []


@on_one_engine
def test_a_page_that_is_not_there_links_only_to_ourselves(office: Office) -> None:
    client = office.app.test_client()
    for path in ("/nothing", "//evil.example/x", "/\\evil.example", "/book/<script>"):
        answer = client.get("/x", environ_overrides={"PATH_INFO": path})
        assert answer.status_code == 404, path
        assert "evil.example" not in answer.text
        assert 'href="/?lang=en"' in answer.text


@on_one_engine
def test_the_old_law_is_shown_beside_todays_and_marked_as_past(office: Office) -> None:
    browser = office.browser()
    today = browser.get("/procedure").text
    assert "25.000 đồng" in today
    assert "Công dân số" in today
    assert "50.000 đồng" in browser.get("/procedure?on=2024-07-01&profile=cccd-2021").text
    old = browser.get("/procedure?profile=cccd-2021").text
    assert "nay đã hết hiệu lực" in old
    assert "15 ngày làm việc" in old
    for query in ("profile=x", "on=x", "on=0001-01-01", "on=9999-12-31", "profile=%00&on=%00"):
        assert browser.get(f"/procedure?{query}").status_code == 200
    assert "Theo mức thu" in browser.get("/procedure?on=2027-03-01").text


@on_one_engine
def test_a_birth_date_that_changes_makes_the_check_void(office: Office) -> None:
    browser = office.browser()
    fill(browser, office.person(KHUE))
    hold(browser, DAY)
    assert taken(office) == 1
    browser.post("/book/birth", birth_of(office.person(CHILD)))
    assert browser.path == "/book/coming"
    dossier = dossier_of(office)
    assert (dossier.person, dossier.full_name, dossier.personal_number) == (None, None, None)
    assert dossier.answers["phone"] == "0912345678"
    assert taken(office) == 0
