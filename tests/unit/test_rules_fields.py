"""What people type: names, dates, numbers, tickets, codes, the text of a card; and status lines."""

import string
import unicodedata
from collections.abc import Callable
from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.life import AppointmentState
from server import law
from server.rules import card_qr, codes, fields, numbers, status, tickets
from server.rules.dossier import DossierState
from server.rules.fields import Refused
from server.rules.persons import person_key
from server.web import shell

TODAY = date(2026, 11, 24)
SECRET = bytes(range(32))
anything = st.text(max_size=300)


@given(anything)
def test_any_text_is_cleaned_or_refused_and_never_breaks(text: str) -> None:
    for read in (fields.line, fields.name, fields.phone, fields.email):
        kept, why = _read(read, text)
        assert why is None or why in shell.words()
        assert kept == unicodedata.normalize("NFC", kept)
        assert not any(unicodedata.category(c) in {"Cc", "Cf", "Cs"} for c in kept)


def _read(read: Callable[[str], str | None], text: str) -> tuple[str, str | None]:
    """Return what was kept of the text, and why it was refused."""
    try:
        return read(text) or "", None
    except Refused as refused:
        return "", str(refused)


@pytest.mark.parametrize(
    "name",
    [
        "Nguyễn Thị Minh Khuê",
        "H'Mai Niê",
        "Y-Bhăm Êban",
        "K’Brểu",
        "Sơn Thị Sa Rây",
        "Đỗ",
        "Anna-Lê",
    ],
)
def test_names_of_every_people_are_let_in(name: str) -> None:
    assert fields.name(unicodedata.normalize("NFD", f"  {name} ")) == name.replace("’", "'")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "name.empty"),
        (" \u200b ", "name.empty"),
        ("An 2", "name.characters"),
        ("An;", "name.characters"),
        ("Аn", "name.characters"),  # a Cyrillic letter that looks Latin
        ("--", "name.characters"),
        ("🙂", "name.characters"),
        ("A" * 101, "field.too_long"),
    ],
)
def test_other_names_are_refused_with_a_reason(name: str, why: str) -> None:
    with pytest.raises(Refused) as refused:
        fields.name(name)
    assert str(refused.value) == why


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Nguyễn Thị Hòa", "NGUYỄN THỊ HOÀ", True),
        ("Nguyễn Thúy", "Nguyễn Thuý", True),
        ("Lê Khoẻ", "lê khỏe", True),
        ("H’Mai  Niê", "H'Mai Niê", True),
        ("Nguyễn Thị Hòa", "Nguyễn Thị Hóa", False),
        ("Nguyễn Thị Hoa", "Nguyễn Thị Hòa", False),
        ("Trần Dũng", "Trần Dụng", False),
        ("Trần Đức", "Trần Dức", False),
        ("Quý", "Qúy", True),
    ],
)
def test_names_are_the_same_but_for_case_and_where_the_tone_stands(
    one: str, other: str, *, same: bool
) -> None:
    assert fields.same_name(one, other) is same
    assert fields.same_name(unicodedata.normalize("NFD", one), other) is same


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("0912345678", "0912345678"),
        ("+84 912 345 678", "0912345678"),
        ("0912.345-678", "0912345678"),
        ("(0912) 345678", "0912345678"),
    ],
)
def test_a_mobile_number_is_kept_in_one_form(typed: str, kept: str) -> None:
    assert fields.phone(typed) == kept


@pytest.mark.parametrize("typed", ["123", "0212345678", "09123456789", "٠٩١٢٣٤٥٦٧٨", "0912345678x"])
def test_other_numbers_are_no_mobile_numbers(typed: str) -> None:
    with pytest.raises(Refused, match=r"phone\.wrong"):
        fields.phone(typed)


def test_an_e_mail_address_is_optional_and_must_be_one() -> None:
    assert fields.email(" ") is None
    assert fields.email("ten@example.com") == "ten@example.com"
    for typed in ("x", "a@b", "a b@example.com", "a@-x.com", "a@example.com\nBcc: b@example.com"):
        with pytest.raises(Refused, match=r"email\.wrong"):
            fields.email(typed)


def _born(day: str = "", month: str = "", year: str = "") -> fields.BirthDate:
    parts = {"b_day": day, "b_month": month, "b_year": year}
    return fields.birth_date(parts, "b", today=TODAY)


