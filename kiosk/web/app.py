"""The touch page: one address that shows the screen of the moment, and presses that answer it.

It decides no step; a late or second press gets the present screen as its answer.
"""

import json
import logging
import re
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from importlib.metadata import files
from pathlib import Path
from typing import Any, Final

from flask import Flask, Response, abort, redirect, render_template, request, send_file
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, SecurityError

from biometrics.words import Text
from kiosk import telling
from kiosk.actions import ActionUnknown, act
from kiosk.booth import Booth, Stale
from kiosk.clock import HERE
from kiosk.rehearsal import Behaviour, Condition, NotUnderstood, Rehearsal, role_of
from kiosk.screens import SCANNING, Screen
from kiosk.web import guard, view
from kiosk.web.doctor_pages import add_doctor
from kiosk.web.drawings import drawings
from kiosk.words import words

log = logging.getLogger(__name__)

LARGEST_FORM: Final = 640 * 1024
"""Bytes; a signature is a picture in a form."""
FONT: Final = "fontpkg-be-vietnam-pro"
WEIGHTS: Final = ("Regular", "SemiBold", "Bold")
LIVE: Final = SCANNING | {Screen.PORTRAIT, Screen.LIVENESS}
"""Screens under which the live picture may be seen."""
_PROOF: Final = frozenset({Screen.DESK, Screen.READ_BACK})
HEARTBEAT: Final = 10.0
"""Seconds after which a silent stream says that it is there; a closed one is noticed then."""
SOUND: Final = re.compile(r"[0-9a-f]{64}\.wav")
ASSET_KEPT: Final = 86400
_HERE: Final = Path(__file__).parent


def kiosk_app(booth: Booth, *, name: str, rehearsal: Rehearsal | None) -> Flask:
    """Return the page of one booth.

    Args:
        booth: whose screen it is.
        name: of this kiosk, as officers call it.
        rehearsal: who plays the citizen, None where no device is simulated.
    """
    app = Flask("kiosk.web", static_folder=None, template_folder=str(_HERE / "templates"))
    app.config.update(
        MAX_CONTENT_LENGTH=LARGEST_FORM,
        MAX_FORM_MEMORY_SIZE=LARGEST_FORM,
        MAX_FORM_PARTS=50,
        TRUSTED_HOSTS=guard.HOSTS,
    )
    app.jinja_options = {"autoescape": True, "trim_blocks": True, "lstrip_blocks": True}
    app.before_request(guard.refuse_foreigners)
    app.after_request(guard.dress)

    def say(key: str, **values: object) -> str:
        return words().say(key, booth.language, **values)

    def read(text: Text | Any) -> str:  # noqa: ANN401 - a Text, or the wire's pair of sentences
        return str(text.en if booth.language == "en" else text.vi)

    app.jinja_env.globals.update(
        t=say,
        read=read,
        nonce=guard.nonce,
        asset=asset,
        name=name,
        here=HERE,
        finger=telling.name,
        drawings=drawings,
        station=lambda: _station(booth),
    )
    _add_pages(app, booth)
    _add_pictures(app, booth)
    add_doctor(app, booth)
    if rehearsal is not None:
        _add_rehearsal(app, booth, rehearsal)
    app.add_url_rule("/static/<name>", "static", _static)
    app.add_url_rule("/font/<weight>.ttf", "font", _font)
    app.add_url_rule("/speech/<name>", "speech", lambda name: _speech(booth, name))
    app.register_error_handler(HTTPException, _said)
    app.register_error_handler(Exception, _broken)
    return app


def _station(booth: Booth) -> str:
    known = booth.fittings.errands.known
    return known.station.name if known else ""


def _add_pages(app: Flask, booth: Booth) -> None:
    def page() -> str:
        shown = view.page(booth)
        return render_template(f"screens/{shown['screen']}.html", **shown)

    def state() -> Response:
        return _json(view.state(booth))

    def events() -> Response:
        return Response(_stream(booth), mimetype="text/event-stream")

    def press(action: str) -> ResponseReturnValue:
        script = request.is_json
        values = _values(script=script)
        try:
            act(booth, action, values.pop("step", ""), values)
        except ActionUnknown:
            abort(404)
        except Stale:
            # The screen has moved on: what is shown now answers a second press.
            return _json(view.state(booth), 409) if script else redirect("/", 303)
        return _json(view.state(booth)) if script else redirect("/", 303)

    app.add_url_rule("/", "page", page)
    app.add_url_rule("/state", "state", state)
    app.add_url_rule("/events", "events", events)
    app.add_url_rule("/press/<action>", "press", press, methods=["POST"])


def _values(*, script: bool) -> dict[str, str]:
    if not script:
        return dict(request.form.items())
    given = request.get_json()
    if not isinstance(given, dict):
        abort(400)
    values = {str(key): str(value) for key, value in given.items()}
    try:
        "".join(values.values()).encode()
    except UnicodeEncodeError:
        # Halves of characters: JSON may hold them, nothing that is written or hashed can.
        abort(400)
    return values


