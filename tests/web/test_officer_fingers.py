"""Fingers on the officer's page: figures and what they mean, pairings, contradictions, files."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from biometrics.capture import (
    Absence,
    AbsenceReason,
    EyeSide,
    ImpressionKind,
    Iris,
    Missing,
    MissingReason,
    Part,
    Print,
    Step,
)
from biometrics.finger import limits
from biometrics.finger.compare import compare
from biometrics.finger.minutiae import Minutiae
from biometrics.finger.offers import Alert
from biometrics.records import cbeff, finger_image
from biometrics.records import minutiae as records
from biometrics.records.codings import Coding
from scheduler.database import Base, connect
from server.cases import verification
from server.rules.concerns import Concern, ConcernKind
from server.rules.dossier import DossierState
from server.store.tables import Audit, Review
from server.unseal import fingers
from server.unseal.client import PacketBad
from server.web.officer import drawing, journey
from server.web.officer.fingers import MEANINGS, NO_SCORE, OTHER, meaning
from server.web.officer.records import OfCapture, OfFinger
from server.web.shell import words
from tests import faces
from tests.hands import HEIGHT, PLAIN, ROLLED, WIDTH, hands, impression, minutiae, record
from tests.officers import DOT, Browser, Office, acting

GARBAGE = b"FMR\x00030\x00" + bytes(range(200))


@pytest.fixture
def office(tmp_path: Path, now: datetime) -> Iterator[Office]:
    """On SQLite alone: what is tested stops before the database."""
    engine = connect(f"sqlite:///{tmp_path}/small.db")
    Base.metadata.create_all(engine)
    yield Office(engine, tmp_path, now)
    engine.dispose()


def with_fingers(office: Office, prints: tuple[Print, ...], **changes: object) -> str:
    digest = office.add_capture()
    found = office.unsealer.captures[digest]
    office.unsealer.captures[digest] = replace(found, prints=prints, **changes)  # type: ignore[arg-type]
    return digest


def opened(office: Office, digest: str) -> tuple[Browser, str]:
    browser = office.signed_in("v.an")
    return browser, browser.post(f"/captures/{digest}").text


def concerns(office: Office, prints: tuple[Print, ...], **changes: object) -> list[Concern]:
    digest = with_fingers(office, prints, **changes)
    return [*fingers.look(office.unsealer.captures[digest]).concerns]


def detail(page: str, position: int) -> str:
    found = re.search(rf'<div popover[^>]* id="finger-{position}".*?\n</div>', page, re.DOTALL)
    assert found
    return found[0]


# What is shown.


def test_each_finger_stands_with_its_figures_and_what_they_mean(office: Office) -> None:
    faint = impression(9, nfiq2=None, agreement=1.7)
    lonely = impression(8, support=None, agreement=None, attempts=1)
    _, page = opened(office, with_fingers(office, hands(faint, lonely)))
    assert page.count("data:image/png;base64,") == 13
    assert "cùng một ngón tay" in detail(page, 1)
    assert "R503 (giả lập)" in detail(page, 1)
    assert "chưa thể kết luận" in detail(page, 9)
    assert "chưa đánh giá được" in detail(page, 9)
    assert "Ước lượng</dt><dd>55" in page
    assert "không có lần lấy khác để so sánh" in detail(page, 8)
    assert "So với lần lấy khác" not in detail(page, 8)
    assert "Đã so sánh 45/45 cặp" in page
    assert "Không có hai ngón nào giống như cùng một ngón" in page


def test_the_limits_of_meaning_are_those_of_the_matcher() -> None:
    values = [limit.value for limit, _ in MEANINGS]
    assert values == sorted(values, reverse=True)
    assert values[0] == limits.SAME_FROM.value
    for limit, name in MEANINGS:
        assert meaning(limit.value) == name
        assert meaning(limit.value - 0.01) != name
    assert meaning(0.0) == OTHER
    assert meaning(None) == NO_SCORE
    for name in (*(name for _, name in MEANINGS), OTHER, NO_SCORE):
        assert f"officer.agreement.{name}" in words()


def test_paired_minutiae_are_numbered_on_both_prints_and_listed(office: Office) -> None:
    _, page = opened(office, with_fingers(office, hands(kinds=(PLAIN, ROLLED))))
    shown = detail(page, 2)
    # Plain beside rolled, and each beside its supporting impression.
    assert shown.count('<svg class="pairs"') == 3
    assert shown.count('class="number"') == 3 * 2 * drawing.STRONGEST
    assert shown.count('<tr><th scope="row">1</th>') == 3
    assert 'href="#print-2-plain"' in shown
    assert 'href="#print-2-rolled"' in shown
    assert page.count('id="print-2-plain"') == 1
    # The pictures themselves stand once in the page.
    assert page.count("data:image/png;base64,") == 23
    assert " style=" not in page


def test_pairs_lie_where_the_minutiae_are() -> None:
    left = drawing.half("a", WIDTH, HEIGHT, minutiae(1, 1))
    right = drawing.without_picture(left, minutiae(1, 2))
    score, drawn = drawing.side_by_side(left, right, minutiae(1, 1), minutiae(1, 2))
    assert score == compare(minutiae(1, 1), minutiae(1, 2))
    assert drawn.pairs > drawing.STRONGEST
    assert [pair.number for pair in drawn.strongest] == list(range(1, drawing.STRONGEST + 1))
    strengths = [pair.strength for pair in drawn.strongest]
    assert strengths == sorted(strengths, reverse=True)
    for pair in drawn.strongest:
        # The same minutia is some two pixels elsewhere on the other impression.
        assert abs(pair.right[0] - drawn.aside - pair.left[0]) < 8
        assert abs(pair.right[1] - pair.left[1]) < 8
        assert pair.left_mm[0] == pytest.approx(pair.left[0] * 25.4 / 500, abs=0.06)
    assert drawn.turn == 0


def test_an_angle_turns_counter_clockwise_as_seen() -> None:
    up = Minutiae(points=np.array([[50, 60, np.pi / 2, 1]], np.float32))
    marks = drawing.half("a", 100, 100, up).marks
    assert marks.endswith(f"M50.0 {60 - drawing.RADIUS}l0.0 -{float(drawing.TAIL)}")


def test_pictures_of_another_resolution_are_drawn_at_one_scale(office: Office) -> None:
    fine = impression(3, width=2 * WIDTH, height=2 * HEIGHT, dpi=1000)
    _, page = opened(office, with_fingers(office, hands(fine)))
    assert f'<svg class="print" viewBox="0 0 {float(WIDTH)} {float(HEIGHT)}"' in detail(page, 3)


@pytest.mark.parametrize("record", [None, GARBAGE, b"FMR\x00", b"FMR\x00" + bytes(60_000)])
def test_a_record_that_cannot_be_read_is_said_and_compared_with_nothing(
    office: Office, record: bytes | None
) -> None:
    digest = with_fingers(office, hands(impression(3, template=record)))
    _, page = opened(office, digest)
    assert "không có bản ghi đọc được" in detail(page, 3)
    assert '<svg class="pairs"' not in detail(page, 3)
    assert "Đã so sánh 36/45 cặp" in page


def test_a_thousand_damaged_records_take_nothing_down() -> None:
    rng = np.random.default_rng(4)
    whole = record(1, 1, PLAIN)
    seen = 0
    for _ in range(1000):
        damaged = bytearray(whole[: rng.integers(8, len(whole) + 1)])
        for at in rng.integers(8, len(damaged), 3) if len(damaged) > 8 else ():
            damaged[at] = rng.integers(256)
        found = fingers.read(bytes(damaged))
        if found is not None:
            seen += 1
            assert compare(found, minutiae(1, 1)) >= 0
    assert seen < 1000


def test_eyes_both_hands_and_what_the_station_lacks_are_shown(office: Office) -> None:
    at = office.clock.now
    eyes = (
        Iris(eye=EyeSide.LEFT, image=DOT, width=640, height=480, quality=71, reader="SBI iris"),
    )
    absent = Absence(part=Part.ROLLED, reason=AbsenceReason.NO_DEVICE, officer=None, at=at)
    gone = Missing(
        position=6, reason=MissingReason.AMPUTATED, permanent=True, officer="c.chi", at=at
    )
    prints = tuple(print_ for print_ in hands() if print_.position != 6)
    digest = with_fingers(
        office,
        prints,
        irises=eyes,
        absences=(absent,),
        missing=(gone,),
        proof=faces.jpeg(faces.frame(1)),
    )
    _, page = opened(office, digest)
    assert "Mống mắt trái" in page
    assert "SBI iris" in page
    assert "Vân tay lăn</dt><dd>Không có thiết bị tại trạm" in page
    assert "Ảnh hai bàn tay" in page
    assert "data:image/jpeg;base64," in page
    assert "Vĩnh viễn" in page
    assert 'id="finger-6"' not in page


# What contradicts itself, or is absent.


def test_the_same_finger_twice_is_found_among_all_pairs(office: Office) -> None:
    found = concerns(office, hands(impression(4, person=3)))
    assert [(concern.kind, concern.about) for concern in found] == [
        (ConcernKind.ALIKE, ("finger.3.plain", "finger.4.plain"))
    ]
    assert found[0].score is not None
    assert found[0].score >= limits.SAME_FROM.value


def test_plain_and_rolled_of_two_fingers_are_found(office: Office) -> None:
    swapped = (impression(2, ROLLED, person=3), impression(3, ROLLED, person=2))
    found = concerns(office, hands(*swapped, kinds=(PLAIN, ROLLED)))
    assert [(concern.kind, concern.about) for concern in found] == [
        # Whose they are is looked for only then.
        (ConcernKind.ALIKE, ("finger.2.plain", "finger.3.rolled")),
        (ConcernKind.ALIKE, ("finger.3.plain", "finger.2.rolled")),
        (ConcernKind.UNLIKE, ("finger.2.plain", "finger.2.rolled")),
        (ConcernKind.UNLIKE, ("finger.3.plain", "finger.3.rolled")),
    ]


@pytest.mark.parametrize(
    "changes", [{"nfiq2": 12}, {"nfiq2": None, "estimate": 12.0}, {"minutiae": 9}]
)
def test_a_faint_print_does_not_count_as_another_finger(
    office: Office, changes: dict[str, object]
) -> None:
    faint = impression(2, ROLLED, person=99, **changes)
    assert concerns(office, hands(faint, kinds=(PLAIN, ROLLED))) == []


def test_what_is_absent_is_named_with_its_reason(office: Office) -> None:
    at = office.clock.now
    absent = Absence(part=Part.IRIS, reason=AbsenceReason.NOT_CAPTURED, officer="c.chi", at=at)
    missing = (
        Missing(position=5, reason=MissingReason.BANDAGED, permanent=False, officer="o", at=at),
        Missing(position=6, reason=MissingReason.DEFORMED, permanent=True, officer="o", at=at),
    )
    gone = {(5, PLAIN), (5, ROLLED), (6, PLAIN), (6, ROLLED), (7, PLAIN), (7, ROLLED), (8, ROLLED)}
    prints = tuple(p for p in hands(kinds=(PLAIN, ROLLED)) if (p.position, p.kind) not in gone)
    found = concerns(office, prints, absences=(absent,), missing=missing)
    assert {concern.kind for concern in found} == {ConcernKind.INCOMPLETE}
    assert [(*concern.about, concern.why) for concern in found] == [
        ("iris", "not_captured"),
        ("finger.5", "bandaged"),
        ("finger.7", "unexplained"),
        ("finger.8.rolled", "unexplained"),
        ("proof", "unexplained"),
    ]


def test_what_an_officer_let_be_is_not_called_unexplained(office: Office) -> None:
    at = office.clock.now
    journal = (
        Step(at=at, event="finger_waive", detail="4 rolled"),
        Step(at=at, event="proof_waived", detail="c.chi"),
        Step(at=at, event="finger_waive", detail=""),
    )
    gone = Missing(
        position=6, reason=MissingReason.AMPUTATED, permanent=True, officer="c.chi", at=at
    )
    prints = tuple(
        p
        for p in hands(kinds=(PLAIN, ROLLED))
        if p.position != 6 and (p.position, p.kind) not in {(4, ROLLED), (5, ROLLED)}
    )
    found = concerns(office, prints, missing=(gone,), journal=journal)
    assert [(*concern.about, concern.why) for concern in found] == [
        ("finger.4.rolled", "not_captured"),
        ("finger.5.rolled", "unexplained"),
        ("proof", "not_captured"),
    ]


def test_one_eye_is_not_both(office: Office) -> None:
    eye = Iris(eye=EyeSide.RIGHT, image=DOT, width=1, height=1, quality=None, reader="x")
    assert [c.about for c in concerns(office, hands(), irises=(eye,))] == [("iris.left",)]


def test_a_station_without_rolls_lacks_the_part_and_not_ten_fingers(office: Office) -> None:
    absent = Absence(
        part=Part.ROLLED, reason=AbsenceReason.NO_DEVICE, officer=None, at=office.clock.now
    )
    found = concerns(office, hands(), absences=(absent,))
    assert [(*c.about, c.why) for c in found] == [("rolled", "no_device")]


def test_every_part_kind_and_reason_has_words() -> None:
    wanted = {f"officer.part.{part}" for part in (*Part, "proof")}
    wanted |= {f"officer.part.iris.{side}" for side in EyeSide}
    wanted |= {f"officer.kind.{kind}" for kind in ImpressionKind}
    wanted |= {f"officer.absence.{reason}" for reason in AbsenceReason}
    wanted |= {f"officer.missing.{reason}" for reason in MissingReason}
    wanted |= {f"officer.{what}.{kind}" for what in ("concern", "confirm") for kind in ConcernKind}
    wanted |= {f"officer.record.{file}" for file in (*OfFinger, *OfCapture)}
    wanted |= {f"officer.alert.{alert}" for alert in Alert}
    assert {key for key in wanted if key not in words()} == set()


@pytest.mark.parametrize(
    ("event", "text", "said"),
    [
        ("finger_missing", "5 bandaged", "Út phải · Băng bó, bị thương"),
        ("finger_taken", "3 rolled", "Giữa phải · vân lăn"),
        ("finger_alert", "3.plain replay", "Giữa phải · vân phẳng · Ảnh trùng khít ảnh đã có"),
        ("finger_waive", "3-rolled v.an", "Giữa phải · vân lăn · Nguyễn Thu An"),
        ("finger_alert", "99 <b>x", "99 · <b>x"),
        ("finger_alert", "", ""),
    ],
)
def test_a_fingers_line_in_the_visits_journal_is_told_in_words(
    office: Office, event: str, text: str, said: str
) -> None:
    with office.app.test_request_context("/"):
        assert journey.detail(event, text, {"v.an": "Nguyễn Thu An"}) == said


# What it takes to accept it.


def unconfirmed(kind: ConcernKind) -> dict[str, str]:
    return {f"{verification.CONFIRM}{kind}": ""}


def test_an_incomplete_capture_is_accepted_only_by_whoever_says_to_have_seen_it(
    office: Office,
) -> None:
    at = office.clock.now
    absences = tuple(
        Absence(part=part, reason=AbsenceReason.NO_DEVICE, officer=None, at=at) for part in Part
    )
    digest = with_fingers(office, hands(), absences=absences)
    browser, page = opened(office, digest)
    assert "Kết quả thu nhận chưa đầy đủ" in page
    assert "Vân tay lăn: không có thiết bị tại trạm" in page
    assert 'name="confirm_incomplete" value="yes" required>' in page
    refused = browser.decide(digest, "accept", **unconfirmed(ConcernKind.INCOMPLETE))
    assert refused.status_code == 422
    assert "xác nhận cho từng cảnh báo" in refused.text
    assert 'name="confirm_incomplete" value="yes" required>' in refused.text
    assert office.decisions(digest) == []
    assert browser.decide(digest, "accept").status_code == 303
    kept = office.decisions(digest)[0].seen["incomplete"]
    assert kept["is_so"] is True
    assert [(entry["about"], entry["why"]) for entry in kept["what"]] == [
        (["rolled"], "no_device"),
        (["iris"], "no_device"),
    ]
    decided = browser.get(f"/captures/{digest}").text
    assert "Đã xem và chấp nhận: Vân tay lăn: không có thiết bị tại trạm; Mống mắt" in decided
    with office.session() as session:
        entry = session.scalars(sa.select(Audit).order_by(Audit.seq.desc()).limit(1)).one()
        assert entry.detail["seen"]["incomplete"] is True


def test_two_fingers_that_look_like_one_want_the_officers_reasons(office: Office) -> None:
    digest = with_fingers(office, hands(impression(4, person=3)))
    browser, page = opened(office, digest)
    decision = page[page.index('id="decision"') :]
    assert "Hai ngón tay giống như một ngón" in decision
    assert "Giữa phải, vân phẳng – Áp út phải, vân phẳng" in decision
    assert page.count("Cần xem kỹ") == 2
    beside = page[page.index("Xem cạnh nhau: Giữa phải, vân phẳng và Áp út phải, vân phẳng") :]
    assert 'href="#print-3-plain"' in beside[: beside.index("</details>")]
    assert 'href="#print-4-plain"' in beside[: beside.index("</details>")]
    assert browser.decide(digest, "accept", **unconfirmed(ConcernKind.ALIKE)).status_code == 422
    silent = browser.decide(digest, "accept")
    assert silent.status_code == 422
    assert "Vân tay có mâu thuẫn" in silent.text
    assert 'name="confirm_alike" value="yes" required checked' in silent.text
    assert browser.decide(digest, "accept", text="Ngón dính từ nhỏ.").status_code == 303
    assert office.dossier_of(digest).state is DossierState.ACCEPTED


def test_asking_for_recapture_needs_no_confirmation(office: Office) -> None:
    digest = with_fingers(office, hands(impression(4, person=3)))
    browser, _ = opened(office, digest)
    assert browser.decide(digest, "ask_recapture", reason="fingers_swapped").status_code == 303
    assert office.decisions(digest)[0].seen == {}


def test_a_ruling_that_confirmed_nothing_is_not_taken_down(office: Office) -> None:
    digest = with_fingers(office, hands(impression(4, person=3)))
    opened(office, digest)
    given = verification.ruling(
        "accept", "", "", outcome="match", looks=dict.fromkeys(verification.LOOKS, "yes")
    )
    with office.session() as session, pytest.raises(verification.NotSeen):
        verification.decide(session, digest, acting("v.an"), given, now=office.clock.now)


def test_no_minutiae_stay_in_the_database(office: Office) -> None:
    digest = with_fingers(office, hands())
    opened(office, digest)
    with office.session() as session:
        summary = session.get_one(Review, digest).summary
    assert len(summary["prints"]) == 10
    for kept in summary["prints"]:
        assert {"image", "template", "support"}.isdisjoint(kept)
    assert (summary["compared"], summary["pairs"]) == (45, 45)


# What is taken away.


def last_entry(office: Office) -> Audit:
    with office.session() as session:
        return session.scalars(sa.select(Audit).order_by(Audit.seq.desc()).limit(1)).one()


@pytest.mark.parametrize("wanted", list(OfFinger), ids=str)
def test_a_record_of_a_finger_is_written_down_and_handed_out(
    office: Office, wanted: OfFinger
) -> None:
    digest = with_fingers(office, hands())
    browser, page = opened(office, digest)
    path = f"/captures/{digest}/fingers/3/plain/{wanted}"
    assert f'formaction="{path}"' in detail(page, 3)
    answer = browser.post(path)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    code = office.dossier_of(digest).code
    name = f"attachment; filename={code}-{wanted}-3-plain."
    assert answer.headers["Content-Disposition"].startswith(name)
    entry = last_entry(office)
    assert (entry.actor, entry.action, entry.subject) == ("officer:v.an", "file.hand_out", digest)
    assert entry.detail["file"] == f"{wanted}-3-plain"
    assert entry.detail["sha256"] == hashlib.sha256(answer.data).hexdigest()
    if wanted in (OfFinger.MINUTIAE, OfFinger.MINUTIAE_2005):
        read = records.decode(answer.data)
        assert read.edition == int(wanted.rpartition("-")[2])
        assert (read.views[0].position, len(read.views[0].points)) == (3, 45)
    else:
        image = finger_image.decode(answer.data)[0]
        assert (image.position, image.kind, image.pixels.shape) == (3, PLAIN, (HEIGHT, WIDTH))
        assert image.coding is (Coding.WSQ if wanted is OfFinger.WSQ else Coding.JPEG2000)


@pytest.mark.parametrize("wanted", list(OfCapture), ids=str)
def test_a_file_of_the_whole_capture_is_written_down_and_handed_out(
    office: Office, wanted: OfCapture
) -> None:
    portrait = faces.jpeg(faces.frame(1))
    digest = with_fingers(office, hands())
    found = office.unsealer.captures[digest]
    height, width = faces.frame(1).shape[:2]
    whole = replace(found.portrait, image=portrait, width=width, height=height)
    office.unsealer.captures[digest] = replace(found, portrait=whole)
    browser, page = opened(office, digest)
    path = f"/captures/{digest}/records/{wanted}"
    assert f'formaction="{path}"' in page
    answer = browser.post(path)
    assert answer.status_code == 200
    assert last_entry(office).detail["sha256"] == hashlib.sha256(answer.data).hexdigest()
    if wanted is OfCapture.CBEFF:
        assert len(cbeff.read(answer.data)) == 11
    else:
        assert answer.data.count(b"WSQ20") == 10


@pytest.mark.parametrize(
    "path",
    [
        "fingers/3/plain/x",
        "fingers/3/flat/iso-19794-4-wsq",
        "fingers/x/plain/iso-19794-4-wsq",
        "fingers/-1/plain/iso-19794-4-wsq",
        "records/x",
        "records/",
    ],
)
def test_a_record_nobody_knows_is_not_found(office: Office, path: str) -> None:
    digest = with_fingers(office, hands())
    browser, _ = opened(office, digest)
    assert browser.post(f"/captures/{digest}/{path}").status_code in {404, 405}
    assert browser.post(f"/captures/{'f' * 64}/records/cbeff").status_code == 404
    assert browser.post("/captures/x/records/cbeff").status_code == 404
    assert office.unsealer.opened == 1


@pytest.mark.parametrize(
    "path",
    [
        "fingers/99/plain/iso-19794-4-wsq",
        "fingers/3/rolled/iso-19794-4-wsq",
        "fingers/4/plain/iso-19794-2-2011",
        "fingers/5/plain/iso-19794-4-jp2",
        "records/cbeff",
    ],
)
def test_what_no_record_can_be_made_of_is_said_and_not_handed_out(
    office: Office, path: str
) -> None:
    damaged = (impression(4, template=GARBAGE), impression(5, image=DOT))
    digest = with_fingers(office, hands(*damaged))
    browser, _ = opened(office, digest)
    answer = browser.post(f"/captures/{digest}/{path}")
    assert answer.status_code == 409
    assert "Không tạo được bản ghi" in answer.text
    assert "Content-Disposition" not in answer.headers
    assert last_entry(office).action == "file.ask"


def test_records_are_for_whoever_has_the_capture_open_and_only_then(office: Office) -> None:
    digest = with_fingers(office, hands())
    path = f"/captures/{digest}/fingers/1/plain/iso-19794-2-2011"
    an, binh = office.signed_in("v.an"), office.signed_in("v.binh")
    assert an.post(path).status_code == 409
    an.post(f"/captures/{digest}")
    assert binh.post(path).status_code == 409
    assert an.post(path).status_code == 200
    office.unsealer.trouble = PacketBad("x")
    assert an.post(path).status_code == 500
    office.unsealer.trouble = None
    an.decide(digest, "accept")
    assert an.post(path).status_code == 409
