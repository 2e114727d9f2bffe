"""Files of a capture for the officer who has its capture open: made, written down, handed out.

A file is the answer to a form: each needs a grant of its own, and none is kept here.
"""

import hashlib
from collections.abc import Callable

from flask import Blueprint, Response, abort, make_response, render_template, request
from flask.typing import ResponseReturnValue

from biometrics.face import outputs
from biometrics.face.outputs import Made, Output
from scheduler.database import transaction
from server.cases import verification
from server.cases.verification import OwnCapture
from server.unseal.client import Opened
from server.web.guard import open_to
from server.web.officer import review_pages
from server.web.officer.desk import DECIDING, desk, me

pages = Blueprint("file", __name__)
review_pages.say_refusals(pages)

BALANCED = "balanced"


@pages.post("/captures/<digest>/files/<name>")
@open_to(*DECIDING)
def hand_out(digest: str, name: str) -> ResponseReturnValue:
    """Make a file of the portrait, write its SHA-256 down, and give it."""
    try:
        wanted = Output(name)
    except ValueError:
        abort(404)
    balanced = request.form.get(BALANCED) == "yes"
    return given(
        digest,
        name,
        lambda opened: outputs.make(wanted, opened.capture.portrait, balanced=balanced),
    )


def given(
    digest: str, name: str, make: Callable[[Opened], Made | None], *, none: str = "no_file"
) -> ResponseReturnValue:
    """Open the capture once more, make a file, write its SHA-256 down, and give it.

    Args:
        digest: of the capture, as it stands in the address.
        name: of the file, for the audit chain and the officer's folder.
        make: returns the file; None where it cannot be made.
        none: which notice says so.
    """
    here, officer = desk(), me()
    review_pages.checked(digest)
    with transaction(here.engine) as session:
        grant = verification.ask_for_file(session, digest, officer, name, now=here.now())
    try:
        opened = here.unsealer.open(grant)
    except tuple(review_pages.TROUBLE) as error:
        return review_pages.troubled(digest, error)
    if officer.id in opened.capture.helpers:
        with transaction(here.engine) as session:
            verification.release(session, digest, officer, now=here.now())
        raise OwnCapture(officer.id)
    made = make(opened)
    if made is None:
        return render_template("officer/notice.html", key=none, digest=digest), 409
    with transaction(here.engine) as session:
        verification.hand_out_file(
            session,
            digest,
            officer,
            name,
            hashlib.sha256(made.data).hexdigest(),
            made.done,
            now=here.now(),
        )
    return _answer(made, f"{opened.capture.dossier}-{name}.{made.extension}")


def _answer(made: Made, name: str) -> Response:
    answer = make_response(made.data)
    answer.content_type = made.kind
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    # The guard puts no-store on every answer; here it is a rule of its own.
    answer.headers["Cache-Control"] = "no-store"
    return answer
