"""The population registry: its client over the stand-in's every mode, and hostile answers."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from werkzeug.serving import make_server

from scheduler.database import reading, transaction
from server.cases import registry_check
from server.cases.registry_check import Finding
from server.registry import client, people, simulator
from server.registry.client import RegistryClient
from server.registry.port import AskedInTransaction, Kept, Person, RegistryDown, RegistryGarbled
from server.registry.simulator import Day, Mode
from server.rules import numbers
from server.rules.ages import age_on
from server.rules.fields import BirthDate
from server.rules.numbers import Doubt

TODAY = date(2026, 11, 24)
PEOPLE = people.people(30, 1, TODAY)
KHUE = PEOPLE[0]
JPEG = b"\xff\xd8\xff\xe0 a portrait"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    people.write(tmp_path, PEOPLE)
    (tmp_path / "portraits" / f"{KHUE.personal_number}.jpg").write_bytes(JPEG)
    return tmp_path


@pytest.fixture
def day() -> Day:
    return Day()


@pytest.fixture
def registry(folder: Path, day: Day) -> Iterator[RegistryClient]:
    app = simulator.create_app(folder, day)
    with RegistryClient("http://registry", httpx.WSGITransport(app)) as opened:
        yield opened


def _answering(*pieces: bytes, status: int = 200) -> RegistryClient:
    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, content=iter(pieces))

    return RegistryClient("http://registry", httpx.MockTransport(answer))


def test_a_person_and_a_portrait_are_found(registry: RegistryClient) -> None:
    assert registry.find(KHUE.personal_number) == KHUE
    assert registry.portrait(KHUE.personal_number) == JPEG
    assert registry.find("0" * 12) is None
    assert registry.portrait(PEOPLE[1].personal_number) is None


@pytest.mark.parametrize("mode", [Mode.FAILING, Mode.GARBLED])
def test_a_bad_day_is_no_answer(registry: RegistryClient, day: Day, mode: Mode) -> None:
    day.mode = mode
    for ask in (registry.find, registry.portrait):
        with pytest.raises(RegistryDown):
            ask(KHUE.personal_number)


def test_wrong_data_are_told_like_an_unknown_number(registry: RegistryClient, day: Day) -> None:
    def checked(number: str = KHUE.personal_number) -> registry_check.Checked:
        born = BirthDate(day=KHUE.birth_date, year_only=False)
        return registry_check.check(registry, number=number, name=KHUE.full_name, birth=born)

    right = checked()
    assert (right.finding, right.person, right.doubts) == (Finding.SAME, KHUE, ())
    day.mode = Mode.WRONG_DATA
    assert checked() == checked("0" * 12)
    assert checked().finding is Finding.DIFFERENT
    day.mode = Mode.FAILING
    assert checked().finding is Finding.DOWN


def test_a_slow_answer_is_not_waited_for(
    folder: Path, day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "ANSWER_WITHIN", 0.2)
    day.mode = Mode.SLOW
    server = make_server("127.0.0.1", 0, simulator.create_app(folder, day), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with (
            RegistryClient(f"http://127.0.0.1:{server.port}") as registry,
            pytest.raises(RegistryDown, match="Timeout"),
        ):
            registry.find(KHUE.personal_number)
    finally:
        day.waiting.set()
        server.shutdown()
        thread.join()
        server.server_close()


def test_nobody_listening_is_no_answer() -> None:
    with RegistryClient("http://127.0.0.1:1") as registry, pytest.raises(RegistryDown):
        registry.find(KHUE.personal_number)


def test_an_answer_in_drops_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "WHOLE_WITHIN", -1.0)
    with _answering(b"{", b"}") as registry, pytest.raises(RegistryDown, match="drops"):
        registry.find(KHUE.personal_number)


def test_an_endless_answer_is_not_read_to_its_end() -> None:
    pieces = (b"x" * 1024 * 1024 for _ in range(100))
    with _answering(*pieces) as registry, pytest.raises(RegistryGarbled, match="too long"):
        registry.find(KHUE.personal_number)


@pytest.mark.parametrize(
    ("status", "body"),
    [(404, b"no such page"), (404, b""), (500, b'{"found":false}'), (302, b""), (401, b"{}")],
)
def test_only_the_registrys_own_word_says_that_nobody_has_a_number(
    status: int, body: bytes
) -> None:
    with _answering(body, status=status) as registry, pytest.raises(RegistryDown):
        registry.find(KHUE.personal_number)


FIELDS = KHUE.as_json()


@pytest.mark.parametrize(
    "change",
    [
        {"full_name": None},
        {"full_name": ""},
        {"full_name": "An\x00"},
        {"full_name": "A" * 201},
        {"full_name": ["An"]},
        {"personal_number": PEOPLE[1].personal_number},
        {"personal_number": "12"},
        {"personal_number": 79193990001},
        {"birth_date": None},
        {"birth_date": "1993-02-31"},
        {"birth_date": 19930701},
        {"birth_year_only": "no"},
        {"sex": "x"},
        {"nationality": []},
        {"nationality": 5},
        {"relatives": [{"name": "An"}]},
        {"relatives": [{"relation": "mother", "name": 5}]},
        {"relatives": ["mother"]},
        {"home_town": 5},
        {"occupation": {}},
        {"admin": True},
    ],
    ids=str,
)
def test_what_is_no_person_is_garbled(change: dict[str, Any]) -> None:
    answer = httpx.Response(200, json=FIELDS | change).content
    with _answering(answer) as registry, pytest.raises(RegistryGarbled):
        registry.find(KHUE.personal_number)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"\xff\xfe", b'{"a":' * 2000, b"5"])
def test_what_is_no_object_is_garbled(body: bytes) -> None:
    with _answering(body) as registry, pytest.raises(RegistryGarbled):
        registry.find(KHUE.personal_number)


def test_what_is_no_picture_is_garbled() -> None:
    with _answering(b"<html>") as registry, pytest.raises(RegistryGarbled):
        registry.portrait(KHUE.personal_number)


@pytest.mark.parametrize("number", ["", "1", "../../../etc", "1" * 13, "١" * 12])
def test_only_twelve_digits_reach_an_address(registry: RegistryClient, number: str) -> None:
    with pytest.raises(ValueError, match="twelve digits"):
        registry.find(number)


def test_nobody_asks_while_the_database_is_held(
    registry: RegistryClient, engine: sa.Engine
) -> None:
    for held in (transaction, reading):
        with held(engine) as session:
            session.execute(sa.text("SELECT 1"))
            with pytest.raises(AskedInTransaction):
                registry.find(KHUE.personal_number)
        assert registry.find(KHUE.personal_number) == KHUE


def test_after_a_failed_transaction_one_may_ask(
    registry: RegistryClient, engine: sa.Engine
) -> None:
    with pytest.raises(sa.exc.DBAPIError), transaction(engine) as session:
        session.execute(sa.text("SELECT * FROM nothing"))
    assert registry.find(KHUE.personal_number) == KHUE


def test_the_day_is_changed_from_outside(folder: Path) -> None:
    ask = simulator.create_app(folder).test_client()
    assert ask.post("/mode", json={"mode": "slow", "seconds": 0}).get_json()["mode"] == "slow"
    assert ask.get("/").get_json() == {"simulated": True, "people": 30, "mode": "slow"}
    refused: tuple[object, ...] = (
        {},
        {"mode": "x"},
        {"mode": []},
        {"mode": "slow", "seconds": 1e9},
        [],
        "x",
    )
    for wrong in refused:
        assert ask.post("/mode", json=wrong).status_code == 400
    assert ask.post("/mode", data=b"\xff").status_code == 400
    assert ask.get(f"/people/{KHUE.personal_number}").status_code == 200
    assert ask.get("/people/..%2F..%2Fsecret/portrait").status_code == 404


def test_who_knows_only_the_year_is_compared_by_the_year() -> None:
    old = replace(KHUE, birth_year_only=True, birth_date=date(1941, 1, 1))
    kept = Kept(people={KHUE.personal_number: old})

    def found(born: BirthDate) -> Finding:
        check = registry_check.check(
            kept, number=KHUE.personal_number, name=KHUE.full_name, birth=born
        )
        return check.finding

    assert found(BirthDate(day=date(1941, 1, 1), year_only=True)) is Finding.SAME
    assert found(BirthDate(day=date(1941, 6, 2), year_only=False)) is Finding.SAME
    assert found(BirthDate(day=date(1942, 1, 1), year_only=True)) is Finding.DIFFERENT


def test_a_year_does_not_do_for_who_has_a_birthday() -> None:
    kept = Kept(people={KHUE.personal_number: KHUE})
    born = BirthDate(day=date(KHUE.birth_date.year, 1, 1), year_only=True)
    check = registry_check.check(kept, number=KHUE.personal_number, name=KHUE.full_name, birth=born)
    assert check.finding is Finding.DIFFERENT


def test_the_cast_is_the_same_for_a_seed_and_fits_its_numbers() -> None:
    assert people.people(30, 1, TODAY) == PEOPLE
    assert people.people(30, 2, TODAY) != PEOPLE
    assert len({person.personal_number for person in PEOPLE}) == 30
    for person in PEOPLE:
        doubts = numbers.doubts(person.personal_number, person.birth_date, person.sex)
        assert set(doubts) <= {Doubt.PREFIX}
        assert Person.from_json(person.as_json()) == person
        if age_on(person.birth_date, TODAY) < 18:
            assert person.relatives[0].relation == "mother"
    ages = {age_on(person.birth_date, TODAY) for person in PEOPLE}
    assert min(ages) < 6
    assert max(ages) > 80
    assert any(person.birth_year_only for person in PEOPLE)


def test_people_are_written_by_a_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert people.main(["--count", "3", "--out", str(tmp_path)]) == 0
    assert len(people.read(tmp_path)) == 3
