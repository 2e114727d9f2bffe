"""Puts the officers' app together: shell, gates, pages, clock, unsealer.

It holds no page and no key.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask import Flask

from scheduler.database import connect
from server import clock as clocks
from server.registry.client import RegistryClient
from server.registry.port import Registry
from server.settings import Settings
from server.unseal.client import Unsealer as UnsealerClient
from server.web.officer import (
    assisted_pages,
    audit_pages,
    counter_pages,
    draw_pages,
    file_pages,
    hall_pages,
    hours_pages,
    planner_pages,
    queue_pages,
    record_pages,
    review_pages,
    sign_in_pages,
    stranded_pages,
    today_pages,
)
from server.web.officer.desk import EXTENSION, ROLES, Desk, Unsealer, gate, nobody_or_me
from server.web.shell import base_app


def create_app(
    settings: Settings,
    engine: sa.Engine,
    *,
    clock: Callable[[], datetime] = clocks.now,
    unsealer: Unsealer | None = None,
    registry: Registry | None = None,
) -> Flask:
    """Return the officers' app; tests pass a clock, an unsealer and a registry of their own."""
    app = base_app("officer", settings, engine)
    app.gate(gate, *ROLES)
    app.extensions[EXTENSION] = Desk(
        settings=settings,
        secret=settings.secret,
        engine=engine,
        clock=clock,
        unsealer=unsealer or UnsealerClient(settings.unseal_socket),
        registry=registry or RegistryClient(settings.registry_url),
    )
    app.jinja_env.globals["signed_in_officer"] = nobody_or_me
    for module in (
        sign_in_pages,
        queue_pages,
        review_pages,
        file_pages,
        record_pages,
        counter_pages,
        today_pages,
        assisted_pages,
        hall_pages,
        hours_pages,
        stranded_pages,
        draw_pages,
        planner_pages,
        audit_pages,
    ):
        pages: Any = module.pages
        app.register_blueprint(pages)
    return app


def from_environment() -> Flask:
    """Return the app for a WSGI server."""
    settings = Settings.from_environment()
    return create_app(settings, connect(settings.database))
