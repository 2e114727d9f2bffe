"""Wishes and draws one at a time: what is kept, refused and ended, and what a draw books."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import (
    announcements,
    booking,
    draws,
    horizon,
    ledger,
    lottery,
    offering,
    places,
    wishes,
)
from scheduler.announcements import Draw
from scheduler.appointment import AlreadyBooked
from scheduler.calendar import HERE
from scheduler.database import reading, transaction
from scheduler.draws import DrawRefused, DrawTrouble
from scheduler.life import AppointmentState
from scheduler.matching import Wanted
from scheduler.slots import SlotUnavailable
from scheduler.tables import SlotRow
from scheduler.tables_waiting import DrawState, WishState
from scheduler.wish_life import NotNow
from scheduler.wishes import AlreadyWaiting, Companion, Trouble, Wish, WishRefused, WishUnknown
from tests.races.station import (
    CODE,
    EIGHT,
    MORNINGS,
    THURSDAY,
    at_once,
    booked,
    errors,
    furnish,
    hold,
    in_transaction,
    locks_in_order,
    slot,
    taken,
)

HOUR = timedelta(hours=1)
on_one_engine = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
CLOSES = EIGHT - timedelta(hours=33)
AFTERNOONS = replace(MORNINGS, opens=time(13), closes=time(14))


@pytest.fixture(autouse=True)
def slots(engine: sa.Engine) -> None:
    furnish(engine, 2, 1, 1)


@pytest.fixture(autouse=True)
def _nothing_drifts(engine: sa.Engine, slots: None) -> object:
    yield
    with reading(engine) as session:
        assert ledger.drift(session) == ()
        assert ledger.loose(session) == 0


def wish(who: int = 1, people: int = 1, **others: object) -> Wish:
    made = Wish(
        whose=f"dossier-{who}",
        person_key=f"person-{who}".encode(),
        purpose="NEW",
        places=(CODE,),
        wanted=Wanted(first_day=THURSDAY, last_day=THURSDAY, people=people, minutes=15),
        companions=tuple(
            Companion(
                whose=f"dossier-{who}-{n}", person_key=f"person-{who}-{n}".encode(), purpose="NEW"
            )
            for n in range(1, people)
        ),
    )
    return replace(made, **others)  # type: ignore[arg-type]


def state(session: Session, wish_id: UUID | None) -> WishState:
    assert wish_id is not None
    return wishes.find(session, wish_id).state


def test_a_wish_is_kept_as_it_was_made(engine: sa.Engine, now: datetime) -> None:
    wanted = Wanted(
        first_day=THURSDAY,
        last_day=THURSDAY + timedelta(days=20),
        weekdays=frozenset({1, 3}),
        from_time=time(8),
        to_time=time(11, 30),
        people=3,
        minutes=30,
    )
    with transaction(engine) as session:
        made = wishes.make(session, wish(1, 3, wanted=wanted, priority=True), now=now)
    with reading(engine) as session:
        assert made.id is not None
        assert wishes.find(session, made.id) == made
        assert wishes.live_of(session, "dossier-1") == made
        assert wishes.last_of(session, "dossier-1") == made
        assert wishes.live_of(session, "dossier-2") is None
        with pytest.raises(WishUnknown):
            wishes.find(session, uuid4())
    assert (made.wanted, made.state, len(made.companions)) == (wanted, WishState.WAITING, 2)
    assert "person-1" not in repr(made)


NEXT = THURSDAY + timedelta(days=1)


@on_one_engine
@pytest.mark.parametrize(
    ("others", "trouble"),
    [
        ({"places": ()}, Trouble.PLACES),
        ({"places": (CODE, CODE)}, Trouble.PLACES),
        ({"places": tuple("ABCDEF")}, Trouble.PLACES),
        ({"places": ("NOWHERE",)}, Trouble.PLACES),
        ({"wanted": Wanted(first_day=NEXT, last_day=THURSDAY)}, Trouble.DAYS),
        ({"wanted": Wanted(first_day=date(2026, 1, 1), last_day=date(2026, 2, 1))}, Trouble.DAYS),
        ({"wanted": Wanted(first_day=THURSDAY, last_day=date(2027, 11, 1))}, Trouble.DAYS),
        ({"wanted": Wanted(first_day=THURSDAY, last_day=date.max)}, Trouble.DAYS),
        (
            {"wanted": Wanted(first_day=NEXT, last_day=NEXT, weekdays=frozenset({0}))},
            Trouble.WEEKDAYS,
        ),
        (
            {"wanted": Wanted(first_day=NEXT, last_day=NEXT, weekdays=frozenset({4, 9}))},
            Trouble.WEEKDAYS,
        ),
        (
            {"wanted": Wanted(first_day=NEXT, last_day=NEXT, from_time=time(9), to_time=time(8))},
            Trouble.HOURS,
        ),
        ({"wanted": Wanted(first_day=NEXT, last_day=NEXT, people=2)}, Trouble.PEOPLE),
        ({"wanted": Wanted(first_day=NEXT, last_day=NEXT, people=0)}, Trouble.PEOPLE),
        ({"wanted": Wanted(first_day=NEXT, last_day=NEXT, minutes=241)}, Trouble.LENGTH),
        ({"draw": uuid4()}, Trouble.DRAW),
    ],
    ids=lambda value: "" if isinstance(value, dict) else str(value),
)
def test_a_wish_beyond_measure_is_refused(
    engine: sa.Engine, now: datetime, others: dict[str, object], trouble: Trouble
) -> None:
    with transaction(engine) as session:
        with pytest.raises(WishRefused) as refused:
            wishes.make(session, wish(**others), now=now)  # type: ignore[arg-type]
        assert refused.value.trouble is trouble
        assert wishes.live_of(session, "dossier-1") is None


def test_each_person_waits_once_alone_or_in_a_family(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        wishes.make(session, wish(1, 3), now=now)
        same = Companion(whose="dossier-77", person_key=b"person-1-2", purpose="NEW")
        for other in (
            wish(1),
            wish(2, person_key=b"person-1"),
            replace(wish(3, 2), companions=(same,)),
            replace(wish(4), person_key=b"person-1-1"),
        ):
            with pytest.raises(AlreadyWaiting):
                wishes.make(session, other, now=now)
        assert wishes.make(session, wish(5), now=now).state is WishState.WAITING


def test_one_of_two_wishes_of_a_person_made_at_once_is_kept(
    database_url: str, engine: sa.Engine, now: datetime
) -> None:
    works = [
        in_transaction(lambda s, n=n: wishes.make(s, wish(n, person_key=b"me"), now=now))  # type: ignore[misc]
        for n in range(4)
    ]
    done = at_once(database_url, *works)
    assert [type(one) for one in errors(done)] == [AlreadyWaiting] * 3
    with transaction(engine) as session:
        (kept,) = (one for one in done if isinstance(one, Wish))
        assert kept.id is not None
        wishes.withdraw(session, kept.id, now=now)
        assert wishes.make(session, wish(9, person_key=b"me"), now=now).id is not None


def test_who_has_an_appointment_does_not_wait(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        booked(session, 1, slot(), now)
        with pytest.raises(AlreadyBooked):
            wishes.make(session, wish(1), now=now)
        second = wishes.make(session, wish(2), now=now)
        booked(session, 2, slot(), now)
        assert [one.id for one in wishes.withdraw_booked(session, now=now)] == [second.id]
        assert state(session, second.id) is WishState.WITHDRAWN
        assert wishes.withdraw_booked(session, now=now) == ()
        assert second.id is not None
        with pytest.raises(NotNow):
            wishes.withdraw(session, second.id, now=now)


def test_a_family_of_which_one_booked_alone_waits_no_longer_and_keeps_no_place(
    engine: sa.Engine, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wishes, "ASKED", 2)
    with transaction(engine) as session:
        family = wishes.make(session, wish(1, 3), now=now)
        other = wishes.make(session, wish(2, 2), now=now + HOUR)
        assert [one.id for one in offering.offer_next(session, CODE, now=now + HOUR)] == [family.id]
        booking.book(
            session,
            slot=slot(2),
            whose="dossier-1-2",
            person_key=b"person-1-2",
            purpose="NEW",
            now=now + HOUR,
        )
        done = wishes.withdraw_booked(session, now=now + HOUR)
        assert [one.id for one in done] == [family.id]
        assert state(session, family.id) is WishState.WITHDRAWN
        assert wishes.withdraw_booked(session, now=now + HOUR) == ()
        # What was kept for them goes to whoever stands behind.
        assert [one.id for one in offering.offer_next(session, CODE, now=now + HOUR)] == [other.id]


def test_a_wish_lapses_after_its_last_day_and_one_may_wish_anew(
    engine: sa.Engine, now: datetime
) -> None:
    with transaction(engine) as session:
        made = wishes.make(session, wish(1), now=now)
        evening = EIGHT + timedelta(hours=15, minutes=59)
        assert wishes.lapse_due(session, now=evening) == ()
        assert [one.id for one in wishes.lapse_due(session, now=evening + HOUR)] == [made.id]
        assert wishes.live_of(session, "dossier-1") is None


def test_the_line_is_told_as_it_is(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        first = wishes.make(session, wish(1), now=now)
        second = wishes.make(session, wish(2), now=now + HOUR)
        third = wishes.make(session, wish(3, priority=True), now=now + 2 * HOUR)
        assert [wishes.ahead(session, one) for one in (third, first, second)] == [0, 1, 2]


def announce(session: Session, now: datetime, **others: object) -> Draw:
    values: dict[str, object] = {
        "place": CODE,
        "lane": "regular",
        "first_day": THURSDAY,
        "last_day": THURSDAY,
        "closes_at": CLOSES,
        "seed": bytes(32),
        **others,
    }
    return draws.announce(session, by="officer:x", now=now, **values)  # type: ignore[arg-type]


@pytest.fixture
def early(now: datetime) -> datetime:
    """Early enough for a draw before the station's day."""
    return now - timedelta(days=2)


