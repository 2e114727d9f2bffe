"""The programs' door: who has a key comes in, at a pace, with requests that make sense."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from scheduler.database import Base, connect, reading, transaction
from server.cases import programs
from server.store.tables import KeyKind
from server.web.api import desk as api_desk
from tests.web.api_stage import BOOKINGS, Programs, opened, problem, proof, slot
from tests.web.citizens import HANOI


@pytest.fixture
def there(tmp_path: Path, now: datetime) -> Iterator[Programs]:
    # On one engine: what is refused here is refused before any database is asked.
    url = f"sqlite:///{tmp_path}/test.db"
    engine = connect(url)
    Base.metadata.create_all(engine)
    engine.dispose()
    with opened(url, tmp_path, now) as there:
        yield there


# Who may call, and how often.


@pytest.mark.parametrize(
    "said",
    [
        "",
        "Bearer",
        "Bearer x",
        "Basic dXNlcjpwYXNz",
        "Bearer thunhan_" + "A" * 43,
        "Bearer thunhan_" + "A" * 9000,
        "bearer\x00",
    ],
)
def test_whoever_has_no_key_is_refused(there: Programs, said: str) -> None:
    for method, path in (("GET", "/api/v1/stations"), ("POST", BOOKINGS)):
        answer = there.app.test_client().open(
            path, method=method, headers={"Authorization": said.replace("\x00", "")}
        )
        problem(answer, 401, "key_wrong")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_key_is_kept_as_a_digest_only(there: Programs) -> None:
    with reading(there.office.engine) as session:
        rows = session.execute(sa.text("SELECT * FROM api_key")).all()
    for key in there.keys.values():
        assert key not in repr(rows)
        assert key.removeprefix(programs.PREFIX) not in repr(rows)


def test_a_revoked_key_is_refused_within_seconds(there: Programs) -> None:
    assert there.ask("GET", "/api/v1/stations").status_code == 200
    with transaction(there.office.engine) as session:
        programs.revoke(session, name="partner", now=there.office.clock.now)
    there.office.clock.goes_on(seconds=api_desk.KEY_SECONDS)
    problem(there.ask("GET", "/api/v1/stations"), 401, "key_wrong")
    assert there.ask("GET", "/api/v1/stations", by="hotline").status_code == 200


def test_a_program_that_asks_too_often_is_slowed_and_no_other(there: Programs) -> None:
    with transaction(there.office.engine) as session:
        there.keys["slow"] = programs.add(
            session, name="slow", kind=KeyKind.PARTNER, a_minute=6, now=there.office.clock.now
        )
    assert there.ask("GET", "/api/v1/stations", by="slow").status_code == 200
    answer = there.ask("GET", "/api/v1/stations", by="slow")
    problem(answer, 429, "too_many")
    assert answer.headers["Retry-After"] == "10"
    assert there.ask("GET", "/api/v1/stations").status_code == 200
    there.office.clock.goes_on(seconds=10)
    assert there.ask("GET", "/api/v1/stations", by="slow").status_code == 200


# Hostile requests.


GOOD = json.dumps({**proof(), **slot(8)})


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (GOOD, {"Content-Type": "text/plain"}, 415, "body_type"),
        (GOOD, {"Content-Type": ""}, 415, "body_type"),
        (GOOD, {"Content-Encoding": "gzip"}, 415, "body_type"),
        (GOOD + " " * 5000, {}, 413, "body_large"),
        ("", {}, 400, "body_wrong"),
        (GOOD[:40], {}, 400, "body_wrong"),
        ("[]", {}, 400, "body_wrong"),
        ("null", {}, 400, "body_wrong"),
        ("[" * 4000, {}, 400, "body_wrong"),
        ("NaN", {}, 400, "body_wrong"),
        (GOOD[:-1] + ', "dossier": "x"}', {}, 400, "body_wrong"),
        (GOOD.encode("utf-16"), {}, 400, "body_wrong"),
        (b'{"dossier": "\xff"}', {}, 400, "body_wrong"),
        ("{}", {}, 422, "field_wrong"),
        (GOOD[:-1] + ', "admin": "yes"}', {}, 422, "field_wrong"),
        (GOOD, {"Idempotency-Key": ""}, 400, "idempotency_key"),
        (GOOD, {"Idempotency-Key": "short"}, 400, "idempotency_key"),
        (GOOD, {"Idempotency-Key": "x" * 129}, 400, "idempotency_key"),
        (GOOD, {"Idempotency-Key": "with a space"}, 400, "idempotency_key"),
    ],
)
def test_a_request_that_is_not_as_agreed_changes_nothing(
    there: Programs, body: str | bytes, headers: dict[str, str], status: int, code: str
) -> None:
    answer = there.app.test_client().post(
        BOOKINGS,
        data=body,
        headers={
            "Authorization": f"Bearer {there.keys['partner']}",
            "Idempotency-Key": "request-0001",
            "Content-Type": "application/json",
            **headers,
        },
    )
    problem(answer, status, code)
    assert there.taken() == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("dossier", "x"),
        ("dossier", ""),
        ("dossier", 1),
        ("dossier", None),
        ("dossier", {"$ne": ""}),
        ("dossier", "DEMO.001.026-261101-000001\x00"),
        ("birth_date", "31/01/1990"),
        ("birth_date", "1990-02-31"),
        ("birth_date", "1990-1-31"),
        ("birth_date", "2090-01-31"),
        ("birth_date", "0000"),
        ("birth_date", "١٩٩٠"),
        ("station", "A" * 17),
        ("station", "' OR 1=1 --"),
        ("station", ["HN01"]),
        ("starts_at", "tomorrow"),
        ("starts_at", "2026-11-27T08:00:00"),
        ("starts_at", "9999-12-31T23:59:59-23:59"),
        ("starts_at", "0001-01-01T00:00:00+23:59"),
        ("starts_at", "2026-11-27T08:00:00+07:00" + " " * 100),
        ("lane", "x y"),
        ("lane", ""),
    ],
)
def test_a_field_that_makes_no_sense_is_named(there: Programs, field: str, value: object) -> None:
    said = {**proof(), **slot(8), field: value}
    answer = there.ask("POST", BOOKINGS, said, **{"Idempotency-Key": "request-0001"})
    assert problem(answer, 422, "field_wrong")["field"] == field
    assert there.taken() == 0


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("PATCH", BOOKINGS, 405, "method_wrong"),
        ("DELETE", BOOKINGS, 405, "method_wrong"),
    ],
)
def test_what_the_framework_refuses_is_a_problem_too(
    there: Programs, method: str, path: str, status: int, code: str
) -> None:
    answer = there.ask(method, path)
    problem(answer, status, code)
    if status == 405:
        assert "POST" in answer.headers["Allow"]


def test_the_title_is_in_the_language_that_was_asked_for(there: Programs) -> None:
    vi = there.ask("GET", "/nothing").get_json()
    en = there.ask("GET", "/nothing?lang=en").get_json()
    assert (vi["title"], en["title"]) == (vi["vi"], vi["en"])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("/api/v1/stations?limit=0", "limit"),
        ("/api/v1/stations?limit=nan", "limit"),
        ("/api/v1/stations?latitude=21", "longitude"),
        ("/api/v1/stations?latitude=91&longitude=0", "latitude"),
        ("/api/v1/stations?province=' OR 1=1", "province"),
        (f"/api/v1/stations?q={'a' * 81}", "q"),
        ("/api/v1/stations?q=%00", "q"),
        ("/api/v1/stations?soonest=maybe", "soonest"),
        (f"/api/v1/stations/{HANOI}/days?first=2026-13-01", "first"),
        (f"/api/v1/stations/{HANOI}/days?last=2027-12-01", "last"),
        (f"/api/v1/stations/{HANOI}/days?minutes=100000", "minutes"),
        (f"/api/v1/stations/{HANOI}/times", "day"),
        (f"/api/v1/stations/{HANOI}/times?day=9999-12-31", "day"),
        (f"/api/v1/stations/{HANOI}/times?day=2020-01-01", "day"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused_by_name(
    there: Programs, query: str, field: str
) -> None:
    assert problem(there.ask("GET", query), 422, "field_wrong")["field"] == field
