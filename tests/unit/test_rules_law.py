"""The law as data: every row has a source, no day without a row, and what is computed from them."""

import itertools
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from scheduler import calendar
from server import law
from server.rules import cases, fees, lengths, lists, numbers, priority
from server.rules.ages import age_on
from server.rules.cases import Outcome, coming
from server.rules.deadlines import due, working_days

FOLDER = Path(law.__file__).parent
TABLES = sorted(path.stem for path in FOLDER.glob("*.json"))
NEW, OLD = "can-cuoc-2026", "cccd-2021"
ON = date(2026, 11, 24)


def _sources(entry: object, *, above: bool = False) -> Iterator[bool]:
    """Yield for each row whether it, or the table it stands in, says where it is from."""
    if isinstance(entry, list):
        for item in entry:
            if isinstance(item, dict):
                yield above or bool(item.get("source"))
    if isinstance(entry, dict):
        for value in entry.values():
            yield from _sources(value, above=above or bool(entry.get("source")))


@pytest.mark.parametrize("name", TABLES)
def test_every_row_of_the_law_has_a_source(name: str) -> None:
    found = list(_sources(law.read(name)))
    table = law.read(name)
    assert all(found)
    assert found or table.get("source")


def _spans(rows: list[dict[str, Any]]) -> list[tuple[date, date]]:
    spans = []
    for row in rows:
        last = date.fromisoformat(row["valid_to"]) if row["valid_to"] else date.max
        spans.append((date.fromisoformat(row["valid_from"]), last))
    return sorted(spans)


def _without_gap(spans: list[tuple[date, date]]) -> bool:
    return all(
        last + timedelta(days=1) == first for (_, last), (first, _) in itertools.pairwise(spans)
    )


@pytest.mark.parametrize("kind", ["first", "convert", "exchange", "reissue", "free"])
def test_fees_have_neither_gaps_nor_two_answers(kind: str) -> None:
    rows = [r for r in law.read("fees")["rows"] if (r["kind"], r["for"]) == (kind, "everybody")]
    spans = _spans(rows)
    assert _without_gap(spans)
    assert spans[0][0] <= cases.profile(OLD).valid_from
    assert spans[-1][1] == date.max


@pytest.mark.parametrize("profile", [NEW, OLD])
def test_every_case_of_a_profile_has_a_fee_a_deadline_and_an_outcome_at_any_age(
    profile: str,
) -> None:
    law_of = cases.profile(profile)
    last = law_of.valid_to or date(2030, 12, 31)
    assert len(cases.cases(profile)) > 5
    for case in cases.cases(profile):
        for on in (law_of.valid_from, last):
            assert working_days(profile, case.deadline, on) > 0
            assert all(fees.fee(kind, on) for kind in fees.kinds_of(case.fee))
        for age in range(131):
            assert coming(case.code, date(2026 - age, 1, 1), ON, profile) in Outcome


@pytest.mark.parametrize("deadline", ["standard", "lost", "lost_online"])
def test_deadlines_of_today_have_no_gap(deadline: str) -> None:
    rows = law.read("deadlines")["rows"]
    mine = [r for r in rows if (r["profile"], r["deadline"]) == (NEW, deadline)]
    spans = _spans(mine)
    assert _without_gap(spans)
    assert spans[-1][1] == date.max


@pytest.mark.parametrize(
    ("kind", "on", "vnd", "reduced"),
    [
        ("first", "2026-11-24", 0, None),
        ("convert", "2026-11-24", 15000, 0),
        ("exchange", "2026-11-24", 25000, 0),
        ("reissue", "2026-11-24", 35000, 0),
        ("free", "2026-11-24", 0, None),
        ("exchange", "2026-08-14", 25000, None),
        ("exchange", "2026-08-15", 25000, 0),
        ("exchange", "2026-12-31", 25000, 0),
        ("exchange", "2027-01-01", None, 0),
        ("exchange", "2027-02-28", None, 0),
        ("exchange", "2027-03-01", None, None),
        ("exchange", "2025-06-30", 50000, None),
        ("exchange", "2025-07-01", 25000, None),
        ("reissue", "2022-01-01", 70000, None),
    ],
)
def test_the_fee_of_a_day(kind: str, on: str, vnd: int | None, reduced: int | None) -> None:
    fee = fees.fee(kind, date.fromisoformat(on))
    assert (fee.vnd, fee.digital_citizen_vnd) == (vnd, reduced)


