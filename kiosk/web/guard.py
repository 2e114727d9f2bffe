"""Who may speak to the touch page: this machine's own browser, and no page of another site.

It knows no visit; a press must bring the token of its screen besides (see `kiosk.actions`).
"""

import secrets
from typing import Final, cast
from urllib.parse import urlsplit

from flask import Response, g, request
from werkzeug.exceptions import Forbidden

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
HOSTS: Final = ["127.0.0.1", "localhost"]
"""A name of another site that resolves to this machine is none of ours."""
OWN: Final = frozenset({"same-origin", "none"})
POLICY: Final = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; "
    "media-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'"
)
HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer: browsers then send "Origin: null" with our own forms.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Foreign(Forbidden):
    """The request comes from a page of another site."""


def nonce() -> str:
    """Return this answer's script nonce."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return cast("str", g.nonce)


def refuse_foreigners() -> None:
    """Refuse what another site's page sends, and its pictures of ours.

    Raises:
        Foreign: it is that.
    """
    site = request.headers.get("Sec-Fetch-Site")
    opens_page = request.method in SAFE and request.headers.get("Sec-Fetch-Dest") == "document"
    if site is not None and site not in OWN and not opens_page:
        raise Foreign(f"sent by a {site} page")
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise Foreign("sent by a page of another origin")


def dress(response: Response) -> Response:
    """Put the headers on that every answer carries, errors included."""
    response.headers["Content-Security-Policy"] = POLICY.format(nonce=nonce())
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    return response
