"""The figures as tables, once; terminal, Markdown and the page show the same ones.

It computes no figures and knows no markup.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from typing import Final

from biometrics.face.lab.curves import Curve, natives
from biometrics.face.lab.defects import Kind
from biometrics.face.lab.evaluation import SMALLEST_GROUP, Evaluation, Picture
from biometrics.lab.figures import Share, explained, spread
from biometrics.lab.table import Cell, Table
from biometrics.words import Text, Words

ORDER: Final = 12
"""Reasons listed in one cell before the rest is summed up."""


def words() -> Words:
    """Return the sentences of the lab."""
    return Words(files("biometrics.face.lab").joinpath("texts.json"))


_WORDS: Final = words()


def summary(evaluation: Evaluation) -> Table:
    """Return the few figures that the rest explains."""
    rows: list[tuple[Cell, ...]] = []
    several = len(evaluation.sets) > 1
    for of_set in (None, *(evaluation.sets if several else ())):
        where = "" if of_set is None else f" ({of_set})"
        for kind in (Kind.GATE, Kind.DRAWN):
            share = evaluation.caught(kind, of_set)
            if share.of:
                rows.append((_with(f"summary.{kind}", where), share))
        alarms = evaluation.false_alarms(of_set)
        if alarms.of:
            rows.append((_with("summary.false_alarms", where), alarms))
    for gap in evaluation.gaps:
        low, high = gap.interval
        said = f"{gap.points:.1f} ({low:.1f} .. {high:.1f}): {gap.most} / {gap.fewest}"
        rows.append((_WORDS[f"summary.gap.{gap.axis}"], said))
    return table("summary", ("what", "figure"), rows, n=SMALLEST_GROUP)


def defects(evaluation: Evaluation) -> Table:
    """Return caught and missed, one line for each set and defect."""
    rows = [
        (
            figures.set,
            figures.defect.name,
            _WORDS[f"kind.{figures.defect.kind}"],
            len(figures.pictures),
            figures.refused,
            figures.right,
            figures.noticed,
            len(figures.pictures) - figures.refused.count,
            listed(figures.other_reasons),
        )
        for figures in evaluation.defect_figures
    ]
    columns = ("set", "defect", "kind", "n", "refused", "right", "noticed", "missed", "others")
    return table("defects", columns, rows)


def false_alarms(evaluation: Evaluation) -> Table:
    """Return what sound pictures were refused for, set by set."""
    rows = []
    for of_set in evaluation.sets:
        group = [picture for picture in evaluation.sound if picture.row.set == of_set]
        if group:
            first = Counter(picture.reason for picture in group if picture.reason)
            each = Counter(name for picture in group for name in picture.refused_for)
            share = evaluation.false_alarms(of_set)
            rows.append((of_set, len(group), share, listed(first), listed(each)))
    return table("false_alarms", ("set", "n", "alarms", "first", "all"), rows)


def groups(evaluation: Evaluation) -> Table:
    """Return the false alarms of every group."""
    rows = [
        (
            _WORDS[f"axis.{axis}"],
            name,
            len(group),
            Share(sum(picture.reason is not None for picture in group), len(group)),
            listed(Counter(picture.reason for picture in group if picture.reason)),
        )
        for axis, members in evaluation.groups.items()
        for name, group in members.items()
    ]
    return table("groups", ("axis", "group", "n", "alarms", "first"), rows)


def fairness(evaluation: Evaluation) -> Iterator[Table]:
    """Yield for each axis how every measure's native values spread over the groups."""
    for axis, members in evaluation.groups.items():
        heads = _heads(members)
        chance = (len(members) - 1) / max(1, sum(map(len, members.values())) - 1)
        rows = tuple(
            (
                measure,
                _WORDS[f"role.{role(evaluation, measure)}"],
                *(_spread(group, measure, scores=False) for group in members.values()),
                explained([natives(group, measure) for group in members.values()]),
            )
            for measure in evaluation.measures
        )
        title = _titled("table.fairness", axis)
        columns = (
            _WORDS["column.measure"],
            _WORDS["column.role"],
            *heads,
            _WORDS["column.explained"],
        )
        note = _WORDS["note.fairness"].fill(chance=f"{chance:.2f}")
        yield Table(title=title, columns=columns, rows=rows, note=note)


def counterexample(evaluation: Evaluation) -> Iterator[Table]:
    """Yield for each axis the 0..100 scores of what is measured and never a gate."""
    names = [name for name in evaluation.measures if role(evaluation, name) == "recorded"]
    for axis, members in evaluation.groups.items():
        heads = _heads(members)
        rows = tuple(
            (name, *(_spread(group, name, scores=True) for group in members.values()))
            for name in names
        )
        if rows:
            title = _titled("table.scores", axis)
            yield Table(title=title, columns=(_WORDS["column.measure"], *heads), rows=rows)


def separation(found: Iterable[Curve]) -> Table:
    """Return the area under every curve, and what the shipped limit makes of it."""
    rows = [
        (
            curve.figures.set,
            curve.figures.defect.name,
            curve.gate.measure,
            curve.area.worse,
            curve.area.better,
            f"{curve.area.value:.3f} ({curve.area.interval[0]:.2f}-{curve.area.interval[1]:.2f})",
            limits(curve.gate.lowest, curve.gate.highest),
            curve.caught,
            curve.alarms,
        )
        for curve in found
    ]
    columns = ("set", "defect", "measure", "n", "n_sound", "auc", "limit", "caught", "alarms")
    return table("separation", columns, rows)


