"""What a judged folder says of the gates: caught and missed defects, false alarms, group by group.

It holds figures only; `biometrics.face.lab.tables` puts them into words.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Final

from biometrics.capture import Finding
from biometrics.face.gates import Gate, Profile
from biometrics.face.lab.defects import Defect, Defects, Kind
from biometrics.face.lab.judging import Seen
from biometrics.face.lab.labels import SOUND, Row
from biometrics.lab.figures import Share, difference

SMALLEST_GROUP: Final = 5
"""Pictures below which a group is shown but not compared: one of four is 25 points."""

AXES: Final[Mapping[str, Callable[[Row], tuple[str, ...]]]] = {
    "gender": lambda row: (row.gender,),
    "ethnicity": lambda row: (row.ethnicity,),
    "gender_ethnicity": lambda row: (row.gender, row.ethnicity),
}
"""How pictures are grouped; where a part is not stated the picture is in no group."""


@dataclass(frozen=True, slots=True)
class Relaxed:
    """A measure that is no gate in this run, in one set or (empty) in all."""

    measure: str
    set: str = ""

    def covers(self, measure: str, of_set: str) -> bool:
        """Return whether it takes `measure` out of the gates for pictures of that set."""
        return measure == self.measure and self.set in {"", of_set}


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture as labelled, as seen, and what it was refused for.

    Attributes:
        refused_for: every blocking gate it failed that is not relaxed, the first to mend first.
    """

    row: Row
    seen: Seen
    defect: Defect
    refused_for: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """True where the label says that nothing is wrong with it."""
        return self.row.defect == SOUND

    @property
    def reason(self) -> str | None:
        """The first gate that refused it, None where it was accepted."""
        return self.refused_for[0] if self.refused_for else None

    @property
    def right(self) -> bool:
        """True where it was refused and its defect was the first reason."""
        return self.reason in self.defect.measures

    @property
    def noticed(self) -> bool:
        """True where a right measure was outside its limit, first or not, gate or advice."""
        failed = {finding.name for finding in self.seen.findings if finding.passed is False}
        return not failed.isdisjoint(self.defect.measures)

    @property
    def wrong(self) -> bool:
        """True where the verdict is a mistake: a false alarm, a miss, a wrong first reason."""
        if self.sound:
            return self.reason is not None
        return self.defect.kind in {Kind.GATE, Kind.DRAWN} and not self.right

    def native(self, measure: str) -> float | None:
        """Return the native value of a measure, None where it was not assessed."""
        for finding in self.seen.findings:
            if finding.name == measure:
                return finding.native
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class DefectFigures:
    """The pictures of one set with one defect."""

    set: str
    defect: Defect
    pictures: tuple[Picture, ...]

    @property
    def refused(self) -> Share:
        """For whatever reason."""
        return _share(self.pictures, lambda picture: picture.reason is not None)

    @property
    def right(self) -> Share:
        """For the right first reason."""
        return _share(self.pictures, lambda picture: picture.right)

    @property
    def noticed(self) -> Share:
        """A right measure was outside its limit, first or not."""
        return _share(self.pictures, lambda picture: picture.noticed)

    @property
    def other_reasons(self) -> Counter[str]:
        """First reasons that are not the right one."""
        reasons = (p.reason for p in self.pictures if p.reason and not p.right)
        return Counter(reasons)


@dataclass(frozen=True, slots=True)
class Gap:
    """The groups of one axis with most and fewest false alarms, and how far they are apart."""

    axis: str
    most: str
    fewest: str
    shares: tuple[Share, Share]

    @property
    def points(self) -> float:
        """Percentage points."""
        return 100 * ((self.shares[0].value or 0) - (self.shares[1].value or 0))

    @property
    def interval(self) -> tuple[float, float]:
        """Percentage points."""
        low, high = difference(*self.shares)
        return 100 * low, 100 * high


