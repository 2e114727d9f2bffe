"""Puts the waiting rooms' screens together: shell, pages, clock.

Everybody may look: it shows numbers only. It writes nothing, and asks the database at most once a
second for a station, however many screens ask.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import sqlalchemy as sa
from flask import Blueprint, Flask, Response, abort, current_app, render_template, request

from scheduler import places
from scheduler.database import connect, reading
from scheduler.places import Place, PlaceUnknown
from scheduler.tables_day import PointKind
from scheduler.waits import Promise
from server import clock as clocks
from server.cases.officers import STATION
from server.settings import Settings
from server.web.display import board, voice
from server.web.fresh import Fresh
from server.web.guard import open_to
from server.web.shell import base_app, words

EXTENSION = "display"
EVERY = 2
"""[D] Seconds between two questions of a screen: nobody notices that a call comes so late."""
BOARD_KEPT, PROMISE_KEPT = 1.0, 20.0
"""[D] Seconds; a wait is announced in steps of five minutes."""
STATIONS = 4000
"""How many stations' boards are kept at once; the nation has some 3,300."""
LARGEST = 99_999
VOICE_KEPT = 86400
STEP = 5
"""[D] Minutes a wait is rounded up to: nobody believes 17."""

pages = Blueprint("display", __name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A board as it is sent."""

    html: str
    tag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Screens:
    """What the app was made with."""

    settings: Settings
    engine: sa.Engine
    clock: Callable[[], datetime]
    boards: Fresh[Drawn]
    promises: Fresh[Promise | None]


def screens() -> Screens:
    """Return what the app was made with."""
    return cast("Screens", current_app.extensions[EXTENSION])


def steps(minutes: int) -> int:
    """Return the minutes rounded up to what is announced; at least one step."""
    return max(-(-minutes // STEP), 1) * STEP


def _drawn(station: str, now: datetime) -> Drawn:
    if not STATION.fullmatch(station):
        raise PlaceUnknown(station)
    here = screens()

    def promised() -> Promise | None:
        with reading(here.engine) as session:
            return board.promise(session, station, now=now)

    def draw() -> Drawn:
        with reading(here.engine) as session:
            seen = board.read(session, station, now=now)
        told = here.promises.get(station, now=now, make=promised) if seen.open else None
        html = render_template("hall/board.html", seen=seen, told=told, steps=steps, words=words())
        return Drawn(html=html, tag=hashlib.sha256(html.encode()).hexdigest()[:24])

    return here.boards.get(station, now=now, make=draw)


def _at(response: Response, now: datetime) -> Response:
    response.headers["X-Now"] = now.isoformat(timespec="seconds")
    return response


@pages.errorhandler(PlaceUnknown)
def _unknown(_error: PlaceUnknown) -> tuple[str, int]:
    return render_template("error.html", key="404", status=404), 404


@pages.get("/")
@open_to("everybody")
def home() -> str:
    """List the stations' screens."""
    with reading(screens().engine) as session:
        known: tuple[Place, ...] = places.places(session)
    return render_template("hall/home.html", stations=known)


@pages.get("/hall/<station>")
@open_to("everybody")
def hall(station: str) -> Response:
    """Show the screen of a station; a script keeps it fresh, without one it loads itself anew."""
    now = screens().clock()
    drawn = _drawn(station, now)
    page = render_template(
        "hall/display.html", station=station, drawn=drawn, now=now, every=EVERY, words=words()
    )
    return _at(Response(page, mimetype="text/html"), now)


@pages.get("/hall/<station>/board")
@open_to("everybody")
def fragment(station: str) -> Response:
    """Give what stands on the screen; 304 where nothing has changed."""
    now = screens().clock()
    drawn = _drawn(station, now)
    response = Response(drawn.html, mimetype="text/html")
    response.set_etag(drawn.tag)
    response.headers["Cache-Control"] = "no-cache"
    return _at(cast("Response", response.make_conditional(request)), now)


@pages.get("/voice/<any(vi,en):language>/<int:number>-<any(kiosk,counter):kind>-<int:point>.wav")
@open_to("everybody")
def call(language: str, number: int, kind: str, point: int) -> Response:
    """Give a call as sound."""
    if max(number, point) > LARGEST:
        abort(404)
    try:
        sound = voice.say(screens().settings.data, language, number, PointKind(kind), point)
    except voice.Mute:
        abort(404)
    response = Response(sound, mimetype="audio/wav")
    response.headers["Cache-Control"] = f"public, max-age={VOICE_KEPT}"
    return response


def create_app(
    settings: Settings, engine: sa.Engine, *, clock: Callable[[], datetime] = clocks.now
) -> Flask:
    """Return the screens' app; tests pass a clock of their own."""
    app = base_app("display", settings, engine)
    app.extensions[EXTENSION] = Screens(
        settings=settings,
        engine=engine,
        clock=clock,
        boards=Fresh(seconds=BOARD_KEPT, most=STATIONS),
        promises=Fresh(seconds=PROMISE_KEPT, most=STATIONS),
    )
    app.register_blueprint(pages)
    return app


def from_environment() -> Flask:
    """Return the app for a WSGI server."""
    settings = Settings.from_environment()
    return create_app(settings, connect(settings.database))
