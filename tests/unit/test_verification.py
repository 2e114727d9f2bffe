"""Deciding on captures, as functions of a session and a time, on both engines."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from biometrics.capture import HELPED, Finding, Step
from scheduler.database import transaction
from server.cases import captures, counter, officers, verification
from server.cases.captures import CaptureUnknown
from server.cases.verification import NotSeen, NotYours, OwnCapture, Ruling
from server.rules.dossier import DossierState, NotNow
from server.rules.fields import Refused
from server.store import audit
from server.store.tables import Audit, CaptureRow, Decision, Grant, Verdict
from server.web.officer.names import by_given_name
from tests.officers import ELSEWHERE, FAR, MODEL, Office, acting

LOOKED = dict.fromkeys(verification.LOOKS, verification.YES)
AN, BINH = acting("v.an"), acting("v.binh")
ACCEPT = Ruling(verdict=Verdict.ACCEPT, reason=None, text=None)
RECAPTURE = Ruling(verdict=Verdict.ASK_RECAPTURE, reason="fingers_unclear", text="Ngón trỏ.")
CORRECT = Ruling(verdict=Verdict.ASK_CORRECTION, reason="data_wrong", text=None)
REJECT = Ruling(verdict=Verdict.REJECT, reason="not_same_person", text=None)


@pytest.fixture
def office(engine: sa.Engine, tmp_path: Path, now: datetime) -> Office:
    return Office(engine, tmp_path, now)


def take(office: Office, digest: str, officer: officers.Acting = AN) -> UUID:
    """Open a capture and look at it."""
    with office.session() as session:
        leave = verification.open_capture(session, digest, officer, now=office.clock.now)
    office.unsealer.open(leave)
    return leave


def decide(
    office: Office, digest: str, given: Ruling = ACCEPT, officer: officers.Acting = AN
) -> DossierState:
    with office.session() as session:
        return verification.decide(session, digest, officer, given, now=office.clock.now)


@pytest.mark.parametrize(
    ("given", "state"),
    [
        (ACCEPT, DossierState.ACCEPTED),
        (RECAPTURE, DossierState.FILED),
        (CORRECT, DossierState.TO_CORRECT),
        (REJECT, DossierState.REJECTED),
    ],
)
def test_a_verdict_moves_the_dossier_and_tells_the_citizen(
    office: Office, given: Ruling, state: DossierState
) -> None:
    digest = office.add_capture()
    take(office, digest)
    assert decide(office, digest, given) is state
    dossier = office.dossier_of(digest)
    assert dossier.state is state
    expected = None if given is ACCEPT else {"code": given.reason, "text": given.text}
    assert dossier.message == expected
    assert [found.verdict for found in office.decisions(digest)] == [given.verdict]
    assert office.entries(about=digest) == [
        ("officer:v.an", "capture.open"),
        ("officer:v.an", f"decision.{given.verdict.value}"),
    ]
    assert office.events(digest)[-2:] == ["open", given.verdict.value]


def test_the_queue_is_oldest_first_and_of_the_own_station(office: Office) -> None:
    late = office.add_capture(minutes_ago=5)
    early = office.add_capture(minutes_ago=50)
    near = office.add_capture(minutes_ago=70, station=ELSEWHERE)
    office.add_capture(minutes_ago=90, station=FAR)
    with office.session() as session:
        own = captures.queue(session, AN)
        province = captures.queue(session, acting("s.dung"))
    assert [line.digest for line in own] == [early, late]
    assert [line.digest for line in province] == [near, early, late]


def test_another_stations_capture_is_unknown(office: Office) -> None:
    digest = office.add_capture(station=FAR)
    for work in (captures.see, verification.release, verification.open_capture):
        call: Callable[..., object] = work
        extra = {} if work is captures.see else {"now": office.clock.now}
        with pytest.raises(CaptureUnknown), office.session() as session:
            call(session, digest, AN, **extra)
    with pytest.raises(CaptureUnknown):
        decide(office, digest)


def test_nobody_decides_what_they_helped_capture(office: Office) -> None:
    digest = office.add_capture(operator="v.an")
    with pytest.raises(OwnCapture):
        take(office, digest)
    assert office.dossier_of(digest).state is DossierState.CAPTURED
    take(office, digest, BINH)
    with pytest.raises(OwnCapture):
        decide(office, digest)
    assert decide(office, digest, officer=BINH) is DossierState.ACCEPTED


@pytest.mark.parametrize("given", [ACCEPT, RECAPTURE])
def test_who_helped_before_another_officer_decides_nothing_either(
    office: Office, given: Ruling
) -> None:
    """Only the sealed capture names them: it was opened, and the page never came."""
    digest = office.add_capture(operator="c.chi")
    found = office.unsealer.captures[digest]
    helped = Step(at=office.clock.now, event=HELPED, detail="v.an")
    office.unsealer.captures[digest] = replace(found, journal=(helped, *found.journal))
    take(office, digest)
    with pytest.raises(OwnCapture):
        decide(office, digest, given)
    with office.session() as session:
        verification.release(session, digest, AN, now=office.clock.now)
    with pytest.raises(OwnCapture):
        take(office, digest)
    take(office, digest, BINH)
    decide(office, digest, given, BINH)


@pytest.mark.parametrize("helped_by", ["v.an", ""])
def test_the_database_itself_refuses_the_helpers_decision(office: Office, helped_by: str) -> None:
    digest = office.add_capture(operator="v.an")
    with pytest.raises(sa.exc.IntegrityError), office.session() as session:
        session.add(
            Decision(
                digest=digest,
                turn=1,
                officer_id="v.an",
                helped_by=helped_by,
                verdict=Verdict.ACCEPT,
                at=office.clock.now,
            )
        )


def test_only_who_has_it_open_decides(office: Office) -> None:
    digest = office.add_capture()
    with pytest.raises(NotNow):
        decide(office, digest)
    take(office, digest)
    with pytest.raises(NotYours):
        decide(office, digest, officer=BINH)
    with pytest.raises(NotYours):
        take(office, digest, BINH)
    with pytest.raises(NotYours), office.session() as session:
        verification.release(session, digest, BINH, now=office.clock.now)


@pytest.mark.parametrize("officer_id", ["c.chi", "a.giang"])
def test_a_role_that_does_not_decide_cannot_even_open(office: Office, officer_id: str) -> None:
    digest = office.add_capture()
    with pytest.raises(NotYours):
        take(office, digest, acting(officer_id))
    assert office.entries(about=digest) == []


def test_nobody_accepts_or_rejects_what_they_have_not_seen(office: Office) -> None:
    digest = office.add_capture()
    with office.session() as session:
        verification.open_capture(session, digest, AN, now=office.clock.now)
    for given in (ACCEPT, REJECT):
        with pytest.raises(NotSeen):
            decide(office, digest, given)
    assert decide(office, digest, RECAPTURE) is DossierState.FILED


def test_a_leave_used_on_a_packet_that_did_not_open_is_no_look(office: Office) -> None:
    digest = office.add_capture()
    with office.session() as session:
        leave = verification.open_capture(session, digest, AN, now=office.clock.now)
    with office.session() as session:
        session.get_one(Grant, leave).used_at = office.clock.now
    with pytest.raises(NotSeen):
        decide(office, digest)


def test_a_look_before_giving_back_does_not_count_after_taking_again(office: Office) -> None:
    digest = office.add_capture()
    take(office, digest)
    office.clock.goes_on(seconds=1)
    with office.session() as session:
        verification.release(session, digest, AN, now=office.clock.now)
        verification.open_capture(session, digest, AN, now=office.clock.now)
    with pytest.raises(NotSeen):
        decide(office, digest)


def test_a_second_decision_finds_the_dossier_moved_on(office: Office) -> None:
    digest = office.add_capture()
    take(office, digest)
    decide(office, digest)
    with pytest.raises(NotNow):
        decide(office, digest, REJECT)
    assert [found.verdict for found in office.decisions(digest)] == [Verdict.ACCEPT]


def test_looking_again_is_a_new_leave_and_a_new_entry(office: Office) -> None:
    digest = office.add_capture()
    assert take(office, digest) != take(office, digest)
    assert office.entries(about=digest) == [("officer:v.an", "capture.open")] * 2
    assert office.events(digest).count("open") == 1


def test_a_recapture_waits_on_its_own_and_the_old_capture_is_closed(office: Office) -> None:
    old = office.add_capture()
    take(office, old)
    decide(office, old, RECAPTURE)
    new = office.add_capture(dossier=office.dossier_of(old).id)
    with office.session() as session:
        assert [line.digest for line in captures.queue(session, BINH)] == [new]
    with pytest.raises(NotNow):
        take(office, old, BINH)
    take(office, new, BINH)
    assert decide(office, new, officer=BINH) is DossierState.ACCEPTED


def test_a_corrected_dossier_waits_again_and_is_decided_again(office: Office) -> None:
    digest = office.add_capture()
    take(office, digest)
    decide(office, digest, CORRECT)
    number = office.dossier_of(digest).personal_number or ""
    with office.session() as session:
        assert [row.digest for row in counter.waiting(session, AN, DossierState.TO_CORRECT)] == [
            digest
        ]
        counter.take_back_in(
            session,
            digest,
            AN,
            office.people[number],
            secret=office.settings.secret,
            now=office.clock.now,
        )
    assert office.dossier_of(digest).message is None
    office.clock.goes_on(minutes=1)
    take(office, digest, BINH)
    assert decide(office, digest, officer=BINH) is DossierState.ACCEPTED
    assert [found.verdict for found in office.decisions(digest)] == [
        Verdict.ASK_CORRECTION,
        Verdict.ACCEPT,
    ]
    with office.session() as session:
        assert counter.waiting(session, AN, DossierState.TO_CORRECT) == ()
        assert [row.digest for row in counter.waiting(session, AN, DossierState.ACCEPTED)] == [
            digest
        ]


def test_a_card_is_handed_over_once_and_only_when_accepted(office: Office) -> None:
    digest = office.add_capture()
    with pytest.raises(NotNow), office.session() as session:
        counter.hand_over(session, digest, acting("c.chi"), now=office.clock.now)
    take(office, digest)
    decide(office, digest)
    with office.session() as session:
        counter.hand_over(session, digest, acting("c.chi"), now=office.clock.now)
    with pytest.raises(NotNow), office.session() as session:
        counter.hand_over(session, digest, acting("c.chi"), now=office.clock.now)
    assert office.entries(about=digest)[-1] == ("officer:c.chi", "dossier.hand_over")


def test_a_supervisor_gives_back_what_somebody_left_open(office: Office) -> None:
    digest = office.add_capture()
    take(office, digest)
    with office.session() as session:
        assert [line.opener for line in captures.in_hand(session, acting("s.dung"))] == [
            "officer:v.an"
        ]
        assert captures.in_hand(session, BINH) == ()
        verification.release(session, digest, acting("s.dung"), now=office.clock.now)
    assert office.dossier_of(digest).state is DossierState.CAPTURED
    with pytest.raises(NotNow), office.session() as session:
        verification.release(session, digest, acting("s.dung"), now=office.clock.now)


class Undone(Exception):
    """Something fails at the end of a transaction."""


def undo(office: Office, work: Callable[[Session], object]) -> None:
    """Do `work` in a transaction that fails at its end."""
    with office.session() as session:
        work(session)
        raise Undone


def test_what_is_rolled_back_leaves_no_entry_and_no_move(office: Office) -> None:
    digest, now = office.add_capture(), office.clock.now
    with pytest.raises(Undone):
        undo(office, lambda s: verification.open_capture(s, digest, AN, now=now))
    assert office.entries(about=digest) == []
    assert office.dossier_of(digest).state is DossierState.CAPTURED
    take(office, digest)
    with pytest.raises(Undone):
        undo(office, lambda s: verification.decide(s, digest, AN, ACCEPT, now=now))
    assert office.entries(about=digest) == [("officer:v.an", "capture.open")]
    assert office.decisions(digest) == []
    assert office.events(digest)[-1] == "open"


def at_once(*works: Callable[[], object]) -> list[object]:
    """Run all in threads that start together; return what each gave or raised."""
    barrier = threading.Barrier(len(works))
    results: list[object] = [None] * len(works)

    def run(place: int, work: Callable[[], object]) -> None:
        barrier.wait()
        try:
            results[place] = work()
        except (NotYours, NotNow) as error:
            results[place] = error

    threads = [threading.Thread(target=run, args=(place, work)) for place, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_of_many_officers_who_take_a_capture_at_once_one_has_it(office: Office) -> None:
    digest = office.add_capture()

    def taking(officer: officers.Acting) -> Callable[[], object]:
        def work() -> UUID:
            with transaction(office.engine) as session:
                return verification.open_capture(session, digest, officer, now=office.clock.now)

        return work

    results = at_once(*[taking(officer) for officer in (AN, BINH, acting("s.dung"))])
    assert sum(isinstance(result, UUID) for result in results) == 1
    assert office.events(digest).count("open") == 1
    assert len(office.entries(about=digest)) == 1


def test_of_many_clicks_at_once_one_decides(office: Office) -> None:
    digest = office.add_capture()
    take(office, digest)

    def deciding(given: Ruling) -> Callable[[], object]:
        def work() -> DossierState:
            with transaction(office.engine) as session:
                return verification.decide(session, digest, AN, given, now=office.clock.now)

        return work

    results = at_once(*[deciding(given) for given in (ACCEPT, ACCEPT, REJECT, RECAPTURE)])
    assert sum(isinstance(result, DossierState) for result in results) == 1
    assert len(office.decisions(digest)) == 1
    assert len(office.entries(about=digest)) == 2


@pytest.mark.parametrize(
    ("verdict", "reason", "text", "outcome", "key"),
    [
        ("maybe", "", "", None, "verdict.unknown"),
        ("", "", "", None, "verdict.unknown"),
        ("reject", "", "", None, "verdict.reason"),
        ("reject", "portrait_blurred", "", None, "verdict.reason"),
        ("ask_recapture", "data_wrong", "", None, "verdict.reason"),
        ("ask_recapture", "x' OR 1=1", "", None, "verdict.reason"),
        ("ask_correction", "other", " \x00\n ", None, "verdict.own_words"),
        ("accept", "", "", "no_match", "verdict.explain"),
        ("reject", "other", "x" * 501, None, "field.too_long"),
    ],
)
def test_a_ruling_that_may_not_be_given_says_what_is_wrong(
    verdict: str, reason: str, text: str, outcome: str | None, key: str
) -> None:
    with pytest.raises(Refused, match=f"^{key}$"):
        verification.ruling(verdict, reason, text, outcome=outcome, looks=LOOKED)


def test_an_officers_own_words_are_kept_clean() -> None:
    given = verification.ruling("reject", "other", " a\x00b \u202e\n c ", outcome=None)
    assert given.text == "a b c"
    accepted = verification.ruling("accept", "fingers_swapped", "", outcome="match", looks=LOOKED)
    assert (accepted.reason, accepted.text) == (None, None)


@pytest.mark.parametrize(
    ("looks", "key"),
    [
        ({}, "verdict.looks"),
        ({**LOOKED, "glasses": ""}, "verdict.looks"),
        ({**LOOKED, "ears": "on"}, "verdict.looks"),
        ({**LOOKED, "head": "no"}, "verdict.because"),
        ({**LOOKED, "head": "no", "head_because": " \u202e\x00 "}, "verdict.because"),
        ({**LOOKED, "head": "no", "head_because": "x" * 501}, "field.too_long"),
    ],
)
def test_nobody_accepts_without_having_looked_at_ears_head_and_eyes(
    looks: dict[str, str], key: str
) -> None:
    with pytest.raises(Refused, match=f"^{key}$"):
        verification.ruling("accept", "", "", outcome="match", looks=looks)
    assert verification.ruling("reject", "data_wrong", "", outcome=None, looks=looks).answers == ()


def test_a_portrait_that_a_gate_refused_needs_a_reason_to_be_accepted() -> None:
    with pytest.raises(Refused, match=r"^verdict\.explain_refused$"):
        verification.ruling("accept", "", "", outcome="match", refused=("EyesOpen",), looks=LOOKED)
    given = verification.ruling(
        "accept", "", "Bệnh về mắt.", outcome="match", refused=("EyesOpen",), looks=LOOKED
    )
    assert given.text == "Bệnh về mắt."


def test_a_decision_keeps_what_it_stood_on(office: Office) -> None:
    """Distance, model, SHA-256 and limits, what the officer saw, and what a gate refused."""
    digest = office.add_capture()
    found = office.unsealer.captures[digest]
    closed = Finding(
        name="EyesOpen", native=0.01, unit="T", score=10, passed=False, hint="eyes_open"
    )
    portrait = replace(found.portrait, findings=(closed,), forced_by="c.chi")
    office.unsealer.captures[digest] = replace(found, portrait=portrait)
    take(office, digest)
    looks = {**LOOKED, "head": "no", "head_because": "Khăn theo đạo, mặt rõ."}
    given = verification.ruling(
        "accept", "", "Bệnh về mắt.", outcome="match", refused=("EyesOpen",), looks=looks
    )
    decide(office, digest, given)
    kept = office.decisions(digest)[0]
    expected = {
        "at": office.clock.now.isoformat(),
        "distance": 0.31,
        "outcome": "match",
        "model": MODEL,
        "model_sha256": "5" * 64,
        "match_at_most": 0.45,
        "no_match_above": 0.55,
    }
    assert kept.comparison == expected
    assert kept.refused == ["EyesOpen"]
    assert kept.seen == {
        "ears": {"is_so": True, "because": None},
        "head": {"is_so": False, "because": "Khăn theo đạo, mặt rõ."},
        "glasses": {"is_so": True, "because": None},
    }
    with office.session() as session:
        entry = session.scalars(sa.select(Audit).order_by(Audit.seq.desc()).limit(1)).one()
        assert entry.detail["comparison"] == expected
        assert entry.detail["seen"] == {"ears": True, "head": False, "glasses": True}
        assert entry.detail["refused"] == ["EyesOpen"]
        assert "Khăn" not in str(entry.detail)
        assert audit.broken_at(session) is None


def test_every_verdict_has_reasons_and_an_event() -> None:
    assert set(verification.REASONS) == set(Verdict) == set(verification.EVENTS)
    assert [verdict for verdict in Verdict if not verification.REASONS[verdict]] == [Verdict.ACCEPT]


def test_a_capture_without_a_helper_is_helped_by_nobody(office: Office) -> None:
    alone, helped = office.add_capture(), office.add_capture(operator="c.chi")
    with office.session() as session:
        assert session.get_one(CaptureRow, alone).helped_by == ""
        assert session.get_one(CaptureRow, helped).helped_by == "c.chi"


def test_names_are_sorted_by_the_given_name_as_vietnamese_dictionaries_do() -> None:
    names = [
        "Nguyễn Văn An",
        "Trần Thị Ánh",
        "Lê Văn Ân",
        "Đỗ Thị Bích",
        "Lê Minh Dũng",
        "Bùi Văn Đức",
        "Đặng Văn Đức",
        "Phạm Thị Hoa",
        "Phạm Thị Hòa",
        "Phạm Thị Hoá",
        "Phạm Thị Hoạ",
        "Y Moan",
        "Lê Ơn",
        "Tô",
    ]
    backwards = list(reversed(names))
    assert sorted(backwards, key=by_given_name) == names
    assert by_given_name("") == ()
