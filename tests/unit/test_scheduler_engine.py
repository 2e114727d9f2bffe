"""What the engine adds to one slot for one person: length, families, requests, history."""

import ast
import inspect
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import booking, express, history, ledger, parties, requests
from scheduler.booking import AlreadyBooked, Appointment, MovedTooOften, NotNow, SlotFull
from scheduler.database import reading, transaction
from scheduler.life import AppointmentState
from scheduler.parties import Member
from scheduler.slots import SlotByLot, SlotRef
from scheduler.tables import AppointmentRow, FurtherRow, HistoryRow, SlotRow
from tests.races.station import after_a_while, booked, furnish, hold, slot, taken

S = AppointmentState
ROOT = Path(__file__).resolve().parents[2]
TEN = timedelta(minutes=10)


@pytest.fixture(autouse=True)
def slots(engine: sa.Engine) -> Iterator[None]:
    """Six quarters of an hour for two each; afterwards nothing has drifted."""
    furnish(engine, 2, 2, 2, 2, 2, 2)
    yield
    with reading(engine) as session:
        assert ledger.drift(session) == ()
        assert ledger.loose(session) == 0
        for made in session.scalars(sa.select(AppointmentRow.id)):
            assert history.intact(session, made)


def _asked(who: int, where: SlotRef, now: datetime, **more: object) -> dict[str, Any]:
    return {
        "slot": where,
        "whose": f"dossier-{who}",
        "person_key": f"person-{who}".encode(),
        "purpose": "NEW",
        "now": now,
        **more,
    }


def _family(people: int, length: int = 15) -> list[Member]:
    return [
        Member(
            whose=f"dossier-{who}",
            person_key=f"person-{who}".encode(),
            purpose="NEW",
            length=length,
        )
        for who in range(people)
    ]


# Length.


def test_a_long_appointment_takes_the_slots_that_follow_and_gives_all_back(
    engine: sa.Engine, now: datetime
) -> None:
    with transaction(engine) as session:
        long = booking.book(session, **_asked(1, slot(1), now, length=40))
        assert (long.minutes, long.ends_at) == (45, slot(4).starts_at)
        assert taken(session) == [0, 1, 1, 1, 0, 0]
        moved = booking.move(session, long.id, to=slot(3), now=now)
        assert moved.minutes == 45
        assert taken(session) == [0, 0, 0, 1, 1, 1]
        booking.cancel(session, long.id, now=now)
        assert taken(session) == [0] * 6
        assert session.scalars(sa.select(FurtherRow)).all() == []


@pytest.mark.parametrize("begins", [4, 5])
def test_a_long_appointment_that_does_not_fit_takes_nothing(
    engine: sa.Engine, now: datetime, begins: int
) -> None:
    with transaction(engine) as session, pytest.raises(SlotFull):
        booking.book(session, **_asked(1, slot(begins), now, length=40))
    with transaction(engine) as session:
        assert taken(session) == [0] * 6
        # The person may book another time at once: no claim was left.
        booking.book(session, **_asked(1, slot(begins), now))


# Families.


def test_a_family_of_four_sits_side_by_side_and_is_never_split(
    engine: sa.Engine, now: datetime
) -> None:
    with transaction(engine) as session:
        held = parties.hold(session, members=_family(4), first=slot(1), now=now, minutes=10)
        assert [one.slot for one in held] == [slot(1), slot(1), slot(2), slot(2)]
        assert taken(session) == [0, 2, 2, 0, 0, 0]
        (party,) = {one.party for one in held}
        assert party is not None
        assert {one.id for one in parties.members(session, party)} == {one.id for one in held}
        sure = parties.confirm(session, party, now=now)
        assert [one.state for one in sure] == [S.BOOKED] * 4
        moved = parties.move(session, party, to=slot(4), now=now)
        assert sorted(one.slot for one in moved) == [slot(4), slot(4), slot(5), slot(5)]
        parties.cancel(session, party, now=now)
        assert after_a_while(session) == [0] * 6


@pytest.mark.parametrize("gap", [1, 2])
def test_a_family_that_finds_no_room_together_takes_nothing(
    engine: sa.Engine, now: datetime, gap: int
) -> None:
    with transaction(engine) as session:
        for who in (10, 11):
            booked(session, who, slot(gap), now)
        before = taken(session)
        first = slot(gap - 1) if gap == 1 else slot(gap)
        with pytest.raises(SlotFull):
            parties.hold(session, members=_family(4), first=first, now=now, minutes=10)
        assert taken(session) == before
        assert (
            session.scalars(
                sa.select(AppointmentRow).where(AppointmentRow.party.is_not(None))
            ).all()
            == []
        )
        # None of them is kept from booking alone.
        hold(session, 3, slot(5), now)