def test_a_fee_of_before_the_tables_is_a_gap_and_said_so() -> None:
    with pytest.raises(LookupError, match="no fee for exchange"):
        fees.fee("exchange", date(2015, 1, 1))
    with pytest.raises(LookupError, match="no deadline"):
        working_days(OLD, "standard", ON)


def test_who_has_a_card_converts_it_and_who_has_none_gets_the_first() -> None:
    assert fees.kinds_of("first_or_convert") == ("first", "convert")
    assert fees.kinds_of("first_or_convert", has_card=True) == ("convert",)
    assert fees.kinds_of("first_or_convert", has_card=False) == ("first",)
    assert fees.kinds_of("reissue", has_card=True) == ("reissue",)


@pytest.mark.parametrize(
    ("born", "on", "age"),
    [
        ("2020-11-25", "2026-11-24", 5),
        ("2020-11-24", "2026-11-24", 6),
        ("2012-11-25", "2026-11-24", 13),
        ("2012-11-24", "2026-11-24", 14),
        ("2020-02-29", "2026-02-28", 5),
        ("2020-02-29", "2026-03-01", 6),
        ("2026-11-24", "2026-11-24", 0),
    ],
)
def test_an_age_is_that_of_the_day(born: str, on: str, age: int) -> None:
    assert age_on(date.fromisoformat(born), date.fromisoformat(on)) == age


@pytest.mark.parametrize(
    ("code", "born", "outcome"),
    [
        ("NEW", "2020-11-25", Outcome.ONLINE_CHILD),
        ("NEW", "2020-11-24", Outcome.COME_ACCOMPANIED),
        ("NEW", "2012-11-25", Outcome.COME_ACCOMPANIED),
        ("NEW", "2012-11-24", Outcome.COME),
        ("U6", "2020-11-25", Outcome.ONLINE_CHILD),
        ("U6", "2020-11-24", Outcome.OTHER_CASE),
        ("EX_AGE", "2012-11-25", Outcome.OTHER_CASE),
        ("EX_AGE", "2012-11-24", Outcome.COME),
        ("EX_UNIT", "1990-01-01", Outcome.ONLINE),
        ("EX_NAME", "1990-01-01", Outcome.COME_CORRECTED),
        ("EX_NAME", "2015-01-01", Outcome.COME_ACCOMPANIED_CORRECTED),
        ("RE_LOST", "1990-01-01", Outcome.MAY_COME),
        ("RE_LOST", "2015-01-01", Outcome.MAY_COME_ACCOMPANIED),
    ],
)
def test_who_must_come(code: str, born: str, outcome: Outcome) -> None:
    assert coming(code, date.fromisoformat(born), ON) is outcome


def test_under_the_law_of_2014_cards_began_at_fourteen() -> None:
    on = date(2023, 5, 1)
    assert coming("NEW", date(2009, 5, 2), on, OLD) is Outcome.TOO_YOUNG
    assert coming("NEW", date(2009, 5, 1), on, OLD) is Outcome.COME
    with pytest.raises(cases.CaseUnknown):
        coming("U6", date(2009, 5, 1), on, OLD)


def test_what_may_be_booked_and_who_comes_along_follows_from_the_outcome() -> None:
    bookable = {outcome for outcome in Outcome if outcome.may_book}
    assert bookable == set(Outcome) - {
        Outcome.ONLINE,
        Outcome.ONLINE_CHILD,
        Outcome.OTHER_CASE,
        Outcome.TOO_YOUNG,
    }
    assert all("accompanied" in o.value for o in Outcome if o.accompanied)


def test_the_first_day_to_come_is_the_birthday() -> None:
    born = date(2020, 12, 15)
    assert cases.first_day_to_come("NEW", born, ON, date(2026, 12, 31)) == date(2026, 12, 15)
    assert cases.first_day_to_come("NEW", born, ON, date(2026, 12, 14)) is None
    assert cases.first_day_to_come("NEW", date(1990, 1, 1), ON, ON) == ON