def test_places_of_a_draw_are_booked_by_nobody_and_given_by_it(
    engine: sa.Engine, early: datetime
) -> None:
    with transaction(engine) as session:
        draw = announce(session, early)
        with pytest.raises(SlotUnavailable):
            hold(session, 9, slot(), early)
        entered = [
            wishes.make(session, wish(n, people, draw=draw.id), now=early)
            for n, people in ((1, 1), (2, 2), (3, 1), (4, 1))
        ]
        with pytest.raises(NotNow):
            draws.close(session, draw.id, now=CLOSES - HOUR)
        with pytest.raises(NotNow):
            announcements.public_record(session, draw.id)
    with transaction(engine) as session:
        closed = draws.close(session, draw.id, now=CLOSES)
        assert (closed.state, closed.entries) == (DrawState.CLOSED, 4)
        assert "seed" not in announcements.public_record(session, draw.id)
        with pytest.raises(WishRefused):
            wishes.make(session, wish(8, draw=draw.id), now=CLOSES)
        done = draws.draw(session, draw.id, now=CLOSES)
        assert done.state is DrawState.DRAWN
        record = announcements.public_record(session, draw.id)
        assert lottery.verify(record) == ()
        assert record["unbooked"] == []
        states = [state(session, one.id) for one in entered]
        assert states.count(WishState.PLACED) == done.placed
        placed = {one["id"]: one["starts"] for one in record["result"]["placed"]}
        assert sum(taken(session)) == sum(len(starts) for starts in placed.values()) >= 3
        for one in entered:
            assert one.id is not None
            live = booking.live_of(session, one.whose)
            assert (live is not None) == (one.id.hex in placed)
            if live is not None:
                assert live.state is AppointmentState.BOOKED
                assert lottery.moment(live.starts_at) == placed[one.id.hex][0]
        loser = [one for one in entered if state(session, one.id) is WishState.WAITING]
        assert loser
        assert all(wishes.find(session, one.id).draw is None for one in loser if one.id)
        with pytest.raises(NotNow):
            draws.draw(session, draw.id, now=CLOSES)