def test_a_birth_date_may_be_a_year() -> None:
    assert _born("7", "03", "1958") == fields.BirthDate(day=date(1958, 3, 7), year_only=False)
    assert _born(year="1941") == fields.BirthDate(day=date(1941, 1, 1), year_only=True)
    assert _born("24", "11", "2026").day == TODAY


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        (("", "", ""), "birth.empty"),
        (("31", "2", "1990"), "birth.wrong"),
        (("29", "2", "2023"), "birth.wrong"),
        (("x", "2", "1990"), "birth.wrong"),
        (("٣", "2", "1990"), "birth.wrong"),
        (("1", "2", "90"), "birth.incomplete"),
        (("1", "", "1990"), "birth.incomplete"),
        (("1", "2", ""), "birth.incomplete"),
        (("25", "11", "2026"), "birth.future"),
        (("", "", "1800"), "birth.too_old"),
        (("1", "2", "0000"), "birth.wrong"),
        (("9" * 400, "2", "1990"), "field.too_long"),
    ],
)
def test_other_dates_are_refused_with_a_reason(parts: tuple[str, str, str], why: str) -> None:
    with pytest.raises(Refused) as refused:
        _born(*parts)
    assert str(refused.value) == why


def test_a_personal_number_has_twelve_digits_however_they_are_grouped() -> None:
    assert numbers.parse(" 001 093-000.123 ") == "001093000123"
    for text in ("", "00109300012", "0010930001234", "00109300012x", "٠٠١٠٩٣٠٠٠١٢٣", "1" * 9999):
        with pytest.raises(numbers.NumberInvalid):
            numbers.parse(text)


@pytest.mark.parametrize(
    ("number", "province", "sex", "year"),
    [
        ("001093000123", "Hà Nội", "male", 1993),
        ("001193000123", "Hà Nội", "female", 1993),
        ("080205000123", "Long An", "male", 2005),
        ("001320000123", "Hà Nội", "female", 2020),
        ("258303990013", None, "female", 2003),
    ],
)
def test_what_a_number_says(number: str, province: str | None, sex: str, year: int) -> None:
    said = numbers.meaning(number)
    assert (said.province, said.sex, said.year) == (province, sex, year)


def test_what_does_not_fit_a_number_is_a_doubt_and_no_more() -> None:
    born = date(1993, 1, 1)
    assert numbers.doubts("001093000123", born, "male") == ()
    assert numbers.doubts("258193000123", date(1994, 1, 1), "male") == tuple(numbers.Doubt)
    assert numbers.doubts("001093000123", born) == ()


def test_a_person_is_known_by_a_key_that_tells_nobody_the_number() -> None:
    key = person_key(SECRET, "001093000123")
    assert len(key) == 32
    assert key == person_key(SECRET, "001093000123")
    assert key != person_key(SECRET[::-1], "001093000123")
    assert b"001093000123" not in key


@given(st.uuids())
def test_a_ticket_is_read_however_it_is_written(appointment: UUID) -> None:
    ticket = tickets.derive(SECRET, appointment)
    assert set(ticket) <= set(tickets.ALPHABET)
    shown = tickets.show(ticket)
    for text in (ticket, shown, shown.lower(), f"THUNHAN:1:{ticket}", shown.replace("-", " – ")):
        assert tickets.parse(text) == ticket
    heard = ticket.replace("0", "o").replace("1", "l")
    assert tickets.parse(heard) == ticket


@given(
    st.uuids(),
    st.integers(0, tickets.LENGTH),
    st.sampled_from(tickets.ALPHABET),
)
def test_one_wrong_character_of_a_ticket_is_noticed(
    appointment: UUID, place: int, character: str
) -> None:
    ticket = tickets.derive(SECRET, appointment)
    changed = ticket[:place] + character + ticket[place + 1 :]
    if changed != ticket:
        with pytest.raises(tickets.TicketInvalid):
            tickets.parse(changed)


@given(st.uuids(), st.integers(0, tickets.LENGTH - 2))
def test_two_swapped_neighbours_of_a_ticket_are_noticed(appointment: UUID, place: int) -> None:
    ticket = tickets.derive(SECRET, appointment)
    swapped = ticket[:place] + ticket[place + 1] + ticket[place] + ticket[place + 2 :]
    if swapped != ticket:
        with pytest.raises(tickets.TicketInvalid):
            tickets.parse(swapped)


