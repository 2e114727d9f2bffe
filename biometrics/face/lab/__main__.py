"""The command `thunhan-portrait`: evaluate the gates, judge pictures, compare them.

It reads files and prints; it changes nothing and writes only the files it is asked to write.
"""

import argparse
import os
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from biometrics.carried import ModelAltered, ModelMissing
from biometrics.face.descriptor import DescriptorMissing, DescriptorRefused
from biometrics.face.gates import Profile, ProfileUnknown, profile
from biometrics.face.lab import commands
from biometrics.face.lab.defects import DefectsRefused
from biometrics.face.lab.evaluation import Relaxed
from biometrics.face.ofiq import NoReference
from biometrics.lab import arguments
from biometrics.lab.sheet import SheetRefused

_REFUSED: Final = (SheetRefused, DefectsRefused, OSError)
_MISSING: Final = (DescriptorMissing, DescriptorRefused, ModelMissing, ModelAltered, NoReference)


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0 done; 1 below `--fail-under`, or a judged picture is not accepted; 2 the arguments or tables
    are refused; 3 a model or OFIQ is missing.
    """
    typed = sys.argv[1:] if words is None else list(words)
    given = _parser().parse_args(typed)
    given.command = shlex.join(["thunhan-portrait", *typed])
    given.at = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    try:
        code: int = given.run(given)
    except _REFUSED as error:
        commands.complain(str(error))
        return commands.REFUSED
    except _MISSING as error:
        commands.complain(str(error))
        return commands.MISSING
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="thunhan-portrait", description=__doc__)
    found = parser.add_subparsers(required=True, metavar="COMMAND")
    judging = argparse.ArgumentParser(add_help=False)
    judging.add_argument("--profile", type=_profile, default="can-cuoc", help="gates to hold to")
    working = argparse.ArgumentParser(add_help=False)
    working.add_argument("--processes", type=arguments.count, default=os.cpu_count() or 1)
    table = argparse.ArgumentParser(add_help=False)
    table.add_argument("folder", type=arguments.folder)
    table.add_argument("--language", choices=("vi", "en"), default="en")
    table.add_argument("--markdown", action="store_true", help="tables ready to be pasted")
    chosen = argparse.ArgumentParser(add_help=False)
    chosen.add_argument(
        "--where",
        nargs="+",
        action="extend",
        type=arguments.where,
        default=[],
        metavar="COLUMN=VALUE",
        help="only rows with these values",
    )
    chosen.add_argument("--split", help="short for --where split=...")

    evaluate = found.add_parser(
        "evaluate",
        parents=[table, judging, working, chosen],
        help="caught, missed and false alarms of a labelled folder",
    )
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
    evaluate.add_argument("--defects", type=Path, help="another table of right reasons")
    evaluate.add_argument("--fairness", action="store_true", help="print every measure by group")
    evaluate.add_argument("--wrong", action="store_true", help="list what was judged wrongly")
    evaluate.add_argument(
        "--since", type=Path, metavar="FILE", help="JSON of an earlier run: list what changed"
    )
    evaluate.add_argument("--html", type=arguments.output, metavar="FILE", help="with ROC curves")
    evaluate.add_argument("--json", type=arguments.output, metavar="FILE", help="every finding")
    evaluate.add_argument("--fail-under", type=float, metavar="PERCENT")
    evaluate.set_defaults(run=commands.evaluate)

    judge = found.add_parser(
        "judge", parents=[judging, working], help="the verdict on single pictures in words"
    )
    judge.add_argument("files", type=Path, nargs="+", metavar="FILE")
    judge.add_argument("--language", choices=("vi", "en"), default="vi")
    judge.add_argument("--json", action="store_true")
    judge.set_defaults(run=commands.judge)

    pairs = found.add_parser(
        "pairs", parents=[table, working, chosen], help="false matches and non-matches, one to one"
    )
    pairs.add_argument("pairs", type=Path)
    pairs.add_argument("--model", type=Path, help="JSON file that names another network")
    pairs.set_defaults(run=commands.pairs)

    reference = found.add_parser(
        "compare-ofiq", parents=[table, judging, working], help="our scores beside OFIQ's"
    )
    reference.add_argument("--csv", type=arguments.output, metavar="FILE", help="every value")
    reference.set_defaults(run=commands.compare_ofiq)
    return parser


def _profile(name: str) -> Profile:
    try:
        return profile(name)
    except ProfileUnknown:
        raise argparse.ArgumentTypeError(f"there is no profile {name!r}") from None


def _relaxed(text: str) -> Relaxed:
    measure, _, of_set = text.partition("@")
    if not measure:
        raise argparse.ArgumentTypeError("MEASURE or MEASURE@SET")
    return Relaxed(measure, of_set)


if __name__ == "__main__":
    sys.exit(main())
