"""The worker: what is due is done, and one failure stops nothing else."""

import logging
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import booking, places, stranded
from scheduler.database import reading, transaction
from scheduler.horizon import Opened
from scheduler.life import AppointmentState
from scheduler.places import Unlike
from scheduler.tables import Kind, Scope, SlotRow
from server.cases import filing, hours
from server.cli import worker
from server.cli.worker import Duty, Rounds
from server.rules.dossier import DossierState
from server.store.tables import Dossier, Throttle
from tests.races.station import (
    CODE,
    MORNINGS,
    THURSDAY,
    add_place,
    booked,
    furnish,
    hold,
    slot,
    taken,
)

SECOND = timedelta(seconds=1)


def test_a_first_round_opens_the_days_ahead(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        add_place(session)
        places.add_rule(session, CODE, MORNINGS)
    done = Rounds(engine).once(now)
    with reading(engine) as session:
        opened = session.scalars(sa.select(sa.func.count()).select_from(SlotRow)).one()
        last = session.scalars(sa.select(sa.func.max(SlotRow.starts_at))).one()
    assert done["slots opened"] == opened > 200
    assert timedelta(days=40) < last - now < timedelta(days=43)


def _opened(engine: sa.Engine, now: datetime) -> Rounds:
    """A place with mornings, opened by a first round."""
    with transaction(engine) as session:
        add_place(session)
        places.add_rule(session, CODE, MORNINGS)
    rounds = Rounds(engine)
    rounds.once(now)
    return rounds


def test_holds_that_ran_out_are_freed_and_yesterdays_no_shows_missed(
    engine: sa.Engine, now: datetime
) -> None:
    rounds = _opened(engine, now)
    with transaction(engine) as session:
        hold(session, 1, slot(), now)
        mine = booked(session, 2, slot(1), now)
    rounds.once(now + timedelta(minutes=11))
    with reading(engine) as session:
        assert sum(taken(session)) == 1
    rounds.once(slot(3).starts_at)
    with reading(engine) as session:
        assert booking.find(session, mine).state is AppointmentState.BOOKED
    rounds.once(slot().starts_at + timedelta(days=1))
    with reading(engine) as session:
        assert booking.find(session, mine).state is AppointmentState.MISSED
        assert sum(taken(session)) == 0


def test_whose_day_was_closed_is_not_missed_before_an_officer_settled_it(
    engine: sa.Engine, now: datetime
) -> None:
    rounds = _opened(engine, now)
    with transaction(engine) as session:
        mine = booked(session, 1, slot(0), now)
        why = Unlike(day=THURSDAY, kind=Kind.CLOSED, source="CV 12")
        places.add_exception(session, why, scope=Scope.PLACE, code=CODE)
    assert rounds.once(now + timedelta(minutes=6))["slots opened"] == 0
    later = slot(0).starts_at + timedelta(days=3)
    rounds.once(later)
    with transaction(engine) as session:
        found = booking.find(session, mine)
        assert found.state is AppointmentState.BOOKED
        (one,) = stranded.at(session, CODE, since=later)
        assert (one.appointment.id, one.state, one.unreachable) == (mine, "open", True)
        stranded.settle(session, one, by="officer:x", now=later)
    rounds.once(later + timedelta(days=1))
    with reading(engine) as session:
        assert booking.find(session, mine).state is AppointmentState.MISSED


def test_more_holds_than_one_batch_are_all_freed(
    engine: sa.Engine, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "BATCH", 3)
    furnish(engine, 10)
    with transaction(engine) as session:
        for who in range(10):
            hold(session, who, slot(), now)
    assert Rounds(engine).once(now + timedelta(minutes=11))["holds expired"] == 10


def test_old_drafts_lapse_and_old_counters_are_forgotten(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        dossier, _ = filing.begin(session, purpose="NEW", now=now, language="vi")
        session.add(Throttle(bucket=f"{worker.LIMITS[0].name}:x", window=1, count=1))
    later = now + filing.DRAFT_KEPT + SECOND
    done = Rounds(engine).once(later)
    assert (done["drafts lapsed"], done["counters of tries forgotten"]) == (1, 1)
    with reading(engine) as session:
        assert session.get_one(Dossier, dossier.id).state is DossierState.LAPSED


def test_a_drifted_counter_is_an_error_in_the_log(
    engine: sa.Engine, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    furnish(engine, 1)
    with transaction(engine) as session:
        session.execute(sa.update(SlotRow).values(taken=1))
    with caplog.at_level(logging.ERROR):
        done = Rounds(engine).once(now)
    assert "counters reconciled" not in done
    assert "Drifted" in caplog.text


def test_a_duty_that_fails_is_logged_and_the_others_are_done(
    engine: sa.Engine, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    def fall(_engine: sa.Engine, _now: datetime) -> int:
        raise ConnectionError("the database is away")

    rounds = Rounds(
        engine,
        (
            Duty(name="falls", every=timedelta(minutes=1), do=fall),
            Duty(name="stands", every=SECOND, do=lambda _engine, _now: 7),
        ),
    )
    with caplog.at_level(logging.ERROR):
        assert rounds.once(now) == {"stands": 7}
    assert "falls" in caplog.text
    assert "the database is away" in caplog.text


def test_a_duty_is_done_when_it_is_due_and_not_before(engine: sa.Engine, now: datetime) -> None:
    seen: list[datetime] = []

    def note(_engine: sa.Engine, at: datetime) -> int:
        seen.append(at)
        return 1

    rounds = Rounds(engine, (Duty(name="note", every=10 * SECOND, do=note),))
    for seconds in (0, 5, 10, 12, 19, 20):
        rounds.once(now + seconds * SECOND)
    assert [(at - now) // SECOND for at in seen] == [0, 10, 20]


def test_a_place_that_cannot_be_opened_keeps_no_other_closed(
    engine: sa.Engine, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction(engine) as session:
        for code in ("A", "B"):
            add_place(session, code)
            places.add_rule(session, code, MORNINGS)
    real = hours.open_days

    def broken(session: Session, code: str, now: datetime) -> Opened:
        if code == "A":
            raise ValueError("no calendar has such a day")
        return real(session, code, now)

    monkeypatch.setattr(hours, "open_days", broken)
    rounds = Rounds(engine)
    assert "slots opened" not in rounds.once(now), "the duty counts as failed"
    with reading(engine) as session:
        assert set(session.scalars(sa.select(SlotRow.place).distinct())) == {"B"}
    monkeypatch.undo()
    assert rounds.once(now + timedelta(minutes=5))["slots opened"] > 200
