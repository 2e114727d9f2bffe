"""What an opened capture's fingers say of each other, and what the capture lacks.

It sees no pixels, only the minutiae records inside the capture, and decides nothing.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from biometrics.capture import (
    FINGERS,
    AbsenceReason,
    Capture,
    EyeSide,
    ImpressionKind,
    Part,
    Print,
    Step,
)
from biometrics.finger import limits
from biometrics.finger.compare import compare
from biometrics.finger.minutiae import Minutiae
from biometrics.records import minutiae as records
from biometrics.records.blocks import RecordInvalid
from server.rules.concerns import Concern, ConcernKind

UNEXPLAINED: Final = "unexplained"
LET_BE: Final = AbsenceReason.NOT_CAPTURED.value
PROOF: Final = "proof"
Known = dict[tuple[int, ImpressionKind], Minutiae]


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What was found.

    Attributes:
        concerns: what an officer has to confirm, in the order they are shown.
        compared: pairs of fingers, of one kind, that could be compared.
        pairs: how many such pairs there are.
    """

    concerns: tuple[Concern, ...]
    compared: int
    pairs: int


def look(capture: Capture) -> Looked:
    """Return what the fingers say of each other, and what is absent."""
    known = {
        (print_.position, print_.kind): found
        for print_ in capture.prints
        if (found := read(print_.template)) is not None
    }
    both = list(itertools.combinations(capture.prints, 2))
    pairs = [(one, other) for one, other in both if one.kind is other.kind]
    compared = [pair for pair in pairs if _are_known(pair, known)]
    unlike = tuple(_unlike(capture, known))
    mixed_up = {about for concern in unlike for about in concern.about}
    crossed = [
        (one, other)
        for one, other in both
        if one.kind is not other.kind and one.position != other.position
        if mixed_up & {_named(one), _named(other)} and _are_known((one, other), known)
    ]
    concerns = (*_alike(compared + crossed, known), *unlike, *_incomplete(capture))
    return Looked(concerns=concerns, compared=len(compared), pairs=len(pairs))


def _are_known(pair: tuple[Print, Print], known: Known) -> bool:
    return all(key(print_) in known for print_ in pair)


def key(print_: Print) -> tuple[int, ImpressionKind]:
    """Return which print of a capture it is."""
    return print_.position, print_.kind


def read(record: bytes | None) -> Minutiae | None:
    """Return the minutiae of a record's first view; None where there is none, or it is damaged."""
    if record is None:
        return None
    try:
        return records.as_minutiae(records.decode(record).views[0])
    except RecordInvalid:
        return None


def _alike(pairs: list[tuple[Print, Print]], known: Known) -> Iterator[Concern]:
    for one, other in pairs:
        score = compare(known[key(one)], known[key(other)])
        if score >= limits.SAME_FROM.value:
            about = (_named(one), _named(other))
            yield Concern(kind=ConcernKind.ALIKE, about=about, score=score)


def _unlike(capture: Capture, known: Known) -> Iterator[Concern]:
    by_key = {key(print_): print_ for print_ in capture.prints}
    for position in FINGERS:
        both = [by_key.get((position, kind)) for kind in ImpressionKind]
        plain, rolled = (print_ if print_ and key(print_) in known else None for print_ in both)
        if plain is None or rolled is None or not (_is_clear(plain) and _is_clear(rolled)):
            continue
        score = compare(known[key(plain)], known[key(rolled)])
        if score < limits.OTHER_BELOW.value:
            about = (_named(plain), _named(rolled))
            yield Concern(kind=ConcernKind.UNLIKE, about=about, score=score)


def _is_clear(print_: Print) -> bool:
    """Return whether a low score says something of this print: it is clear enough to agree."""
    worth = print_.estimate if print_.nfiq2 is None else print_.nfiq2
    enough = print_.minutiae >= limits.CLEAR_MINUTIAE.value
    return worth >= limits.CLEAR_FROM.value and enough


def _incomplete(capture: Capture) -> Iterator[Concern]:
    for absence in capture.absences:
        yield _absent(absence.part.value, absence.reason.value)
    for missing in capture.missing:
        if not missing.permanent:
            yield _absent(f"finger.{missing.position}", missing.reason.value)
    waived = {_waived(step) for step in capture.journal}
    for about in _unexplained(capture):
        yield _absent(about, LET_BE if about in waived else UNEXPLAINED)


def _waived(step: Step) -> str | None:
    """Return what an officer let be, as a line of the visit's journal has it; None for others."""
    if step.event == "proof_waived":
        return PROOF
    if step.event == "finger_waive":
        return ".".join(["finger", *step.detail.split()[:2]])
    return None


def _unexplained(capture: Capture) -> Iterator[str]:
    """Return what is absent though nobody said why."""
    gone = {missing.position for missing in capture.missing}
    absent = {absence.part for absence in capture.absences}
    there = {key(print_) for print_ in capture.prints}
    taken = {kind for _, kind in there}
    if Part.ROLLED in absent:
        taken.discard(ImpressionKind.ROLLED)
    for position in FINGERS:
        if position in gone:
            continue
        if not any(at == position for at, _ in there):
            yield f"finger.{position}"
            continue
        yield from (f"finger.{position}.{k}" for k in sorted(taken) if (position, k) not in there)
    if capture.irises and Part.IRIS not in absent:
        seen = {iris.eye for iris in capture.irises}
        yield from (f"iris.{eye}" for eye in EyeSide if eye not in seen)
    if capture.proof is None and any(missing.reason.shown for missing in capture.missing):
        yield PROOF


def _absent(about: str, why: str) -> Concern:
    return Concern(kind=ConcernKind.INCOMPLETE, about=(about,), why=why)


def _named(print_: Print) -> str:
    return f"finger.{print_.position}.{print_.kind}"
