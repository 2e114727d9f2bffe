"""The officers' pages: what each shows, takes and refuses, on both engines."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from biometrics.capture import HELPED, Step
from biometrics.face.gates import profile
from biometrics.face.liveness import Action
from biometrics.face.outputs import Output
from scheduler import booking, horizon, offers, places
from scheduler.database import transaction
from scheduler.places import Rule
from server.cases import verification
from server.registry.port import RegistryDown
from server.rules.dossier import DossierState
from server.store import audit
from server.store.tables import Audit, AuditHead, Dossier, Grant, Officer, Review
from server.unseal.client import GrantRefused, PacketBad, UnsealerDown
from server.web.officer import measured, pictures, review_pages
from server.web.shell import words
from tests.officers import DOT, ELSEWHERE, STATION, Office, missing

CLOSED = "Kết quả thu nhận đang đóng"


@pytest.fixture
def office(engine: sa.Engine, tmp_path: Path, now: datetime) -> Office:
    return Office(engine, tmp_path, now)


def sees_biometrics(text: str) -> bool:
    return "data:image/" in text


def test_an_officer_takes_looks_and_accepts(office: Office) -> None:
    digest = office.add_capture()
    browser = office.signed_in("v.an")
    assert f'action="/captures/{digest}"' in browser.get("/queue").text
    page = browser.post(f"/captures/{digest}")
    assert page.status_code == 200
    # Two portraits, ten fingers, one signature.
    assert page.text.count("data:image/png;base64,") == 13
    assert "0,31" in page.text
    assert "Trùng khớp" in page.text
    assert page.headers["Cache-Control"] == "no-store"
    answer = browser.decide(digest, "accept")
    assert answer.status_code == 303
    done = browser.get(answer.headers["Location"]).text
    assert "đã chấp nhận" in done
    assert digest not in done.replace(f"done={digest}", "")
    assert office.dossier_of(digest).state is DossierState.ACCEPTED


def test_an_officer_sees_who_came_with_a_child_and_signed(office: Office) -> None:
    digest = office.add_capture()
    companion = {"name": "Trần Thị Đại Diện", "personal_number": "001190990077"}
    with transaction(office.engine) as session:
        dossier = session.get_one(Dossier, office.dossier_of(digest).id)
        dossier.answers = {**dossier.answers, "representative": {**companion, "relation": "mother"}}
    text = office.signed_in("v.an").post(f"/captures/{digest}").text
    assert "Trần Thị Đại Diện (Mẹ)" in text
    assert "001190990077" in text


def test_a_reload_shows_no_biometrics_and_looking_again_is_written_down(office: Office) -> None:
    digest = office.add_capture()
    browser = office.signed_in("v.an")
    assert sees_biometrics(browser.post(f"/captures/{digest}").text)
    page = browser.get(f"/captures/{digest}")
    assert CLOSED in page.text
    assert not sees_biometrics(page.text)
    assert len(office.entries(about=digest)) == 1
    assert sees_biometrics(browser.post(f"/captures/{digest}").text)
    assert len(office.entries(about=digest)) == 2
    assert office.unsealer.opened == 2


def test_nothing_personal_is_shown_of_what_somebody_else_has_open(office: Office) -> None:
    digest = office.add_capture(number="001190017777")
    an, binh = office.signed_in("v.an"), office.signed_in("v.binh")
    assert "001190017777" in an.post(f"/captures/{digest}").text
    page = binh.get(f"/captures/{digest}").text
    assert "001190017777" not in page
    assert "Nguyễn Thu An đang kiểm tra" in page
    taken = binh.post(f"/captures/{digest}")
    assert taken.status_code == 409
    assert "Cán bộ khác đang mở hồ sơ" in taken.text
    assert not sees_biometrics(taken.text)


@pytest.mark.parametrize(
    ("trouble", "status", "title"),
    [
        (UnsealerDown("x"), 503, "Chưa mở được kết quả thu nhận"),
        (GrantRefused("x"), 409, "Lượt mở đã hết hiệu lực"),
        (PacketBad("x"), 500, "Gói thu nhận không mở được"),
    ],
)
def test_where_it_cannot_be_opened_the_page_says_so_and_the_dossier_can_be_given_back(
    office: Office, trouble: Exception, status: int, title: str
) -> None:
    digest = office.add_capture()
    browser = office.signed_in("v.an")
    office.unsealer.trouble = trouble
    page = browser.post(f"/captures/{digest}")
    assert page.status_code == status
    assert title in page.text
    assert not sees_biometrics(page.text)
    assert "Chấp nhận</button>" not in page.text
    assert browser.decide(digest, "accept").status_code == 409
    assert browser.post(f"/captures/{digest}/release").status_code == 303
    assert office.dossier_of(digest).state is DossierState.CAPTURED
    office.unsealer.trouble = None
    assert sees_biometrics(browser.post(f"/captures/{digest}").text)


def test_a_leave_is_for_one_officer_one_capture_and_one_minute(office: Office) -> None:
    digest = office.add_capture()
    office.signed_in("v.an").post(f"/captures/{digest}")
    with office.session() as session:
        leave = session.scalars(sa.select(Grant)).one()
    assert (leave.officer_id, leave.digest) == ("v.an", digest)
    assert leave.expires_at - leave.granted_at == timedelta(minutes=1)
    assert leave.used_at == office.clock.now


def test_a_double_click_decides_once_and_lands_where_the_first_did(office: Office) -> None:
    digest = office.add_capture()
    browser = office.signed_in("v.an")
    browser.post(f"/captures/{digest}")
    first, second = (browser.decide(digest, "accept") for _ in range(2))
    assert first.status_code == second.status_code == 303
    assert first.headers["Location"] == second.headers["Location"]
    assert len(office.decisions(digest)) == 1
    assert len(office.entries(about=digest)) == 2


def test_rejecting_asks_twice(office: Office) -> None:
    digest = office.add_capture()
    browser = office.signed_in("v.an")
    browser.post(f"/captures/{digest}")
    asked = browser.decide(digest, "reject", reason="other", text="<b>Không khớp</b>")
    assert asked.status_code == 200
    assert "&lt;b&gt;Không khớp&lt;/b&gt;" in asked.text
    assert office.dossier_of(digest).state is DossierState.IN_REVIEW
    sent = browser.decide(digest, "reject", reason="other", text="<b>Không khớp</b>", sure="yes")
    assert sent.status_code == 303
    assert office.dossier_of(digest).state is DossierState.REJECTED
    assert office.dossier_of(digest).message == {"code": "other", "text": "<b>Không khớp</b>"}


def test_after_a_recapture_was_asked_for_the_dossier_is_filed_again(office: Office) -> None:
    digest = office.add_capture()
    browser = office.signed_in("v.an")
    browser.post(f"/captures/{digest}")
    assert browser.decide(digest, "ask_recapture", reason="portrait_eyes").status_code == 303
    dossier = office.dossier_of(digest)
    assert dossier.state is DossierState.FILED
    assert dossier.message == {"code": "portrait_eyes", "text": None}
    page = browser.get(f"/captures/{digest}").text
    assert "Mắt nhắm hoặc bị che" in page


def test_faces_that_do_not_match_need_the_officers_reasons(office: Office) -> None:
    digest = office.add_capture()
    browser = office.signed_in("v.an")
    office.unsealer.outcome, office.unsealer.distance = "no_match", 0.91
    page = browser.post(f"/captures/{digest}").text
    assert "Không trùng khớp" in page
    refused = browser.decide(digest, "accept")
    assert refused.status_code == 422
    assert "vui lòng ghi rõ vì sao vẫn chấp nhận" in refused.text
    assert office.decisions(digest) == []
    assert browser.decide(digest, "accept", text="Đã phẫu thuật.").status_code == 303
    assert office.decisions(digest)[0].text == "Đã phẫu thuật."
    assert office.dossier_of(digest).message is None


def test_without_a_reference_the_page_says_why_nothing_was_compared(office: Office) -> None:
    digest = office.add_capture()
    browser = office.signed_in("v.an")
    office.unsealer.outcome, office.unsealer.distance = "not_assessed", None
    office.unsealer.reference = None
    page = browser.post(f"/captures/{digest}").text
    assert "Chưa đánh giá được" in page
    assert "chưa có ảnh để đối chiếu" in page
    assert browser.decide(digest, "accept").status_code == 303


@pytest.mark.parametrize("how", ["operator", "missing", "forced", "before another"])
def test_whoever_took_part_is_turned_away(office: Office, how: str) -> None:
    digest = office.add_capture(operator="v.an" if how == "operator" else None)
    browser = office.signed_in("v.an")
    found = office.unsealer.captures[digest]
    if how == "missing":
        absent = missing(3, "v.an", office.clock.now)
        kept = tuple(print_ for print_ in found.prints if print_.position != 3)
        office.unsealer.captures[digest] = replace(found, missing=(absent,), prints=kept)
    if how == "forced":
        portrait = replace(found.portrait, forced_by="v.an")
        office.unsealer.captures[digest] = replace(found, portrait=portrait)
    if how == "before another":
        helped = Step(at=office.clock.now, event=HELPED, detail="v.an")
        office.unsealer.captures[digest] = replace(found, journal=(helped, *found.journal))
    page = browser.post(f"/captures/{digest}")
    assert page.status_code == 403
    assert not sees_biometrics(page.text)
    assert office.dossier_of(digest).state is DossierState.CAPTURED
    assert browser.decide(digest, "accept").status_code in {403, 409}
    assert office.decisions(digest) == []


def test_a_finger_that_is_missing_is_shown_with_who_said_so(office: Office) -> None:
    digest = office.add_capture(operator="c.chi")
    found = office.unsealer.captures[digest]
    absent = missing(3, "c.chi", office.clock.now)
    kept = tuple(print_ for print_ in found.prints if print_.position not in {3, 4})
    office.unsealer.captures[digest] = replace(found, missing=(absent,), prints=kept)
    page = office.signed_in("v.an").post(f"/captures/{digest}").text
    assert "Băng bó, bị thương" in page
    assert "Phạm Ngọc Chi ghi nhận" in page
    assert page.count("Thiếu, không có lý do") == 1


def test_a_picture_that_is_none_is_not_shown(office: Office) -> None:
    digest = office.add_capture()
    found = office.unsealer.captures[digest]
    svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"
    office.unsealer.captures[digest] = replace(found, signature=svg)
    page = office.signed_in("v.an").post(f"/captures/{digest}").text
    assert "Không hiển thị được ảnh" in page
    assert "svg+xml;base64" not in page.replace('type="image/svg+xml"', "")
    assert pictures.uri(svg) is None
    assert pictures.uri(None) is None
    assert pictures.uri(DOT) is not None


HOSTILE = (
    "\x00",
    "x" * 20_000,
    "other\x00",
    "../../etc",
    "' OR 1=1 --",
    "<script>alert(1)</script>",
)


def test_hostile_decisions_change_nothing(office: Office) -> None:
    digest = office.add_capture()
    browser = office.signed_in("v.an")
    browser.post(f"/captures/{digest}")
    for text in HOSTILE:
        for fields in (
            {"verdict": text},
            {"verdict": "reject", "reason": text},
            {"verdict": "reject", "reason": "other", "text": "\x00", "sure": text},
        ):
            answer = browser.post(f"/captures/{digest}/decision", **fields)
            assert answer.status_code == 422
            assert "<script>alert" not in answer.text
    assert browser.decide(digest, "accept", text="x" * 70_000).status_code == 413
    assert browser.decide(digest, "accept", text="x" * 501).status_code == 422
    assert office.decisions(digest) == []
    assert office.dossier_of(digest).state is DossierState.IN_REVIEW


@pytest.mark.parametrize(
    "digest", ["f" * 64, "F" * 64, "x", "0" * 63, "0" * 65, "%00" * 4, "..", "' OR 1=1"]
)
def test_an_unknown_capture_is_not_found(office: Office, digest: str) -> None:
    browser = office.signed_in("v.an")
    for path in (f"/captures/{digest}", f"/queue?done={digest}"):
        status = browser.get(path).status_code
        assert status == (200 if path.startswith("/queue") else 404)
    for path in ("", "/decision", "/release"):
        assert browser.post(f"/captures/{digest}{path}").status_code == 404
    for path in ("hand-over", "take-back-in"):
        assert browser.post(f"/counter/{digest}/{path}").status_code == 404


def test_another_stations_capture_is_not_found(office: Office) -> None:
    digest = office.add_capture(station=ELSEWHERE)
    browser = office.signed_in("v.an")
    assert digest not in browser.get("/queue").text
    assert browser.get(f"/captures/{digest}").status_code == 404
    assert browser.post(f"/captures/{digest}").status_code == 404
    assert digest in office.signed_in("s.dung").get("/queue").text


def test_the_queue_says_what_an_officer_should_know(office: Office) -> None:
    office.add_capture(simulated=True, name="Lê Văn Ân", minutes_ago=61)
    doubtful = office.add_capture(name="Trần Thị Ánh", minutes_ago=50)
    office.add_capture(operator="v.an", name="Nguyễn Văn An", minutes_ago=40)
    with office.session() as session:
        session.add(
            Review(
                digest=doubtful,
                at=office.clock.now,
                distance=0.5,
                outcome="unsure",
                model="m",
                summary={},
            )
        )
    browser = office.signed_in("v.an")
    page = browser.get("/queue").text
    for said in ("Thiết bị giả lập", "Chưa chắc chắn", "Đã chờ 1 giờ", "cán bộ khác kiểm tra"):
        assert page.count(said) == 1, said
    order = [page.index(name) for name in ("Lê Văn Ân", "Trần Thị Ánh", "Nguyễn Văn An")]
    assert order == sorted(order)
    page = browser.get("/queue?by=name").text
    order = [page.index(name) for name in ("Nguyễn Văn An", "Trần Thị Ánh", "Lê Văn Ân")]
    assert order == sorted(order)
    assert "Waiting for" in browser.get("/queue?lang=en").text


def test_cards_are_handed_over_at_the_counter(office: Office) -> None:
    digest = office.add_capture()
    an, chi = office.signed_in("v.an"), office.signed_in("c.chi")
    an.post(f"/captures/{digest}")
    an.decide(digest, "accept")
    code = office.dossier_of(digest).code or ""
    assert code in chi.get(f"/counter?code={code[-6:]}").text
    assert digest not in chi.get("/counter?code=nothing%00").text
    assert chi.post(f"/counter/{digest}/hand-over").status_code == 303
    assert chi.post(f"/counter/{digest}/hand-over").status_code == 409
    assert office.dossier_of(digest).state is DossierState.HANDED_OVER
    assert office.entries(about=digest)[-1] == ("officer:c.chi", "dossier.hand_over")


def test_corrected_data_are_fetched_from_the_registry_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = office.add_capture(number="001190015555")
    browser = office.signed_in("v.an")
    browser.post(f"/captures/{digest}")
    browser.decide(digest, "ask_correction", reason="data_wrong")
    path = f"/counter/{digest}/take-back-in"
    person = office.people.pop("001190015555")
    assert browser.post(path).status_code == 409
    desk = office.app.extensions["officer"]
    monkeypatch.setattr(type(desk.registry), "find", unreachable)
    assert browser.post(path).status_code == 503
    monkeypatch.undo()
    assert office.dossier_of(digest).state is DossierState.TO_CORRECT
    office.people["001190015555"] = replace(person, full_name="Đặng Thị Mỹ Linh Đúng")
    assert browser.post(path).status_code == 303
    dossier = office.dossier_of(digest)
    assert (dossier.state, dossier.full_name) == (DossierState.CAPTURED, "Đặng Thị Mỹ Linh Đúng")
    assert browser.post(path).status_code == 409


def unreachable(_registry: object, _number: str) -> None:
    raise RegistryDown


def test_an_auditor_sees_the_chain_whole(office: Office) -> None:
    digest = office.add_capture()
    an, giang = office.signed_in("v.an"), office.signed_in("a.giang")
    an.post(f"/captures/{digest}")
    an.decide(digest, "accept", head="no", head_because="Khăn của bà Hoa")
    page = giang.get("/audit").text
    assert "officer:v.an" in page
    # What the decision stood on is there, the officer's words about a person are not.
    assert "match_at_most" in page
    assert "&#34;head&#34;: false" in page
    assert "Hoa" not in page
    assert "Đặng Thị Mỹ Linh" not in page
    assert not sees_biometrics(page)
    assert "Chuỗi còn nguyên vẹn: 4 mục" in giang.post("/audit").text


def test_an_entry_written_while_the_chain_is_checked_is_no_break(office: Office) -> None:
    giang = office.signed_in("a.giang")
    written: list[int] = []

    def write(_c: object, _cursor: object, statement: str, *_more: object) -> None:
        if "ORDER BY audit.seq" in statement and "LIMIT" not in statement and not written:
            written.append(1)
            with office.session() as session:
                audit.append(session, at=office.clock.now, actor="a", action="b", subject="c")

    sa.event.listen(sa.Engine, "after_cursor_execute", write)
    try:
        page = giang.post("/audit").text
    finally:
        sa.event.remove(sa.Engine, "after_cursor_execute", write)
    assert written
    assert "nguyên vẹn" in page


def _edit(session: Session) -> None:
    session.execute(sa.update(Audit).where(Audit.seq == 2).values(actor="officer:else"))


def _edit_detail(session: Session) -> None:
    session.execute(sa.update(Audit).where(Audit.seq == 2).values(detail={"dossier": "other"}))


def _delete(session: Session) -> None:
    session.execute(sa.delete(Audit).where(Audit.seq == 2))


def _delete_last(session: Session) -> None:
    session.execute(sa.delete(Audit).where(Audit.seq == 4))


def _delete_last_with_head(session: Session) -> None:
    _delete_last(session)
    session.execute(sa.update(AuditHead).values(seq=3))


def _swap(session: Session) -> None:
    for before, after in ((2, 99), (3, 2), (99, 3)):
        session.execute(sa.update(Audit).where(Audit.seq == before).values(seq=after))


@pytest.mark.parametrize(
    ("tamper", "at"),
    [
        (_edit, 2),
        (_edit_detail, 2),
        (_delete, 2),
        (_swap, 2),
        (_delete_last, 4),
        (_delete_last_with_head, 4),
    ],
)
def test_a_row_edited_deleted_or_moved_breaks_the_chain_there(
    office: Office, tamper: Callable[[Session], None], at: int
) -> None:
    giang = office.signed_in("a.giang")
    with office.session() as session:
        for number in range(3):
            audit.append(
                session,
                at=office.clock.now,
                actor="officer:v.an",
                action="capture.open",
                subject="x",
                detail={"dossier": f"D{number}"},
            )
    assert "nguyên vẹn" in giang.post("/audit").text
    with office.session() as session:
        tamper(session)
    page = giang.post("/audit").text
    assert f"Chuỗi bị đứt ở mục số {at}" in page


def test_the_chain_is_read_page_by_page(office: Office) -> None:
    giang = office.signed_in("a.giang")
    with office.session() as session:
        for number in range(60):
            audit.append(
                session, at=office.clock.now, actor="system", action="x", subject=f"n{number}"
            )
    first = giang.get("/audit").text
    assert "n59<" in first
    assert "n0<" not in first
    older = re.search(r"/audit\?before=(\d+)", first)
    assert older
    assert "n0<" in giang.get(f"/audit?before={older[1]}").text
    for odd in ("x", "-1", "9" * 40, "1\x00", "²"):
        assert giang.get(f"/audit?before={odd}").status_code == 200


def test_the_day_shows_only_stations_one_may_see(office: Office) -> None:
    browser = office.signed_in("c.chi")
    page = browser.get(f"/today?station={ELSEWHERE}&day=x%00").text
    assert "Điểm thu nhận Phường Giả Định" in page
    assert "Phường Mẫu" not in page
    assert "Phường Mẫu" in office.signed_in("s.dung").get(f"/today?station={ELSEWHERE}").text
    for day in ("0001-01-01", "9999-12-31", "2026-11-25", "x" * 3000):
        assert browser.get(f"/today?day={day}").status_code == 200


def book(office: Office, digest: str) -> None:
    """Book the dossier's citizen for the next morning at the station."""
    now, dossier = office.clock.now, office.dossier_of(digest)
    tomorrow = (now + timedelta(days=1)).date()
    hours = Rule(opens=time(8), closes=time(11), step=30, capacity=2, valid_from=now.date())
    with office.session() as session:
        places.add_rule(session, STATION, hours)
        horizon.materialise(session, STATION, first=tomorrow, last=tomorrow, now=now)
        offered = offers.times(session, STATION, tomorrow, now=now)
        held = booking.hold(
            session,
            slot=offered[0].slot,
            whose=str(dossier.id),
            person_key=b"k" * 32,
            purpose=dossier.purpose,
            now=now,
            minutes=10,
        )
        booking.confirm(session, held.id, now=now)


