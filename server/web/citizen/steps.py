"""The pages of the wizard in their order, which of them are done, and where one goes next.

It reads no form and renders nothing.
"""

from collections.abc import Callable, Mapping
from datetime import date

from server.clock import HERE
from server.rules.cases import Outcome
from server.rules.dossier import DossierState
from server.web.citizen.desk import Draft

ASKING = ("reason", "birth", "identity", "data", "contact", "requests", "delivery", "priority")
BOOKING = ("station", "day", "time", "confirm")
ALL = (*ASKING[:2], "coming", *ASKING[2:], "representative", *BOOKING)


def pages_of(draft: Draft | None, today: date) -> tuple[str, ...]:
    """Return the pages this draft goes through."""
    if draft is None:
        return (*ASKING, *BOOKING)
    if draft.state is not DossierState.DRAFT:
        return BOOKING
    outcome = draft.advice(today)
    coming = ("coming",) if outcome not in {None, Outcome.COME} else ()
    accompanied = outcome is not None and outcome.accompanied
    representative = ("representative",) if accompanied else ()
    return (*ASKING[:2], *coming, *ASKING[2:], *representative, *BOOKING)


def holds_what_was_chosen(draft: Draft) -> bool:
    """Return whether the held place is at the station and on the day chosen."""
    if draft.held is None:
        return False
    day = draft.held.starts_at.astimezone(HERE).date().isoformat()
    return (draft.held.place, day) == (draft.answers.get("station"), draft.answers.get("day"))


def _was_advised(draft: Draft, today: date) -> bool:
    outcome = draft.advice(today)
    return outcome is not None and draft.answers.get("coming") == outcome.value


DONE: Mapping[str, Callable[[Draft, date], bool]] = {
    "reason": lambda _draft, _today: True,
    "coming": _was_advised,
    "identity": lambda draft, _today: draft.person is not None,
    "data": lambda draft, _today: draft.answers.get("data") == "yes",
    "contact": lambda draft, _today: "phone" in draft.answers,
    "time": lambda draft, _today: holds_what_was_chosen(draft),
    "confirm": lambda _draft, _today: False,
}
"""How a page is known to have its answer; all others keep it under their name."""


def is_done(page: str, draft: Draft, today: date) -> bool:
    """Return whether the page has its answer."""
    known = DONE.get(page)
    return page in draft.answers if known is None else known(draft, today)


def next_page(draft: Draft | None, today: date) -> str:
    """Return the first page without an answer."""
    if draft is None:
        return "reason"
    return next(p for p in pages_of(draft, today) if not is_done(p, draft, today))


def may_see(page: str, draft: Draft | None, today: date) -> bool:
    """Return whether every page before `page` has its answer."""
    pages = pages_of(draft, today)
    if page not in pages:
        return False
    if draft is None:
        return page == "reason"
    return all(is_done(p, draft, today) for p in pages[: pages.index(page)])


def before(page: str, draft: Draft | None, today: date) -> str | None:
    """Return the page before, or None at the first."""
    pages = pages_of(draft, today)
    place = pages.index(page) if page in pages else 0
    return pages[place - 1] if place else None


def position(page: str, draft: Draft | None, today: date) -> tuple[int, int] | None:
    """Return (3, 11) for the third of eleven pages."""
    pages = pages_of(draft, today)
    return (pages.index(page) + 1, len(pages)) if page in pages else None