def test_a_family_one_of_whom_is_booked_already_takes_nothing(
    engine: sa.Engine, now: datetime
) -> None:
    with transaction(engine) as session:
        booked(session, 2, slot(0), now)
        with pytest.raises(AlreadyBooked):
            parties.hold(session, members=_family(4), first=slot(1), now=now, minutes=10)
        assert taken(session) == [1, 0, 0, 0, 0, 0]
        hold(session, 0, slot(5), now)


def test_of_a_family_all_are_certain_or_none(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        held = parties.hold(session, members=_family(3), first=slot(0), now=now, minutes=10)
        party = held[0].party
        assert party is not None
        with pytest.raises(NotNow):
            parties.confirm(session, party, now=now + TEN)
    with reading(engine) as session:
        assert {booking.find(session, one.id).state for one in held} == {S.HELD}


# Officers, lots, changes.


def test_officers_have_places_that_the_public_has_not(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        session.execute(sa.update(SlotRow).values(public_capacity=1))
        booking.book(session, **_asked(1, slot(0), now))
        with pytest.raises(SlotFull):
            booking.book(session, **_asked(2, slot(0), now))
        kept = booking.book(session, **_asked(2, slot(0), now, public=False, by="officer:7"))
        assert not kept.public
        assert [entry.by for entry in history.of(session, kept.id)] == ["officer:7"]
        with pytest.raises(SlotFull):
            booking.book(session, **_asked(3, slot(0), now, public=False))


def test_what_is_given_by_lot_is_taken_by_nobody_for_themselves(
    engine: sa.Engine, now: datetime
) -> None:
    with transaction(engine) as session:
        session.execute(sa.update(SlotRow).values(by_lot=True))
        with pytest.raises(SlotByLot):
            booking.hold(session, **_asked(1, slot(0), now, minutes=10))
        booking.book(session, **_asked(1, slot(0), now, public=False))


def test_a_citizen_changes_twice_and_an_officer_as_often_as_it_takes(
    engine: sa.Engine, now: datetime
) -> None:
    with transaction(engine) as session:
        mine = booked(session, 1, slot(0), now)
        for there in (1, 2):
            moved = booking.move(session, mine, to=slot(there), now=now)
        assert (moved.moved, moved.changes_left) == (2, 0)
        with pytest.raises(MovedTooOften):
            booking.move(session, mine, to=slot(3), now=now)
        by_officer = booking.move(session, mine, to=slot(4), now=now, by="officer:7", most=None)
        assert (by_officer.slot, by_officer.moved) == (slot(4), 2)


def test_a_hold_is_lengthened_ten_times_by_one_press_each(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        held = hold(session, 1, slot(0), now)
        for turn in range(1, 11):
            at = now + turn * (TEN - timedelta(seconds=20))
            assert booking.extend(session, held.id, now=at).hold_until == at + TEN
        with pytest.raises(NotNow):
            booking.extend(session, held.id, now=at + TEN)


def test_an_appointment_has_no_way_to_change_hands() -> None:
    """Whose it is and who comes are given when it is made, and to nothing afterwards."""
    makers = {"hold", "book", "book_kept"}
    for name in booking.__all__:
        function = getattr(booking, name)
        if inspect.isfunction(function) and name not in makers:
            takes = set(inspect.signature(function).parameters)
            assert not takes & {"person_key", "purpose"}, name
    for path in (ROOT / "scheduler").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            targets = node.targets if isinstance(node, ast.Assign) else []
            assert not any(
                isinstance(one, ast.Attribute) and one.attr in {"whose", "person_key"}
                for one in targets
            ), path


# Requests.


def test_the_same_request_again_gets_the_same_appointment(engine: sa.Engine, now: datetime) -> None:
    key = b"k" * 32
    made: list[Appointment] = []
    for _ in range(3):
        with transaction(engine) as session:
            made.append(booking.book(session, **_asked(1, slot(0), now, request=key)))
    assert len({one.id for one in made}) == 1
    with transaction(engine) as session:
        assert taken(session) == [1, 0, 0, 0, 0, 0]
        assert requests.forget_old(session, before=now) == 0
        assert requests.forget_old(session, before=now + requests.KEPT) == 1
        with pytest.raises(AlreadyBooked):
            booking.book(session, **_asked(1, slot(0), now, request=key))


def test_a_request_that_was_refused_may_be_tried_anew(engine: sa.Engine, now: datetime) -> None:
    key = b"k" * 32
    with transaction(engine) as session:
        for who in (8, 9):
            booked(session, who, slot(0), now)
        with pytest.raises(SlotFull):
            booking.book(session, **_asked(1, slot(0), now, request=key))
        made = booking.book(session, **_asked(1, slot(1), now, request=key))
        assert booking.book(session, **_asked(1, slot(1), now, request=key)) == made


# History.


def test_everything_that_happens_is_written_down_with_who_did_it(
    engine: sa.Engine, now: datetime
) -> None:
    with transaction(engine) as session:
        held = hold(session, 1, slot(0), now)
        booking.extend(session, held.id, now=now + timedelta(minutes=1))
        booking.confirm(session, held.id, now=now)
        booking.move(session, held.id, to=slot(2), now=now, by="hotline:3")
        booking.arrive(session, held.id, now=now, by="kiosk:A")
        booking.leave(session, held.id, now=now)
        booking.arrive(session, held.id, now=now)
        booking.serve(session, held.id, now=now)
        ran_out = hold(session, 2, slot(0), now)
        booking.expire_due(session, now=now + TEN)
        told = [(entry.number, entry.event, entry.by) for entry in history.of(session, held.id)]
        assert told == [
            (1, "hold", "citizen"),
            (2, "extend", "citizen"),
            (3, "confirm", "citizen"),
            (4, "move", "hotline:3"),
            (5, "arrive", "kiosk:A"),
            (6, "leave", "system"),
            (7, "arrive", "system"),
            (8, "serve", "system"),
        ]
        assert history.of(session, held.id)[3].slot == slot(2)
        assert [entry.event for entry in history.of(session, ran_out.id)] == ["hold", "expire"]


@pytest.mark.parametrize(
    "forgery",
    [
        sa.update(HistoryRow).where(HistoryRow.number == 1).values(by="officer:9"),
        sa.update(HistoryRow).where(HistoryRow.number == 2).values(event="cancel"),
        sa.delete(HistoryRow).where(HistoryRow.number == 2),
        sa.delete(HistoryRow),
        sa.update(AppointmentRow).values(head=b"x" * 32),
    ],
    ids=["who", "what", "the last dropped", "all dropped", "head"],
)
def test_a_history_that_was_forged_behind_our_back_is_found(
    engine: sa.Engine, now: datetime, forgery: sa.Executable
) -> None:
    with transaction(engine) as session:
        mine = booked(session, 1, slot(0), now)
        assert history.intact(session, mine)
    with engine.connect() as connection, Session(connection) as session:
        session.execute(forgery)
        assert not history.intact(session, mine)
        session.rollback()


def test_no_program_of_ours_changes_or_deletes_history() -> None:
    """The table is named in few files, and none of these updates or deletes in it."""
    forbidden = ("update(HistoryRow", "delete(HistoryRow", "UPDATE appointment_history")
    for package in ("scheduler", "server", "kiosk"):
        for path in (ROOT / package).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            assert not any(word in text for word in forbidden), path
            assert "DELETE FROM appointment_history" not in text, path


@pytest.mark.parametrize("at_once", [True, False])
def test_the_short_way_and_the_portable_way_write_the_same(
    engine: sa.Engine, now: datetime, *, at_once: bool
) -> None:
    """On SQLite both are the portable one."""
    portable = mock.patch.object(express, "make", return_value=None)
    with nullcontext() if at_once else portable, transaction(engine) as session:
        held = hold(session, 1, slot(0), now)
        sure = booking.book(
            session, **_asked(2, slot(0), now, public=False, length=10, by="officer:7")
        )
        assert taken(session) == [2, 0, 0, 0, 0, 0]
        public = session.scalars(sa.select(SlotRow.public_taken)).all()
        assert sorted(public) == [0, 0, 0, 0, 0, 1]
        assert booking.find(session, held.id) == held
        assert booking.find(session, sure.id) == sure
        assert (held.state, held.hold_until, held.public) == (S.HELD, now + TEN, True)
        assert (sure.state, sure.hold_until, sure.public) == (S.BOOKED, None, False)
        assert [(e.event, e.by) for e in history.of(session, sure.id)] == [("book", "officer:7")]
        with pytest.raises(SlotFull):
            hold(session, 3, slot(0), now)
        with pytest.raises(AlreadyBooked):
            hold(session, 1, slot(1), now)
        assert hold(session, 3, slot(1), now).minutes == 15


# What it costs.


def test_a_booking_is_five_statements_and_one_on_postgresql(
    engine: sa.Engine, now: datetime
) -> None:
    said: list[str] = []

    def listen(*told: Any) -> None:  # noqa: ANN401 - SQLAlchemy's
        said.append(str(told[2]).split()[0])

    with transaction(engine) as session:
        session.connection()
        sa.event.listen(engine, "before_cursor_execute", listen)
        booking.book(session, **_asked(1, slot(0), now))
        one_by_one = ["SELECT", "INSERT", "UPDATE", "INSERT", "INSERT"]
        expected = ["WITH"] if engine.dialect.name == "postgresql" else one_by_one
        assert said == expected
        said.clear()
        booking.hold(session, **_asked(2, slot(0), now, minutes=10))
        assert said == expected
        sa.event.remove(engine, "before_cursor_execute", listen)