def test_the_day_says_who_comes_when_and_for_what(office: Office) -> None:
    book(office, office.add_capture(name="Lê Văn Ân"))
    browser = office.signed_in("c.chi")
    page = browser.get("/today?day=2026-11-25").text
    for said in ("08:00", "Lê Văn Ân", "DEMO.001.026-261124-000001", "<strong>1</strong> chưa đến"):
        assert said in page, said
    assert "Lê Văn Ân" not in browser.get("/today").text
    assert "001190" not in page


def test_every_measure_reason_role_and_refusal_has_words() -> None:
    known = words()
    gates = [gate for name in ("can-cuoc", "assisted", "passport") for gate in profile(name).gates]
    wanted = {f"officer.measure.{gate.measure}" for gate in gates}
    wanted |= {f"officer.unit.{gate.unit}" for gate in gates}
    assert {gate.measure for gate in gates} >= set(measured.ADVICE.values())
    wanted |= {f"officer.look.{name}" for name in verification.LOOKS}
    wanted |= {f"officer.live.{action}" for action in Action}
    wanted |= {f"officer.file.{output}" for output in Output}
    wanted |= {f"officer.state.{state.value}" for state in DossierState}
    for codes in verification.REASONS.values():
        wanted |= {f"officer.reason.{code}" for code in codes}
    for key, _ in (*review_pages.REFUSALS.values(),):
        wanted |= {f"officer.notice.{key}.title", f"officer.notice.{key}.text"}
    for key, _ in review_pages.TROUBLE.values():
        wanted |= {f"officer.trouble.{key}.title", f"officer.trouble.{key}.text"}
    assert {key for key in wanted if key not in known} == set()


def test_disabled_officers_are_still_named_in_the_journal(office: Office) -> None:
    digest = office.add_capture()
    an = office.signed_in("v.an")
    an.post(f"/captures/{digest}")
    an.post(f"/captures/{digest}/release")
    with office.session() as session:
        session.get_one(Officer, "v.an").active = False
    assert "Nguyễn Thu An" in office.signed_in("v.binh").get(f"/captures/{digest}").text