def problems(evaluation: Evaluation) -> Table:
    """Return the files that were not judged, and why."""
    rows = [
        (row.file, _WORDS[f"problem.{seen.problem}"], seen.detail)
        for row, seen in evaluation.problems
    ]
    return table("problems", ("file", "problem", "detail"), rows)


def notes(evaluation: Evaluation) -> Iterator[Text]:
    """Yield what a reader must know before believing the figures."""
    for entry in evaluation.relaxed:
        key = "note.relaxed_in" if entry.set else "note.relaxed"
        yield _WORDS[key].fill(measure=entry.measure, set=entry.set)
        if entry.measure not in evaluation.gates:
            yield _WORDS["note.no_such_gate"].fill(measure=entry.measure)
    for figures in evaluation.defect_figures:
        name = figures.defect.name
        if figures.defect.kind is Kind.UNKNOWN:
            yield _WORDS["note.unknown"].fill(defect=name)
        elif figures.defect.kind in {Kind.GATE, Kind.DRAWN} and not any(
            gate.blocks
            and not any(entry.covers(gate.measure, figures.set) for entry in evaluation.relaxed)
            for measure in figures.defect.measures
            if (gate := evaluation.gates.get(measure))
        ):
            yield _WORDS["note.no_gate"].fill(defect=name, set=figures.set or "-")
    if evaluation.problems:
        yield _WORDS["note.left_out"].fill(n=len(evaluation.problems))


def wrong(evaluation: Evaluation) -> Table:
    """Return every picture that was judged wrongly."""
    rows = [
        (
            picture.row.file,
            picture.row.defect,
            ", ".join(picture.refused_for),
            ", ".join(
                f"{finding.name} {'-' if finding.native is None else format(finding.native, '.3g')}"
                for finding in picture.seen.findings
                if finding.name in (picture.defect.measures or picture.refused_for)
            ),
        )
        for picture in evaluation.pictures
        if picture.wrong
    ]
    return table("wrong", ("file", "defect", "because", "values"), rows)


def everything(
    evaluation: Evaluation, found: Iterable[Curve], *, fairly: bool = True
) -> Iterator[Table]:
    """Yield every table that has rows; those of all measures by group only where `fairly`."""
    every = (
        summary(evaluation),
        defects(evaluation),
        false_alarms(evaluation),
        groups(evaluation),
        separation(found),
        *(fairness(evaluation) if fairly else ()),
        *(counterexample(evaluation) if fairly else ()),
        problems(evaluation),
    )
    yield from (entry for entry in every if entry.rows)


def role(evaluation: Evaluation, measure: str) -> str:
    """Return ``gate``, ``advice`` or ``recorded``."""
    gate = evaluation.gates.get(measure)
    if gate is None or (gate.lowest is None and gate.highest is None):
        return "recorded"
    return "gate" if gate.blocks else "advice"


def limits(lowest: float | None, highest: float | None) -> str:
    """Return a gate's limits as ``lowest .. highest``."""
    low = "" if lowest is None else f"{lowest:g}"
    high = "" if highest is None else f"{highest:g}"
    return f"{low} .. {high}".strip()


def listed(counts: Mapping[str, int]) -> str:
    """Return names with their counts, the most frequent first."""
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    said = ", ".join(f"{name} {count}" for name, count in ordered[:ORDER])
    rest = sum(count for _, count in ordered[ORDER:])
    return f"{said}, ... {rest}" if rest else said


def _spread(group: tuple[Picture, ...], measure: str, *, scores: bool) -> str:
    if scores:
        values = tuple(
            float(finding.score)
            for picture in group
            for finding in picture.seen.findings
            if finding.name == measure and finding.score is not None
        )
    else:
        values = natives(group, measure)
    found = spread(values)
    if found is None:
        return "-"
    low, middle, high = found
    refused = sum(
        finding.passed is False
        for picture in group
        for finding in picture.seen.findings
        if finding.name == measure
    )
    said = f"{middle:.3g} ({low:.3g} .. {high:.3g})"
    return f"{said} ×{refused}" if refused and not scores else said


def _heads(members: Mapping[str, tuple[Picture, ...]]) -> tuple[Text, ...]:
    said = (f"{name} ({len(group)})" for name, group in members.items())
    return tuple(Text(vi=head, en=head) for head in said)


def _titled(key: str, axis: str) -> Text:
    title, name = _WORDS[key], _WORDS[f"axis.{axis}"]
    return Text(vi=title.vi.format(axis=name.vi), en=title.en.format(axis=name.en))


def _with(key: str, suffix: str) -> Text:
    return Text(vi=_WORDS[key].vi + suffix, en=_WORDS[key].en + suffix)


def table(
    name: str, columns: tuple[str, ...], rows: Iterable[tuple[Cell, ...]], **values: object
) -> Table:
    """Return the table whose headings stand under `name` and `columns` in `texts.json`."""
    note = f"note.{name}"
    return Table(
        title=_WORDS[f"table.{name}"],
        columns=tuple(_WORDS[f"column.{column}"] for column in columns),
        rows=tuple(rows),
        note=_WORDS[note].fill(**values) if note in _WORDS else None,
    )
