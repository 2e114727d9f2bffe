"""Judging a frame: every measure once, every gate of the profile, and the one hint to show.

It keeps nothing between frames, crops nothing and compares nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.capture import Finding
from biometrics.face.align import eye_strip
from biometrics.face.detect import Detection, Detector
from biometrics.face.gates import Profile, profile
from biometrics.face.hints import PortraitHint
from biometrics.face.landmarks import Iris, Landmarks, Mesh
from biometrics.face.measures import background, expression, framing, light, pose, sharpness
from biometrics.face.segment import PersonSegmenter

_WORK_WIDTH: Final = 640
"""Pixels across of the copy in which the face is looked for and the wall is measured."""
_SMALLEST: Final = 32
_COLOURS: Final = 3


class FrameInvalid(ValueError):
    """The pixels are not a colour picture of at least 32 x 32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one frame showed.

    Attributes:
        profile: the gates it was judged by.
        findings: one for each gate of the profile; `passed` None was not assessed. Where no
            face was found everything but the face itself was not assessed.
        hint: what to mend first, None where nothing blocks.
        ok: no blocking gate failed. What was not assessed does not block; it is on record.
        faces: how many were seen.
        box: x, y, width, height of the largest, pixels of the frame.
        sharpness: 0..1, 0 without a face.
        face: points of the largest, pixels of the frame.
    """

    profile: Profile
    findings: tuple[Finding, ...]
    hint: PortraitHint | None
    ok: bool
    faces: int
    box: tuple[int, int, int, int] | None
    sharpness: float
    face: Landmarks | None

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

    def __init__(self, profile_name: str = "can-cuoc") -> None:
        self.profile = profile(profile_name)
        self._detector = Detector()
        self._mesh = Mesh()
        self._iris = Iris()
        self._segmenter = PersonSegmenter()

    def judge(self, pixels: NDArray[np.uint8]) -> Verdict:
        """Return the verdict on a frame, height x width x 3, uint8, blue-green-red.

        Raises:
            FrameInvalid: another shape or type.
        """
        _check(pixels)
        factor = min(1.0, _WORK_WIDTH / pixels.shape[1])
        work = pixels
        if factor < 1:
            size = (_WORK_WIDTH, max(1, round(pixels.shape[0] * factor)))
            work = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
        found = self._detector.find(work)
        if not found:
            return _verdict(self.profile, {"FacePresence": 0.0}, faces=0)
        small = self._mesh.find(work, found[0])
        face = small.scaled(1 / factor)
        natives = self._measure(pixels, work, small, face)
        natives["SingleFacePresent"] = framing.single_face(found)
        x, y, width, height = (round(side / factor) for side in found[0].box)
        return _verdict(
            self.profile,
            natives,
            faces=_count(found),
            box=(x, y, width, height),
            face=face,
        )

    def _measure(
        self,
        pixels: NDArray[np.uint8],
        work: NDArray[np.uint8],
        small: Landmarks,
        face: Landmarks,
    ) -> framing.Natives:
        height, width = pixels.shape[:2]
        angles = pose.estimate(face)
        contours = (
            self._iris.contour(pixels, face, left=False),
            self._iris.contour(pixels, face, left=True),
        )
        return {
            "FacePresence": face.presence,
            **framing.measure(face, width, height, angles.yaw),
            "HeadPoseYaw": angles.yaw,
            "HeadPosePitch": angles.pitch,
            "HeadPoseRoll": angles.roll,
            **light.measure(pixels, work, face),
            "EyesOpen": expression.eyes_open(contours, face),
            "MouthClosed": expression.mouth_closed(face),
            **background.measure(work, small, self._segmenter),
            "Sharpness": sharpness.crete(eye_strip(pixels, face)),
        }


def _check(pixels: NDArray[np.uint8]) -> None:
    if pixels.dtype != np.uint8 or pixels.ndim != _COLOURS or pixels.shape[2] != _COLOURS:
        raise FrameInvalid("a frame is height x width x 3 of uint8")
    if min(pixels.shape[:2]) < _SMALLEST:
        raise FrameInvalid("a frame has at least 32 x 32 pixels")


def _count(found: tuple[Detection, ...]) -> int:
    return 1 + sum(face.score > framing.SECOND_SCORE for face in found[1:])


def _verdict(
    held_to: Profile,
    natives: Mapping[str, float | None],
    *,
    faces: int,
    box: tuple[int, int, int, int] | None = None,
    face: Landmarks | None = None,
) -> Verdict:
    findings = tuple(gate.judge(natives.get(gate.measure)) for gate in held_to.gates)
    refused = [
        finding
        for gate, finding in zip(held_to.gates, findings, strict=True)
        if gate.blocks and finding.passed is False
    ]
    hints = [PortraitHint(finding.hint) for finding in refused if finding.hint]
    return Verdict(
        profile=held_to,
        findings=findings,
        hint=hints[0] if hints else None,
        ok=not refused,
        faces=faces,
        box=box,
        sharpness=natives.get("Sharpness") or 0.0,
        face=face,
    )
