"""Will this photo do? Takes one photo from a citizen's phone, says what to mend, forgets it.

No picture is decoded here, written to disk, logged or tied to a dossier.
"""

import base64
import logging
import math
from contextlib import suppress
from importlib.resources import files
from io import BytesIO
from typing import IO, Any

from flask import Blueprint, Response, abort, render_template, request
from flask.typing import ResponseReturnValue
from flask.wrappers import Request
from werkzeug.exceptions import Forbidden, HTTPException, TooManyRequests

from biometrics.face.containers import ImageRefused, Reason
from biometrics.face.examine import FEW_PIXELS, MAX_BYTES, Examined, examine, make_ready, words
from biometrics.face.hints import PortraitHint
from biometrics.sandbox.room import RoomBroken, RoomFull
from server.cases import home_check
from server.web.citizen.desk import network, slow_down
from server.web.guard import open_to
from server.web.shell import ASSET_KEPT, language, t

log = logging.getLogger(__name__)
pages = Blueprint("photo", __name__)

PROFILE = "can-cuoc"
FIELDS = ("photo", "camera")
AROUND = 64 * 1024
"""Bytes of a form beside its photo."""
DRAINED = 64 * 1024 * 1024
"""Bytes of a body too large that are read and dropped: a browser that is cut off shows no page."""
PIECE = 64 * 1024
BUSY_AGAIN = 30
"""Seconds after which another try makes sense."""
DRAWN = frozenset({hint.value for hint in PortraitHint})
DRAWN_AS = {FEW_PIXELS: PortraitHint.COMPRESSED.value}


class InMemory(Request):
    """A request whose uploads never touch a disk, however large they are."""

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        del total_content_length, content_type, filename, content_length
        return BytesIO()


@pages.url_value_preprocessor
def _take_more(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Let these routes alone take a photo; before the guard reads the form for its token."""
    del endpoint, values
    request.max_content_length = MAX_BYTES + AROUND
    # Werkzeug counts a file's bytes too while it looks for their end: long runs without a newline.
    request.max_form_memory_size = MAX_BYTES + AROUND


@pages.get("/photo")
@open_to("citizen")
def ask() -> ResponseReturnValue:
    """Show how to take a photo, and ask for one."""
    # Where it fails it is tried again when a photo comes; who only reads need not know.
    with suppress(RoomBroken):
        make_ready()
    return _page("photo")


@pages.post("/photo")
@open_to("citizen")
def look() -> ResponseReturnValue:
    """Say whether the photo would do."""
    slow_down((home_check.BY_NETWORK, network()))
    try:
        return _verdict(examine(_sent(), PROFILE))
    except ImageRefused as refused:
        return _refused(refused.reason)
    except RoomFull:
        return _sorry("busy", 503, retry_after=BUSY_AGAIN)
    except RoomBroken:
        log.exception("the sandbox does not start")
        abort(503)


@pages.get("/photo/drawing/<hint>.svg")
@open_to("everybody")
def drawing(hint: str) -> Response:
    """Return the drawing of a hint."""
    if hint not in DRAWN:
        abort(404)
    file = files("biometrics.face").joinpath("drawings", f"{hint}.svg")
    if not file.is_file():
        abort(404)
    response = Response(file.read_bytes(), mimetype="image/svg+xml")
    response.headers["Cache-Control"] = f"public, max-age={ASSET_KEPT}"
    return response


def _sent() -> bytes:
    """Return the photo of whichever button was used; no bytes where none was."""
    for name in FIELDS:
        for upload in request.files.getlist(name):
            data: bytes = upload.read()
            if data:
                return data
    return b""


def _verdict(seen: Examined) -> ResponseReturnValue:
    said = words()

    def told(what: str, keys: tuple[str, ...]) -> list[str]:
        return [said.say(f"photo.{what}.{key}", language()) for key in keys]

    preview = None
    if seen.preview is not None:
        preview = f"data:image/jpeg;base64,{base64.b64encode(seen.preview).decode()}"
    return _page(
        "photo_seen",
        ok=seen.ok,
        mend=list(zip(map(_drawing, seen.mend), told("mend", seen.mend), strict=True)),
        advice=told("mend", seen.advice),
        good=told("good", seen.good),
        unsure=told("unsure", seen.unsure),
        preview=preview,
    )


def _page(name: str, **shown: Any) -> str:  # noqa: ANN401 - a template's values
    said = {
        reason.value: words().say(f"photo.refused.{reason.value}", language()) for reason in Reason
    }
    return render_template(f"citizen/{name}.html", said=said, most=MAX_BYTES, **shown)


def _drawing(key: str) -> str:
    return DRAWN_AS.get(key, key)


def _refused(reason: Reason) -> ResponseReturnValue:
    page = _page(
        "photo_sorry",
        title=t("photo.refused.title"),
        text=words().say(f"photo.refused.{reason.value}", language()),
    )
    return page, 413 if reason is Reason.TOO_LARGE else 422


def _sorry(
    what: str, status: int, *, retry_after: int | None = None, **values: object
) -> ResponseReturnValue:
    page = _page(
        "photo_sorry",
        title=t(f"photo.{what}.title"),
        text=t(f"photo.{what}.text", **values),
    )
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return page, status, headers


@pages.errorhandler(413)
def _too_large(error: HTTPException) -> ResponseReturnValue:
    del error
    length = request.content_length
    if length is not None and length <= DRAINED:
        stream = request.environ["wsgi.input"]
        while length > 0 and (piece := stream.read(min(PIECE, length))):
            length -= len(piece)
    return _refused(Reason.TOO_LARGE)


@pages.errorhandler(TooManyRequests)
def _too_often(error: TooManyRequests) -> ResponseReturnValue:
    wait = error.retry_after if isinstance(error.retry_after, int) else 60
    return _sorry("often", 429, retry_after=wait, n=math.ceil(wait / 60))


@pages.errorhandler(Forbidden)
def _forged(error: Forbidden) -> ResponseReturnValue:
    del error
    return _sorry("forged", 403)
