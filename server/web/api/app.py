"""Puts the programs' door together: shell, gate, routes, clock.

It holds no route and no rule.
"""

from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
from flask import Flask
from werkzeug.exceptions import HTTPException

from scheduler.database import connect
from server import clock as clocks
from server.settings import Settings
from server.web import availability
from server.web.api import bodies, bookings, metrics, stations
from server.web.api.desk import EXTENSION, Desk, admit
from server.web.api.problems import FACTS, Refused, broken, fact, problem, said
from server.web.shell import base_app

V1 = "/api/v1"
ROUTES = (
    ("GET", f"{V1}/stations", stations.find),
    ("GET", f"{V1}/stations/<code>/days", stations.days),
    ("GET", f"{V1}/stations/<code>/times", stations.times),
    ("POST", f"{V1}/appointments", bookings.make),
    ("POST", f"{V1}/appointments/find", bookings.look_up),
    ("GET", f"{V1}/appointments/<name>", bookings.look),
    ("PUT", f"{V1}/appointments/<name>", bookings.move),
    ("DELETE", f"{V1}/appointments/<name>", bookings.cancel),
    ("GET", "/metrics", metrics.show),
)


def create_app(
    settings: Settings, engine: sa.Engine, *, clock: Callable[[], datetime] = clocks.now
) -> Flask:
    """Return the programs' app; tests pass a clock of their own."""
    app = base_app("api", settings, engine)
    app.config["MAX_CONTENT_LENGTH"] = bodies.LARGEST_BODY
    app.gate(admit, "program")
    app.extensions[EXTENSION] = Desk(secret=settings.secret, engine=engine, clock=clock)
    app.extensions[availability.EXTENSION] = availability.open_window(engine)
    app.extensions[metrics.EXTENSION] = metrics.room()
    app.register_error_handler(Refused, problem)
    for kind in FACTS:
        app.register_error_handler(kind, fact)
    app.register_error_handler(HTTPException, said)
    app.register_error_handler(Exception, broken)
    for method, path, view in ROUTES:
        app.add_url_rule(path, f"{view.__module__}.{view.__name__}", view, methods=[method])
    return app


def from_environment() -> Flask:
    """Return the app for a WSGI server."""
    settings = Settings.from_environment()
    return create_app(settings, connect(settings.database))
