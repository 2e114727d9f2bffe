"""Judging a frame: every measure once, every gate of the profile, and the one hint to show.

It keeps nothing between frames (see `live`), crops nothing and compares nobody.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from biometrics.capture import Finding
from biometrics.face.detect import SECOND_SCORE, Detection
from biometrics.face.gates import Gate, Profile, profile
from biometrics.face.hints import PortraitHint
from biometrics.face.landmarks import Landmarks
from biometrics.face.measures import MEASURES
from biometrics.face.sight import Natives, Networks, Pixels, Sight, shrunk

_SMALLEST: Final = 32
_COLOURS: Final = 3
NOBODY: Final[Natives] = {"FacePresence": 0.0}
"""What is known of a frame without a face."""


class FrameInvalid(ValueError):
    """The pixels are not a colour picture of at least 32 x 32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one frame showed.

    Attributes:
        profile: the gates it was judged by.
        findings: one for each gate of the profile; `passed` None was not assessed, or is only
            put on record. Where no face was found nothing but the face itself was assessed.
        reason: the refused gate with the smallest priority, None where nothing blocks.
        hint: what mends it.
        ok: no blocking gate failed. What was not assessed does not block; it is on record.
        faces: how many were seen.
        box: x, y, width, height of the largest, pixels of the frame.
        sharpness: 0..1, 0 without a face.
        face: points of the largest, pixels of the frame.
    """

    profile: Profile
    findings: tuple[Finding, ...]
    reason: str | None
    hint: PortraitHint | None
    ok: bool
    faces: int
    box: tuple[int, int, int, int] | None
    sharpness: float
    face: Landmarks | None

    @property
    def judged(self) -> Iterator[tuple[Gate, Finding]]:
        """Every gate with its finding, the smallest priority first."""
        return zip(self.profile.gates, self.findings, strict=True)

    def finding(self, name: str) -> Finding:
        """Return the finding called `name`.

        Raises:
            KeyError: the profile has no such gate.
        """
        for finding in self.findings:
            if finding.name == name:
                return finding
        raise KeyError(name)


class PortraitJudge:
    """Judges frames one by one; one instance for each thread, because the networks keep state."""

    def __init__(self, profile_name: str = "can-cuoc", networks: Networks | None = None) -> None:
        self.profile = profile(profile_name)
        self._networks = networks or Networks.load()

    def judge(self, pixels: Pixels) -> Verdict:
        """Return the verdict on a frame, height x width x 3, uint8, blue-green-red.

        Raises:
            FrameInvalid: another shape or type.
        """
        check(pixels)
        work, factor = shrunk(pixels)
        found = self._networks.detector.find(work)
        if not found:
            return verdict(self.profile, NOBODY)
        face = self._networks.mesh.find(work, found[0]).scaled(1 / factor)
        sight = Sight(self._networks, pixels, work, factor, found, face)
        natives = {
            gate.measure: MEASURES[gate.measure].native(sight) for gate in self.profile.gates
        }
        return verdict(
            self.profile, natives, faces=count(found), box=box_of(found[0], factor), face=face
        )


def check(pixels: Pixels) -> None:
    """Refuse what is no frame.

    Raises:
        FrameInvalid: not height x width x 3 of uint8, or under 32 pixels a side.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != _COLOURS or pixels.shape[2] != _COLOURS:
        raise FrameInvalid("a frame is height x width x 3 of uint8")
    if min(pixels.shape[:2]) < _SMALLEST:
        raise FrameInvalid("a frame has at least 32 x 32 pixels")


def count(found: tuple[Detection, ...]) -> int:
    """Return how many faces there are."""
    return 1 + sum(face.score > SECOND_SCORE for face in found[1:])


def box_of(found: Detection, factor: float) -> tuple[int, int, int, int]:
    """Return x, y, width, height in the frame of which the searched copy is `factor` times."""
    x, y, width, height = (round(side / factor) for side in found.box)
    return x, y, width, height


def verdict(
    held_to: Profile,
    natives: Natives,
    *,
    faces: int = 0,
    box: tuple[int, int, int, int] | None = None,
    face: Landmarks | None = None,
) -> Verdict:
    """Return what the gates of a profile say of these native values."""
    findings = tuple(gate.judge(natives.get(gate.measure)) for gate in held_to.gates)
    refused = [
        finding
        for gate, finding in zip(held_to.gates, findings, strict=True)
        if gate.blocks and finding.passed is False
    ]
    first = refused[0] if refused else None
    return Verdict(
        profile=held_to,
        findings=findings,
        reason=first.name if first else None,
        hint=PortraitHint(first.hint) if first and first.hint else None,
        ok=not refused,
        faces=faces,
        box=box,
        sharpness=natives.get("Sharpness") or 0.0,
        face=face,
    )
