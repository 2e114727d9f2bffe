"""The frame all web apps of the server share: headers, forms, languages, formats, errors, looks.

It holds no page of its own but the error page, and asks nobody who they are.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import files
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, urlencode

import sqlalchemy as sa
from flask import Flask, Response, abort, current_app, g, render_template, request, send_file
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, SecurityError

from biometrics.words import LANGUAGES, Words
from server.rules import texts
from server.settings import Settings
from server.web import formats, guard
from server.web.guard import open_to

log = logging.getLogger(__name__)

LARGEST_FORM = 64 * 1024
"""Bytes of a request's body; apps that take more (packets) raise it in their config."""
LANGUAGE_KEPT = 365 * 86400
ASSET_KEPT = 86400
FONT = "fontpkg-be-vietnam-pro"
WEIGHTS = ("Regular", "SemiBold", "Bold")
SAID_PLAINLY = frozenset({400, 403, 404, 405, 409, 413, 429, 500, 503})
TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"


def words() -> Words:
    """Return every sentence of the server's pages."""
    return texts.words()


@cache
def font_folder() -> Path:
    """Return the folder of the installed typeface's files.

    Raises:
        FileNotFoundError: the font package is not installed whole.
    """
    for file in files(FONT) or ():
        if file.name == "BeVietnamPro-Regular.ttf":
            return Path(str(file.locate())).parent
    raise FileNotFoundError(f"{FONT} holds no BeVietnamPro-Regular.ttf")


def language() -> str:
    """Return the reader's language, ``vi`` or ``en``."""
    if "language" not in g:
        asked = request.args.get("lang") or guard.cookie("lang")
        g.language = asked if asked in LANGUAGES else LANGUAGES[0]
    return cast("str", g.language)


def t(key: str, **values: object) -> str:
    """Return the sentence under `key` in the reader's language."""
    return words().say(key, language(), **values)


def in_other_language() -> str:
    """Return this page's address in the other language; the first page's where it has none."""
    other = "vi" if language() == "en" else "en"
    query = {name: value for name, value in request.args.items() if name != "lang"}
    adapter = current_app.create_url_adapter(request)
    path = request.path if adapter is not None and adapter.test(method="GET") else "/"
    return f"{quote(path)}?{urlencode({**query, 'lang': other})}"


class Shell(Flask):
    """A Flask app that refuses routes which do not say who may call them."""

    settings: Settings
    engine: sa.Engine

    def __init__(self, name: str, settings: Settings, engine: sa.Engine) -> None:
        super().__init__("server.web", static_folder=None, template_folder=str(TEMPLATES))
        self.name = name
        self.settings = settings
        self.engine = engine
        self.gates: dict[str, guard.Gate] = {}

    def gate(self, check: guard.Gate, *audiences: str) -> None:
        """Let `check` recognise the callers of these audiences (see `guard.Gate`)."""
        self.gates.update(dict.fromkeys(audiences, check))

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Any = None,  # noqa: ANN401 - Flask's signature
        provide_automatic_options: bool | None = None,  # noqa: FBT001 - Flask's signature
        **options: Any,  # noqa: ANN401 - Flask's signature
    ) -> None:
        """Add a route that says who may call it.

        Raises:
            RouteUndeclared: it does not.
        """
        if view_func is not None and not guard.audiences_of(view_func):
            raise guard.RouteUndeclared(f"{rule} ({view_func.__name__}): say @open_to(...)")
        super().add_url_rule(rule, endpoint, view_func, provide_automatic_options, **options)


def base_app(name: str, settings: Settings, engine: sa.Engine) -> Shell:
    """Return an app called `name` with everything but pages."""
    app = Shell(name, settings, engine)
    app.config.update(
        FORM_KEY=hashlib.sha256(b"forms:" + settings.secret).digest(),
        MAX_CONTENT_LENGTH=LARGEST_FORM,
        MAX_FORM_MEMORY_SIZE=LARGEST_FORM,
        MAX_FORM_PARTS=100,
        TRUSTED_HOSTS=[host.strip() for host in settings.hosts.split(",")],
        SESSION_COOKIE_SECURE=settings.https,
    )
    app.jinja_options = {"autoescape": True, "trim_blocks": True, "lstrip_blocks": True}
    app.before_request(lambda: guard.let_in(app.gates))
    app.after_request(_remember_language)
    app.after_request(guard.dress)
    # Globals, not a context processor: imported macros see them too.
    app.jinja_env.globals.update(_in_templates(app))
    app.jinja_env.filters.update(_filters())
    app.register_error_handler(HTTPException, _said)
    app.register_error_handler(Exception, _broken)
    app.add_url_rule("/static/<name>", "static", _static)
    app.add_url_rule("/font/<weight>.ttf", "font", _font)
    return app


def _in_templates(app: Shell) -> dict[str, Any]:
    return {
        "t": t,
        "language": language,
        "in_other_language": in_other_language,
        "csrf_field": guard.csrf_field,
        "nonce": guard.nonce,
        "asset": asset,
        "app_name": app.name,
        "rehearsal": app.settings.rehearsal,
    }


def _filters() -> Mapping[str, Callable[..., str]]:
    def localised(form: Callable[[Any, str], str]) -> Callable[[Any], str]:
        return lambda value: form(value, language())

    return {
        "day": localised(formats.day),
        "long_day": localised(formats.long_day),
        "clock": localised(formats.clock),
        "moment": localised(formats.moment),
        "month": localised(formats.month),
        "weekday": localised(formats.weekday),
        "number": localised(formats.number),
        "dong": localised(formats.dong),
    }


def _remember_language(response: Response) -> Response:
    if request.args.get("lang") in LANGUAGES:
        guard.set_cookie(response, "lang", language(), max_age=LANGUAGE_KEPT)
    response.headers["Content-Language"] = language()
    return response


@cache
def _version(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]


def asset(name: str) -> str:
    """Return the address of a file in ``static/``, with its content's digest in it."""
    return f"/static/{name}?v={_version(name)}"


@open_to("everybody")
def _static(name: str) -> Response:
    path = STATIC / name
    if path.parent != STATIC or not path.is_file():
        abort(404)
    response = send_file(path)
    response.headers["Cache-Control"] = f"public, max-age={ASSET_KEPT}"
    return response


@open_to("everybody")
def _font(weight: str) -> Response:
    if weight not in WEIGHTS:
        abort(404)
    response = send_file(font_folder() / f"BeVietnamPro-{weight}.ttf", mimetype="font/ttf")
    response.headers["Cache-Control"] = f"public, max-age={ASSET_KEPT}"
    return response


def _page_for(status: int, key: str) -> tuple[str, int]:
    return render_template("error.html", key=key, status=status), status


def _said(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None:
        return error.response
    status = error.code or 500
    if isinstance(error, SecurityError):
        # The host is not ours: nothing on the page may be built from it.
        return Response("400", status=400, mimetype="text/plain")
    if 300 <= status < 400:  # noqa: PLR2004 - a redirect of the router
        return error
    key = "forged" if isinstance(error, guard.FormForged) else str(status)
    if key != "forged" and status not in SAID_PLAINLY:
        key = "400" if status < 500 else "500"  # noqa: PLR2004 - the classes of HTTP statuses
    page, status = _page_for(status, key)
    kept = {n: v for n, v in error.get_headers() if n in {"Allow", "Retry-After"}}
    return Response(page, status=status, headers=kept, mimetype="text/html")


def _broken(error: Exception) -> ResponseReturnValue:
    log.error("%s %s broke", request.method, request.path, exc_info=error)
    return _page_for(500, "500")
