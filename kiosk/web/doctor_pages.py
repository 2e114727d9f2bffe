"""The page on which an officer has the kiosk examine itself: when last, what was found, again.

It examines nothing itself and shows nothing of any citizen; while one is here it only shows.
"""

import threading
from datetime import datetime
from typing import Any, Final

from flask import Flask, Response, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue

from biometrics.words import LANGUAGES
from kiosk.booth import Booth
from kiosk.clock import HERE
from kiosk.doctor import record
from kiosk.doctor.check import Check, State, doctor_words, worst
from kiosk.doctor.lent import Lent
from kiosk.doctor.rounds import run
from kiosk.life import VisitState
from kiosk.paper import Fate
from kiosk.screens import Screen

_ORDER: Final = tuple(reversed(State))
_WHY: Final = {Fate.BROKEN: "missing"}
"""Sentences of the printer's examination, where they are not named as the fate is."""


def add_doctor(app: Flask, booth: Booth) -> None:
    """Add the page to the kiosk's own."""
    one = threading.Lock()
    fittings = booth.fittings

    def free() -> bool:
        with booth.lock:
            return booth.screen is Screen.ATTRACT and booth.visit.state is VisitState.WAITING

    def page(told: str | None = None, status: int = 200) -> ResponseReturnValue:
        now = fittings.clock.now()
        found = record.last(fittings.settings.data)
        language = _language()
        view: dict[str, Any] = {
            "language": language,
            "t": lambda key, **values: doctor_words().say(key, language, **values),
            "told": told,
            "last": None if found is None else _time(found.at),
            "due": found is None or found.due(now),
            "verdict": None if found is None else worst(found.checks),
            "checks": () if found is None else sorted(found.checks, key=_rank),
            "free": free(),
            "prints": fittings.paper is not None,
        }
        return render_template("doctor.html", **view), status

    def answer(key: str, status: int, **values: object) -> ResponseReturnValue:
        text = doctor_words().say(f"doctor.{key}", _language(), **values)
        return (jsonify(said=text), status) if request.is_json else page(text, status)

    def examine() -> ResponseReturnValue:
        if not free():
            return answer("visit", 409)
        if not one.acquire(blocking=False):
            return answer("busy", 409)
        try:
            checks = run(
                fittings.settings,
                clock=fittings.clock.now,
                devices=Lent(fittings=fittings),
                server=fittings.server,
                free=free,
            )
            kept = record.keep(fittings.settings.data, fittings.clock.now(), checks)
        finally:
            one.release()
        return jsonify(kept.as_json()) if request.is_json else _back()

    def trial() -> ResponseReturnValue:
        if not free() or fittings.paper is None:
            return answer("visit", 409)
        fate = fittings.paper.print_trial(fittings.clock.now())
        if fate is Fate.PRINTED:
            return answer("trial.done", 200)
        why = doctor_words()[f"doctor.printer.{_WHY.get(fate, fate)}"]
        return answer("trial.failed", 503, why=why.in_(_language()))

    app.add_url_rule("/doctor", "doctor", page)
    app.add_url_rule("/doctor", "examine", examine, methods=["POST"])
    app.add_url_rule("/doctor/trial", "trial", trial, methods=["POST"])


def _rank(check: Check) -> int:
    return _ORDER.index(check.state)


def _language() -> str:
    given = request.values.get("language", "")
    return given if given in LANGUAGES else LANGUAGES[0]


def _back() -> Response:
    return redirect(f"/doctor?language={_language()}", 303)  # type: ignore[return-value]


def _time(at: datetime) -> str:
    return f"{at.astimezone(HERE):%H:%M, %d/%m/%Y}"
