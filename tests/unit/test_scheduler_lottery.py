"""The draw: nobody twice, never oversold, priority first, fair, and anybody can check it."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler import lottery
from scheduler.lottery import RecordUnreadable
from server.__main__ import main

EIGHT = datetime(2026, 11, 30, 1, 0, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
CHI_SQUARE_9 = 27.88
"""The 99.9 % point with 9 degrees of freedom."""


def entry(number: int, **others: object) -> dict[str, Any]:
    said: dict[str, Any] = {
        "id": f"{number:032x}",
        "priority": False,
        "people": 1,
        "minutes": 15,
        "first_day": "2026-11-30",
        "last_day": "2026-11-30",
        "weekdays": [0],
        "from": "00:00",
        "to": "23:59",
    }
    return {**said, **others}


def record(
    entries: list[dict[str, Any]], *free: int, seed: bytes = bytes(32), beacon: str = ""
) -> dict[str, Any]:
    """Return a record with one slot of a quarter of an hour for each of `free`."""
    said: dict[str, Any] = {
        "version": 1,
        "draw": "0" * 32,
        "place": "HN-01",
        "lane": "regular",
        "first_day": "2026-11-30",
        "last_day": "2026-11-30",
        "closes_at": "2026-11-24T13:00:00Z",
        "commitment": lottery.commitment(seed),
        "beacon": "Xổ số miền Bắc" if beacon else "",
        "beacon_at": "2026-11-24T15:00:00Z" if beacon else None,
        "entries": entries,
        "slots": [
            {"starts_at": lottery.moment(EIGHT + n * QUARTER), "minutes": 15, "free": count}
            for n, count in enumerate(free)
        ],
        "seed": seed.hex(),
        "beacon_value": beacon,
    }
    said["frozen"] = lottery.digest(said)
    return said


def drawn(said: Mapping[str, Any]) -> dict[str, Any]:
    return {**said, "result": lottery.allocate(said).as_json(), "unbooked": []}


ENTRIES = st.lists(
    st.builds(
        lambda priority, people, minutes, hour, n: {
            "priority": priority,
            "people": people,
            "minutes": minutes,
            "from": f"{8 + hour:02d}:00",
            "n": n,
        },
        st.booleans(),
        st.integers(1, 8),
        st.sampled_from([5, 15, 30, 45]),
        st.integers(0, 1),
        st.integers(0, 10**9),
    ),
    max_size=25,
    unique_by=lambda said: said["n"],
)
FREE = st.lists(st.integers(0, 5), min_size=1, max_size=12)
SEEDS = st.binary(min_size=32, max_size=32)


def _as_entries(drafts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        entry(draft["n"], **{name: value for name, value in draft.items() if name != "n"})
        for draft in drafts
    ]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(drafts=ENTRIES, free=FREE, seed=SEEDS)
def test_nothing_is_oversold_nobody_is_drawn_twice_and_everybody_is_told(
    drafts: list[dict[str, Any]], free: list[int], seed: bytes
) -> None:
    entries = _as_entries(drafts)
    result = lottery.allocate(record(entries, *free, seed=seed))
    ids = [one.id for one in result.placed] + list(result.unplaced)
    assert sorted(ids) == sorted(said["id"] for said in entries)
    known = {said["id"]: said for said in entries}
    left = {EIGHT + n * QUARTER: count for n, count in enumerate(free)}
    for one in result.placed:
        said = known[one.id]
        assert len(one.starts) == said["people"]
        # Counted here by hand: every quarter a person sits in is one place.
        for start in one.starts:
            for n in range(-(-said["minutes"] // 15)):
                left[start + n * QUARTER] -= 1
        assert one.starts[0] >= EIGHT + timedelta(hours=int(said["from"][:2]) - 8)
        length = -(-said["minutes"] // 15) * QUARTER
        pairs = zip(one.starts, one.starts[1:], strict=False)
        assert all(timedelta() <= later - start <= length for start, later in pairs)
    assert min(left.values()) >= 0


@settings(max_examples=80, deadline=None, derandomize=True)
@given(drafts=ENTRIES, free=FREE, seed=SEEDS, shuffle=st.randoms(use_true_random=False))
def test_the_order_of_entries_and_slots_changes_nothing(
    drafts: list[dict[str, Any]],
    free: list[int],
    seed: bytes,
    shuffle: Any,  # noqa: ANN401 - hypothesis's own
) -> None:
    said = record(_as_entries(drafts), *free, seed=seed)
    other = {**said, "entries": list(said["entries"]), "slots": list(said["slots"])}
    shuffle.shuffle(other["entries"])
    shuffle.shuffle(other["slots"])
    assert lottery.allocate(said) == lottery.allocate(other)


def test_priority_groups_are_drawn_first_whatever_the_lot_says() -> None:
    entries = [entry(n, priority=n % 4 == 0) for n in range(40)]
    for number in range(20):
        result = lottery.allocate(record(entries, 5, 5, seed=number.to_bytes(32)))
        assert {int(one.id, 16) % 4 for one in result.placed} == {0}


def test_everybody_has_the_same_chance_whenever_they_came() -> None:
    entries = [entry(n) for n in range(10)]
    rng = np.random.default_rng(20261124)
    won = np.zeros(10)
    for _ in range(1500):
        result = lottery.allocate(record(entries, 1, 1, seed=rng.bytes(32)))
        won[[int(one.id, 16) for one in result.placed]] += 1
    expected = 1500 * 2 / 10
    # Two of ten without putting back: the sum is scaled by 9/8 to be a chi-square.
    assert float(((won - expected) ** 2 / expected).sum()) * 9 / 8 < CHI_SQUARE_9


def test_the_public_number_changes_the_draw_so_that_the_seed_alone_tells_nothing() -> None:
    entries = [entry(n) for n in range(30)]
    results = {
        tuple(one.id for one in lottery.allocate(record(entries, 3, beacon=f"{n:05d}")).placed)
        for n in range(50)
    }
    assert len(results) > 40


def test_the_lot_is_what_the_page_says_by_other_means() -> None:
    import hmac as other_hmac  # noqa: PLC0415 - as somebody else would write it

    entries, seed = [entry(n) for n in range(20)], bytes(range(32))
    result = lottery.allocate(record(entries, 1, seed=seed, beacon="54321"))
    key = seed + b"54321"
    order = sorted(
        (said["id"] for said in entries),
        key=lambda one: other_hmac.digest(key, one.encode(), hashlib.sha256),
    )
    assert [result.placed[0].id, *result.unplaced] == order


def test_a_draw_that_is_drawn_as_it_says_is_agreed() -> None:
    entries = [entry(n, people=1 + n % 3) for n in range(30)]
    assert lottery.verify(drawn(record(entries, 4, 4, 4, beacon="12345"))) == ()


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda r: r.update(seed=(b"x" * 32).hex()), "commitment"),
        (lambda r: r["entries"].append(entry(99)), "frozen"),
        (lambda r: r["entries"].pop(), "frozen"),
        (lambda r: r["slots"][0].update(free=9), "frozen"),
        (lambda r: r.update(beacon_value="54321"), "result.placed"),
        (lambda r: r.update(beacon_value=""), "beacon_value"),
        (lambda r: r["result"]["placed"].reverse(), "result.placed[0]"),
        (lambda r: r["result"]["placed"].pop(), "result.placed"),
        (lambda r: r["result"].pop("unplaced"), "result.unplaced"),
        (lambda r: r.pop("result"), "result: there is none"),
        (lambda r: r.pop("unbooked"), "unbooked: there is none"),
        (lambda r: r["unbooked"].append(r["result"]["unplaced"][0]), "unbooked"),
        (lambda r: r["unbooked"].append(5), "unbooked"),
    ],
)
def test_whatever_was_changed_afterwards_is_found(change: Any, where: str) -> None:  # noqa: ANN401
    said = drawn(record([entry(n) for n in range(20)], 2, 2, beacon="12345"))
    said = json.loads(json.dumps(said))
    change(said)
    assert any(one.startswith(where) for one in lottery.verify(said))


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r.update(version=2),
        lambda r: r.pop("entries"),
        lambda r: r.update(slots=[]),
        lambda r: r.update(entries=None),
        lambda r: r.update(entries=[1]),
        lambda r: r.update(seed="zz"),
        lambda r: r.update(seed=None),
        lambda r: r["entries"].append(r["entries"][0]),
        lambda r: r["slots"].append(r["slots"][0]),
        lambda r: r["entries"][0].update(people=9),
        lambda r: r["entries"][0].update(people=True),
        lambda r: r["entries"][0].update(minutes=10**9),
        lambda r: r["entries"][0].update(weekdays=[7]),
        lambda r: r["entries"][0].update(first_day="tomorrow"),
        lambda r: r["entries"][0].update(id=5),
        lambda r: r["slots"][0].update(free=-1),
        lambda r: r["slots"][0].update(minutes=0),
        lambda r: r["slots"][0].update(starts_at="2026-11-30T01:00:00"),
        lambda r: r["slots"][0].update(starts_at="0001-01-01T00:00:00+14:00"),
    ],
)
def test_what_is_no_record_is_refused(change: Any) -> None:  # noqa: ANN401
    said = json.loads(json.dumps(record([entry(n) for n in range(3)], 2)))
    change(said)
    with pytest.raises(RecordUnreadable):
        lottery.verify(said)


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        (None, 0, "agreed: 12 entries, 2 placed"),
        (b"", 2, "cannot be read"),
        (b"[]", 2, "cannot be read"),
        (b"{", 2, "cannot be read"),
        (b"\xff\xfe", 2, "cannot be read"),
        (b"[" * 100_000, 2, "cannot be read"),
    ],
)
def test_the_command_agrees_differs_or_cannot_read(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    content: bytes | None,
    code: int,
    says: str,
) -> None:
    path = tmp_path / "record.json"
    said = drawn(record([entry(n) for n in range(12)], 2))
    path.write_bytes(json.dumps(said).encode() if content is None else content)
    assert main(["lottery-verify", str(path)]) == code
    out = capsys.readouterr()
    assert says in out.out + out.err


def test_the_command_says_where_it_differs_and_misses_no_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = drawn(record([entry(n) for n in range(12)], 2))
    said["result"]["placed"].reverse()
    path = tmp_path / "record.json"
    path.write_text(json.dumps(said), encoding="utf-8")
    assert main(["lottery-verify", str(path)]) == 1
    assert "differs: result.placed[0]" in capsys.readouterr().out
    assert main(["lottery-verify", str(tmp_path / "none.json")]) == 2


def test_times_of_day_and_days_are_the_stations() -> None:
    said = entry(1, **{"from": "08:15", "to": "08:15"})
    result = lottery.allocate(record([said], 1, 1, 1))
    assert result.placed[0].starts == (EIGHT + QUARTER,)
    other = entry(2, first_day="2026-12-01", last_day=date(2026, 12, 2).isoformat())
    assert lottery.allocate(record([other], 1)).unplaced == (other["id"],)