def _json(value: object, status: int = 200) -> Response:
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Response(body, status=status, mimetype="application/json")


def _stream(booth: Booth) -> Iterator[str]:
    seen = -1
    while True:
        version = booth.wait(seen, HEARTBEAT)
        if version == seen:
            yield ": still here\n\n"
            continue
        seen = version
        yield f"data: {json.dumps(view.state(booth), ensure_ascii=False)}\n\n"


def _add_pictures(app: Flask, booth: Booth) -> None:
    def live() -> Response:
        sitting = booth.sitting
        jpegs = booth.fittings.lens.jpegs(while_=lambda: _may_look(booth) and booth.same(sitting))
        return Response(
            (
                b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%b\r\n"
                % (len(jpeg), jpeg)
                for jpeg in jpegs
            ),
            mimetype="multipart/x-mixed-replace; boundary=frame",
        )

    def portrait() -> Response:
        with booth.lock:
            taken = booth.visit.portrait or booth.face.portrait
        return _picture(taken.image if taken else None, "image/jpeg")

    def proof() -> Response:
        with booth.lock:
            taken = booth.visit.proof if booth.screen in _PROOF else None
        return _picture(taken, "image/jpeg")

    def fingerprint(kind: str, position: int) -> Response:
        with booth.lock:
            found = {(one.kind.value, one.position): one.image for one in booth.visit.prints}
        return _picture(found.get((kind, position)), "image/png")

    app.add_url_rule("/live.mjpg", "live", live)
    app.add_url_rule("/portrait.jpg", "portrait", portrait)
    app.add_url_rule("/proof.jpg", "proof", proof)
    app.add_url_rule("/print/<kind>/<int:position>.png", "print", fingerprint)


def _may_look(booth: Booth) -> bool:
    """Return whether the live picture may be seen: by whoever sits, or for a proof photo."""
    proving = booth.screen is Screen.DESK and booth.fittings.taker.standing.proof_wanted
    return booth.under in LIVE or proving


def _picture(image: bytes | None, kind: str) -> Response:
    if image is None:
        abort(404)
    return Response(image, mimetype=kind)


def _add_rehearsal(app: Flask, booth: Booth, rehearsal: Rehearsal) -> None:
    def panel(said: str = "") -> str:
        return render_template(
            "rehearsal.html",
            role=rehearsal.role,
            behaviours=list(Behaviour),
            conditions=list(Condition),
            told=said,
            **view.page(booth),
        )

    def play() -> ResponseReturnValue:
        given: Any = request.get_json() if request.is_json else dict(request.form.items())
        if not isinstance(given, dict):
            abort(400)
        try:
            rehearsal.play(role_of(given, rehearsal.role))
        except NotUnderstood as error:
            said = words().say("rehearsal.wrong", booth.language, what=error)
            return _json({"said": said}, 422) if request.is_json else (panel(said), 422)
        if request.is_json:
            return _json({"said": words().say("rehearsal.applied", booth.language)})
        return redirect("/rehearsal", 303)

    app.add_url_rule("/rehearsal", "rehearsal", panel)
    app.add_url_rule("/rehearsal", "play", play, methods=["POST"])


@cache
def _version(name: str) -> str:
    return sha256((_HERE / "static" / name).read_bytes()).hexdigest()[:12]


def asset(name: str) -> str:
    """Return the address of a file in ``static/``, with its content's digest in it."""
    return f"/static/{name}?v={_version(name)}"


def _static(name: str) -> Response:
    path = _HERE / "static" / name
    if path.parent != _HERE / "static" or not path.is_file():
        abort(404)
    return _kept(send_file(path))


def _speech(booth: Booth, name: str) -> Response:
    if not SOUND.fullmatch(name):
        abort(404)
    path = booth.fittings.speech.folder / name
    if not path.is_file():
        abort(404)
    return _kept(send_file(path, mimetype="audio/wav"))


@cache
def _font_folder() -> Path:
    for file in files(FONT) or ():
        if file.name == "BeVietnamPro-Regular.ttf":
            return Path(str(file.locate())).parent
    raise FileNotFoundError(f"{FONT} holds no BeVietnamPro-Regular.ttf")


def _font(weight: str) -> Response:
    if weight not in WEIGHTS:
        abort(404)
    return _kept(send_file(_font_folder() / f"BeVietnamPro-{weight}.ttf", mimetype="font/ttf"))


def _kept(response: Response) -> Response:
    response.headers["Cache-Control"] = f"public, max-age={ASSET_KEPT}"
    return response


def _said(error: HTTPException) -> ResponseReturnValue:
    if isinstance(error, SecurityError):
        # The host is not ours: nothing on the page may be built from it.
        return Response("400", status=400, mimetype="text/plain")
    status = error.code or 500
    if status < 400:  # noqa: PLR2004 - a redirect of the router
        return error
    return render_template("error.html", status=status), status


def _broken(error: Exception) -> ResponseReturnValue:
    log.error("%s %s broke", request.method, request.path, exc_info=error)
    return render_template("error.html", status=500), 500
