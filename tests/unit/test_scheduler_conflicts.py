"""A change of the calendar never loses anybody: said before, written down after, kept meanwhile."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

import scheduler.tables_waiting  # noqa: F401 - fills the metadata
from scheduler import booking, conflicts, horizon, lanes, ledger, places, stranded
from scheduler.booking import SlotFull, SlotGone
from scheduler.conflicts import AddDay, AddHours, Change, ClosePlace, EndHours, RemoveDay
from scheduler.database import Base, connect, transaction
from scheduler.horizon import NOTHING
from scheduler.places import Rule, Unlike
from scheduler.tables import AppointmentRow, Kind, LaneKind, Scope, SlotRow
from tests.races.station import CODE, MORNINGS, THURSDAY, add_place, booked, hold, slot

LAST = THURSDAY + timedelta(days=6)
LONG_AGO_AT = datetime.fromisoformat("2020-01-01T00:00:00+07:00")
CLOSED = Unlike(day=THURSDAY, kind=Kind.CLOSED, words="Mất điện", source="CV 12")


def _open(session: Session, now: datetime) -> horizon.Opened:
    return horizon.materialise(session, CODE, first=now.date(), last=LAST, now=now)


def _apply(session: Session, change: Change, now: datetime) -> horizon.Opened:
    return conflicts.apply(session, CODE, change=change, first=now.date(), last=LAST, now=now)


def _hit(session: Session, change: Change, now: datetime) -> list[UUID]:
    found = conflicts.preview(session, CODE, change=change, now=now)
    return [one.appointment.id for one in found]


@pytest.fixture
def rule(engine: sa.Engine, now: datetime) -> int:
    """A place with mornings, opened for a week; gives the number of its rule."""
    with transaction(engine) as session:
        add_place(session)
        number = places.add_rule(session, CODE, MORNINGS)
        _open(session, now)
    return number


def test_looking_names_who_is_hit_and_changes_nothing(
    engine: sa.Engine, now: datetime, rule: int
) -> None:
    with transaction(engine) as session:
        first, second = (booked(session, n, slot(n), now) for n in (0, 5))
        held = hold(session, 3, slot(7), now).id
        short = replace(CLOSED, kind=Kind.SHORT_DAY, closes=time(9))
        for change, hit in (
            (AddDay(unlike=CLOSED, code=CODE), [first, second, held]),
            (AddDay(unlike=short, code=CODE), [second, held]),
            (EndHours(number=rule, last=THURSDAY - timedelta(days=1)), [first, second, held]),
            (EndHours(number=rule, last=THURSDAY), []),
            (ClosePlace(), [first, second, held]),
            (AddHours(rule=replace(MORNINGS, step=60)), []),
            (AddDay(unlike=replace(CLOSED, day=THURSDAY + timedelta(days=1)), code=CODE), []),
            (RemoveDay(day=THURSDAY, code=CODE), []),
        ):
            assert _hit(session, change, now) == hit
        assert _open(session, now) == NOTHING


def test_taking_a_make_up_day_back_hits_who_booked_it(
    engine: sa.Engine, now: datetime, rule: int
) -> None:
    del rule
    saturday = THURSDAY + timedelta(days=2)
    made_up = Unlike(day=saturday, kind=Kind.MAKE_UP_DAY, as_weekday=0, source="CV 13")
    with transaction(engine) as session:
        _apply(session, AddDay(unlike=made_up, code=CODE), now)
        mine = booked(session, 1, slot(2 * 96), now)
        assert _hit(session, RemoveDay(day=saturday, code=CODE), now) == [mine]
        done = _apply(session, RemoveDay(day=saturday, code=CODE), now)
        assert len(done.stranded) == 1


def test_a_province_that_opens_what_the_nation_closes_is_taken_into_account(
    engine: sa.Engine, now: datetime, rule: int
) -> None:
    del rule
    opened = Unlike(day=THURSDAY, kind=Kind.MAKE_UP_DAY, as_weekday=3, source="CV 13")
    with transaction(engine) as session:
        mine = booked(session, 1, slot(0), now)
        nation = AddDay(unlike=CLOSED, scope=Scope.NATION)
        assert _hit(session, nation, now) == [mine]
        places.add_exception(session, opened, scope=Scope.PROVINCE, code="01")
        assert _hit(session, nation, now) == []


def test_who_is_hit_keeps_the_appointment_until_it_is_settled(
    engine: sa.Engine, now: datetime, rule: int
) -> None:
    del rule
    with transaction(engine) as session:
        mine = booked(session, 1, slot(0), now)
        _apply(session, AddDay(unlike=CLOSED, code=CODE), now)
        with pytest.raises(SlotGone):
            hold(session, 2, slot(0), now)
        appointment = booking.find(session, mine)
        one = stranded.of(session, appointment)
        assert one is not None
        assert (one.state, one.was) == ("open", slot(0))
        stranded.called(session, one, by="officer:x", now=now)
        assert [found.state for found in stranded.at(session, CODE, since=now)] == ["called"]
        stranded.settle(session, one, by="officer:x", now=now)
        assert stranded.of(session, appointment) is None
        assert booking.find(session, mine).state == "booked"
        assert ledger.drift(session) == ()


def test_whoever_moves_or_gets_the_day_back_is_settled_by_itself_and_may_be_hit_again(
    engine: sa.Engine, now: datetime, rule: int
) -> None:
    del rule
    with transaction(engine) as session:
        mover, keeper = (booked(session, n, slot(n), now) for n in (1, 2))
        _apply(session, AddDay(unlike=CLOSED, code=CODE), now)
        booking.move(session, mover, to=slot(96), now=now)
        _apply(session, RemoveDay(day=THURSDAY, code=CODE), now)
        assert stranded.settle_done(session, now=now, limit=9) == 2
        assert stranded.settle_done(session, now=now, limit=9) == 0
        states = [one.state for one in stranded.at(session, CODE, since=now)]
        assert states == ["moved", "restored"]
        _apply(session, AddDay(unlike=CLOSED, code=CODE), now)
        (again,) = stranded.untold(session, limit=9)
        assert (again.appointment.id, again.state) == (keeper, "open")


def test_who_has_only_half_of_their_time_back_keeps_nobody_else_waiting(
    engine: sa.Engine, now: datetime, rule: int
) -> None:
    del rule
    with transaction(engine) as session:
        halved, mover = (
            booking.book(
                session,
                slot=slot(first),
                whose=f"dossier-{first}",
                person_key=bytes([first]),
                purpose="NEW",
                length=length,
                now=now,
            ).id
            for first, length in ((1, 30), (4, 15))
        )
        _apply(session, AddDay(unlike=CLOSED, code=CODE), now)
        _apply(session, RemoveDay(day=THURSDAY, code=CODE), now)
        short = replace(CLOSED, kind=Kind.SHORT_DAY, closes=time(8, 30))
        _apply(session, AddDay(unlike=short, code=CODE), now)
        assert stranded.count_open(session, CODE) == 2
        booking.move(session, mover, to=slot(96), now=now)
        assert stranded.count_open(session, CODE) == 1
        assert stranded.settle_done(session, now=now, limit=1) == 1
        assert stranded.settle_done(session, now=now, limit=1) == 0
        found = [(one.appointment.id, one.state) for one in stranded.at(session, CODE, since=now)]
        assert found == [(halved, "open"), (mover, "moved")]


def test_who_is_settled_keeps_nobody_off_the_list(
    engine: sa.Engine, now: datetime, rule: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    del rule
    monkeypatch.setattr(stranded, "MOST", 1)
    with transaction(engine) as session:
        first, second = (booked(session, n, slot(n), now) for n in (0, 5))
        _apply(session, AddDay(unlike=CLOSED, code=CODE), now)
        (one,) = stranded.at(session, CODE, since=now)
        assert one.appointment.id == first
        stranded.settle(session, one, by="officer:x", now=now)
        (other,) = stranded.at(session, CODE, since=now)
        assert other.appointment.id == second


def test_lanes_have_kinds_and_servers_and_come_with_their_hours(engine: sa.Engine) -> None:
    with transaction(engine) as session:
        add_place(session)
        lanes.add(session, CODE, code="xe", kind=LaneKind.MOBILE, servers=1)
        places.add_rule(session, CODE, MORNINGS)
        places.add_rule(session, CODE, replace(MORNINGS, lane="priority", capacity=3))
        places.add_rule(session, CODE, replace(MORNINGS, lane="tong-dai"))
        found = [(lane.code, lane.kind, lane.servers) for lane in lanes.of(session, CODE)]
        assert found == [
            ("regular", "regular", 2),
            ("priority", "priority", 3),
            ("tong-dai", "staff", 2),
            ("xe", "mobile", 1),
        ]
        assert lanes.change(session, CODE, "xe", kind=LaneKind.MOBILE, servers=4).servers == 4
        with pytest.raises(LookupError):
            lanes.change(session, CODE, "vip", kind=LaneKind.STAFF, servers=1)
        with pytest.raises(sa.exc.IntegrityError), session.begin_nested():
            lanes.add(session, CODE, code="none", kind=LaneKind.STAFF, servers=0)


def test_a_rule_of_another_place_and_of_none_is_not_ended(
    engine: sa.Engine, now: datetime, rule: int
) -> None:
    with transaction(engine) as session:
        add_place(session, "HN-02")
        for number, place in ((rule, "HN-02"), (10**9, CODE)):
            change = EndHours(number=number, last=THURSDAY)
            with pytest.raises(LookupError):
                conflicts.make(session, place, change=change)
        assert _open(session, now) == NOTHING


ABSURD = (
    date(1, 1, 1),
    date(9999, 12, 31),
    date(2400, 2, 29),
)


@pytest.mark.parametrize("day", ABSURD)
def test_absurd_days_hit_nobody_and_break_nothing(
    engine: sa.Engine, now: datetime, rule: int, day: date
) -> None:
    with transaction(engine) as session:
        booked(session, 1, slot(0), now)
        far = AddDay(unlike=replace(CLOSED, day=day), code=CODE)
        assert _hit(session, far, now) == []
        assert _apply(session, far, now).withdrawn == 0
        rule_of = replace(MORNINGS, valid_from=day, valid_to=day)
        assert _apply(session, AddHours(rule=rule_of), now).opened == 0
        ended = EndHours(number=rule, last=day)
        assert len(_hit(session, ended, now)) == (day.year == 1)


# --- any order of changes -------------------------------------------------------------------

DAYS = st.integers(0, 6).map(lambda n: THURSDAY + timedelta(days=n))
RULES = st.builds(
    Rule,
    weekdays=st.frozensets(st.integers(0, 6), min_size=1),
    opens=st.sampled_from([time(7, 30), time(8), time(9, 10)]),
    closes=st.sampled_from([time(10), time(11, 45)]),
    step=st.sampled_from([15, 20, 45]),
    capacity=st.integers(1, 3),
    public_capacity=st.integers(0, 1),
    lane=st.sampled_from(["regular", "priority"]),
    valid_from=DAYS,
    valid_to=st.none(),
)
UNLIKE = st.one_of(
    st.builds(Unlike, day=DAYS, kind=st.just(Kind.CLOSED), source=st.just("x")),
    st.builds(
        Unlike,
        day=DAYS,
        kind=st.just(Kind.SHORT_DAY),
        closes=st.sampled_from([time(8), time(8, 50)]),
        source=st.just("x"),
    ),
    st.builds(
        Unlike,
        day=DAYS,
        kind=st.just(Kind.MAKE_UP_DAY),
        as_weekday=st.integers(0, 6),
        source=st.just("x"),
    ),
)
STEPS = st.one_of(
    st.builds(AddHours, rule=RULES),
    st.builds(EndHours, number=st.integers(1, 4), last=DAYS),
    st.builds(AddDay, unlike=UNLIKE, code=st.just(CODE)),
    st.builds(AddDay, unlike=UNLIKE, scope=st.just(Scope.NATION)),
    st.builds(RemoveDay, day=DAYS, code=st.just(CODE)),
    st.just(ClosePlace()),
    st.tuples(st.just("book"), st.integers(0, 60)),
    st.tuples(st.just("book"), st.integers(0, 60)),
    st.just(("narrow", 0)),
    st.tuples(st.just("cancel"), st.integers(0, 60)),
)


def _try(session: Session, step: Change, now: datetime) -> None:
    """Make a change; who was named before is in no slot that is offered after, and nobody else."""
    hit = set(_hit(session, step, now))
    before = _stranded(session)
    try:
        _apply(session, step, now)
    except LookupError:
        return
    assert _stranded(session) - before == hit
    assert _open(session, now) == NOTHING, "a second run looks at the place alone"


def _stranded(session: Session) -> set[UUID]:
    rows = session.scalars(
        sa.select(AppointmentRow.id)
        .join(
            SlotRow,
            sa.and_(
                SlotRow.place == AppointmentRow.place,
                SlotRow.starts_at == AppointmentRow.starts_at,
                SlotRow.lane == AppointmentRow.lane,
            ),
        )
        .where(sa.not_(SlotRow.offered), AppointmentRow.state == "booked")
    )
    return set(rows)


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(steps=st.lists(STEPS, min_size=3, max_size=14))
def test_no_order_of_changes_loses_anybody_or_oversells(steps: list[object]) -> None:
    now = datetime.fromisoformat("2026-11-24T09:00:00+07:00")
    engine = connect("sqlite://")
    Base.metadata.create_all(engine)
    standing: dict[int, UUID] = {}
    with transaction(engine) as session:
        add_place(session)
        places.add_rule(session, CODE, MORNINGS)
        _open(session, now)
        for step in steps:
            match step:
                case ("book", int() as n):
                    _book(session, n, standing, now)
                case ("narrow", _):
                    _narrow(session, now)
                case ("cancel", int() as n):
                    if n in standing:
                        booking.cancel(session, standing.pop(n), now=now)
                case AddHours() | EndHours() | AddDay() | RemoveDay() | ClosePlace():
                    _try(session, step, now)
            _nobody_is_lost(session, standing)
            assert _offered(session) == _planned(session, now)
    engine.dispose()


def _book(session: Session, n: int, standing: dict[int, UUID], now: datetime) -> None:
    rows = session.execute(
        sa.select(SlotRow.starts_at).where(SlotRow.offered, SlotRow.lane == "regular")
    ).all()
    if n in standing or not rows:
        return
    where = replace(slot(0), starts_at=sorted(rows)[n % 9 * 2 % len(rows)][0])
    try:
        standing[n] = booked(session, n, where, now)
    except SlotFull:
        return


def _offered(session: Session) -> set[tuple[datetime, str]]:
    rows = session.execute(sa.select(SlotRow.starts_at, SlotRow.lane).where(SlotRow.offered))
    return {(starts_at, lane) for starts_at, lane in rows}


def _planned(session: Session, now: datetime) -> set[tuple[datetime, str]]:
    """The slots the whole calendar asks for, whatever was looked at before."""
    place, first = places.find(session, CODE), now.date()
    unlike = places.exceptions(session, place, first=first, last=LAST)
    rules = places.rules(session, CODE)
    return set(horizon.wanted(place, rules, unlike, first=first, last=LAST, now=now))


def _narrow(session: Session, now: datetime) -> None:
    """Let one person a slot in where two were: whoever is in stays in."""
    for known in places.rules(session, CODE):
        if known.number is not None:
            places.end_rule(session, known.number, last=THURSDAY - timedelta(days=1))
    _try(session, AddHours(rule=replace(MORNINGS, capacity=1, valid_from=THURSDAY)), now)


def _nobody_is_lost(session: Session, standing: dict[int, UUID]) -> None:
    states = session.execute(sa.select(AppointmentRow.id, AppointmentRow.state)).all()
    live = {id_ for id_, state in states if state == "booked"}
    assert live == set(standing.values())
    lost = _stranded(session)
    open_ = {
        one.appointment.id
        for one in stranded.at(session, CODE, since=LONG_AGO_AT)
        if one.state.open
    }
    assert lost == open_, "everybody in a slot that is gone is on the list, and nobody else"
    assert stranded.count_open(session, CODE) == len(open_)
    slots = session.execute(sa.select(SlotRow.taken, SlotRow.capacity)).all()
    assert all(taken <= capacity for taken, capacity in slots)
    assert ledger.drift(session) == ()
