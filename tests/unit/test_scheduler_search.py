"""Places are found by where they are and what they are called, with their earliest free time."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import search
from scheduler.database import reading, transaction
from scheduler.search import Station
from scheduler.tables import PlaceRow, SlotRow

HOAN_KIEM = (21.0285, 105.8542)
HA_DONG = (20.9714, 105.7788)
BEN_NGHE = (10.7769, 106.7009)


def _place(session: Session, code: str, **columns: object) -> None:
    usual = {"name": f"Điểm {code}", "address": "1 Tràng Thi", "province": "01", "ward": ""}
    session.add(PlaceRow(code=code, open=True, **(usual | columns)))


def _slot(session: Session, place: str, at: datetime, **columns: object) -> None:
    usual: dict[str, object] = {
        "lane": "regular", "minutes": 15, "capacity": 2, "public_capacity": 2,
        "taken": 0, "public_taken": 0, "offered": True,
    }  # fmt: skip
    session.add(SlotRow(place=place, starts_at=at, **(usual | columns)))


@pytest.fixture(autouse=True)
def places(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        _place(
            session, "HK", name="Công an phường Hoàn Kiếm", ward="Hoàn Kiếm",
            latitude=HOAN_KIEM[0], longitude=HOAN_KIEM[1],
        )  # fmt: skip
        _place(
            session, "HD", name="Công an phường Hà Đông", ward="Hà Đông",
            address="Đường Quang Trung",
            latitude=HA_DONG[0], longitude=HA_DONG[1],
        )  # fmt: skip
        _place(
            session, "BN", name="Công an phường Bến Nghé", ward="Bến Nghé", province="79",
            latitude=BEN_NGHE[0], longitude=BEN_NGHE[1],
        )  # fmt: skip
        _place(session, "SHUT", name="Công an phường Hoàn Kiếm cũ", ward="Hoàn Kiếm")
        session.flush()
        session.get_one(PlaceRow, "SHUT").open = False


def _codes(engine: sa.Engine, now: datetime, **asked: object) -> list[str]:
    return [station.code for station in _stations(engine, now, **asked)]


def _stations(engine: sa.Engine, now: datetime, **asked: object) -> tuple[Station, ...]:
    with reading(engine) as session:
        return search.stations(session, now=now, **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["HD", "HK", "BN"]),
        ({"province": "01"}, ["HD", "HK"]),
        ({"province": "99"}, []),
        ({"ward": "hoan kiem"}, ["HK"]),
        ({"ward": "Hoàn"}, []),
        ({"words": "ha dong"}, ["HD"]),
        ({"words": "  QUANG  trung đông "}, ["HD"]),
        ({"words": "quang kiem"}, []),
        ({"words": "%"}, []),
        ({"limit": 2}, ["HD", "HK"]),
        ({"limit": -1}, []),
    ],
)
def test_places_are_found_by_province_commune_and_words(
    engine: sa.Engine, now: datetime, asked: dict[str, object], found: list[str]
) -> None:
    assert _codes(engine, now, **asked) == found


def test_near_means_nearest_first_and_not_the_other_end_of_the_country(
    engine: sa.Engine, now: datetime
) -> None:
    near = _stations(engine, now, near=HOAN_KIEM)
    assert [station.code for station in near] == ["HK", "HD"]
    assert near[0].distance_km == pytest.approx(0, abs=1e-6)
    assert near[1].distance_km == pytest.approx(10.1, abs=0.1)
    assert _codes(engine, now, near=HOAN_KIEM, within_km=5) == ["HK"]
    assert _codes(engine, now, near=HA_DONG, within_km=2000) == ["HD", "HK", "BN"]


def test_a_corner_of_the_box_is_outside_of_the_circle(engine: sa.Engine, now: datetime) -> None:
    corner = (HOAN_KIEM[0] + 0.06, HOAN_KIEM[1] + 0.06)
    assert search.distance_km(HOAN_KIEM, corner) == pytest.approx(9.1, abs=0.2)
    assert _codes(engine, now, near=corner, within_km=8) == []


def test_distances_are_those_of_the_globe() -> None:
    assert search.distance_km(HOAN_KIEM, BEN_NGHE) == pytest.approx(1143, abs=6)
    assert search.distance_km((0, 179.5), (0, -179.5)) == pytest.approx(111.2, abs=0.1)
    assert search.distance_km((0, 0), (0, 180)) == pytest.approx(20015, abs=1)


def test_the_earliest_time_is_the_first_that_the_public_may_book(
    engine: sa.Engine, now: datetime
) -> None:
    at = [now + timedelta(hours=hour) for hour in range(-1, 8)]
    with transaction(engine) as session:
        _slot(session, "HK", at[0])
        _slot(session, "HK", at[1])
        _slot(session, "HK", at[2], taken=2, public_taken=2)
        _slot(session, "HK", at[3], public_capacity=1, taken=1, public_taken=1)
        _slot(session, "HK", at[4], by_lot=True)
        _slot(session, "HK", at[5], offered=False)
        _slot(session, "HK", at[6], lane="staff")
        _slot(session, "HK", at[7], taken=1, public_taken=1)
        _slot(session, "HK", at[8])
        _slot(session, "HD", at[2], taken=2, public_taken=1)
        _slot(session, "BN", at[2])
    found = {station.code: station.earliest for station in _stations(engine, now)}
    assert found == {"HK": at[7], "HD": None, "BN": at[2]}
    (staffs,) = _stations(engine, now, ward="Hoàn Kiếm", lanes={"staff"})
    assert staffs.earliest == at[6]


def test_soonest_puts_the_earliest_first_and_the_full_last(
    engine: sa.Engine, now: datetime
) -> None:
    with transaction(engine) as session:
        _slot(session, "HK", now + timedelta(days=2))
        _slot(session, "BN", now + timedelta(days=1))
    assert _codes(engine, now, soonest=True) == ["BN", "HK", "HD"]
    assert _codes(engine, now, soonest=True, limit=1) == ["BN"]
