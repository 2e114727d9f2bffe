"""The command `thunhan-portrait`: judge pictures, evaluate the gates, compare one to one.

It reads files and prints; it changes nothing and writes only the files it is asked to write.
"""

import argparse
import os
import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from biometrics.face.gates import Profile, ProfileUnknown, profile
from biometrics.face.lab import tables
from biometrics.face.lab.curves import curves
from biometrics.face.lab.defects import DefectsRefused, Kind, read_defects
from biometrics.face.lab.evaluation import Evaluation, Relaxed
from biometrics.face.lab.export import as_json
from biometrics.face.lab.judging import judge_files
from biometrics.face.lab.labels import LabelsRefused, read_labels
from biometrics.face.lab.page import page
from biometrics.face.lab.run import Run
from biometrics.face.lab.tables import Table
from biometrics.face.lab.writing import as_markdown, as_text, harmless

DONE: Final = 0
BELOW: Final = 1
REFUSED: Final = 2
MISSING: Final = 3
MOST_PROCESSES: Final = 256


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0, 1 below `--fail-under`, 2 refused, 3 missing."""
    typed = sys.argv[1:] if arguments is None else list(arguments)
    given = _parser().parse_args(typed)
    given.command = shlex.join(["thunhan-portrait", *typed])
    given.at = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    try:
        code: int = given.run(given)
    except (LabelsRefused, DefectsRefused) as error:
        _complain(str(error))
        return REFUSED
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="thunhan-portrait", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--profile", type=_profile, default="can-cuoc", help="gates to hold to")
    shared.add_argument("--processes", type=_count, default=os.cpu_count() or 1)
    shared.add_argument("--language", choices=("vi", "en"), default="en")

    evaluate = commands.add_parser(
        "evaluate", parents=[shared], help="caught, missed and false alarms of a labelled folder"
    )
    evaluate.add_argument("folder", type=Path)
    evaluate.add_argument("labels", type=Path)
    evaluate.add_argument(
        "--relax",
        nargs="+",
        action="extend",
        type=_relaxed,
        default=[],
        metavar="MEASURE[@SET]",
        help="no gate in this run, for all pictures or those of one set",
    )
    evaluate.add_argument(
        "--where", nargs="+", action="extend", type=_where, default=[], metavar="COLUMN=VALUE"
    )
    evaluate.add_argument("--split", help="short for --where split=...")
    evaluate.add_argument("--defects", type=Path, help="another table of right reasons")
    evaluate.add_argument("--markdown", action="store_true", help="tables ready to be pasted")
    evaluate.add_argument("--fairness", action="store_true", help="print every measure by group")
    evaluate.add_argument("--wrong", action="store_true", help="list what was judged wrongly")
    evaluate.add_argument("--html", type=Path, metavar="FILE", help="report with ROC curves")
    evaluate.add_argument("--json", type=Path, metavar="FILE", help="every figure and finding")
    evaluate.add_argument("--fail-under", type=float, metavar="PERCENT")
    evaluate.set_defaults(run=_evaluate)
    return parser


def _evaluate(given: argparse.Namespace) -> int:
    where = [*given.where, *([("split", given.split)] if given.split else [])]
    rows = read_labels(given.labels, where)
    if not rows:
        raise LabelsRefused(f"{given.labels.name}: no row is left to judge")
    defects = read_defects(given.defects)
    names = [row.file for row in rows]
    seen = judge_files(given.folder, names, given.profile.name, given.processes, _progress)
    evaluation = Evaluation(rows, seen, given.profile, defects, given.relax)
    run = Run.of(evaluation, given.command, given.at)
    write = as_markdown if given.markdown else as_text
    for note in tables.notes(evaluation):
        _say(harmless(note.in_(given.language)))
    for table in _chosen(evaluation, run, given):
        _say("\n".join(write(table, given.language)))
    if given.html:
        given.html.write_text(page(evaluation, given.folder, run), encoding="utf-8")
    if given.json:
        given.json.write_text(as_json(evaluation, run), encoding="utf-8")
    caught = evaluation.caught(Kind.GATE).value
    if given.fail_under is not None and (caught is None or 100 * caught < given.fail_under):
        return BELOW
    return DONE


def _chosen(evaluation: Evaluation, run: Run, given: argparse.Namespace) -> Iterator[Table]:
    yield run.table()
    fairly = given.fairness or given.markdown
    yield from tables.everything(evaluation, curves(evaluation), fairly=fairly)
    if given.wrong:
        yield tables.wrong(evaluation)


def _progress(done: int, of: int) -> None:
    step = max(1, of // 20)
    if done == of or done % step == 0:
        sys.stderr.write(f"{done}/{of}\n")


def _complain(what: str) -> None:
    sys.stderr.write(f"thunhan-portrait: {harmless(what)}\n")


def _say(what: str) -> None:
    sys.stdout.write(f"{what}\n")


def _profile(name: str) -> Profile:
    try:
        return profile(name)
    except ProfileUnknown:
        raise argparse.ArgumentTypeError(f"there is no profile {name!r}") from None


def _count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= MOST_PROCESSES:
        raise argparse.ArgumentTypeError(f"from 1 to {MOST_PROCESSES}")
    return number


def _relaxed(text: str) -> Relaxed:
    measure, _, of_set = text.partition("@")
    if not measure:
        raise argparse.ArgumentTypeError("MEASURE or MEASURE@SET")
    return Relaxed(measure, of_set)


def _where(text: str) -> tuple[str, str]:
    column, equals, value = text.partition("=")
    if not column or not equals:
        raise argparse.ArgumentTypeError("COLUMN=VALUE")
    return column, value


if __name__ == "__main__":
    sys.exit(main())