def test_what_a_draw_leaves_is_open_to_everybody(engine: sa.Engine, early: datetime) -> None:
    with transaction(engine) as session:
        draw = announce(session, early)
        draws.close(session, draw.id, now=CLOSES)
        draws.draw(session, draw.id, now=CLOSES)
        assert hold(session, 9, slot(), CLOSES).state is AppointmentState.HELD


def test_who_booked_elsewhere_or_withdrew_meanwhile_is_told_of_as_unbooked(
    engine: sa.Engine, early: datetime
) -> None:
    with transaction(engine) as session:
        session.execute(
            sa.insert(SlotRow).values(
                place=CODE,
                starts_at=EIGHT + timedelta(days=1),
                lane="regular",
                minutes=15,
                capacity=1,
                public_capacity=1,
                taken=0,
                public_taken=0,
                offered=True,
                by_lot=False,
            )
        )
        draw = announce(session, early)
        one = wishes.make(session, wish(1, draw=draw.id), now=early)
        two = wishes.make(session, wish(2, draw=draw.id), now=early)
        draws.close(session, draw.id, now=CLOSES)
        booked(session, 1, replace(slot(), starts_at=EIGHT + timedelta(days=1)), CLOSES)
        assert one.id is not None
        assert two.id is not None
        wishes.withdraw(session, two.id, now=CLOSES)
        draws.draw(session, draw.id, now=CLOSES)
        record = announcements.public_record(session, draw.id)
        assert sorted(record["unbooked"]) == sorted([one.id.hex, two.id.hex])
        assert lottery.verify(record) == ()
        assert state(session, one.id) is WishState.WAITING
        wishes.withdraw_booked(session, now=CLOSES)
        assert state(session, one.id) is WishState.WITHDRAWN


