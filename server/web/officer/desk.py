"""What every officer page works with: database, clock, unsealer, registry, and who is signed in.

It renders nothing but the refusal of a page that is not open to somebody's role.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol, cast
from uuid import UUID

import sqlalchemy as sa
from flask import current_app, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from scheduler.database import reading, transaction
from server.cases import signing_in
from server.cases.officers import Acting
from server.cases.signing_in import SignedIn
from server.clock import HERE
from server.registry.port import Registry
from server.settings import Settings
from server.store.tables import Role
from server.unseal.client import Opened
from server.web import guard

EXTENSION = "officer"
TOKEN = "session"  # noqa: S105 - a cookie's name
UNATTENDED = "X-Unattended"
"""The header a page sends when it asks without anybody pressing anything."""
ROLES = tuple(role.value for role in Role)
DECIDING = (Role.VERIFIER.value, Role.SUPERVISOR.value)
AT_COUNTER = (*DECIDING, Role.CAPTURER.value)
HOMES = {
    Role.VERIFIER: "queue.show",
    Role.SUPERVISOR: "queue.show",
    Role.CAPTURER: "today.show",
    Role.AUDITOR: "audit.show",
}
"""Where each role begins."""


class Unsealer(Protocol):
    """Whoever opens a capture for a grant that was written down."""

    def open(self, grant: UUID) -> Opened:
        """Return the opened capture.

        Raises:
            UnsealerDown: the process does not answer.
            GrantRefused: the grant was used, ran out or never was.
            PacketBad: the packet cannot be opened.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the app was made with."""

    settings: Settings
    secret: bytes
    engine: sa.Engine
    clock: Callable[[], datetime]
    unsealer: Unsealer
    registry: Registry

    def now(self) -> datetime:
        """Return the time."""
        return self.clock()

    def today(self) -> date:
        """Return the day in Vietnam."""
        return self.clock().astimezone(HERE).date()


def desk() -> Desk:
    """Return what the app was made with."""
    return cast("Desk", current_app.extensions[EXTENSION])


def signed_in() -> SignedIn | None:
    """Return this request's session, read once, or None."""
    if "signed_in" not in g:
        here, now = desk(), desk().now()
        token = guard.cookie(TOKEN)
        found = None
        if token is not None:
            with reading(here.engine) as session:
                found = signing_in.recognise(session, token, binding=guard.csrf_token(), now=now)
        # A page that asks by itself is nobody's use of it: an empty chair is signed out.
        if found is not None and found.worn and UNATTENDED not in request.headers:
            with transaction(here.engine) as session:
                signing_in.touch(session, found, now=now)
        g.signed_in = found
    return cast("SignedIn | None", g.signed_in)


def me() -> Acting:
    """Return the officer who calls; the gate has let them in."""
    found = signed_in()
    if found is None:
        raise LookupError("nobody is signed in: the route's gate did not ask")
    return found.officer


def nobody_or_me() -> Acting | None:
    """Return the officer who calls, or None, for the frame of every page."""
    found = signed_in()
    return None if found is None else found.officer


def gate(audience: str) -> Response | None:
    """Let an officer of the role `audience` in; send everybody else to the sign-in page."""
    found = signed_in()
    if found is None:
        ended = "yes" if guard.cookie(TOKEN) else None
        answer = redirect(url_for("sign_in.ask", ended=ended), code=303)
        guard.drop_cookie(answer, TOKEN)
        return answer
    if found.officer.role.value == audience:
        return None
    return make_response(render_template("error.html", key="403", status=403), 403)