def test_an_unknown_case_or_profile_is_said_so() -> None:
    for call in (
        lambda: cases.case("NOPE"),
        lambda: cases.cases("no-law"),
        lambda: cases.profile("no-law"),
        lambda: coming("NEW", date(1800, 1, 1), ON),
    ):
        with pytest.raises(cases.CaseUnknown):
            call()


@pytest.mark.parametrize(
    ("complete", "days", "promised"),
    [
        # Tết 2026 is 16 to 20 February; the weekends around it count neither.
        ("2026-02-12", 1, "2026-02-13"),
        ("2026-02-12", 2, "2026-02-23"),
        ("2026-02-12", 7, "2026-03-02"),
        # 22/8/2026 is worked for 31/8; 31/8 to 2/9 are off.
        ("2026-08-20", 2, "2026-08-22"),
        ("2026-08-20", 7, "2026-08-28"),
        ("2026-08-28", 1, "2026-09-03"),
        # 2/1/2026 is off, 10/1 is worked for it.
        ("2025-12-31", 1, "2026-01-05"),
        ("2026-01-09", 1, "2026-01-10"),
        # 24/11 is a holiday since 2026.
        ("2026-11-23", 1, "2026-11-25"),
    ],
)
def test_a_promised_day_is_counted_in_working_days(complete: str, days: int, promised: str) -> None:
    assert due(date.fromisoformat(complete), days, calendar.is_working) == date.fromisoformat(
        promised
    )


def test_a_calendar_without_working_days_is_a_mistake() -> None:
    with pytest.raises(LookupError):
        due(ON, 1, lambda _day: False)


def test_the_lists_are_whole() -> None:
    assert len(lists.provinces()) == 34
    assert len(numbers.prefixes()) == 63
    assert {f"{n:02}" for n in range(1, 55)} < set(lists.ethnic_groups())
    merged = [old for row in law.read("provinces")["rows"] for old in row["merged_from"]]
    assert sorted(merged) == sorted(numbers.prefixes())
    assert sum(row["communes"] for row in law.read("provinces")["rows"]) == 3321
    assert "Không" in lists.religions()
    assert {entry.code for entry in lists.requests()} >= {"e_identity", "dna"}


@pytest.mark.parametrize("text", ["Thanh Hoá", "thanh hóa", "THANH  HOA", "Thanh Hoa\u0301"])
def test_a_name_is_found_however_its_accents_are_written(text: str) -> None:
    assert lists.fold(text) == "thanh hoa"
    assert lists.fold("Đắk Lắk") == "dak lak"


@pytest.mark.parametrize(
    ("age", "needed"), [(6, 30), (13, 30), (14, 15), (35, 15), (59, 15), (60, 30), (101, 30)]
)
def test_children_and_the_old_are_given_half_an_hour(age: int, needed: int) -> None:
    assert lengths.minutes(date(ON.year - age, 1, 1), ON) == needed


def test_there_is_a_length_for_every_age_on_every_day_of_the_present_law() -> None:
    for age in range(131):
        for on in (cases.profile(NEW).valid_from, ON, date(2030, 1, 1)):
            assert lengths.minutes(date(on.year - age, 1, 1), on) > 0


def test_the_length_is_that_of_the_age_on_the_appointment_day() -> None:
    born = date(2012, 12, 1)
    assert lengths.minutes(born, date(2026, 11, 30)) == 30
    assert lengths.minutes(born, date(2026, 12, 1)) == 15


def _first(age: int, *declared: str) -> list[str]:
    found = priority.groups(date(ON.year - age, 1, 1), ON, declared)
    return [group.code for group in found]


def test_age_is_known_and_the_rest_is_believed() -> None:
    assert _first(30) == []
    assert _first(60) == ["elderly"]
    assert _first(10) == ["child"]
    assert _first(30, "disabled", "pregnant") == ["disabled", "pregnant"]
    assert _first(70, "disabled", "pregnant") == ["elderly", "disabled"]
    assert _first(30, "elderly", "officer") == []
    said = {group.code for group in priority.declarable()}
    assert said == {"disabled", "pregnant"}
    assert {group.code for group in priority.by_age()} == {"elderly", "child"}
