"""Every route says who may call it, and no route comes or goes unseen.

`./run python -m tests.rules.test_routes > tests/golden/routes.txt` writes the list anew.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from flask import Flask

from scheduler.database import connect
from server import clock
from server.cli import keys
from server.settings import Settings
from server.web.api.app import create_app as api
from server.web.citizen.app import create_app as citizen
from server.web.display.app import create_app as display
from server.web.guard import SAFE, audiences_of
from server.web.intake.app import create_app as intake
from server.web.officer.app import create_app as officer

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "routes.txt"


def _settings(folder: Path) -> Settings:
    secret = folder / "secret"
    secret.write_bytes(bytes(32))
    settings = Settings(
        database="sqlite://",
        data=folder / "data",
        secret_file=secret,
        unseal_socket=folder / "unseal.sock",
    )
    keys.create(settings, unseal_folder=folder / "unseal", kid="test", now=clock.now())
    return settings


def _apps(folder: Path) -> Iterator[Flask]:
    settings = _settings(folder)
    engine = connect(settings.database)
    yield api(settings, engine)
    yield citizen(settings)
    yield intake(settings, engine)
    yield officer(settings, engine)
    yield display(settings, engine)
    engine.dispose()


def listed(folder: Path) -> list[str]:
    """Return a line a route: app, method, path, audiences."""
    lines = []
    for app in _apps(folder):
        for rule in app.url_map.iter_rules():
            audiences = ",".join(sorted(audiences_of(app.view_functions[rule.endpoint])))
            methods = sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
            lines += [f"{app.name:8} {method:6} {rule.rule:60} {audiences}" for method in methods]
    return sorted(lines)


def test_the_routes_are_the_ones_that_were_agreed(tmp_path: Path) -> None:
    assert listed(tmp_path) == GOLDEN.read_text(encoding="utf-8").splitlines()


def test_every_route_says_who_may_call_it(tmp_path: Path) -> None:
    assert [line for line in listed(tmp_path) if not line.split()[3:]] == []


def test_everybody_may_only_look_but_for_signing_in(tmp_path: Path) -> None:
    unsafe = [
        line
        for line in listed(tmp_path)
        if line.split()[3] == "everybody" and line.split()[1] not in SAFE
    ]
    assert [line.split()[:3] for line in unsafe] == [["officer", "POST", "/sign-in"]]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        sys.stdout.write("\n".join(listed(Path(made))) + "\n")
