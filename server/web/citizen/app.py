"""Puts the citizens' app together: shell, pages, registry, clock.

It holds no page and no rule.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from werkzeug.wrappers import Response

from biometrics.words import Text
from scheduler.database import connect
from server import clock
from server.registry.client import RegistryClient
from server.registry.port import Registry
from server.settings import Settings
from server.web import availability
from server.web.citizen import (
    booking_pages,
    changing,
    family_booking,
    family_pages,
    feed_pages,
    home,
    look_up,
    photo_pages,
    ticket,
    waiting_pages,
    wizard,
)
from server.web.citizen.desk import EXTENSION, Desk
from server.web.shell import Shell, base_app, language


def _anybody(audience: str) -> Response | None:
    """Let every browser in: what it may see is decided by the token it holds."""
    del audience
    return None


def _in_words(text: Text) -> str:
    return text.in_(language())


def create_app(
    settings: Settings,
    *,
    registry: Registry | None = None,
    now: Callable[[], datetime] = clock.now,
) -> Shell:
    """Return the citizens' app; tests pass a registry and a clock of their own."""
    engine = connect(settings.database)
    app = base_app("citizen", settings, engine)
    app.gate(_anybody, "citizen")
    app.request_class = photo_pages.InMemory
    app.extensions[EXTENSION] = Desk(
        settings=settings,
        secret=settings.secret,
        engine=engine,
        registry=registry or RegistryClient(settings.registry_url),
        clock=now,
    )
    app.extensions[availability.EXTENSION] = availability.open_window(engine)
    app.jinja_env.filters["in_words"] = _in_words
    for module in (
        home,
        wizard,
        booking_pages,
        ticket,
        changing,
        family_booking,
        family_pages,
        look_up,
        photo_pages,
        feed_pages,
        waiting_pages,
    ):
        pages: Any = module.pages
        app.register_blueprint(pages)
    return app


def from_environment() -> Shell:
    """Return the app for a WSGI server."""
    return create_app(Settings.from_environment())
