"""Stands in for the population registry: the same HTTP answers, and bad days on demand.

It is for demos, rehearsals and tests; nothing of it runs where a real registry is connected.
"""

import argparse
import enum
import re
import sys
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path

from flask import Flask, Response, jsonify, request
from werkzeug.serving import make_server

from server.registry import people
from server.registry.port import Person

NUMBER = re.compile(r"[0-9]{12}")
LONGEST_SLEEP = 60.0
LARGEST_REQUEST = 4096
UNKNOWN = '{"found":false}'


class Mode(enum.StrEnum):
    """What kind of day the registry has."""

    WELL = "well"
    SLOW = "slow"
    FAILING = "failing"
    WRONG_DATA = "wrong_data"
    GARBLED = "garbled"


@dataclass(slots=True, kw_only=True)
class Day:
    """The mode of the moment; shared by all threads."""

    mode: Mode = Mode.WELL
    seconds: float = 10.0
    """How slow a slow answer is."""
    waiting: threading.Event = field(default_factory=threading.Event)
    """Set to let slow answers go."""


def _wrong(person: Person) -> Person:
    """Return what a badly kept record would say: another middle name, a year too late."""
    words = person.full_name.split()
    day = person.birth_date
    return replace(
        person,
        full_name=" ".join([*words[:-1], "Sai", words[-1]]),
        birth_date=day.replace(year=day.year + 1, day=min(day.day, 28)),
    )


def _json(body: str, status: int) -> Response:
    return Response(body, status=status, mimetype="application/json")


@dataclass(slots=True, kw_only=True)
class Desk:
    """Answers what a registry is asked, in the mode of the day."""

    folder: Path
    known: dict[str, Person]
    day: Day

    def about(self) -> Response:
        """Say that this is a stand-in."""
        return jsonify(simulated=True, people=len(self.known), mode=self.day.mode.value)

    def change_mode(self) -> Response:
        """Change the mode: ``{"mode": "slow", "seconds": 3}``."""
        asked = request.get_json(silent=True)
        asked = asked if isinstance(asked, dict) else {}
        try:
            mode = Mode(asked["mode"])
            seconds = float(asked.get("seconds", self.day.seconds))
        except (TypeError, ValueError, KeyError):
            return _json('{"error":"mode"}', 400)
        if not 0 <= seconds <= LONGEST_SLEEP:
            return _json('{"error":"seconds"}', 400)
        self.day.mode, self.day.seconds = mode, seconds
        return jsonify(mode=mode.value, seconds=seconds)

    def find(self, number: str) -> Response:
        """Give one person's data."""
        bad = self._bad_day()
        if bad is not None:
            return bad
        person = self.known.get(number)
        if person is None:
            return _json(UNKNOWN, 404)
        return jsonify((_wrong(person) if self.day.mode is Mode.WRONG_DATA else person).as_json())

    def portrait(self, number: str) -> Response:
        """Give one person's portrait."""
        bad = self._bad_day()
        if bad is not None:
            return bad
        path = self.folder / "portraits" / f"{number}.jpg"
        if number not in self.known or not NUMBER.fullmatch(number) or not path.is_file():
            return _json(UNKNOWN, 404)
        return Response(path.read_bytes(), mimetype="image/jpeg")

    def _bad_day(self) -> Response | None:
        if self.day.mode is Mode.SLOW:
            self.day.waiting.wait(self.day.seconds)
        if self.day.mode is Mode.FAILING:
            return _json('{"error":"failing"}', 503)
        if self.day.mode is Mode.GARBLED:
            return Response("<html>some proxy</html>", mimetype="text/html")
        return None


def create_app(folder: Path, day: Day | None = None) -> Flask:
    """Return the registry over ``folder/people.json`` and ``folder/portraits/<number>.jpg``."""
    app = Flask("server.registry", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_REQUEST
    known = {person.personal_number: person for person in people.read(folder)}
    desk = Desk(folder=folder, known=known, day=day or Day())
    app.add_url_rule("/", view_func=desk.about)
    app.add_url_rule("/mode", view_func=desk.change_mode, methods=["POST"])
    app.add_url_rule("/people/<number>", view_func=desk.find)
    app.add_url_rule("/people/<number>/portrait", view_func=desk.portrait)
    return app


def main(arguments: list[str] | None = None) -> int:
    """Serve on loopback until stopped and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, default=8104)
    parser.add_argument("--host", default="127.0.0.1")
    asked = parser.parse_args(arguments)
    server = make_server(asked.host, asked.port, create_app(asked.folder), threaded=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
