"""Puts the intake together: shell, gate, routes, clock.

It holds no route, and no key that opens a packet.
"""

from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
from flask import Flask
from werkzeug.exceptions import HTTPException

from scheduler.database import connect
from server import clock as clocks
from server.cases.refusals import Refused
from server.settings import Settings
from server.store.keys import ReceiptKey
from server.store.vault import Vault
from server.web.intake import counter, uploads
from server.web.intake.desk import EXTENSION, Desk, broken, refuse, said
from server.web.intake.gate import admit
from server.web.shell import base_app

LARGEST_REQUEST = uploads.CHUNK + 4096


def create_app(
    settings: Settings, engine: sa.Engine, *, clock: Callable[[], datetime] = clocks.now
) -> Flask:
    """Return the kiosks' app; tests pass a clock of their own.

    Raises:
        KeysMissing: there is no receipt key; ``keys-create`` makes it.
    """
    app = base_app("intake", settings, engine)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_REQUEST
    app.gate(admit, "kiosk")
    app.extensions[EXTENSION] = Desk(
        settings=settings,
        secret=settings.secret,
        engine=engine,
        clock=clock,
        vault=Vault(settings.data),
        receipts=ReceiptKey.load(settings.data),
    )
    app.register_error_handler(Refused, refuse)
    app.register_error_handler(HTTPException, said)
    app.register_error_handler(Exception, broken)
    app.add_url_rule("/kiosk/station", view_func=counter.station)
    app.add_url_rule("/kiosk/check-in", view_func=counter.check_in, methods=["POST"])
    app.add_url_rule("/kiosk/leave", view_func=counter.leave, methods=["POST"])
    app.add_url_rule("/kiosk/uploads", view_func=uploads.begin, methods=["POST"])
    app.add_url_rule("/kiosk/uploads/<digest>", view_func=uploads.state)
    app.add_url_rule("/kiosk/uploads/<digest>", view_func=uploads.append, methods=["PATCH"])
    return app


def from_environment() -> Flask:
    """Return the app for a WSGI server."""
    settings = Settings.from_environment()
    return create_app(settings, connect(settings.database))
