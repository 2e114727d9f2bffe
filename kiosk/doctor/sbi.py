"""`thunhan-doctor --sbi`: how well the devices that are plugged in keep to SBI.

It examines nothing itself (see `hardware.sbi.conformance`), and nothing but SBI.
"""

import datetime as dt
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final, TextIO

from biometrics.words import Words
from hardware.sbi.asked import Asked
from hardware.sbi.conformance import Check, Conformance
from hardware.sbi.discovery import Service, discover
from hardware.sbi.port import Records, Scores
from hardware.sbi.trust import Trust, TrustUnreadable, read_trust
from hardware.sbi.vocabulary import FINGERS, PORTS
from kiosk import clock
from kiosk.readers import ANCHORS
from kiosk.sbi_records import FingerScores, IsoRecords
from kiosk.words import words as spoken

_MARKS: Final = {True: "✓", None: "–", False: "✗"}
_GOOD, _BAD, _UNABLE = 0, 1, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """One device and what was found of it; a service without devices has no serial number.

    Attributes:
        said: what was wrong with its service's answers.
    """

    port: int
    name: str
    serial: str
    checks: tuple[Check, ...]
    said: tuple[str, ...]


@cache
def sbi_words() -> Words:
    """Return what the report says, keyed ``sbi....``."""
    return Words(files("kiosk").joinpath("texts", "sbi.json"))


def report(
    trust: Trust,
    *,
    records: Records,
    scores: Scores | None,
    now: Callable[[], dt.datetime],
    present: Callable[[Asked], None],
    ports: Iterable[int] = PORTS,
    token: str | None = None,
) -> tuple[Examined, ...]:
    """Return what was found of every device of this machine, in the order of their ports.

    Args:
        trust: whom the station believes.
        records: reads ISO records.
        scores: measures quality again; None: claims are not checked.
        now: the time, aware.
        present: told what is asked for next, so that somebody can put it there.
        ports: where services are looked for.
        token: for services that want one.
    """
    found: list[Examined] = []
    for service in discover(ports=ports, token=token):
        if not service.devices:
            found.append(_without(service))
        for device in service.devices:
            examination = Conformance(
                device,
                trust=trust,
                records=records,
                scores=scores,
                now=now,
                present=present,
                token=token,
            )
            identity = device.identity
            found.append(
                Examined(
                    port=service.port,
                    name=identity.name,
                    serial=identity.serial_no,
                    checks=examination.run(),
                    said=service.said,
                )
            )
    return tuple(found)


def _without(service: Service) -> Examined:
    return Examined(port=service.port, name="", serial="", checks=(), said=service.said)


def status(found: Sequence[Examined]) -> int:
    """Return the exit status: 1 where a device does not keep to SBI, or there is none."""
    good = found and all(
        not one.said and one.checks and all(check.passed is not False for check in one.checks)
        for one in found
    )
    return _GOOD if good else _BAD


def written(found: Sequence[Examined], language: str) -> str:
    """Return the report as lines of text."""
    words = sbi_words()
    if not found:
        return words.say("sbi.none", language) + "\n"
    lines: list[str] = []
    for one in found:
        if one.checks:
            title = words["sbi.device"].fill(name=one.name, serial=one.serial, port=one.port)
            lines.append(title.in_(language))
        for said in one.said:
            text = words["sbi.service"].fill(port=one.port, said=said)
            lines.append(f"{_MARKS[False]} {text.in_(language)}")
        for check in one.checks:
            name = words.say(f"sbi.check.{check.name}", language)
            lines.append(
                f"{_MARKS[check.passed]} {name}" + (f": {check.said}" if check.said else "")
            )
        lines.append("")
    verdict = "good" if status(found) == _GOOD else "bad"
    return "\n".join([*lines, words.say(f"sbi.verdict.{verdict}", language), ""])


def main(
    data: Path,
    language: str,
    *,
    as_json: bool,
    ports: Iterable[int] = PORTS,
    out: TextIO | None = None,
) -> int:
    """Examine, print, and return the exit status.

    Args:
        data: folder of the kiosk's data; trust anchors lie in its `ANCHORS`.
        language: of the report.
        as_json: print JSON instead of sentences.
        ports: where services are looked for.
        out: where the report goes; standard output if None.
    """
    words = sbi_words()
    try:
        trust = read_trust(data / ANCHORS)
    except TrustUnreadable as error:
        text = words["sbi.trust"].fill(said=error)
        sys.stderr.write(f"thunhan-doctor: {text.in_(language)}\n")
        return _UNABLE

    def present(asked: Asked) -> None:
        fingers = [FINGERS[name] for name in asked.sub_types if name in FINGERS]
        names = ", ".join(spoken().say(f"name.{position}", language) for position in fingers)
        text = words[f"sbi.present.{asked.modality}"].fill(what=names)
        sys.stderr.write(text.in_(language) + "\n")

    found = report(
        trust,
        records=IsoRecords(),
        scores=FingerScores(),
        now=clock.now,
        present=present,
        ports=ports,
    )
    printed = (
        json.dumps([asdict(one) for one in found], ensure_ascii=False, indent=1) + "\n"
        if as_json
        else written(found, language)
    )
    (out or sys.stdout).write(printed)
    return status(found)
