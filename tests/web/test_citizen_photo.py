"""Will this photo do? What a citizen is told of a photo from home, and what is not kept of it."""

import logging
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

import scheduler.tables  # noqa: F401 - fills the metadata
from biometrics.face import examine as home
from biometrics.face.containers import Reason
from biometrics.face.hints import PortraitHint
from biometrics.sandbox.room import Room, RoomBroken, RoomFull
from scheduler.database import Base, connect, transaction
from server.cases import home_check
from server.store.tables import Dossier, Throttle
from server.web.citizen import photo_pages
from server.web.shell import words
from tests.bombs import BOMBS, Bomb, after_start, segment
from tests.faces import frame, jpeg
from tests.web.citizens import CSRF, Browser, Office

PREVIEW = re.compile(r'src="data:image/jpeg;base64,([A-Za-z0-9+/=]+)"')


@pytest.fixture(scope="module", autouse=True)
def _closed() -> Iterator[None]:
    yield
    home.room().close()


@pytest.fixture(scope="module")
def portrait() -> bytes:
    return jpeg(frame(1))


@contextmanager
def opened(folder: Path, now: datetime) -> Iterator[Office]:
    url = f"sqlite:///{folder}/test.db"
    engine = connect(url)
    Base.metadata.create_all(engine)
    engine.dispose()
    with Office.open(url, folder, now) as office:
        yield office


@pytest.fixture
def office(tmp_path: Path, now: datetime) -> Iterator[Office]:
    with opened(tmp_path, now) as office:
        yield office