@given(anything)
def test_other_text_is_no_ticket(text: str) -> None:
    try:
        ticket = tickets.parse(text)
    except tickets.TicketInvalid:
        return
    assert tickets.parse(ticket) == ticket


def test_another_secret_or_appointment_gives_another_ticket() -> None:
    one, other = UUID(int=1), UUID(int=2)
    found = {tickets.derive(s, a) for s in (SECRET, SECRET[::-1]) for a in (one, other)}
    assert len(found) == 4
    assert tickets.digest("A") != tickets.digest("B")


@given(st.dates(date(2026, 1, 1), date(2099, 12, 31)), st.integers(1, codes.LARGEST))
def test_a_dossier_code_is_read_however_it_is_written(day: date, number: int) -> None:
    code = codes.dossier_code(codes.UNIT, day, number)
    assert codes.parse(f" {code.lower().replace('-', ' – ')} ") == code


def test_other_texts_are_no_codes_and_a_day_has_an_end() -> None:
    for text in ("", "DEMO", "x" * 999, "DEMO.001.026-261124-00012", "DEMO.001.026-261124-000123;"):
        with pytest.raises(codes.CodeInvalid):
            codes.parse(text)
    for number in (0, codes.LARGEST + 1):
        with pytest.raises(codes.CodeInvalid):
            codes.dossier_code(codes.UNIT, TODAY, number)


CARD = "001093000123|012345678|Nguyễn Văn An|07031993|Nam|Số 1, Giả Định|01012022"


@pytest.mark.parametrize("text", [CARD.rpartition("|")[0], CARD, CARD + "|x|y", f" {CARD}\n"])
def test_a_card_of_six_seven_or_more_fields_is_read(text: str) -> None:
    card = card_qr.parse(text)
    assert card.personal_number == "001093000123"
    assert card.old_number == "012345678"
    assert card.full_name == "Nguyễn Văn An"
    assert card.birth_date == date(1993, 3, 7)
    assert card.sex == "male"
    assert len(card.extra) == text.count("|") - 5


@pytest.mark.parametrize(
    "text",
    [
        "",
        "|" * 8,
        CARD.replace("|", ";"),
        CARD.replace("001093000123", "00109300012"),
        CARD.replace("07031993", "31021993"),
        CARD.replace("07031993", "7/3/1993"),
        CARD.replace("07031993", "٠٧٠٣١٩٩٣"),
        CARD.replace("Nguyễn Văn An", ""),
        CARD.replace("Nguyễn Văn An", "1234"),
        "|".join(CARD.split("|")[:5]),
        CARD + "x" * 3000,
    ],
)
def test_anything_else_is_no_card(text: str) -> None:
    with pytest.raises(card_qr.QrUnreadable):
        card_qr.parse(text)


@given(st.text(alphabet=string.printable + "|ễĐ\x00", max_size=300))
def test_a_card_reader_never_breaks(text: str) -> None:
    try:
        card_qr.parse(text)
    except card_qr.QrUnreadable:
        return
    assert text.count("|") >= card_qr.FEWEST - 1


@pytest.mark.parametrize("dossier", DossierState)
@pytest.mark.parametrize("appointment", [None, *AppointmentState])
def test_every_pair_of_states_has_a_line_in_words(
    dossier: DossierState, appointment: AppointmentState | None
) -> None:
    line = status.line(dossier, appointment)
    assert line.national_name.vi
    for part in ("title", "text", "next"):
        assert f"status.{line.key}.{part}" in shell.words()
    if line.may_book:
        assert dossier is DossierState.FILED
        assert appointment not in {AppointmentState.BOOKED, AppointmentState.ARRIVED}


def test_no_status_text_is_without_a_state() -> None:
    used = {status.line(d, a).key for d in DossierState for a in (None, *AppointmentState)}
    said = {key.split(".")[1] for key in shell.words() if key.startswith("status.")}
    assert said == used
    assert {row["code"] for row in law.read("statuses")["rows"]} == set(range(1, 11))


def test_officers_may_choose_among_these_messages() -> None:
    codes_of = {key.removeprefix("message.") for key in shell.words() if key.startswith("message.")}
    assert codes_of == {
        *("portrait_blurred", "portrait_eyes", "portrait_background", "portrait_other"),
        *("fingers_unclear", "fingers_swapped", "not_same_person"),
        *("data_wrong", "papers_missing", "other"),
    }
