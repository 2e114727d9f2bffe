"""The queue: who waits, how long, and what an officer should know before opening a capture."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from babel import dates
from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from scheduler.database import reading
from server.cases import captures
from server.cases.captures import CaptureUnknown, Seen, Waiting
from server.cases.officers import Acting, actor
from server.web.formats import LOCALES
from server.web.guard import open_to
from server.web.officer.desk import DECIDING, desk, me
from server.web.officer.names import by_given_name
from server.web.shell import language

pages = Blueprint("queue", __name__)

DIGEST_LENGTH: Final = 64
DOUBTFUL: Final = frozenset({"unsure", "no_match"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line as it is shown."""

    waiting: Waiting
    waited: str
    own: bool
    """The reader helped at the kiosk and may not open it."""
    mine: bool
    """The reader has it open."""
    doubtful: bool


def waited(since: datetime, now: datetime) -> str:
    """Return ``2 giờ`` or ``2 hours``."""
    return dates.format_timedelta(
        max(now - since, timedelta()), granularity="minute", locale=LOCALES[language()]
    )


def _line(found: Waiting, officer: Acting, now: datetime) -> Line:
    return Line(
        waiting=found,
        waited=waited(found.received_at, now),
        own=found.operator is not None and actor(found.operator) == officer.actor,
        mine=found.opener == officer.actor,
        doubtful=found.outcome in DOUBTFUL,
    )


def _done(digest: str, officer: Acting) -> Seen | None:
    """Return the capture just decided, to be confirmed on top of the page."""
    if len(digest) != DIGEST_LENGTH or not digest.isalnum():
        return None
    with reading(desk().engine) as session:
        try:
            found = captures.see(session, digest, officer)
        except CaptureUnknown:
            return None
    decided = found.decision is not None and found.decision.officer == officer.id
    return found if decided else None


@pages.get("/queue")
@open_to(*DECIDING)
def show() -> ResponseReturnValue:
    """Show what waits and what is in hand."""
    here, officer = desk(), me()
    now = here.now()
    with reading(here.engine) as session:
        lines = captures.queue(session, officer)
        in_hand = captures.in_hand(session, officer)
    by_name = request.args.get("by") == "name"
    if by_name:
        lines = tuple(sorted(lines, key=lambda line: by_given_name(line.name)))
    return render_template(
        "officer/queue.html",
        lines=[_line(line, officer, now) for line in lines],
        in_hand=[_line(line, officer, now) for line in in_hand],
        by_name=by_name,
        done=_done(request.args.get("done", ""), officer),
        full=len(lines) >= captures.LONGEST_LIST,
    )