def test_days_and_hours_opened_after_the_announcement_are_given_by_lot_too(
    engine: sa.Engine, early: datetime
) -> None:
    last = THURSDAY + timedelta(days=1)

    def given(session: Session) -> set[tuple[date, str, bool]]:
        rows = session.execute(
            sa.select(SlotRow.starts_at, SlotRow.lane, SlotRow.by_lot).where(SlotRow.offered)
        )
        return {(start.astimezone(HERE).date(), lane, lot) for start, lane, lot in rows}

    with transaction(engine) as session:
        withdrawn = SlotRow.starts_at == slot(1).starts_at
        session.execute(sa.update(SlotRow).where(withdrawn).values(offered=False))
        draw = announce(session, early, last_day=last)
        for lane in ("regular", "other"):
            places.add_rule(session, CODE, replace(MORNINGS, lane=lane))
    with transaction(engine) as session:
        through = last + timedelta(days=3)
        horizon.materialise(session, CODE, first=THURSDAY, last=through, now=early)
        monday = through
        assert given(session) == {
            *((day, "regular", True) for day in (THURSDAY, last)),
            *((day, "other", False) for day in (THURSDAY, last)),
            *((monday, lane, False) for lane in ("regular", "other")),
        }
        with pytest.raises(SlotUnavailable):
            hold(session, 9, slot(96), early)
    with transaction(engine) as session:
        draws.close(session, draw.id, now=CLOSES)
        places.end_rule(session, places.add_rule(session, CODE, AFTERNOONS), last=last)
        horizon.materialise(session, CODE, first=THURSDAY, last=through, now=CLOSES)
        assert (last, "regular", False) not in given(session)
        draws.draw(session, draw.id, now=CLOSES)
        assert not any(lot for _, _, lot in given(session))


def test_two_draws_announced_at_once_never_share_days(
    database_url: str, engine: sa.Engine, early: datetime
) -> None:
    works = [in_transaction(lambda s: announce(s, early))] * 4
    done = at_once(database_url, *works)
    refused = [one for one in errors(done) if isinstance(one, DrawRefused)]
    assert [one.trouble for one in refused] == [DrawTrouble.OVERLAP] * 3, done


def test_who_is_drawn_sits_where_the_record_says_though_a_nearer_place_came_free(
    engine: sa.Engine, early: datetime
) -> None:
    with transaction(engine) as session:
        mine = booked(session, 8, slot(), early)
        draw = announce(session, early)
        family = wishes.make(session, wish(1, 2, draw=draw.id), now=early)
        draws.close(session, draw.id, now=CLOSES)
        booking.cancel(session, mine, now=CLOSES)
        draws.draw(session, draw.id, now=CLOSES)
        record = announcements.public_record(session, draw.id)
        assert (lottery.verify(record), record["unbooked"]) == ((), [])
        made = [booking.live_of(session, one) for one in (family.whose, "dossier-1-1")]
        assert [one.slot for one in made if one] == [slot(0), slot(1)]
        starts = [lottery.moment(one.starts_at) for one in made if one]
        assert starts == record["result"]["placed"][0]["starts"]
        assert len({one.party for one in made if one} - {None}) == 1


