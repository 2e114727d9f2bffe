"""The process that does what nobody waits for: frees expired holds and opens new days."""

import argparse
import signal
import threading
from datetime import timedelta

import sqlalchemy as sa

from scheduler import booking, horizon, places
from scheduler.database import connect, transaction
from server import clock
from server.settings import Settings

EVERY = 5.0
"""Seconds between two rounds."""
HORIZON = timedelta(days=42)
"""How far ahead places are offered."""


def round_once(engine: sa.Engine) -> int:
    """Do one round and return how many holds were freed."""
    now = clock.now()
    with transaction(engine) as session:
        freed = booking.expire_due(session, now=now)
    today = now.astimezone(clock.HERE).date()
    with transaction(engine) as session:
        for place in places.places(session):
            horizon.materialise(session, place.code, first=today, last=today + HORIZON, now=now)
    return freed


def _run(_arguments: argparse.Namespace, settings: Settings) -> int:
    engine = connect(settings.database)
    stop = threading.Event()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        signal.signal(wanted, lambda *_: stop.set())
    while not stop.wait(EVERY):
        round_once(engine)
    return 0


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register ``worker``."""
    parser = commands.add_parser("worker", help="free expired holds and open new days, for ever")
    parser.set_defaults(run=_run)
