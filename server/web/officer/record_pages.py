"""Records of fingers and of whole captures for the officer who has the capture open.

Each is handed out and written down as `file_pages` does it.
"""

from flask import Blueprint, abort
from flask.typing import ResponseReturnValue

from biometrics.capture import ImpressionKind
from scheduler.database import reading
from server.cases import captures
from server.cases.captures import Seen
from server.web.guard import open_to
from server.web.officer import file_pages, records, review_pages
from server.web.officer.desk import DECIDING, desk, me
from server.web.officer.records import OfCapture, OfFinger

pages = Blueprint("record", __name__)
review_pages.say_refusals(pages)

NOT_MADE = "no_record"


@pages.post("/captures/<digest>/fingers/<int:position>/<kind>/<name>")
@open_to(*DECIDING)
def of_finger(digest: str, position: int, kind: str, name: str) -> ResponseReturnValue:
    """Give a record of one impression."""
    try:
        wanted, impression = OfFinger(name), ImpressionKind(kind)
    except ValueError:
        abort(404)
    at = _seen(digest).captured_at
    return file_pages.given(
        digest,
        f"{wanted}-{position}-{impression}",
        lambda opened: records.of_finger(wanted, opened.capture, position, impression, at=at),
        none=NOT_MADE,
    )


@pages.post("/captures/<digest>/records/<name>")
@open_to(*DECIDING)
def of_capture(digest: str, name: str) -> ResponseReturnValue:
    """Give a file of the whole capture."""
    try:
        wanted = OfCapture(name)
    except ValueError:
        abort(404)
    seen = _seen(digest)
    return file_pages.given(
        digest,
        wanted,
        lambda opened: records.of_capture(
            wanted, opened.capture, at=seen.captured_at, station=seen.station
        ),
        none=NOT_MADE,
    )


def _seen(digest: str) -> Seen:
    with reading(desk().engine) as session:
        return captures.see(session, review_pages.checked(digest), me())