@pytest.fixture(scope="module")
def bombed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for every bomb: the same service has to live through all of them."""
    assert len(BOMBS) < home_check.BY_NETWORK.tries
    now = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
    with opened(tmp_path_factory.mktemp("bombed"), now) as office:
        browser = office.browser()
        browser.get("/photo")
        yield browser


@pytest.fixture
def browser(office: Office) -> Browser:
    browser = office.browser()
    assert browser.get("/photo").status_code == 200
    return browser


def form(fields: dict[str, bytes], token: str) -> dict[str, Any]:
    """A multipart body as a browser writes it; the test client would write a temporary file."""
    line = b"----photo"
    parts = [
        b'--%s\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n%s' % (line, token.encode())
    ]
    for name, data in fields.items():
        head = f'Content-Disposition: form-data; name="{name}"; filename="ảnh của tôi.jpg"'
        kind = b"Content-Type: image/jpeg"
        parts.append(b"--%s\r\n%s\r\n%s\r\n\r\n%s" % (line, head.encode(), kind, data))
    body = b"\r\n".join([*parts, b"--%s--\r\n" % line])
    return {"data": body, "content_type": f"multipart/form-data; boundary={line.decode()}"}


def send(browser: Browser, data: bytes, field: str = "photo", path: str = "/photo") -> TestResponse:
    found = CSRF.search(browser.last)
    assert found is not None
    answer = browser.client.post(path, **form({field: data}, found[1]))
    browser.last = answer.text
    return answer


def says(answer: TestResponse, sentence: str) -> bool:
    return sentence in unescape(answer.text)


def test_a_good_photo_is_said_to_do_first_of_all(browser: Browser, portrait: bytes) -> None:
    answer = send(browser, portrait)
    assert answer.status_code == 200
    assert browser.heading() == "Ảnh này đạt yêu cầu"
    assert says(answer, "Đầu thẳng, mặt nhìn thẳng")
    assert says(answer, "không lưu lại")
    assert says(answer, "do máy tại điểm thu nhận chụp")


def test_what_is_to_mend_is_said_in_order_with_a_drawing_each(browser: Browser) -> None:
    small = np.asarray(cv2.resize(frame(1), (480, 270), interpolation=cv2.INTER_AREA), np.uint8)
    soft = np.asarray(cv2.GaussianBlur(small, (0, 0), 4), np.uint8)
    answer = send(browser, jpeg(soft))
    assert browser.heading() == "Ảnh này chưa đạt"
    mended = re.findall(r"<li><img src=\"([^\"]+)\" alt=\"\"[^>]*><p>([^<]+)</p>", answer.text)
    assert len(mended) >= 2
    assert "quá ít điểm ảnh" in unescape(mended[0][1])
    for address, _ in mended:
        drawn = browser.client.get(address)
        assert drawn.status_code == 200
        assert drawn.mimetype == "image/svg+xml"


def test_the_preview_is_shown_from_the_answer_itself(browser: Browser, portrait: bytes) -> None:
    found = PREVIEW.search(send(browser, portrait).text)
    assert found is not None
    import base64  # noqa: PLC0415 - only here

    shown = cv2.imdecode(np.frombuffer(base64.b64decode(found[1]), np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    assert shown.shape == (600, 450, 3)


def test_the_phone_s_camera_has_a_button_of_its_own(browser: Browser, portrait: bytes) -> None:
    assert 'name="camera" type="file" accept="image/jpeg,image/png" capture="user"' in browser.last
    assert send(browser, portrait, field="camera").status_code == 200


def test_the_page_works_in_english(browser: Browser, portrait: bytes) -> None:
    assert "Will this photo do?" in browser.get("/photo?lang=en").text
    answer = send(browser, portrait, path="/photo?lang=en")
    assert "This photo would do" in answer.text


def test_the_page_is_reached_from_where_people_are(office: Office) -> None:
    browser = office.browser()
    for path in ("/", "/book"):
        assert 'href="/photo"' in browser.get(path).text


def test_sending_nothing_is_answered_with_what_to_do(browser: Browser) -> None:
    answer = browser.post("/photo", {})
    assert answer.status_code == 422
    assert says(answer, "Chưa có ảnh nào được chọn")


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda b: b.name)
def test_a_bomb_is_answered_with_a_sentence(bombed: Browser, bomb: Bomb) -> None:
    answer = send(bombed, bomb.data)
    if bomb.said is None:
        assert answer.status_code == 200
        assert bombed.heading() == "Ảnh này chưa đạt"
        return
    assert answer.status_code == (413 if bomb.said is Reason.TOO_LARGE else 422)
    assert bombed.heading() == "Chưa xem được ảnh này"
    assert says(answer, home.words().say(f"photo.refused.{bomb.said.value}", "vi"))
    assert 'enctype="multipart/form-data"' in answer.text


def test_a_photo_of_ten_megabytes_fits_and_a_larger_one_is_told_the_size(
    browser: Browser, portrait: bytes
) -> None:
    assert send(browser, portrait + bytes(home.MAX_BYTES - len(portrait))).status_code == 200
    for more in (1, photo_pages.AROUND, 8_000_000):
        answer = send(browser, portrait + bytes(home.MAX_BYTES - len(portrait) + more))
        assert answer.status_code == 413
        assert says(answer, "10 MB")


def test_other_pages_still_take_small_forms_only(browser: Browser, portrait: bytes) -> None:
    assert send(browser, portrait + bytes(100_000), path="/status").status_code == 413


def test_a_photo_from_another_site_is_not_looked_at(
    browser: Browser, portrait: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo_pages, "examine", lambda *_: pytest.fail("it was looked at"))
    found = CSRF.search(browser.last)
    assert found is not None
    sent = form({"photo": portrait}, found[1])
    elsewhere = browser.client.post("/photo", headers={"Sec-Fetch-Site": "cross-site"}, **sent)
    assert elsewhere.status_code == 403
    without_token = browser.client.post("/photo", **form({"photo": portrait}, "0" * 64))
    assert without_token.status_code == 403
    assert says(without_token, "Trang đã mở quá lâu")


def test_too_many_tries_are_told_how_long_to_wait(
    office: Office, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(home_check.BY_NETWORK.tries):
        assert browser.post("/photo", {}).status_code == 422
    with monkeypatch.context() as patched:
        patched.setattr(photo_pages, "examine", lambda *_: pytest.fail("it was looked at"))
        answer = browser.post("/photo", {})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= home_check.BY_NETWORK.seconds
    assert re.search(r"chờ khoảng \d+ phút", unescape(answer.text))
    office.clock.goes_on(seconds=home_check.BY_NETWORK.seconds)
    assert browser.post("/photo", {}).status_code == 422


def test_a_full_house_asks_to_come_again(
    browser: Browser, portrait: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise RoomFull

    monkeypatch.setattr(photo_pages, "examine", full)
    answer = send(browser, portrait)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == str(photo_pages.BUSY_AGAIN)
    assert says(answer, "Vui lòng chờ một phút rồi gửi lại ảnh")


def test_a_sandbox_that_does_not_start_is_no_fault_of_the_citizen(
    browser: Browser,
    portrait: bytes,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken = Room("tests.sandboxed:broken")
    monkeypatch.setattr(home, "room", lambda: broken)
    with broken:
        assert browser.get("/photo").status_code == 200
        answer = send(browser, portrait)
    assert answer.status_code == 503
    assert words().say("error.503.title", "vi") == browser.heading()
    assert any(
        isinstance(r.exc_info, tuple) and r.exc_info[0] is RoomBroken for r in caplog.records
    )


def test_nothing_of_a_photo_is_kept_or_logged(
    office: Office,
    browser: Browser,
    portrait: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Not in the database, not in a file, not even for the time of the request."""
    opened: list[object] = []
    for name in ("TemporaryFile", "NamedTemporaryFile", "SpooledTemporaryFile", "mkstemp"):
        monkeypatch.setattr(tempfile, name, lambda *a, **_: opened.append(a))
    monkeypatch.setattr("werkzeug.formparser.SpooledTemporaryFile", lambda **a: opened.append(a))
    place = b"21.0278N 105.8342E"
    photo = after_start(portrait, segment(0xE1, b"Exif\0\0" + place)) + bytes(2_000_000)
    before = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    with caplog.at_level(logging.DEBUG):
        assert send(browser, photo).status_code == 200
    assert opened == []
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == before
    with transaction(office.engine) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Dossier)) == 0
        buckets = session.scalars(sa.select(Throttle.bucket)).all()
    assert [bucket.split(":")[0] for bucket in buckets] == ["photo"]
    kept = caplog.text.encode() + b"".join(path.read_bytes() for path in before)
    for trace in (place, portrait[2000:2040], "ảnh của tôi".encode()):
        assert trace not in kept


def test_the_answer_may_not_be_stored_and_carries_the_usual_headers(
    browser: Browser, portrait: bytes
) -> None:
    headers = send(browser, portrait).headers
    assert headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize("name", ["../hints.json", "none", "do_blink", "%2e%2e%2fwords"])
def test_only_drawings_of_hints_are_served(browser: Browser, name: str) -> None:
    assert browser.client.get(f"/photo/drawing/{name}.svg").status_code == 404


def test_every_hint_that_is_shown_has_its_drawing(browser: Browser) -> None:
    for hint in PortraitHint:
        assert browser.client.get(f"/photo/drawing/{hint.value}.svg").status_code == 200
    assert photo_pages._drawing(home.FEW_PIXELS) in photo_pages.DRAWN


def test_the_citizens_app_loads_no_decoder_at_all() -> None:
    program = (
        "import sys, server.web.citizen.app\n"
        "print([name for name in ('cv2', 'dlib', 'PIL', 'ofiq') if name in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    assert ran.stdout.strip() == "[]"
