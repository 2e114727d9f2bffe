"""Requests of programs, read with suspicion: JSON bodies, times, identities, queries.

What it returns can be trusted to have the right shape; whether it is true it does not know.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NoReturn
from uuid import UUID

from flask import request

from scheduler.places import REGULAR
from scheduler.slots import SlotGone, SlotRef
from server.cases.behalf import Proof
from server.cases.programs import Caller
from server.rules import codes, dates, fields
from server.rules.fields import BirthDate
from server.web.api.problems import Code, Refused

LARGEST_BODY = 4096
"""Bytes; the longest request has some 250."""
IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{8,128}")
BIRTH = re.compile(r"([0-9]{4})(?:-([0-9]{2})-([0-9]{2}))?")
WORD = re.compile(r"[A-Za-z0-9_.-]{1,16}")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name came twice")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def body(required: frozenset[str], optional: frozenset[str] = frozenset()) -> Mapping[str, str]:
    """Return the request's fields, all of them texts and none unknown.

    Raises:
        Refused: it is no JSON, or has other fields.
    """
    packed = request.headers.get("Content-Encoding") is not None
    if packed or request.mimetype != "application/json":
        raise Refused(Code.BODY_TYPE)
    data = request.get_data(cache=False)
    try:
        found = json.loads(data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise Refused(Code.BODY_WRONG) from None
    if not isinstance(found, dict):
        raise Refused(Code.BODY_WRONG)
    for name in sorted(required - found.keys()) + sorted(found.keys() - required - optional):
        raise Refused(Code.FIELD_WRONG, field=name[:40])
    for name, value in found.items():
        if not isinstance(value, str) or "\x00" in value:
            raise Refused(Code.FIELD_WRONG, field=name)
    return found


def proof(said: Mapping[str, str], *, today: date) -> Proof:
    """Return whose dossier is meant.

    Raises:
        Refused: the code or the birth date has not the shape of one.
    """
    try:
        code = codes.parse(said["dossier"])
    except codes.CodeInvalid:
        raise Refused(Code.FIELD_WRONG, field="dossier") from None
    return Proof(code=code, birth=_birth(said["birth_date"], today=today))


def _birth(text: str, *, today: date) -> BirthDate:
    """Return ``1990-01-31``, or ``1990`` where no more is known."""
    found = BIRTH.fullmatch(text)
    if found is None:
        raise Refused(Code.FIELD_WRONG, field="birth_date")
    year, month, day = found.groups(default="")
    try:
        return fields.birth_date(
            {"birth_year": year, "birth_month": month, "birth_day": day}, "birth", today=today
        )
    except fields.Refused:
        raise Refused(Code.FIELD_WRONG, field="birth_date") from None


def slot(said: Mapping[str, str], *, today: date) -> SlotRef:
    """Return which time is meant: ``station``, ``starts_at`` with its zone, perhaps ``lane``.

    Raises:
        Refused: it is none.
        SlotGone: no calendar may offer it.
    """
    lane = said.get("lane", REGULAR)
    for name, value in (("station", said["station"]), ("lane", lane)):
        if not WORD.fullmatch(value):
            raise Refused(Code.FIELD_WRONG, field=name)
    starts_at = _moment(said["starts_at"])
    if not dates.may_be_offered(starts_at, today=today):
        raise SlotGone
    return SlotRef(place=said["station"], starts_at=starts_at, lane=lane)


def _moment(text: str) -> datetime:
    moment = dates.moment(text)
    if moment is None:
        raise Refused(Code.FIELD_WRONG, field="starts_at")
    return moment


def identity(text: str) -> UUID:
    """Return an appointment's id.

    Raises:
        Refused: it is none; told as an unknown appointment.
    """
    try:
        found = UUID(text)
    except ValueError:
        found = None
    if found is None or str(found) != text.lower():
        raise Refused(Code.APPOINTMENT_UNKNOWN)
    return found


def request_key(caller: Caller) -> bytes:
    """Return the digest of the request's ``Idempotency-Key``; each program has its own.

    Raises:
        Refused: there is none, or it has not 8 to 128 visible characters.
    """
    key = request.headers.get("Idempotency-Key", "")
    if not IDEMPOTENCY_KEY.fullmatch(key):
        raise Refused(Code.IDEMPOTENCY_KEY)
    return hashlib.sha256(f"{caller.actor} {key}".encode()).digest()


def query_word(name: str) -> str | None:
    """Return a code in the query, or None where it is not there.

    Raises:
        Refused: it is no code.
    """
    value = request.args.get(name)
    if value is not None and not WORD.fullmatch(value):
        raise Refused(Code.FIELD_WRONG, field=name)
    return value


def query_text(name: str, longest: int) -> str:
    """Return a text in the query; empty where it is not there.

    Raises:
        Refused: it is too long.
    """
    value = request.args.get(name, "")
    if len(value) > longest or "\x00" in value:
        raise Refused(Code.FIELD_WRONG, field=name)
    return value


def query_day(name: str) -> date | None:
    """Return a day in the query, ``2026-12-01``, or None where it is not there.

    Raises:
        Refused: it is none.
    """
    value = request.args.get(name)
    if value is None:
        return None
    day = dates.day(value)
    if day is None:
        raise Refused(Code.FIELD_WRONG, field=name)
    return day


def query_number(name: str, *, least: float, most: float) -> float | None:
    """Return a number in the query, or None where it is not there.

    Raises:
        Refused: it is none, or not between `least` and `most`.
    """
    value = request.args.get(name)
    if value is None:
        return None
    try:
        number = float(value[:24])
    except ValueError:
        number = float("nan")
    # Not a number is within no bounds.
    if not least <= number <= most:
        raise Refused(Code.FIELD_WRONG, field=name)
    return number
