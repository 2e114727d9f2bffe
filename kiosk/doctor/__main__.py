"""`thunhan-doctor`: examines the kiosk of this environment, and says so by its exit status too.

0 nothing to do, 1 something wants doing, 2 people would be sent home. A running kiosk holds its
devices, so it is asked to examine itself.
"""

import argparse
import json
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import httpx

from biometrics.words import LANGUAGES
from kiosk import clock
from kiosk.doctor import record
from kiosk.doctor.check import Check, State, doctor_words, worst
from kiosk.doctor.record import Record
from kiosk.doctor.rounds import run
from kiosk.settings import Settings, SettingsMissing

STATUS: Final = {State.OK: 0, State.ABSENT: 0, State.ATTENTION: 1, State.BROKEN: 2}
UNABLE: Final = 3
"""Exit status where nothing could be examined at all."""
_MARKS: Final = {State.OK: "✓", State.ABSENT: "–", State.ATTENTION: "!", State.BROKEN: "✗"}
_WITHIN: Final = 120.0
"""Seconds that a running kiosk may take to examine itself."""


class Unable(Exception):
    """Nothing could be examined; the message says why."""


def examined(settings: Settings, transport: httpx.BaseTransport | None = None) -> Record:
    """Return a new examination: by the running kiosk where one runs, else by this process.

    Raises:
        Unable: the running kiosk does not examine itself now, or the data folder is not ours.
    """
    address = f"http://127.0.0.1:{settings.port}/doctor"
    try:
        with httpx.Client(transport=transport, timeout=_WITHIN, trust_env=False) as client:
            return _told(address, client.post(address, json={}))
    except httpx.ConnectError:
        # No kiosk runs here: its devices are free.
        return _alone(settings)
    except httpx.HTTPError as error:
        raise Unable(_kept(address)) from error


def _told(address: str, answer: httpx.Response) -> Record:
    try:
        data = answer.json()
        if answer.is_success:
            return record.read(data)
        raise Unable(str(data["said"]))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Unable(_kept(address)) from error


def _kept(address: str) -> str:
    said = doctor_words()["doctor.kept"].fill(page=address)
    return f"{said.vi}\n{said.en}"


def _alone(settings: Settings) -> Record:
    try:
        if settings.data.stat().st_uid != os.geteuid():
            # What root wrote there the kiosk could not open later.
            raise Unable(f"{settings.data} belongs to another user; run this as that user")
    except OSError as error:
        raise Unable(f"{settings.data}: {error.strerror}") from error
    new = Record(at=clock.now(), checks=run(settings, clock=clock.now))
    try:
        record.keep(settings.data, new)
    except OSError as error:
        sys.stderr.write(f"thunhan-doctor: {settings.data}: {error.strerror}\n")
    return new


def written(checks: Sequence[Check], language: str) -> str:
    """Return the checks as lines of text."""
    words = doctor_words()
    lines = []
    for check in checks:
        part = words.say(f"doctor.part.{check.name}", language)
        stand_in = f" [{words.say('doctor.simulated', language)}]" if check.simulated else ""
        lines.append(f"{_MARKS[check.state]} {part}{stand_in}: {check.text.in_(language)}")
        for one in check.figures:
            name = words.say(f"doctor.figure.{one.name}", language)
            lines.append(f"    {name}: {one.value} {one.unit}".rstrip())
    verdict = words.say(f"doctor.verdict.{worst(checks)}", language)
    return "\n".join([*lines, "", verdict, ""])


def _examine_sbi(data: Path, language: str, *, as_json: bool) -> int:
    from kiosk.doctor import sbi  # noqa: PLC0415 - its judges of fingers are for those who ask

    return sbi.main(data, language, as_json=as_json)


def main(arguments: list[str] | None = None) -> int:
    """Examine, print, keep; return the exit status."""
    parser = argparse.ArgumentParser(prog="thunhan-doctor", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of sentences")
    parser.add_argument("--language", choices=LANGUAGES, default=LANGUAGES[0])
    parser.add_argument("--sbi", action="store_true", help="examine SBI devices only")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.ERROR)
    try:
        settings = Settings.from_environment()
        if chosen.sbi:
            return _examine_sbi(settings.data, chosen.language, as_json=chosen.json)
        found = examined(settings)
    except (SettingsMissing, Unable) as error:
        sys.stderr.write(f"thunhan-doctor: {error}\n")
        return UNABLE
    if chosen.json:
        sys.stdout.write(json.dumps(found.as_json(), ensure_ascii=False, indent=1) + "\n")
    else:
        sys.stdout.write(written(found.checks, chosen.language))
    return STATUS[worst(found.checks)]


if __name__ == "__main__":
    sys.exit(main())
