"""The common case in one statement, on PostgreSQL: one person, one slot, nobody in the way.

It refuses nobody: whatever does not succeed at once is left to the portable way (`making`), which
says why. The statement writes what that one writes, in the same order of locks.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from scheduler import claims, requests

ROOM = """
    place = %(place)s AND starts_at = %(starts_at)s AND lane = %(lane)s
    AND offered AND (NOT by_lot OR NOT %(public)s) AND minutes >= %(least)s
    AND taken < capacity AND (NOT %(public)s OR public_taken < public_capacity)
"""
STATEMENT = f"""
WITH noted AS (
  INSERT INTO booking_request (key, appointment_id, at)
  SELECT %(request)s::bytea, %(id)s, %(created_at)s
  WHERE %(request)s::bytea IS NOT NULL AND EXISTS (SELECT FROM slot WHERE {ROOM})
  ON CONFLICT DO NOTHING RETURNING 1
), claimed AS (
  INSERT INTO claim (key, holder, kind)
  SELECT key, %(id)s, '{claims.APPOINTMENT}'
  FROM unnest(ARRAY[%(first_key)s::bytea, %(second_key)s::bytea]) key
  WHERE EXISTS (SELECT FROM slot WHERE {ROOM})
  AND (%(request)s::bytea IS NULL OR (SELECT count(*) FROM noted) = 1)
  ON CONFLICT DO NOTHING RETURNING 1
), taken AS (
  UPDATE slot SET taken = taken + 1, public_taken = public_taken + %(public)s::int
  WHERE {ROOM} AND (SELECT count(*) FROM claimed) = 2
  RETURNING minutes
), written AS (
  INSERT INTO appointment (id, place, starts_at, lane, minutes, length, public, whose, party, state,
                           hold_until, hold_minutes, moved, events, head, created_at, changed_at)
  SELECT %(id)s, %(place)s, %(starts_at)s, %(lane)s, minutes, %(length)s, %(public)s, %(whose)s,
         %(party)s::uuid, %(state)s, %(hold_until)s, %(hold_minutes)s, %(moved)s, 1, %(head)s,
         %(created_at)s, %(changed_at)s
  FROM taken
), told AS (
  INSERT INTO appointment_history (appointment_id, number, at, by, event, place, starts_at, lane,
                                   digest)
  SELECT %(id)s, 1, %(at)s, %(by)s, %(event)s, %(place)s, %(starts_at)s, %(lane)s, %(head)s
  FROM taken
)
SELECT (SELECT count(*) FROM noted), (SELECT count(*) FROM claimed), (SELECT minutes FROM taken)
"""  # noqa: S608 - our own words; every value is bound


def make(
    session: Session,
    row: Mapping[str, Any],
    entry: Mapping[str, Any],
    *,
    keys: tuple[bytes, bytes],
    request: bytes | None,
) -> int | None:
    """Write the appointment and its first entry; return its minutes, or None and nothing changed.

    Args:
        session: a transaction that writes.
        row: the columns of the appointment, but for its minutes.
        entry: the columns of its first entry.
        keys: what it claims.
        request: digest of what the asker calls this request.
    """
    if session.get_bind().dialect.name != "postgresql":
        return None
    session.flush()
    first, second = sorted(keys)
    asked = {
        **row,
        "state": str(row["state"]),
        "least": row["length"] or 1,
        "request": request,
        "first_key": first,
        "second_key": second,
        "at": entry["at"],
        "by": entry["by"],
        "event": entry["event"],
        "head": entry["digest"],
    }
    answer = session.connection().exec_driver_sql(STATEMENT, asked).one()
    noted, claimed, minutes = answer
    if minutes is not None:
        return int(minutes)
    if claimed:
        claims.give_up(session, [row["id"]])
    if noted and request is not None:
        requests.forget(session, request)
    return None
