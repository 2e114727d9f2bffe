"""What every route of the intake has at hand, and how the intake answers.

It decides nothing.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar, cast

import sqlalchemy as sa
from flask import Response, current_app, g, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException

from kiosk.protocol import BothLanguages, Refusal
from server.cases.refusals import Reason, Refused
from server.settings import Settings
from server.store.keys import ReceiptKey
from server.store.tables import Device
from server.store.vault import Vault
from server.web.shell import words

log = logging.getLogger(__name__)

EXTENSION = "thunhan-intake"
LARGEST_MESSAGE = 4096
"""Bytes of a JSON message; the longest has some 200."""

_R = Reason
STATUS: Mapping[Reason, int] = {
    _R.SIGNATURE_WRONG: 401,
    _R.CLOCK_WRONG: 401,
    _R.REPLAYED: 401,
    _R.DEVICE_UNKNOWN: 401,
    _R.DEVICE_REVOKED: 403,
    _R.MESSAGE_WRONG: 400,
    _R.TOO_LARGE: 413,
    _R.NOT_FOUND: 404,
    _R.METHOD_WRONG: 405,
    _R.BROKEN: 500,
    _R.NO_KEYS: 503,
    _R.NO_ROOM: 507,
    _R.TRY_LATER: 429,
    _R.UNKNOWN: 404,
    _R.VISIT_UNKNOWN: 404,
    _R.UPLOAD_UNKNOWN: 404,
    _R.UPLOAD_FOREIGN: 422,
    _R.UPLOADS_MANY: 429,
    _R.CHUNK_EMPTY: 400,
    _R.CHUNK_BEYOND: 400,
    _R.PACKET_DAMAGED: 422,
    _R.PACKET_SIGNATURE: 422,
    _R.PACKET_DIGEST: 422,
    _R.PACKET_DEVICE: 422,
    _R.PACKET_STATION: 422,
    _R.PACKET_VISIT: 422,
    _R.PACKET_DOSSIER: 422,
    _R.PACKET_TRUST: 422,
    _R.PACKET_KEY: 422,
    _R.PACKET_NOTICE: 422,
    _R.PACKET_OFFICER: 422,
    _R.PACKET_SIMULATED: 422,
    _R.VISIT_CLOSED: 422,
    _R.SEQUENCE_REUSED: 422,
}
"""HTTP statuses; 409 for everything else: the world is not as the kiosk thought."""
CONFLICT = 409
SAID: Mapping[int, Reason] = {
    404: Reason.NOT_FOUND,
    405: Reason.METHOD_WRONG,
    413: Reason.TOO_LARGE,
}
"""What the web framework refuses by itself, in our words."""

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The parts the intake works with."""

    settings: Settings
    secret: bytes
    engine: sa.Engine
    clock: Callable[[], datetime]
    vault: Vault
    receipts: ReceiptKey


def desk() -> Desk:
    """Return this app's desk."""
    return cast("Desk", current_app.extensions[EXTENSION])


def device() -> Device:
    """Return the device whose signature the gate has verified; no session holds the row."""
    return cast("Device", g.device)


def message(model: type[M]) -> M:
    """Return the request's body as `model`.

    Raises:
        Refused: it is no JSON, or not of this model.
    """
    body = request.get_data()
    if len(body) > LARGEST_MESSAGE:
        raise Refused(Reason.TOO_LARGE)
    try:
        return model.model_validate_json(body)
    except ValidationError:
        raise Refused(Reason.MESSAGE_WRONG) from None


def answer(said: BaseModel, status: int = 200) -> Response:
    """Return `said` as JSON."""
    return Response(said.model_dump_json(), status=status, mimetype="application/json")


def refuse(refused: Refused) -> Response:
    """Return the refusal in both languages."""
    text = words()[f"refusal.{refused.reason}"].fill(**refused.values)
    refusal = Refusal(code=refused.reason, text=BothLanguages(vi=text.vi, en=text.en))
    return answer(refusal, STATUS.get(refused.reason, CONFLICT))


def said(error: HTTPException) -> Response:
    """Return what the framework refused, in our words and with its status."""
    status = error.code or 500
    default = Reason.MESSAGE_WRONG if status < 500 else Reason.BROKEN  # noqa: PLR2004 - HTTP classes
    response = refuse(Refused(SAID.get(status, default)))
    response.status_code = status
    return response


def broken(error: Exception) -> Response:
    """Log what nobody foresaw, and say only that it happened."""
    log.error("%s %s broke", request.method, request.path, exc_info=error)
    return refuse(Refused(Reason.BROKEN))
