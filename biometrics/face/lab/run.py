"""What must be known of a run to repeat it: limits, data, machine, command.

It takes the time as an argument and measures none.
"""

from dataclasses import dataclass

from biometrics.face.lab import tables
from biometrics.face.lab.evaluation import Evaluation
from biometrics.lab.machine import machine
from biometrics.lab.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of the lab.

    Attributes:
        profile: name, date and SHA-256 of the limits.
        defects: date and SHA-256 of the table of right reasons.
        data: how many pictures, sound and in all, of how many people.
        speed: median time of a picture.
        machine: processor and versions.
        command: as it was typed.
        at: when, in words.
    """

    profile: str
    defects: str
    data: str
    speed: str
    machine: str
    command: str
    at: str

    @classmethod
    def of(cls, evaluation: Evaluation, command: str, at: str) -> "Run":
        """Return what is known of a run."""
        profile, defects = evaluation.profile, evaluation.defects
        people = {picture.row.identity for picture in evaluation.pictures} - {""}
        times = sorted(picture.seen.milliseconds for picture in evaluation.pictures)
        return cls(
            profile=f"{profile.name} {profile.dated} {profile.sha256}",
            defects=f"{defects.dated} {defects.sha256}",
            data=(
                f"n = {len(evaluation.pictures)}, sound {len(evaluation.sound)}, "
                f"identities {len(people)}, sets {', '.join(evaluation.sets)}"
            ),
            speed=f"{times[len(times) // 2]:.0f} ms" if times else "-",
            machine=machine(),
            command=command,
            at=at,
        )

    def table(self) -> Table:
        """Return it as two columns."""
        words = tables.words()
        rows = tuple(
            (words[f"run.{name}"], getattr(self, name))
            for name in ("profile", "defects", "data", "speed", "machine", "command", "at")
        )
        columns = (words["column.what"], words["column.value"])
        return Table(title=words["title.run"], columns=columns, rows=rows)