@pytest.mark.parametrize("meanwhile", [{"taken": 1}, {"minutes": 10}, {"offered": False}])
def test_whose_place_the_office_took_after_closing_is_unbooked_and_claims_nothing(
    engine: sa.Engine, early: datetime, meanwhile: dict[str, int]
) -> None:
    with transaction(engine) as session:
        booked(session, 8, slot(), early)
        draw = announce(session, early)
        family = wishes.make(session, wish(1, 2, draw=draw.id, priority=True), now=early)
        other = wishes.make(session, wish(2, draw=draw.id), now=early)
        draws.close(session, draw.id, now=CLOSES)
        second = sa.update(SlotRow).where(SlotRow.starts_at == slot(1).starts_at)
        if "taken" in meanwhile:
            booking.book(
                session,
                slot=slot(1),
                whose="dossier-7",
                person_key=b"person-7",
                purpose="NEW",
                now=CLOSES,
                public=False,
            )
        else:
            session.execute(second.values(**meanwhile))
        draws.draw(session, draw.id, now=CLOSES)
        record = announcements.public_record(session, draw.id)
        assert family.id is not None
        assert (lottery.verify(record), record["unbooked"]) == ((), [family.id.hex])
        assert [state(session, one.id) for one in (family, other)] == [
            WishState.WAITING,
            WishState.PLACED,
        ]
        live = booking.live_of(session, other.whose)
        assert live is not None
        assert live.slot == slot(2)
        assert hold(session, 0, slot(), CLOSES, whose="dossier-1-1").state is AppointmentState.HELD


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_draw_waits_for_the_first_of_its_slots_before_it_locks_a_later_one(
    database_url: str, engine: sa.Engine, early: datetime
) -> None:
    with transaction(engine) as session:
        draw = announce(session, early)
        any_time = wish().wanted
        late, soon = replace(any_time, from_time=time(8, 30)), replace(any_time, to_time=time(8))
        for made in (wish(1, wanted=late, priority=True), wish(2, wanted=soon)):
            wishes.make(session, replace(made, draw=draw.id), now=early)
        draws.close(session, draw.id, now=CLOSES)

    def drawn(other: sa.Engine) -> None:
        with transaction(other) as session:
            draws.draw(session, draw.id, now=CLOSES)

    assert locks_in_order(database_url, engine, drawn, first=slot(0), later=slot(2))
    with reading(engine) as session:
        assert taken(session) == [1, 0, 1]


def test_a_draw_that_is_called_off_leaves_its_wishes_waiting(
    engine: sa.Engine, early: datetime
) -> None:
    with transaction(engine) as session:
        draw = announce(session, early)
        made = wishes.make(session, wish(1, draw=draw.id), now=early)
        assert draws.cancel(session, draw.id, now=early).state is DrawState.CANCELLED
        assert made.id is not None
        kept = wishes.find(session, made.id)
        assert (kept.draw, kept.state) == (None, WishState.WAITING)
        assert hold(session, 9, slot(), early).state is AppointmentState.HELD
        with pytest.raises(NotNow):
            draws.close(session, draw.id, now=CLOSES)


@on_one_engine
@pytest.mark.parametrize(
    ("others", "trouble"),
    [
        ({"first_day": NEXT}, DrawTrouble.DAYS),
        ({"last_day": date.max}, DrawTrouble.DAYS),
        ({"first_day": date.max, "last_day": date.max}, DrawTrouble.DAYS),
        ({"closes_at": EIGHT - HOUR}, DrawTrouble.CLOSES),
        ({"closes_at": EIGHT - timedelta(days=9)}, DrawTrouble.CLOSES),
        ({"beacon": "a number"}, DrawTrouble.BEACON),
        ({"beacon": "a number", "beacon_at": CLOSES - HOUR}, DrawTrouble.BEACON),
        ({"beacon": "a number", "beacon_at": EIGHT}, DrawTrouble.CLOSES),
        ({"lane": "nothing"}, DrawTrouble.SLOTS),
        ({"first_day": NEXT, "last_day": NEXT}, DrawTrouble.SLOTS),
    ],
    ids=lambda value: "" if isinstance(value, dict) else str(value),
)
def test_a_draw_that_makes_no_sense_is_not_announced(
    engine: sa.Engine, early: datetime, others: dict[str, object], trouble: DrawTrouble
) -> None:
    with transaction(engine) as session:
        with pytest.raises(DrawRefused) as refused:
            announce(session, early, **others)
        assert refused.value.trouble is trouble


def test_two_workers_draw_once(database_url: str, engine: sa.Engine, early: datetime) -> None:
    with transaction(engine) as session:
        draw = announce(session, early)
        for n in range(6):
            wishes.make(session, wish(n, draw=draw.id), now=early)
        draws.close(session, draw.id, now=CLOSES)
    works = [in_transaction(lambda s: draws.draw(s, draw.id, now=CLOSES))] * 2
    done = at_once(database_url, *works)
    assert [type(one) for one in errors(done)] == [NotNow]
    with reading(engine) as session:
        assert sum(taken(session)) == 4
