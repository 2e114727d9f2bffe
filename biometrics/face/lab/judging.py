"""Judging a folder's pictures the whole way, from the file's bytes to the findings.

It draws no conclusion from them; which finding counts is `biometrics.face.lab.evaluation`'s.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import cv2

from biometrics.capture import Finding
from biometrics.face.images import MAX_BYTES, ImageRefused, decode
from biometrics.face.judge import FrameInvalid, PortraitJudge
from biometrics.lab import workers
from biometrics.lab.sheet import inside

OUTSIDE: Final = "outside"
ABSENT: Final = "absent"
UNREADABLE: Final = "unreadable"
BROKE: Final = "broke"
FELL: Final = "fell"

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the judge saw in one file.

    Attributes:
        findings: of every measure, the first to mend first; empty where there is a problem.
        faces: how many.
        milliseconds: decoding and judging.
        problem: why it was not judged, one of the words above; None where it was.
        detail: of the problem, in the words of whoever met it.
    """

    findings: tuple[Finding, ...] = ()
    faces: int = 0
    milliseconds: float = 0.0
    problem: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """One file to judge."""

    name: str
    path: Path
    profile: str


def judge_files(
    folder: Path, names: Sequence[str], profile: str, processes: int, progress: Progress
) -> dict[str, Seen]:
    """Return what was seen in each of the files, named relative to the folder.

    A file that leads out of the folder, is absent, is no picture or brings the judge down is
    reported as such. `progress` is told how many of how many are done.

    Raises:
        ModelMissing, ModelAltered: the judge cannot work at all.
        ProfileUnknown: there is no such profile.
    """
    seen: dict[str, Seen] = {}
    tasks = []
    for name in dict.fromkeys(names):
        path = inside(folder, name)
        if path is None:
            seen[name] = Seen(problem=OUTSIDE)
        else:
            tasks.append(Task(name, path, profile))
    total = len(tasks) + len(seen)
    for task, result in workers.each(judge_file, tasks, processes):
        seen[task.name] = Seen(problem=FELL) if result is None else result
        progress(len(seen), total)
    return seen


def judge_file(task: Task) -> Seen:
    """Return what is seen in one file; runs in a worker process."""
    try:
        data = read(task.path)
        judge = _judge(task.profile)
        began = time.perf_counter()
        verdict = judge.judge(decode(data))
    except OSError as error:
        return Seen(problem=ABSENT, detail=error.strerror or "")
    except (ImageRefused, FrameInvalid) as error:
        return Seen(problem=UNREADABLE, detail=str(error))
    except (ArithmeticError, LookupError, ValueError, cv2.error) as error:
        # A measure that breaks on one picture is a result of the lab, not its end.
        return Seen(problem=BROKE, detail=f"{type(error).__name__}: {error}")
    return Seen(
        findings=verdict.findings,
        faces=verdict.faces,
        milliseconds=1000 * (time.perf_counter() - began),
    )


def read(path: Path) -> bytes:
    """Return the bytes of a regular file that is no larger than a picture may be.

    Raises:
        OSError: it is absent or no regular file.
        ImageRefused: it is too large.
    """
    if not path.is_file():
        raise FileNotFoundError(2, "no such file")
    if path.stat().st_size > MAX_BYTES:
        raise ImageRefused("the picture is larger than 32 MiB")
    return path.read_bytes()


@cache
def _judge(profile: str) -> PortraitJudge:
    # One thread for each process: more would fight for the same cores.
    cv2.setNumThreads(1)
    return PortraitJudge(profile)
