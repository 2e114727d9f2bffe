"""The draw by lot: from entries, slots, a seed and a public number to who comes when. It is pure.

Anybody may run it again over the public record of a draw; no database and no clock is asked.

How it is drawn:
1. Entries are put in order: priority groups first; within both by HMAC-SHA256, key the seed
   followed by the public number in UTF-8, message the entry's id as it is written.
2. One after the other takes the first time that fits what it wished and that has room for all its
   people: each begins in a slot in which another of them still sits or in the one that follows.
3. Who finds none goes on waiting.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from scheduler import seating
from scheduler.matching import Wanted
from scheduler.seating import Room
from scheduler.slots import SlotRef

VERSION = 1
FROZEN = (
    "version",
    "draw",
    "place",
    "lane",
    "first_day",
    "last_day",
    "closes_at",
    "commitment",
    "beacon",
    "beacon_at",
    "entries",
    "slots",
)
"""What is fixed when wishes are closed, before the public number is known."""
MOST_ENTRIES, MOST_SLOTS, MOST_FREE, MOST_PEOPLE, LONGEST = 200_000, 50_000, 10_000, 8, 240
"""[D] No draw of one place is larger; a record that says so is none."""


class RecordUnreadable(ValueError):
    """This is no record of a draw."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A wish that takes part."""

    id: str
    priority: bool
    wanted: Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """An entry that got places, and where each of its people sits."""

    id: str
    chains: tuple[seating.Chain, ...]

    @property
    def starts(self) -> tuple[datetime, ...]:
        """When each of them begins."""
        return tuple(chain.first.starts_at for chain in self.chains)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of it, in the order in which it was drawn."""

    placed: tuple[Placed, ...]
    unplaced: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as it stands in the record."""
        return {
            "placed": [
                {"id": one.id, "starts": [moment(start) for start in one.starts]}
                for one in self.placed
            ],
            "unplaced": list(self.unplaced),
        }


