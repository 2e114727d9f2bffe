"""One capture before one officer: opening it, what it shows, deciding, giving it back.

A capture is opened in the answer to a form: a reload needs a new grant and makes a new entry.
"""

import logging
import re
from typing import Any, Final

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request
from flask import url_for as to
from flask.typing import ResponseReturnValue

from biometrics.face.outputs import Output
from scheduler.database import reading, transaction
from server.cases import captures, officers, verification
from server.cases.captures import CaptureUnknown, Decided, Seen
from server.cases.verification import NotSeen, NotYours, OwnCapture, Ruling
from server.registry.port import Person
from server.rules import cases, lists
from server.rules.concerns import ConcernKind
from server.rules.dossier import DossierState, NotNow
from server.rules.fields import Refused
from server.store.tables import Verdict
from server.unseal.client import GrantRefused, Opened, PacketBad, UnsealerDown
from server.web.guard import open_to
from server.web.officer import concerns, journey
from server.web.officer import opened as showing
from server.web.officer.desk import DECIDING, desk, me
from server.web.officer.measured import figure
from server.web.officer.opened import Shown
from server.web.officer.records import OfCapture, OfFinger
from server.web.shell import language, t, words

pages = Blueprint("capture", __name__)
log = logging.getLogger(__name__)

DIGEST: Final = re.compile(r"[0-9a-f]{64}")
LOOKS: Final = tuple(
    name + more for name in verification.LOOKS for more in ("", verification.BECAUSE)
)
CONFIRMS: Final = tuple(f"{verification.CONFIRM}{kind}" for kind in ConcernKind)
FORM: Final = ("verdict", "reason", "text", *LOOKS, *CONFIRMS)
LONGEST_BACK: Final = 600
"""Characters of an unusable text that come back into the form."""
TROUBLE: Final[dict[type[Exception], tuple[str, int]]] = {
    UnsealerDown: ("down", 503),
    GrantRefused: ("grant", 409),
    PacketBad: ("packet", 500),
}
"""What is said where the capture could not be opened; the dossier stays with the officer."""
REFUSALS: Final[dict[type[Exception], tuple[str, int]]] = {
    OwnCapture: ("own", 403),
    NotYours: ("taken", 409),
    NotSeen: ("not_seen", 409),
    NotNow: ("moved_on", 409),
}


def checked(text: str) -> str:
    """Return the digest as it stands in an address; anything else is not found."""
    if not DIGEST.fullmatch(text):
        abort(404)
    return text


def _unknown(_error: CaptureUnknown) -> ResponseReturnValue:
    return render_template("error.html", key="404", status=404), 404


def _refused(error: Exception) -> ResponseReturnValue:
    key, status = next(said for kind, said in REFUSALS.items() if isinstance(error, kind))
    digest = (request.view_args or {}).get("digest")
    return render_template("officer/notice.html", key=key, digest=digest), status


def say_refusals(of: Blueprint) -> None:
    """Let the pages `of` a blueprint answer a refusal of a case with its notice."""
    of.register_error_handler(CaptureUnknown, _unknown)
    for kind in REFUSALS:
        of.register_error_handler(kind, _refused)


say_refusals(pages)


def _page(
    found: Seen,
    *,
    shown: Shown | None = None,
    trouble: str | None = None,
    wrong: dict[str, str] | None = None,
) -> str:
    mine = found.opener == me().actor
    ids = {entry.actor.removeprefix("officer:") for entry in found.journal}
    ids |= set() if shown is None else set(shown.helpers)
    with reading(desk().engine) as session:
        names = officers.names(session, ids)
    return render_template(
        "officer/capture.html",
        found=found,
        mine=mine,
        shown=shown,
        trouble=trouble,
        wrong=wrong or {},
        entered={name: request.form.get(name, "")[:LONGEST_BACK] for name in FORM},
        case=cases.case(found.purpose, found.profile).name.in_(language()),
        # Personal data are for whoever has it open, nobody else.
        person=Person.from_json(found.person) if mine and found.person else None,
        groups=lists.ethnic_groups(),
        asked=_asked(found.answers) if mine else [],
        names=names,
        reasons=verification.REASONS,
        verdicts=Verdict,
        looks=verification.LOOKS,
        concerns=concerns.grouped(found.concerns) if mine else (),
        confirmed=concerns.confirmed(found.decision.seen) if found.decision else (),
        decided_on=_decided_on(found.decision),
        files=tuple(Output),
        of_finger=tuple(OfFinger),
        of_capture=tuple(OfCapture),
        detail=journey.detail,
        has_words=words().__contains__,
    )


