"""The counter: cards to hand over, and dossiers that wait for their data to be put right."""

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from scheduler.database import reading, transaction
from server.cases import counter
from server.cases.captures import CaptureUnknown
from server.registry.port import RegistryDown
from server.rules.dossier import DossierState, NotNow
from server.web.guard import open_to
from server.web.officer.desk import AT_COUNTER, DECIDING, desk, me
from server.web.officer.names import by_given_name
from server.web.officer.review_pages import DIGEST

pages = Blueprint("counter", __name__)


def _page(*, trouble: str | None = None) -> str:
    officer = me()
    with reading(desk().engine) as session:
        accepted = counter.waiting(session, officer, DossierState.ACCEPTED)
        to_correct = counter.waiting(session, officer, DossierState.TO_CORRECT)
    wanted = request.args.get("code", "")[:60].replace("\x00", "").strip().upper()

    def fitting(found: tuple[counter.AtCounter, ...]) -> list[counter.AtCounter]:
        kept = (row for row in found if wanted in row.code)
        return sorted(kept, key=lambda row: by_given_name(row.name))

    return render_template(
        "officer/counter.html",
        accepted=fitting(accepted),
        to_correct=fitting(to_correct),
        wanted=wanted,
        trouble=trouble,
        may_take_back=officer.role.value in DECIDING,
    )


@pages.errorhandler(CaptureUnknown)
def _unknown(_error: CaptureUnknown) -> ResponseReturnValue:
    return render_template("error.html", key="404", status=404), 404


@pages.errorhandler(NotNow)
def _moved_on(_error: NotNow) -> ResponseReturnValue:
    return render_template("officer/notice.html", key="moved_on", digest=None), 409


@pages.get("/counter")
@open_to(*AT_COUNTER)
def show() -> ResponseReturnValue:
    """Show who may collect a card and whose data are being corrected."""
    return _page()


@pages.post("/counter/<digest>/hand-over")
@open_to(*AT_COUNTER)
def hand_over(digest: str) -> ResponseReturnValue:
    """Write down that the card was handed over."""
    if not DIGEST.fullmatch(digest):
        raise CaptureUnknown(digest)
    here = desk()
    with transaction(here.engine) as session:
        counter.hand_over(session, digest, me(), now=here.now())
    return redirect(url_for("counter.show"), code=303)


@pages.post("/counter/<digest>/take-back-in")
@open_to(*DECIDING)
def take_back_in(digest: str) -> ResponseReturnValue:
    """Fetch the corrected person from the registry and put the dossier back into the queue."""
    if not DIGEST.fullmatch(digest):
        raise CaptureUnknown(digest)
    here, officer = desk(), me()
    with reading(here.engine) as session:
        number = counter.number_of(session, digest, officer)
    try:
        person = None if number is None else here.registry.find(number)
    except RegistryDown:
        return make_response(_page(trouble="registry_down"), 503)
    if person is None:
        return make_response(_page(trouble="registry_unknown"), 409)
    with transaction(here.engine) as session:
        counter.take_back_in(session, digest, officer, person, secret=here.secret, now=here.now())
    return redirect(url_for("counter.show"), code=303)
