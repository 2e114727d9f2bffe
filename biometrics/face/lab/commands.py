"""What each sub-command of `thunhan-portrait` does, from its arguments to its exit code.

It parses nothing (see `__main__`) and computes no figures.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from typing import Final

from biometrics.face import hints, ofiq
from biometrics.face.gates import Profile
from biometrics.face.lab import comparing, history, reference, tables
from biometrics.face.lab.curves import curves
from biometrics.face.lab.defects import Kind, read_defects
from biometrics.face.lab.evaluation import Evaluation, refusals
from biometrics.face.lab.export import as_json, findings
from biometrics.face.lab.history import read_reasons
from biometrics.face.lab.judging import FELL, Seen, Task, judge_file, judge_files
from biometrics.face.lab.labels import read_labels, read_pairs
from biometrics.face.lab.page import page
from biometrics.face.lab.run import Run
from biometrics.face.lab.verification import compare_pairs, model_at
from biometrics.lab import workers
from biometrics.lab.arguments import progress
from biometrics.lab.sheet import SheetRefused
from biometrics.lab.table import Table
from biometrics.lab.writing import as_markdown, as_text, harmless
from biometrics.words import Text

DONE: Final = 0
BELOW: Final = 1
REFUSED: Final = 2
MISSING: Final = 3
_WORDS: Final = tables.words()


def evaluate(given: argparse.Namespace) -> int:
    """Judge a labelled folder; `BELOW` where fewer than `--fail-under` percent were right.

    Raises:
        SheetRefused, DefectsRefused: the tables cannot be read.
        OSError: a report cannot be written.
    """
    rows = read_labels(given.labels, _where(given))
    if not rows:
        raise SheetRefused(f"{given.labels.name}: no row is left to judge")
    defects = read_defects(given.defects)
    before = read_reasons(given.since) if given.since else None
    names = [row.file for row in rows]
    seen = judge_files(given.folder, names, given.profile.name, given.processes, progress)
    evaluation = Evaluation(rows, seen, given.profile, defects, given.relax)
    run = Run.of(evaluation, given.command, given.at)
    _note(tables.notes(evaluation), given.language)
    _show(_chosen(evaluation, run, before, given), given)
    if given.html:
        given.html.write_text(page(evaluation, given.folder, run), encoding="utf-8")
    if given.json:
        given.json.write_text(as_json(evaluation, run), encoding="utf-8")
    caught = evaluation.caught(Kind.GATE).value
    if given.fail_under is not None and (caught is None or 100 * caught < given.fail_under):
        return BELOW
    return DONE


def judge(given: argparse.Namespace) -> int:
    """Judge single pictures in words; `BELOW` where one is not accepted."""
    tasks = [Task(str(path), path, given.profile.name) for path in given.files]
    found = {
        task.name: seen or Seen(problem=FELL)
        for task, seen in workers.each(judge_file, tasks, min(given.processes, len(tasks)))
    }
    verdicts = {
        name: refusals(found[name].findings, given.profile, (), "")
        for name in dict.fromkeys(map(str, given.files))
    }
    if given.json:
        content = [
            {
                "file": name,
                "ok": not refused and found[name].problem is None,
                "problem": found[name].problem,
                "detail": found[name].detail,
                "refused_for": refused,
                "profile": given.profile.name,
                "profile_sha256": given.profile.sha256,
                "findings": findings(found[name]),
            }
            for name, refused in verdicts.items()
        ]
        _say(json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1))
    else:
        for name, refused in verdicts.items():
            for line in _verdict(name, found[name], refused, given.profile, given.language):
                _say(harmless(line))
    fine = all(not refused and found[name].problem is None for name, refused in verdicts.items())
    return DONE if fine else BELOW


def pairs(given: argparse.Namespace) -> int:
    """Compare labelled pairs one to one.

    Raises:
        SheetRefused: the table cannot be read.
        DescriptorMissing, DescriptorRefused: the network cannot be loaded.
    """
    wanted = read_pairs(given.pairs, _where(given))
    if not wanted:
        raise SheetRefused(f"{given.pairs.name}: no pair is left to compare")
    model = model_at(given.model)
    compared = compare_pairs(given.folder, wanted, given.model, given.processes, progress)
    _say(harmless(f"{model.name} {model.dated} {model.sha256}"))
    _note(comparing.pair_notes(compared), given.language)
    _show(comparing.pair_tables(compared, model), given)
    return DONE


def compare_ofiq(given: argparse.Namespace) -> int:
    """Put our scores beside OFIQ's; `MISSING` and how to install it where it is absent."""
    if not ofiq.available():
        sys.stderr.write(f"{_WORDS['ofiq.missing'].in_(given.language)}\n")
        return MISSING
    names = reference.pictures(given.folder)
    if not names:
        raise SheetRefused(f"{given.folder.name} holds no picture")
    rows = reference.compare(given.folder, names, given.profile.name, given.processes, progress)
    _show([comparing.agreement_table(reference.agreements(rows))], given)
    if given.csv:
        given.csv.write_text(comparing.as_csv(rows), encoding="utf-8")
    return DONE


def _chosen(
    evaluation: Evaluation,
    run: Run,
    before: Mapping[str, tuple[str, ...]] | None,
    given: argparse.Namespace,
) -> Iterator[Table]:
    yield run.table()
    fairly = given.fairness or given.markdown
    yield from tables.everything(evaluation, curves(evaluation), fairly=fairly)
    if given.wrong:
        yield tables.wrong(evaluation)
    if before is not None:
        yield history.changes(evaluation, before)


def _verdict(
    name: str, seen: Seen, refused: tuple[str, ...], profile: Profile, language: str
) -> Iterator[str]:
    if seen.problem is not None:
        said = _WORDS[f"problem.{seen.problem}"].in_(language)
        detail = f" ({seen.detail})" if seen.detail else ""
        yield f"{name}: {_WORDS['judge.problem'].in_(language)}: {said}{detail}"
        return
    verdict = _WORDS["judge.refused" if refused else "judge.ok"].in_(language)
    yield f"{name}: {verdict}"
    gates = {gate.measure: gate for gate in profile.gates}
    sentences = hints.words()
    for finding in seen.findings:
        if finding.passed is not False:
            continue
        gate = gates[finding.name]
        limit = tables.limits(gate.lowest, gate.highest)
        native = "-" if finding.native is None else f"{finding.native:.3g}"
        kind = "" if gate.blocks else f" [{_WORDS['judge.advice'].in_(language)}]"
        key = f"portrait.{finding.hint}"
        hint = sentences.say(key, language) if key in sentences else ""
        yield f"  {finding.name} {native} {finding.unit} ({limit}){kind} {hint}".rstrip()


def _where(given: argparse.Namespace) -> list[tuple[str, str]]:
    return [*given.where, *([("split", given.split)] if given.split else [])]


def _show(shown: Iterator[Table] | list[Table], given: argparse.Namespace) -> None:
    write = as_markdown if given.markdown else as_text
    for table in shown:
        _say("\n".join(write(table, given.language)))


def _note(notes: Iterator[Text], language: str) -> None:
    for note in notes:
        _say(harmless(note.in_(language)))


def _say(what: str) -> None:
    sys.stdout.write(f"{what}\n")


def complain(what: str) -> None:
    """Say on the standard error why there is no result."""
    sys.stderr.write(f"thunhan-portrait: {harmless(what)}\n")