def _decided_on(decision: Decided | None) -> str | None:
    """Return distance, network and limits of the comparison a decision stood on."""
    compared = None if decision is None else decision.comparison
    if compared is None or compared["distance"] is None:
        return None
    return " ".join(
        (
            t("officer.faces.distance", distance=figure(compared["distance"])) + ".",
            t("officer.faces.model", model=compared["model"]) + ".",
            t(
                "officer.faces.limits",
                match=figure(compared["match_at_most"]),
                unsure=figure(compared["no_match_above"]),
            ),
        )
    )


def _asked(answers: dict[str, Any]) -> list[str]:
    chosen = answers.get("requests") or []
    return [entry.name.in_(language()) for entry in lists.requests() if entry.code in chosen]


def _see(digest: str) -> Seen:
    with reading(desk().engine) as session:
        return captures.see(session, digest, me())


@pages.get("/captures/<digest>")
@open_to(*DECIDING)
def show(digest: str) -> ResponseReturnValue:
    """Show what rows say of a capture; pictures need a grant (`open_it`)."""
    return _page(_see(checked(digest)))


@pages.post("/captures/<digest>")
@open_to(*DECIDING)
def open_it(digest: str) -> ResponseReturnValue:
    """Take the capture, or look at it again, and show all of it once."""
    here, officer = desk(), me()
    with transaction(here.engine) as session:
        grant = verification.open_capture(session, checked(digest), officer, now=here.now())
    # The transaction is over: nobody waits for the database while a capture is opened.
    try:
        answer = here.unsealer.open(grant)
    except tuple(TROUBLE) as error:
        return troubled(digest, error)
    return _opened(digest, answer)


def troubled(digest: str, error: Exception) -> Response:
    """Return the page that says why a capture could not be opened."""
    key, status = TROUBLE.get(type(error), TROUBLE[PacketBad])
    log.warning("capture %s could not be opened: %s", digest[:12], type(error).__name__)
    return make_response(_page(_see(digest), trouble=key), status)


def _opened(digest: str, answer: Opened) -> ResponseReturnValue:
    here, officer = desk(), me()
    if officer.id in answer.capture.helpers:
        with transaction(here.engine) as session:
            verification.release(session, digest, officer, now=here.now())
        raise OwnCapture(officer.id)
    found = _see(digest)
    return _page(found, shown=showing.show(answer, found.concerns))


@pages.post("/captures/<digest>/decision")
@open_to(*DECIDING)
def decide(digest: str) -> ResponseReturnValue:
    """Take the decision down, after a second question where it ends the dossier."""
    here, officer = desk(), me()
    found = _see(checked(digest))
    if _is_decided_by_me(found):
        return _done(digest)
    try:
        given = _ruling(found)
    except Refused as refused:
        return make_response(_page(found, wrong={"decision": str(refused)}), 422)
    if given.verdict is Verdict.REJECT and request.form.get("sure") != "yes":
        return render_template("officer/confirm.html", found=found, given=given)
    try:
        with transaction(here.engine) as session:
            verification.decide(session, digest, officer, given, now=here.now())
    except NotNow:
        if _is_decided_by_me(_see(digest)):
            return _done(digest)
        raise
    return _done(digest)


def _ruling(found: Seen) -> Ruling:
    return verification.ruling(
        request.form.get("verdict", ""),
        request.form.get("reason", ""),
        request.form.get("text", ""),
        outcome=found.outcome,
        refused=found.refused,
        concerns=found.concerns,
        looks=request.form,
    )


def _is_decided_by_me(found: Seen) -> bool:
    """Return whether a second click finds its own decision."""
    decision = found.decision
    moved_on = found.state is not DossierState.IN_REVIEW
    return decision is not None and decision.officer == me().id and moved_on


def _done(digest: str) -> Response:
    return make_response(redirect(to("queue.show", done=digest), code=303))


@pages.post("/captures/<digest>/release")
@open_to(*DECIDING)
def give_back(digest: str) -> ResponseReturnValue:
    """Give the capture back to the queue."""
    here = desk()
    with transaction(here.engine) as session:
        verification.release(session, checked(digest), me(), now=here.now())
    return redirect(to("queue.show"), code=303)
