"""Who may call a route, forged forms, and the headers of every answer.

It knows neither citizens nor officers: an app says by a gate how it recognises its callers.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from flask import Response, abort, current_app, g, request
from markupsafe import Markup
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response as BaseResponse

EVERYBODY = "everybody"
SIGNED = frozenset({"kiosk", "local", "program"})
"""Callers who bring no cookie (a signature, a socket, a key), whom no foreign page can ride."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_FIELD = "csrf"
BROWSER = "browser"
"""The cookie the form tokens are bound to: a random name of this browser, not of a person."""
HARMLESS_SITES = frozenset({"same-origin", "none"})
POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic'; style-src 'self'; "
    "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer: browsers then send "Origin: null" with our own forms.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

View = TypeVar("View", bound=Callable[..., Any])
Gate = Callable[[str], BaseResponse | None]
"""Given the audience, returns None to let the caller in, or the answer to send instead."""


class RouteUndeclared(Exception):
    """A route does not say who may call it."""


class FormForged(Forbidden):
    """A form came without our token or from another site."""


def open_to(*audiences: str) -> Callable[[View], View]:
    """Declare who may call a route: ``@app.get(...)`` above, ``@open_to("citizen")`` below."""
    if not audiences:
        raise RouteUndeclared("open_to() without an audience")

    def declare(view: View) -> View:
        cast("Any", view).open_to = audiences
        return view

    return declare


def audiences_of(view: Callable[..., Any] | None) -> tuple[str, ...]:
    """Return who may call `view`; empty where it does not say."""
    return cast("tuple[str, ...]", getattr(view, "open_to", ()))


def nonce() -> str:
    """Return this answer's script nonce."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return cast("str", g.nonce)


def cookie_name(name: str) -> str:
    """Return the cookie's full name: apps on one host do not share cookies."""
    full = f"{current_app.name}_{name}"
    return f"__Host-{full}" if current_app.config["SESSION_COOKIE_SECURE"] else full


def cookie(name: str) -> str | None:
    """Return our cookie called `name`."""
    return request.cookies.get(cookie_name(name))


def set_cookie(response: BaseResponse, name: str, value: str, *, max_age: int | None) -> None:
    """Set our cookie called `name`: HttpOnly, Lax, Secure behind TLS."""
    response.set_cookie(
        cookie_name(name),
        value,
        max_age=max_age,
        httponly=True,
        samesite="Lax",
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        path="/",
    )


def drop_cookie(response: BaseResponse, name: str) -> None:
    """Take our cookie called `name` away."""
    response.delete_cookie(
        cookie_name(name), path="/", secure=current_app.config["SESSION_COOKIE_SECURE"]
    )


def _browser() -> str:
    if "browser" not in g:
        known = cookie(BROWSER)
        if known is None or len(known) != 43:  # noqa: PLR2004 - 256 bits in base64url
            known = secrets.token_urlsafe(32)
            g.new_browser = known
        g.browser = known
    return cast("str", g.browser)


def new_browser() -> None:
    """Forget the browser's name, so that forms of before a sign-in are worth nothing after."""
    g.browser = g.new_browser = secrets.token_urlsafe(32)


def csrf_token() -> str:
    """Return the token that forms of this browser carry."""
    key = cast("bytes", current_app.config["FORM_KEY"])
    text = f"{current_app.name}:{_browser()}"
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def csrf_field() -> Markup:
    """Return the hidden field every form holds."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(CSRF_FIELD, csrf_token())


def refuse_forgery() -> None:
    """Refuse an unsafe request from another site or without our token.

    Raises:
        FormForged: it is one.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in HARMLESS_SITES:
        raise FormForged(f"sent by a {site} page")
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise FormForged("sent by a page of another origin")
    given = request.form.get(CSRF_FIELD) or request.headers.get("X-CSRF-Token", "")
    if not hmac.compare_digest(given.encode(), csrf_token().encode()):
        raise FormForged("the form's token is missing or of another browser")


def let_in(gates: dict[str, Gate]) -> BaseResponse | None:
    """Ask the gates of the route's audiences; None where one of them lets the caller in."""
    if request.endpoint is None:
        return None
    audiences = audiences_of(current_app.view_functions.get(request.endpoint))
    if request.method not in SAFE and not set(audiences) <= SIGNED:
        refuse_forgery()
    if EVERYBODY in audiences:
        return None
    answer: BaseResponse | None = None
    for audience in audiences:
        if audience not in gates:
            raise RouteUndeclared(f"{request.endpoint}: no gate recognises {audience!r}")
        answer = gates[audience](audience)
        if answer is None:
            return None
    return answer or abort(403)


def dress(response: Response) -> Response:
    """Put the headers on that every answer carries, errors included."""
    response.headers["Content-Security-Policy"] = POLICY.format(nonce=nonce())
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if current_app.config["SESSION_COOKIE_SECURE"]:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    if "new_browser" in g:
        set_cookie(response, BROWSER, g.new_browser, max_age=None)
    return response
