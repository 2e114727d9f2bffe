"""Signing in and out. Everything wrong is one answer; a new session means a new browser name."""

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import TooManyRequests

from scheduler.database import reading, transaction
from server.cases import signing_in, throttle
from server.web import guard
from server.web.guard import EVERYBODY, open_to
from server.web.officer.desk import HOMES, ROLES, TOKEN, desk, me, signed_in

pages = Blueprint("sign_in", __name__)

LONGEST_ID = 40


@pages.get("/")
@open_to(*ROLES)
def home() -> ResponseReturnValue:
    """Lead each role to the page it works with."""
    return redirect(url_for(HOMES[me().role]), code=303)


@pages.get("/sign-in")
@open_to(EVERYBODY)
def ask() -> ResponseReturnValue:
    """Ask who is there."""
    if signed_in() is not None:
        return redirect(url_for("sign_in.home"), code=303)
    return render_template("officer/sign_in.html", ended="ended" in request.args)


def _slow_down() -> None:
    """Count a try of this network in a transaction of its own.

    Raises:
        TooManyRequests: there were too many.
    """
    here = desk()
    network = throttle.network_of(request.remote_addr)
    with transaction(here.engine) as session:
        wait = throttle.count(
            session, signing_in.BY_NETWORK, network, secret=here.secret, now=here.now()
        )
    if wait:
        raise TooManyRequests(retry_after=wait)


def _new_browser() -> str:
    guard.new_browser()
    return guard.csrf_token()


@pages.post("/sign-in")
@open_to(EVERYBODY)
def enter() -> ResponseReturnValue:
    """Let an officer in, or say that something did not fit, never what."""
    here = desk()
    _slow_down()
    officer = request.form.get("officer", "").strip()
    with reading(here.engine) as session:
        candidate = signing_in.look(session, officer, secret=here.secret)
    proof = signing_in.prove(
        candidate,
        password=request.form.get("password", ""),
        code=request.form.get("code", ""),
        now=here.now(),
    )
    with transaction(here.engine) as session:
        token = signing_in.admit(
            session, proof, bind=_new_browser, now=here.now(), before=guard.cookie(TOKEN)
        )
    if token is None:
        page = render_template(
            "officer/sign_in.html", wrong=True, officer=officer[:LONGEST_ID].replace("\x00", "")
        )
        return page, 422
    response = make_response(redirect(url_for("sign_in.home"), code=303))
    guard.set_cookie(response, TOKEN, token, max_age=None)
    return response


@pages.post("/sign-out")
@open_to(*ROLES)
def leave() -> ResponseReturnValue:
    """End the session."""
    here, found = desk(), signed_in()
    if found is not None:
        with transaction(here.engine) as session:
            signing_in.sign_out(session, found, now=here.now())
    guard.new_browser()
    response = make_response(redirect(url_for("sign_in.ask"), code=303))
    guard.drop_cookie(response, TOKEN)
    return response
