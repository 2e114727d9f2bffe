"""The page on which an officer has the kiosk examine itself: when last, what was found, again.

It examines nothing itself and shows nothing of any citizen; while one is here it only shows.
"""

import logging
import threading
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from flask import Flask, Response, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue

from biometrics.words import LANGUAGES
from kiosk.booth import Booth
from kiosk.clock import HERE
from kiosk.doctor import record
from kiosk.doctor.check import Check, State, doctor_words, worst
from kiosk.doctor.lent import Lent
from kiosk.doctor.record import Record
from kiosk.doctor.rounds import run
from kiosk.life import VisitState
from kiosk.paper import Fate
from kiosk.screens import Screen

log = logging.getLogger(__name__)

_ORDER: Final = tuple(reversed(State))
_WHY: Final = {Fate.BROKEN: "missing"}
"""Sentences of the printer's examination, where they are not named as the fate is."""


def add_doctor(app: Flask, booth: Booth) -> None:
    """Add the page to the kiosk's own."""
    pages = _Pages(booth)
    app.add_url_rule("/doctor", "doctor", pages.page)
    app.add_url_rule("/doctor", "examine", pages.examine, methods=["POST"])
    app.add_url_rule("/doctor/trial", "trial", pages.trial, methods=["POST"])


class _Pages:
    def __init__(self, booth: Booth) -> None:
        self._booth = booth
        self._one = threading.Lock()

    def page(
        self, told: str | None = None, status: int = 200, found: Record | None = None
    ) -> ResponseReturnValue:
        """Show what was found last, or `found`."""
        fittings = self._booth.fittings
        found = found or record.last(fittings.settings.data)
        language = _language()
        view: dict[str, Any] = {
            "language": language,
            "t": lambda key, **values: doctor_words().say(key, language, **values),
            "told": told,
            "last": None if found is None else _time(found.at),
            "due": found is None or found.due(fittings.clock.now()),
            "verdict": None if found is None else worst(found.checks),
            "checks": () if found is None else sorted(found.checks, key=_rank),
            "free": self._free(),
            "prints": fittings.paper is not None,
        }
        return render_template("doctor.html", **view), status

    def examine(self) -> ResponseReturnValue:
        """Examine, and show or answer what was found."""
        if not self._free():
            return self._answer("visit", HTTPStatus.CONFLICT)
        if not self._one.acquire(blocking=False):
            return self._answer("busy", HTTPStatus.CONFLICT)
        fittings = self._booth.fittings
        try:
            checks = run(
                fittings.settings,
                clock=fittings.clock.now,
                devices=Lent(fittings=fittings, away=frozenset(self._booth.trouble)),
                server=fittings.server,
                free=self._free,
            )
        finally:
            self._one.release()
        new = Record(at=fittings.clock.now(), checks=checks)
        try:
            record.keep(fittings.settings.data, new)
        except OSError:
            # A full disk is a finding, and the page is where it is read.
            log.exception("the examination could not be kept")
            return jsonify(new.as_json()) if request.is_json else self.page(found=new)
        return jsonify(new.as_json()) if request.is_json else _back()

    def trial(self) -> ResponseReturnValue:
        """Print what shows that the printer works."""
        fittings = self._booth.fittings
        if not self._free() or fittings.paper is None:
            return self._answer("visit", HTTPStatus.CONFLICT)
        fate = fittings.paper.print_trial(fittings.clock.now())
        if fate is Fate.PRINTED:
            return self._answer("trial.done", HTTPStatus.OK)
        why = doctor_words()[f"doctor.printer.{_WHY.get(fate, fate)}"].in_(_language())
        return self._answer("trial.failed", HTTPStatus.SERVICE_UNAVAILABLE, why=why)

    def _free(self) -> bool:
        with self._booth.lock:
            # Also while an officer who was called to the first screen stands at the desk.
            waiting = self._booth.visit.state is VisitState.WAITING
            return waiting and self._booth.under is Screen.ATTRACT

    def _answer(self, key: str, status: int, **values: object) -> ResponseReturnValue:
        text = doctor_words().say(f"doctor.{key}", _language(), **values)
        return (jsonify(said=text), status) if request.is_json else self.page(text, status)


def _rank(check: Check) -> int:
    return _ORDER.index(check.state)


def _language() -> str:
    given = request.values.get("language", "")
    return given if given in LANGUAGES else LANGUAGES[0]


def _back() -> Response:
    return redirect(f"/doctor?language={_language()}", 303)  # type: ignore[return-value]


def _time(at: datetime) -> str:
    return f"{at.astimezone(HERE):%H:%M, %d/%m/%Y}"
