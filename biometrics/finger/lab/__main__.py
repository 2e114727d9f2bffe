"""The command `thunhan-finger`: evaluate a folder, compare two impressions, judge single ones.

It reads files and prints; it changes nothing and writes only the files it is asked to write.
"""

import argparse
import json
import os
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from biometrics.carried import ModelAltered, ModelMissing
from biometrics.finger import hints
from biometrics.finger.compare import SAME_FROM, compare
from biometrics.finger.extractor import Extractor
from biometrics.finger.impression import ImpressionInvalid
from biometrics.finger.lab import tables, trial
from biometrics.finger.lab.impressions import DPI, found
from biometrics.finger.lab.page import page
from biometrics.finger.lab.tables import Run
from biometrics.finger.lab.trial import Trial
from biometrics.finger.minutiae import Minutiae
from biometrics.finger.quality import assess
from biometrics.lab import arguments
from biometrics.lab.sheet import SheetRefused
from biometrics.lab.writing import as_markdown, as_text, harmless

DONE: Final = 0
BELOW: Final = 1
REFUSED: Final = 2
MISSING: Final = 3
_WORDS: Final = tables.words()
_HINTS: Final = hints.words()


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0 done; 1 the EER is over `--fail-over` or there is none, two impressions are not surely one
    finger's, or one is no finger; 2 the arguments, the table or a file are refused; 3 the
    network is missing.
    """
    typed = sys.argv[1:] if words is None else list(words)
    given = _parser().parse_args(typed)
    given.command = shlex.join(["thunhan-finger", *typed])
    try:
        code: int = given.run(given)
    except (SheetRefused, ImpressionInvalid, OSError) as error:
        _complain(str(error))
        return REFUSED
    except (ModelMissing, ModelAltered) as error:
        _complain(str(error))
        return MISSING
    return code


def evaluate(given: argparse.Namespace) -> int:
    """Compare every mate and every stranger of a folder.

    Raises:
        SheetRefused: see `impressions.found`.
        OSError: a report cannot be written.
    """
    entries = found(given.folder, given.manifest, given.where)
    done = trial.run(
        given.folder,
        entries,
        quality=not given.no_quality,
        processes=min(given.processes, len(entries)),
        progress=arguments.progress,
    )
    run = Run(command=given.command, at=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()))
    write = as_markdown if given.markdown else as_text
    for table in tables.everything(done, run):
        for line in write(table, given.language):
            _say(line)
    # A file's name may hold what is no character.
    if given.html:
        given.html.write_text(page(done, run), encoding="utf-8", errors="backslashreplace")
    if given.json:
        given.json.write_text(_json(done, run), encoding="utf-8")
    if given.fail_over is None:
        return DONE
    scores = done.scores()
    known = scores.comparable and 100 * scores.figures["EER"].value <= given.fail_over
    return DONE if known else BELOW


def pair(given: argparse.Namespace) -> int:
    """Compare two impressions; `BELOW` where they are not surely of one finger."""
    extractor = Extractor()
    one, other = (_minutiae(extractor, path, given.dpi) for path in given.files)
    score = compare(one, other)
    same = score >= SAME_FROM
    said = _WORDS["pair.same" if same else "pair.not_same"].in_(given.language)
    _say(f"{one.sure} / {other.sure} minutiae, {score:.3f} (>= {SAME_FROM:g}: {said})")
    return DONE if same else BELOW


def judge(given: argparse.Namespace) -> int:
    """Say what single impressions are worth; `BELOW` where one is no finger."""
    fine = True
    for path in given.files:
        seen = assess(_pixels(path), given.dpi)
        fine = fine and seen.finger
        nfiq2 = "-" if seen.nfiq2 is None else str(seen.nfiq2)
        estimate = f"{_WORDS['estimate'].in_(given.language)} {seen.estimate:.0f}"
        _say(harmless(f"{path}: NFIQ 2 {nfiq2}, {estimate}"))
        if seen.hint is not None:
            _say(f"  {_HINTS[f'finger.{seen.hint}'].in_(given.language)}")
        for finding in seen.findings:
            if finding.passed is False:
                _say(f"  {finding.name} {finding.native:.3g} {finding.unit}")
    return DONE if fine else BELOW


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="thunhan-finger", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    speaking = argparse.ArgumentParser(add_help=False)
    speaking.add_argument("--language", choices=("vi", "en"), default="en")
    imaging = argparse.ArgumentParser(add_help=False)
    imaging.add_argument("--dpi", type=int, default=DPI, help="of the files")

    one = commands.add_parser(
        "evaluate", parents=[speaking], help="EER, FNMR at fixed FMR and FTE of a folder"
    )
    one.add_argument("folder", type=arguments.folder)
    one.add_argument("--manifest", type=Path, help="CSV with file and finger, else manifest.csv")
    one.add_argument(
        "--where",
        nargs="+",
        action="extend",
        type=arguments.where,
        default=[],
        metavar="COLUMN=VALUE",
        help="only rows with these values",
    )
    one.add_argument("--processes", type=arguments.count, default=os.cpu_count() or 1)
    one.add_argument("--no-quality", action="store_true", help="no NFIQ 2: half the time")
    one.add_argument("--html", type=arguments.output, metavar="FILE", help="with DET curves")
    one.add_argument("--json", type=arguments.output, metavar="FILE", help="every score")
    one.add_argument("--markdown", action="store_true", help="tables ready to be pasted")
    one.add_argument(
        "--fail-over", type=_percent, metavar="PERCENT", help="exit 1 for a higher EER"
    )
    one.set_defaults(run=evaluate)

    two = commands.add_parser("compare", parents=[speaking, imaging], help="two impressions")
    two.add_argument("files", type=Path, nargs=2, metavar="FILE")
    two.set_defaults(run=pair)

    three = commands.add_parser("judge", parents=[speaking, imaging], help="what they are worth")
    three.add_argument("files", type=Path, nargs="+", metavar="FILE")
    three.set_defaults(run=judge)
    return parser


def _json(done: Trial, run: Run) -> str:
    content = {
        "command": run.command,
        "at": run.at,
        "impressions": [
            {
                "file": entry.file,
                "set": entry.set,
                "finger": entry.finger,
                "minutiae": None if seen.minutiae is None else seen.minutiae.sure,
                "nfiq2": seen.nfiq2,
                "estimate": seen.estimate,
                "problem": seen.problem or None,
            }
            for entry, seen in zip(done.entries, done.seen, strict=True)
        ],
        "mates": [
            [*numbers, round(float(score), 5)]
            for numbers, score in zip(done.mates, done.mate_scores, strict=True)
        ],
        "strangers": [
            [*numbers, round(float(score), 5)]
            for numbers, score in zip(done.strangers, done.stranger_scores, strict=True)
        ],
    }
    return json.dumps(content, allow_nan=False)


def _minutiae(extractor: Extractor, path: Path, dpi: int) -> Minutiae:
    return extractor.extract(_pixels(path), dpi)


def _pixels(path: Path) -> trial.Image:
    pixels = trial.read(path)
    if pixels is None:
        raise ImpressionInvalid(f"{path} is no picture that could be read")
    return pixels


def _percent(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 100:  # noqa: PLR2004 - percent
        raise argparse.ArgumentTypeError("from 0 to 100")
    return number


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _complain(line: str) -> None:
    sys.stderr.write(f"thunhan-finger: {harmless(line)}\n")


if __name__ == "__main__":
    sys.exit(main())
