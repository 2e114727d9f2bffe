"""The portrait on the officer's page: what speaks for it, what is answered, what is taken away."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path

import pytest
import sqlalchemy as sa

from biometrics.capture import Finding, Liveness, Portrait
from biometrics.face import crop, outputs, record
from biometrics.face.gates import profile
from biometrics.face.images import decode
from biometrics.face.liveness import challenge, new_seed
from biometrics.face.outputs import Output
from scheduler.database import Base, connect
from server.rules.dossier import DossierState
from server.store import audit
from server.store.tables import Audit
from server.unseal.client import GrantRefused, PacketBad, UnsealerDown
from server.web.officer import journey
from server.web.shell import words
from tests import faces
from tests.officers import MODEL, Office

KINDS = {"3x4": "image/jpeg", "4x6": "image/jpeg", "jpeg2000": "image/jp2"}


@pytest.fixture
def office(tmp_path: Path, now: datetime) -> Iterator[Office]:
    """On SQLite alone: what is tested stops before the database."""
    engine = connect(f"sqlite:///{tmp_path}/small.db")
    Base.metadata.create_all(engine)
    yield Office(engine, tmp_path, now)
    engine.dispose()


@pytest.fixture
def on_both(engine: sa.Engine, tmp_path: Path, now: datetime) -> Office:
    return Office(engine, tmp_path, now)


@cache
def master() -> bytes:
    return crop.crop(faces.frame(1), faces.verdict(1)).image


def with_portrait(office: Office, **changes: object) -> str:
    """A capture with a real portrait, changed as told."""
    digest = office.add_capture()
    found = office.unsealer.captures[digest]
    verdict = faces.verdict(1)
    portrait = replace(
        found.portrait,
        image=master(),
        findings=verdict.findings,
        profile=verdict.profile.name,
        profile_sha256=verdict.profile.sha256,
    )
    changed = replace(portrait, **changes)  # type: ignore[arg-type]
    office.unsealer.captures[digest] = replace(found, portrait=changed)
    return digest


def portrait_of(office: Office, digest: str) -> Portrait:
    return office.unsealer.captures[digest].portrait


def page_of(office: Office, digest: str) -> str:
    return office.signed_in("v.an").post(f"/captures/{digest}").text


def finding(name: str, *, passed: bool | None, native: float | None = 0.5) -> Finding:
    return Finding(name=name, native=native, unit="", score=50, passed=passed, hint=None)


# Evidence.


def test_a_measure_stands_with_value_limit_score_and_the_references_own(office: Office) -> None:
    theirs = (
        Finding(name="OFIQ/EyesOpen", native=0.0672, unit="", score=98, passed=None, hint=None),
        Finding(
            name="OFIQ/UnifiedQualityScore", native=25.3, unit="", score=71, passed=None, hint=None
        ),
        Finding(name="OFIQ/Sharpness", native=None, unit="", score=None, passed=None, hint=None),
    )
    digest = with_portrait(office, findings=(*faces.verdict(1).findings, *theirs))
    page = page_of(office, digest)
    assert "98 (0,0672)" in page
    assert "71 (25,3)" in page
    assert "Chất lượng chung" in page
    assert "OFIQ: điểm (giá trị)" in page
    held_to = profile("can-cuoc")
    assert held_to.sha256 in page
    assert held_to.dated in page
    assert "bộ tiêu chí khác" not in page


def test_without_the_reference_its_column_is_not_there(office: Office) -> None:
    assert "OFIQ" not in page_of(office, with_portrait(office))


@pytest.mark.parametrize("change", [{"profile_sha256": "0" * 64}, {"profile": "another"}])
def test_limits_that_are_others_than_the_kiosks_are_said_to_be(
    office: Office, change: dict[str, str]
) -> None:
    assert "Máy thu nhận đã dùng bộ tiêu chí khác" in page_of(
        office, with_portrait(office, **change)
    )


def test_the_comparison_stands_with_its_network_and_limits(office: Office) -> None:
    page = page_of(office, with_portrait(office))
    for said in (MODEL, "5" * 64, "trùng khớp đến 0,45", "trên 0,55", "So sánh một với một"):
        assert said in page, said


def test_where_nothing_was_compared_no_limits_are_drawn(office: Office) -> None:
    office.unsealer.outcome, office.unsealer.distance = "not_assessed", None
    page = page_of(office, with_portrait(office))
    assert 'class="scale"' not in page
    assert MODEL not in page


def liveness(office: Office, digest: str, **changes: object) -> Liveness:
    seed = new_seed()
    visit = office.unsealer.captures[digest].visit
    actions = tuple(str(action) for action in challenge(visit, seed))
    seen = Liveness(
        seed=seed,
        actions=actions,
        met=(True, *[False] * (len(actions) - 1)),
        same_face=True,
        relief=0.71,
        seconds=9.4,
    )
    return replace(seen, **changes)  # type: ignore[arg-type]


def show_liveness(office: Office, digest: str, found: Liveness) -> str:
    capture = office.unsealer.captures[digest]
    office.unsealer.captures[digest] = replace(
        capture, portrait=replace(capture.portrait, liveness=found)
    )
    return page_of(office, digest)


def test_what_was_seen_of_the_sitter_is_shown_as_help(office: Office) -> None:
    digest = with_portrait(office)
    found = liveness(office, digest)
    page = show_liveness(office, digest, found)
    for action in found.actions:
        assert words().say(f"officer.live.{action}", "vi") in page
    for said in ("không phải kết luận", "không thấy", "không bị ngắt", "0,71", "9,4 giây"):
        assert said in page, said
    assert "đúng với lượt thu nhận" in page
    assert found.seed in page


def test_a_sitter_who_gave_up_is_told_from_one_who_was_not_seen(office: Office) -> None:
    digest = with_portrait(office)
    found = liveness(office, digest, met=(), same_face=None, relief=None, seconds=0.0)
    page = show_liveness(office, digest, found)
    assert page.count("chưa đến lượt") == len(found.actions)
    assert "<strong>không thấy</strong>" not in page


@pytest.mark.parametrize(
    "change", [{"actions": ("blink", "blink")}, {"actions": ("dance",), "met": ()}]
)
def test_actions_that_were_not_drawn_for_this_visit_are_pointed_out(
    office: Office, change: dict[str, object]
) -> None:
    digest = with_portrait(office)
    page = show_liveness(office, digest, liveness(office, digest, **change))
    assert "không đúng với lượt thu nhận" in page
    # It is help: whoever decides may accept all the same.
    assert office.signed_in("v.an").decide(digest, "accept").status_code == 303


def test_liveness_that_was_not_tried_is_said_to_be_no_sign_of_anything(office: Office) -> None:
    page = page_of(office, with_portrait(office))
    assert "Chưa thực hiện" in page
    assert "không nói gì về người ngồi" in page


# What the officer answers.


def test_accepting_needs_an_answer_for_ears_head_and_glasses(office: Office) -> None:
    digest = with_portrait(office)
    browser = office.signed_in("v.an")
    page = browser.post(f"/captures/{digest}").text
    for name in ("ears", "head", "glasses"):
        assert f'name="{name}" value="yes" required>' in page, name
    for fields in ({"glasses": ""}, {"ears": "no"}, {"head": "maybe"}):
        refused = browser.decide(digest, "accept", **fields)
        assert refused.status_code == 422
    assert office.decisions(digest) == []
    sent = browser.decide(digest, "accept", head="no", head_because="Khăn theo đạo, mặt rõ.")
    assert sent.status_code == 303
    assert office.dossier_of(digest).state is DossierState.ACCEPTED
    shown = browser.get(f"/captures/{digest}").text
    assert "Khăn theo đạo, mặt rõ." in shown
    assert "Trùng khớp. Khoảng cách: 0,31." in shown
    assert "trùng khớp đến 0,45" in shown


def test_a_refused_answer_comes_back_as_it_was_entered(office: Office) -> None:
    digest = with_portrait(office)
    browser = office.signed_in("v.an")
    browser.post(f"/captures/{digest}")
    page = browser.decide(digest, "accept", ears="no", ears_because="<b>x", glasses="").text
    assert "trả lời cả ba điểm" in page
    assert 'name="ears" value="no" checked' in page
    assert 'value="&lt;b&gt;x"' in page


def test_what_was_measured_explains_and_answers_nothing(office: Office) -> None:
    advice = (
        finding("EarsVisible", passed=False),
        finding("NoHeadCoverings", passed=True),
        finding("Glasses", passed=None, native=None),
    )
    own = [f for f in faces.verdict(1).findings if f.name not in {a.name for a in advice}]
    page = page_of(office, with_portrait(office, findings=(*own, *advice)))
    assert "Máy đo: vui lòng xem kỹ" in page
    assert "Máy đo: đạt" in page
    assert "Máy không đánh giá điểm này." in page
    assert " checked" not in page


def test_advice_alone_does_not_say_that_a_portrait_was_refused(office: Office) -> None:
    good = [replace(f, passed=True) for f in faces.verdict(1).findings]
    advised = [replace(f, passed=f.name != "EarsVisible") for f in good]
    page = page_of(office, with_portrait(office, findings=tuple(advised)))
    assert "Đạt mọi tiêu chí" in page
    assert "1 điểm nên xem kỹ" in page
    assert "officer.measures" not in page
    refused = [replace(f, passed=f.name != "EyesOpen") for f in good]
    page = page_of(office, with_portrait(office, findings=tuple(refused)))
    assert "1 tiêu chí chưa đạt" in page
    assert "Đạt mọi tiêu chí" not in page
    assert "nên xem kỹ" not in page


def test_other_verdicts_ask_for_no_answers(office: Office) -> None:
    digest = with_portrait(office)
    browser = office.signed_in("v.an")
    browser.post(f"/captures/{digest}")
    assert browser.decide(digest, "ask_recapture", reason="portrait_eyes").status_code == 303
    assert office.decisions(digest)[0].seen == {}


@pytest.mark.parametrize("forced_by", ["c.chi", None])
def test_accepting_what_a_gate_refused_needs_a_reason(
    office: Office, forced_by: str | None
) -> None:
    findings = (finding("EyesOpen", passed=False, native=0.0),)
    digest = with_portrait(office, findings=findings, forced_by=forced_by)
    browser = office.signed_in("v.an")
    page = browser.post(f"/captures/{digest}").text
    assert "Vì sao vẫn chấp nhận dù ảnh có tiêu chí chưa đạt?" in page
    refused = browser.decide(digest, "accept")
    assert refused.status_code == 422
    assert "Có tiêu chí ảnh chưa đạt" in refused.text
    assert browser.decide(digest, "accept", text="Bệnh về mắt.").status_code == 303
    kept = office.decisions(digest)[0]
    assert (kept.refused, kept.text) == (["EyesOpen"], "Bệnh về mắt.")


# What the officer takes away.


def last_entry(office: Office) -> Audit:
    with office.session() as session:
        assert audit.broken_at(session) is None
        return session.scalars(sa.select(Audit).order_by(Audit.seq.desc()).limit(1)).one()


@pytest.mark.parametrize("output", list(Output), ids=str)
def test_a_file_is_made_written_down_and_handed_out(office: Office, output: Output) -> None:
    digest = with_portrait(office)
    browser = office.signed_in("v.an")
    browser.post(f"/captures/{digest}")
    answer = browser.post(f"/captures/{digest}/files/{output}")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.content_type == KINDS.get(output, "application/octet-stream")
    code = office.dossier_of(digest).code
    assert f"attachment; filename={code}-{output}." in answer.headers["Content-Disposition"]
    made = outputs.make(output, portrait_of(office, digest))
    assert made is not None
    assert answer.data == made.data
    entry = last_entry(office)
    assert (entry.actor, entry.action, entry.subject) == ("officer:v.an", "file.hand_out", digest)
    assert entry.detail["file"] == output
    assert entry.detail["sha256"] == hashlib.sha256(answer.data).hexdigest()
    assert [action for _, action in office.entries(about=digest)] == [
        "capture.open",
        "file.ask",
        "file.hand_out",
    ]
    if output is Output.RECORD:
        assert len(record.FaceRecord.decode(answer.data).points) == 2
    elif output.is_print:
        assert decode(answer.data).shape[0] in {472, 709}


def test_what_was_done_to_a_print_is_written_down(on_both: Office) -> None:
    office = on_both
    digest = with_portrait(office)
    browser = office.signed_in("v.an")
    browser.post(f"/captures/{digest}")
    browser.post(f"/captures/{digest}/files/3x4", balanced="yes")
    done = last_entry(office).detail["done"]
    assert done["balance"] == "neutral_already"
    assert len(done["gains"]) == 3
    browser.post(f"/captures/{digest}/files/3x4", balanced="on")
    assert last_entry(office).detail["done"]["balance"] == "off"


def test_files_are_for_whoever_has_the_capture_open_and_only_then(on_both: Office) -> None:
    office = on_both
    digest = with_portrait(office)
    path = f"/captures/{digest}/files/3x4"
    an, binh = office.signed_in("v.an"), office.signed_in("v.binh")
    assert an.post(path).status_code == 409
    an.post(f"/captures/{digest}")
    assert binh.post(path).status_code == 409
    assert an.post(path).status_code == 200
    an.decide(digest, "accept")
    assert an.post(path).status_code == 409
    assert [action for _, action in office.entries(about=digest)].count("file.hand_out") == 1
    assert office.unsealer.opened == 2


@pytest.mark.parametrize(
    "path", ["files/9x9", "files/3X4", "files/x", "files/..%2f3x4", "files/%00", "files/"]
)
def test_a_file_nobody_knows_is_not_found(office: Office, path: str) -> None:
    digest = with_portrait(office)
    browser = office.signed_in("v.an")
    browser.post(f"/captures/{digest}")
    assert browser.post(f"/captures/{digest}/{path}").status_code in {404, 405}
    assert browser.post(f"/captures/{'f' * 64}/files/3x4").status_code == 404
    assert browser.post("/captures/x/files/3x4").status_code == 404
    assert office.unsealer.opened == 1


@pytest.mark.parametrize(
    ("trouble", "status"),
    [(UnsealerDown("x"), 503), (GrantRefused("x"), 409), (PacketBad("x"), 500)],
)
def test_a_file_that_cannot_be_opened_for_is_said_and_not_handed_out(
    office: Office, trouble: Exception, status: int
) -> None:
    digest = with_portrait(office)
    browser = office.signed_in("v.an")
    browser.post(f"/captures/{digest}")
    office.unsealer.trouble = trouble
    answer = browser.post(f"/captures/{digest}/files/3x4")
    assert answer.status_code == status
    assert "Content-Disposition" not in answer.headers
    assert last_entry(office).action == "file.ask"


def test_a_picture_nothing_can_be_made_of_is_said(office: Office) -> None:
    digest = with_portrait(office, image=b"\xff\xd8\xff no picture")
    browser = office.signed_in("v.an")
    browser.post(f"/captures/{digest}")
    answer = browser.post(f"/captures/{digest}/files/4x6")
    assert answer.status_code == 409
    assert "Không có phần nào được vẽ thêm" in answer.text
    assert last_entry(office).action == "file.ask"


def test_whoever_took_part_takes_no_file_either(office: Office) -> None:
    """They had it open before anybody knew: the sealed capture itself names them."""
    digest = with_portrait(office)
    browser = office.signed_in("v.an")
    browser.post(f"/captures/{digest}")
    found = office.unsealer.captures[digest]
    office.unsealer.captures[digest] = replace(
        found, portrait=replace(found.portrait, forced_by="v.an")
    )
    answer = browser.post(f"/captures/{digest}/files/3x4")
    assert answer.status_code == 403
    assert "Content-Disposition" not in answer.headers
    assert office.dossier_of(digest).state is DossierState.CAPTURED


# The visit's journal.


@pytest.mark.parametrize(
    ("event", "detail", "told"),
    [
        ("finger_missing", "3 bandaged", "Giữa phải · Băng bó, bị thương"),
        ("finger_kept", "3", "Giữa phải"),
        ("finger_kept", "", ""),
        ("portrait_forced", "v.an eyes", "Nguyễn Thu An · bệnh về mắt"),
        ("portrait_forced", "v.an other: một mắt", "Nguyễn Thu An · lý do khác · một mắt"),
        ("portrait_forced", "v.an", "Nguyễn Thu An"),
        ("portrait_assisted", "x.y child", "x.y · trẻ em"),
        ("liveness", "1/2 turn_left blink", "1/2 (Quay đầu sang trái, Chớp mắt)"),
        ("liveness", "0/1 dance", "0/1 (dance)"),
        ("liveness", "", ""),
        ("officer_offered", "portrait.nothing", "portrait.nothing"),
        ("officer", "v.an", "Nguyễn Thu An"),
        ("seal", "", ""),
    ],
)
def test_a_line_of_the_visits_journal_is_said_in_words(
    office: Office, event: str, detail: str, told: str
) -> None:
    with office.app.test_request_context("/?lang=vi"):
        assert journey.detail(event, detail, {"v.an": "Nguyễn Thu An"}) == told