def moment(at: datetime) -> str:
    """Return a time as it stands in the record."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def digest(record: Mapping[str, Any]) -> str:
    """Return SHA-256 of what is fixed when wishes are closed: its JSON, keys sorted, no spaces."""
    fixed = {name: record[name] for name in FROZEN}
    text = json.dumps(fixed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def commitment(seed: bytes) -> str:
    """Return what is public of a seed before the draw."""
    return hashlib.sha256(seed).hexdigest()


def allocate(record: Mapping[str, Any]) -> Result:
    """Draw: the same record gives the same result, in whatever order entries and slots stand.

    Raises:
        RecordUnreadable: it is no record of a draw, or its seed is not known yet.
    """
    entries, rooms, key = _read(record)
    order = sorted(entries, key=lambda entry: (not entry.priority, _lot(key, entry.id)))
    index = {room.slot: n for n, room in enumerate(rooms)}
    placed, unplaced = [], []
    for entry in order:
        chains = _seats(entry.wanted, rooms)
        if chains is None:
            unplaced.append(entry.id)
            continue
        for slot in (slot for chain in chains for slot in chain.slots):
            room = rooms[index[slot]]
            rooms[index[slot]] = Room(slot=slot, minutes=room.minutes, free=room.free - 1)
        placed.append(Placed(id=entry.id, chains=chains))
    return Result(placed=tuple(placed), unplaced=tuple(unplaced))


def _lot(key: bytes, entry: str) -> bytes:
    return hmac.new(key, entry.encode(), hashlib.sha256).digest()


def _seats(wanted: Wanted, rooms: Sequence[Room]) -> tuple[seating.Chain, ...] | None:
    lengths = [wanted.minutes] * wanted.people
    reach = sum(lengths) + 1  # no slot is shorter than a minute
    for n, room in enumerate(rooms):
        if room.free and wanted.wants(room.slot.starts_at):
            found = seating.arrange(rooms[n : n + reach], lengths)
            if found is not None:
                return found
    return None


def verify(record: Mapping[str, Any]) -> tuple[str, ...]:
    """Draw again and return what differs from the record; nothing: it was drawn as it says.

    Raises:
        RecordUnreadable: it is no record of a draw that was drawn.
    """
    result = allocate(record).as_json()
    return (*_differences(record, result), *_unbooked(record, result))


def _unbooked(record: Mapping[str, Any], result: Mapping[str, Any]) -> Iterator[str]:
    said, drawn = record.get("unbooked"), {one["id"] for one in result["placed"]}
    if not isinstance(said, list):
        yield "unbooked: there is none"
        return
    for one in said:
        if not isinstance(one, str) or one not in drawn:
            yield f"unbooked: {_short(one)} got no place"
            return


def _differences(record: Mapping[str, Any], result: Mapping[str, Any]) -> Iterator[str]:
    if commitment(bytes.fromhex(record["seed"])) != record["commitment"]:
        yield "commitment: it is not the SHA-256 of the seed"
    if digest(record) != record.get("frozen"):
        yield "frozen: the digest does not fit entries and slots"
    if bool(record["beacon"]) != bool(record.get("beacon_value")):
        yield "beacon_value: a public number was announced and is missing, or the other way round"
    said = record.get("result")
    if not isinstance(said, Mapping):
        yield "result: there is none"
        return
    for name in ("placed", "unplaced"):
        theirs = said.get(name)
        if not isinstance(theirs, list):
            yield f"result.{name}: there is none"
            continue
        ours = result[name]
        if len(theirs) != len(ours):
            yield f"result.{name}: {len(theirs)} in the record, {len(ours)} drawn again"
        for n, (one, again) in enumerate(zip(theirs, ours, strict=False)):
            if one != again:
                yield f"result.{name}[{n}]: {_short(one)} in the record, {_short(again)} again"
                break


def _short(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)[:200]


def _read(record: Mapping[str, Any]) -> tuple[list[Entry], list[Room], bytes]:
    """Return entries, slots by start, and the key of the lots."""
    try:
        if record["version"] != VERSION or any(name not in record for name in FROZEN):
            raise RecordUnreadable("not a record of this version")
        seed, beacon = bytes.fromhex(record["seed"]), str(record.get("beacon_value", ""))
        if not 0 < len(record["slots"]) <= MOST_SLOTS or len(record["entries"]) > MOST_ENTRIES:
            raise RecordUnreadable("too few or too many entries or slots")
        entries = [_entry(entry) for entry in record["entries"]]
        rooms = [_room(record["place"], record["lane"], slot) for slot in record["slots"]]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as wrong:
        raise RecordUnreadable(str(wrong)) from wrong
    if len({entry.id for entry in entries}) != len(entries):
        raise RecordUnreadable("an entry stands there twice")
    rooms.sort(key=lambda room: room.slot)
    if len({room.slot for room in rooms}) != len(rooms):
        raise RecordUnreadable("a slot stands there twice")
    return entries, rooms, seed + beacon.encode()


def _entry(said: Mapping[str, Any]) -> Entry:
    wanted = Wanted(
        first_day=date.fromisoformat(said["first_day"]),
        last_day=date.fromisoformat(said["last_day"]),
        weekdays=frozenset(_within(day, 0, 6) for day in said["weekdays"]),
        from_time=time.fromisoformat(said["from"]),
        to_time=time.fromisoformat(said["to"]),
        people=_within(said["people"], 1, MOST_PEOPLE),
        minutes=_within(said["minutes"], 1, LONGEST),
    )
    if not isinstance(said["id"], str) or not isinstance(said["priority"], bool):
        raise RecordUnreadable("an entry without id or group")
    return Entry(id=said["id"], priority=said["priority"], wanted=wanted)


def _room(place: str, lane: str, said: Mapping[str, Any]) -> Room:
    starts_at = datetime.fromisoformat(said["starts_at"])
    if starts_at.tzinfo is None:
        raise RecordUnreadable("a slot without a zone")
    return Room(
        slot=SlotRef(place=place, starts_at=starts_at.astimezone(UTC), lane=lane),
        minutes=_within(said["minutes"], 1, 24 * 60),
        free=_within(said["free"], 0, MOST_FREE),
    )


def _within(value: object, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise RecordUnreadable(f"{_short(value)} is not between {least} and {most}")
    return value
