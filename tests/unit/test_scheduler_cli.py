"""Places from the command line: what is typed is done, or refused in a sentence."""

import argparse
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from scheduler import offers, places
from scheduler.database import reading, transaction
from server import clock
from server.cli import places as commands
from server.settings import Settings
from tests.races.station import THURSDAY, booked, slot

HOURS = "hours-add --place HN-01 --opens 08:00 --closes 10:00 --step 15 --capacity 2"
Run = Callable[[str], int]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    commands.add(parser.add_subparsers(required=True))
    return parser


@pytest.fixture
def run(database_url: str, tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(clock, "now", lambda: now)
    settings = Settings(
        database=database_url,
        data=tmp_path,
        secret_file=tmp_path / "secret",
        unseal_socket=tmp_path / "socket",
    )

    def run(line: str) -> int:
        parsed = _parser().parse_args(line.split())
        return int(parsed.run(parsed, settings))

    return run


@pytest.fixture
def station(run: Run) -> Run:
    """The same, with a place that is open on weekday mornings."""
    assert run("place-add --code HN-01 --name Một --address Hà-Nội --province 01") == 0
    assert run(HOURS) == 0
    return run


def _free(engine: sa.Engine, now: datetime, days_later: int = 0) -> int:
    day = THURSDAY + timedelta(days=days_later)
    with reading(engine) as session:
        (found,) = offers.days(session, "HN-01", first=day, last=day, now=now)
    return found.free


@pytest.mark.usefixtures("station")
def test_a_place_with_hours_is_offered_at_once(engine: sa.Engine, now: datetime) -> None:
    assert _free(engine, now) == 16
    assert _free(engine, now, days_later=2) == 0


def test_hours_on_other_days_and_in_a_time_of_their_own(
    engine: sa.Engine, now: datetime, station: Run
) -> None:
    extra = f"{HOURS} --days sat --first 2026-11-28 --last 2026-11-28"
    assert station(extra) == 0
    assert [_free(engine, now, days_later=n) for n in (2, 9)] == [16, 0]


def test_who_is_in_hours_taken_away_has_to_be_told(
    engine: sa.Engine, now: datetime, station: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    with transaction(engine) as session:
        booked(session, 7, slot(3), now)
    assert station("place-close --code HN-01") == 0
    assert "has to be told: HN-01 26/11/2026 08:45 dossier-7" in capsys.readouterr().out
    assert _free(engine, now) == 0
    assert station("place-reopen --code HN-01") == 0
    assert _free(engine, now) == 15
    assert station("hours-end --rule 1 --last 2026-11-25") == 0
    assert "dossier-7" in capsys.readouterr().out
    assert _free(engine, now) == 0


def test_no_command_takes_a_dry_run_and_changes_something(
    engine: sa.Engine, now: datetime, station: Run
) -> None:
    day = f"--day {THURSDAY} --scope nation"
    for line in (
        HOURS,
        "hours-end --rule 1 --last 2026-11-25",
        "place-close --code HN-01",
        f"day-add {day} --kind closed --words Bão --source CĐ-07",
        f"day-remove {day}",
    ):
        assert station(f"{line} --dry-run") == 0
        assert _free(engine, now) == 16
    assert station("place-close --code HN-01") == 0
    with pytest.raises(SystemExit):
        station("place-reopen --code HN-01 --dry-run")
    assert _free(engine, now) == 0


def test_a_day_is_closed_and_opened_again(engine: sa.Engine, now: datetime, station: Run) -> None:
    for scope in ("nation", "province --code 01", "place --code HN-01"):
        day = f"--day {THURSDAY} --scope {scope}"
        assert station(f"day-add {day} --kind closed --words Bão --source CĐ-07") == 0
        with reading(engine) as session:
            (found,) = offers.days(session, "HN-01", first=THURSDAY, last=THURSDAY, now=now)
        assert (found.free, found.closed, found.closed_en) == (0, "Bão", "Bão")
        assert station(f"day-remove {day}") == 0
        assert _free(engine, now) == 16


def test_a_short_day_and_a_make_up_day(engine: sa.Engine, now: datetime, station: Run) -> None:
    here = "--scope place --code HN-01 --source CV-1"
    assert station(f"day-add --day {THURSDAY} {here} --kind short_day --closes 09:00") == 0
    assert station(f"day-add --day 2026-11-28 {here} --kind make_up_day --as-weekday fri") == 0
    assert [_free(engine, now, days_later=n) for n in (0, 2)] == [8, 16]


REFUSED = (
    ("place-add --code HN-01 --name x --address x --province 01", "there already"),
    (HOURS.replace("HN-01", "HN-99"), "no place HN-99"),
    (HOURS.replace("15", "0"), "makes no sense"),
    (HOURS.replace("10:00", "07:00"), "makes no sense"),
    ("hours-end --rule 99 --last 2026-12-01", "no rule 99"),
    ("place-close --code HN-99", "no place HN-99"),
    ("day-add --day 2026-12-01 --scope place --kind closed --source x", "no place"),
    ("day-add --day 2026-12-01 --scope nation --kind short_day --source x", "makes no sense"),
    ("day-remove --day 2026-12-01 --scope place --code HN-99", "no place HN-99"),
)


def test_what_cannot_be_is_refused_and_changes_nothing(
    engine: sa.Engine, now: datetime, station: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    for line, said in REFUSED:
        assert station(line) == 1
        assert said in capsys.readouterr().err
    assert _free(engine, now) == 16
    with reading(engine) as session:
        assert len(places.rules(session, "HN-01")) == 1


@pytest.mark.parametrize(
    "line",
    [
        "place-add --code ../etc --name x --address x --province 01",
        f"place-add --code {'x' * 17} --name x --address x --province 01",
        HOURS.replace("08:00", "8-giờ"),
        f"{HOURS} --days mon,thứ-ba",
        "day-add --day 2026-13-01 --scope nation --kind closed --source x",
        "day-add --day 2026-12-01 --scope world --kind closed --source x",
    ],
)
def test_what_is_no_code_time_day_or_scope_is_not_taken(line: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        _parser().parse_args(line.split())