class Evaluation:
    """Figures of one run, worked out when asked for.

    Args:
        rows: what the table says.
        seen: what the judge saw, by file.
        profile, defects: what was judged by.
        relaxed: measures that are no gates in this run.
    """

    def __init__(
        self,
        rows: Iterable[Row],
        seen: Mapping[str, Seen],
        profile: Profile,
        defects: Defects,
        relaxed: Sequence[Relaxed] = (),
    ) -> None:
        self.profile = profile
        self.defects = defects
        self.relaxed = tuple(relaxed)
        self.problems: list[tuple[Row, Seen]] = []
        pictures = []
        for row in rows:
            what = seen[row.file]
            if what.problem is not None:
                self.problems.append((row, what))
                continue
            pictures.append(
                Picture(
                    row=row,
                    seen=what,
                    defect=defects[row.defect],
                    refused_for=refusals(what.findings, profile, self.relaxed, row.set),
                )
            )
        self.pictures = tuple(pictures)

    @cached_property
    def sound(self) -> tuple[Picture, ...]:
        """Pictures without a defect."""
        return tuple(picture for picture in self.pictures if picture.sound)

    @cached_property
    def gates(self) -> Mapping[str, Gate]:
        """Gates by measure, those that only advise included."""
        return {gate.measure: gate for gate in self.profile.gates}

    @cached_property
    def measures(self) -> tuple[str, ...]:
        """Every measure that was taken, in the order of the findings."""
        names = (f.name for picture in self.pictures for f in picture.seen.findings)
        return tuple(dict.fromkeys(names))

    @cached_property
    def defect_figures(self) -> tuple[DefectFigures, ...]:
        """One entry for each set and defect, kinds apart, in the order of the table."""
        groups: dict[tuple[str, str], list[Picture]] = {}
        for picture in self.pictures:
            if not picture.sound:
                groups.setdefault((picture.row.set, picture.row.defect), []).append(picture)
        kinds = list(Kind)
        figures = (
            DefectFigures(set=key[0], defect=self.defects[key[1]], pictures=tuple(group))
            for key, group in groups.items()
        )
        return tuple(sorted(figures, key=lambda figure: kinds.index(figure.defect.kind)))

    def caught(self, kind: Kind, of_set: str | None = None) -> Share:
        """Return how many of a kind's pictures were refused for the right first reason."""
        group = [
            picture
            for picture in self.pictures
            if picture.defect.kind is kind and not picture.sound
            if of_set in {None, picture.row.set}
        ]
        return _share(group, lambda picture: picture.right)

    def false_alarms(self, of_set: str | None = None) -> Share:
        """Return how many sound pictures were refused."""
        group = [picture for picture in self.sound if of_set in {None, picture.row.set}]
        return _share(group, lambda picture: picture.reason is not None)

    @cached_property
    def sets(self) -> tuple[str, ...]:
        """Names of the sets, in the order of the table."""
        return tuple(dict.fromkeys(picture.row.set for picture in self.pictures))

    @cached_property
    def groups(self) -> Mapping[str, Mapping[str, tuple[Picture, ...]]]:
        """Sound pictures by axis and group; an axis that tells nothing apart is left out."""
        table: dict[str, Mapping[str, tuple[Picture, ...]]] = {}
        for axis, key in AXES.items():
            found: dict[str, list[Picture]] = {}
            for picture in self.sound:
                parts = key(picture.row)
                if all(parts):
                    found.setdefault(" ".join(parts), []).append(picture)
            if len(found) > 1:
                table[axis] = {name: tuple(found[name]) for name in sorted(found)}
        return table

    @cached_property
    def gaps(self) -> tuple[Gap, ...]:
        """For each axis the widest gap between groups that are large enough to compare."""
        gaps = []
        for axis, groups in self.groups.items():
            shares = {
                name: _share(group, lambda picture: picture.reason is not None)
                for name, group in groups.items()
                if len(group) >= SMALLEST_GROUP
            }
            pairs = [
                Gap(axis, most, fewest, (shares[most], shares[fewest]))
                for one, other in combinations(shares, 2)
                for most, fewest in ((one, other), (other, one))
            ]
            if pairs:
                gaps.append(max(pairs, key=lambda gap: gap.points))
        return tuple(gaps)

    def counterparts(self, of: DefectFigures) -> tuple[Picture, ...]:
        """Return the sound pictures that a defect is fairly compared with.

        Those of its own set; where it has none, of the sets in which the same people sit (a set
        of spoilt copies beside that of the originals); where there are none either, all.
        """
        own = tuple(picture for picture in self.sound if picture.row.set == of.set)
        if own:
            return own
        people = {picture.row.identity for picture in of.pictures} - {""}
        sets = {picture.row.set for picture in self.sound if picture.row.identity in people}
        return tuple(p for p in self.sound if p.row.set in sets) or self.sound


def refusals(
    findings: Iterable[Finding], profile: Profile, relaxed: Sequence[Relaxed], of_set: str
) -> tuple[str, ...]:
    """Return the measures of all blocking gates that failed, but for the relaxed ones."""
    failed = {finding.name for finding in findings if finding.passed is False}
    return tuple(
        gate.measure
        for gate in profile.gates
        if gate.blocks and gate.measure in failed
        if not any(entry.covers(gate.measure, of_set) for entry in relaxed)
    )


def _share(pictures: Sequence[Picture], wanted: Callable[[Picture], bool]) -> Share:
    return Share(sum(map(wanted, pictures)), len(pictures))
