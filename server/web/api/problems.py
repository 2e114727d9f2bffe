"""What the programs' door refuses, as problem documents (RFC 9457) in both languages.

It decides nothing: it says in one table what each refusal is called and which status it has.
"""

import enum
import json
import logging
from collections.abc import Mapping

from flask import Response, request
from werkzeug.exceptions import HTTPException

from scheduler.booking import AlreadyBooked, AppointmentUnknown, MovedTooOften, SlotFull, SlotGone
from scheduler.booking import NotNow as AppointmentNotNow
from scheduler.places import PlaceUnknown
from scheduler.slots import SlotByLot
from server.cases.appointments import PersonUnknown
from server.cases.behalf import DayBarred, DossierUnknown, RequestReused
from server.rules.dossier import NotNow
from server.web.shell import language, words

log = logging.getLogger(__name__)

TYPE = "urn:thunhan:problem:"
"""What a problem's type begins with; docs/booking-api.md says what each means."""


class Code(enum.StrEnum):
    """What was refused."""

    KEY_WRONG = "key_wrong"
    BODY_TYPE = "body_type"
    BODY_LARGE = "body_large"
    BODY_WRONG = "body_wrong"
    FIELD_WRONG = "field_wrong"
    IDEMPOTENCY_KEY = "idempotency_key"
    REQUEST_REUSED = "request_reused"
    NOT_FOUND = "not_found"
    METHOD_WRONG = "method_wrong"
    DOSSIER_UNKNOWN = "dossier_unknown"
    APPOINTMENT_UNKNOWN = "appointment_unknown"
    STATION_UNKNOWN = "station_unknown"
    SLOT_FULL = "slot_full"
    SLOT_BY_LOT = "slot_by_lot"
    SLOT_GONE = "slot_gone"
    ALREADY_BOOKED = "already_booked"
    NOT_NOW = "not_now"
    PERSON_UNKNOWN = "person_unknown"
    DAY_BARRED = "day_barred"
    MOVED_TOO_OFTEN = "moved_too_often"
    TOO_MANY = "too_many"
    BROKEN = "broken"


STATUS: Mapping[Code, int] = {
    Code.KEY_WRONG: 401,
    Code.BODY_TYPE: 415,
    Code.BODY_LARGE: 413,
    Code.BODY_WRONG: 400,
    Code.FIELD_WRONG: 422,
    Code.IDEMPOTENCY_KEY: 400,
    Code.REQUEST_REUSED: 422,
    Code.NOT_FOUND: 404,
    Code.METHOD_WRONG: 405,
    Code.DOSSIER_UNKNOWN: 404,
    Code.APPOINTMENT_UNKNOWN: 404,
    Code.STATION_UNKNOWN: 404,
    Code.SLOT_FULL: 409,
    Code.SLOT_BY_LOT: 409,
    Code.SLOT_GONE: 409,
    Code.ALREADY_BOOKED: 409,
    Code.NOT_NOW: 409,
    Code.PERSON_UNKNOWN: 409,
    Code.DAY_BARRED: 422,
    Code.MOVED_TOO_OFTEN: 409,
    Code.TOO_MANY: 429,
    Code.BROKEN: 500,
}
FACTS: Mapping[type[Exception], Code] = {
    DossierUnknown: Code.DOSSIER_UNKNOWN,
    AppointmentUnknown: Code.APPOINTMENT_UNKNOWN,
    PlaceUnknown: Code.STATION_UNKNOWN,
    SlotFull: Code.SLOT_FULL,
    SlotByLot: Code.SLOT_BY_LOT,
    SlotGone: Code.SLOT_GONE,
    AlreadyBooked: Code.ALREADY_BOOKED,
    AppointmentNotNow: Code.NOT_NOW,
    NotNow: Code.NOT_NOW,
    PersonUnknown: Code.PERSON_UNKNOWN,
    DayBarred: Code.DAY_BARRED,
    MovedTooOften: Code.MOVED_TOO_OFTEN,
    RequestReused: Code.REQUEST_REUSED,
}
"""What cases raise, and what it is called here."""
SAID: Mapping[int, Code] = {
    404: Code.NOT_FOUND,
    405: Code.METHOD_WRONG,
    413: Code.BODY_LARGE,
    429: Code.TOO_MANY,
}
"""What the web framework refuses by itself, in our words."""


class Refused(Exception):
    """No; nothing was changed."""

    def __init__(
        self, code: Code, *, field: str | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(code.value)
        self.code = code
        self.field = field
        """Which field of the request is meant."""
        self.retry_after = retry_after
        """Seconds."""


def problem(refused: Refused, status: int | None = None) -> Response:
    """Return the refusal as a problem document."""
    code = refused.code
    text = words()[f"api.{code}"]
    said: dict[str, object] = {
        "type": TYPE + code.replace("_", "-"),
        "title": text.in_(language()),
        "status": status or STATUS[code],
        "code": code,
        "vi": text.vi,
        "en": text.en,
    }
    if refused.field is not None:
        said["field"] = refused.field
    response = Response(
        json.dumps(said, ensure_ascii=False),
        status=status or STATUS[code],
        mimetype="application/problem+json",
    )
    if refused.retry_after is not None:
        response.headers["Retry-After"] = str(refused.retry_after)
    if code is Code.KEY_WRONG:
        response.headers["WWW-Authenticate"] = 'Bearer realm="thunhan"'
    return response


def fact(error: Exception) -> Response:
    """Return what a case raised as a problem document."""
    return problem(Refused(next(FACTS[kind] for kind in type(error).__mro__ if kind in FACTS)))


def said(error: HTTPException) -> Response:
    """Return what the framework refused, in our words and with its status."""
    status = error.code or 500
    default = Code.BODY_WRONG if status < 500 else Code.BROKEN  # noqa: PLR2004 - HTTP classes
    response = problem(Refused(SAID.get(status, default)), status)
    kept = {name: value for name, value in error.get_headers() if name == "Allow"}
    response.headers.update(kept)
    return response


def broken(error: Exception) -> Response:
    """Log what nobody foresaw, and say only that it happened."""
    log.error("%s %s broke", request.method, request.path, exc_info=error)
    return problem(Refused(Code.BROKEN))
