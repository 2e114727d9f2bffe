"""Judging a live picture: the face is followed from frame to frame, what lasts is seen less often.

It gives the verdicts of `judge` at a fraction of the work. A picture that is kept is judged again
in full: what is told here of the wall may be a few frames old.
"""

import math
from typing import Final

from biometrics.face.detect import Detection
from biometrics.face.gates import profile
from biometrics.face.judge import NOBODY, Verdict, box_of, check, count, verdict
from biometrics.face.landmarks import Landmarks
from biometrics.face.measures import MEASURES
from biometrics.face.measures.measure import Cadence
from biometrics.face.sight import Natives, Networks, Pixels, Sight, shrunk

SCENE_EVERY: Final = 5
"""Frames, a third of a second at 15 a second: faces are looked for anew, and the wall."""
FOLLOWED: Final = 0.5
"""Presence below which the face that was followed is lost; the mesh's own threshold."""
_STRAY: Final = 0.75
"""Eye distances by which a followed face may lie off the detected one before it is dropped."""


class LiveJudge:
    """Judges the frames of one camera in their order; one instance for each thread."""

    def __init__(self, profile_name: str = "can-cuoc", networks: Networks | None = None) -> None:
        self.profile = profile(profile_name)
        self._networks = networks or Networks.load()
        self.reset()

    def reset(self) -> None:
        """Forget whom was followed: the next frame is seen as the first."""
        self._face: Landmarks | None = None
        """In the small copy."""
        self._found: tuple[Detection, ...] = ()
        self._scene: Natives = {}
        self._since = 0

    def judge(self, pixels: Pixels) -> Verdict:
        """Return the verdict on the next frame, height x width x 3, uint8, blue-green-red.

        Raises:
            FrameInvalid: another shape or type.
        """
        check(pixels)
        work, factor = shrunk(pixels)
        small = self._follow(work)
        anew = small is None or self._since + 1 >= SCENE_EVERY
        if anew:
            small = self._look_again(work, small)
        if small is None:
            self.reset()
            return verdict(self.profile, NOBODY)
        self._face = small
        sight = Sight(
            self._networks,
            pixels,
            work,
            factor,
            self._found if anew else (),
            small.scaled(1 / factor),
        )
        if anew:
            self._scene = self._taken(sight, Cadence.SCENE)
        self._since = 0 if anew else self._since + 1
        return verdict(
            self.profile,
            {**self._scene, **self._taken(sight, Cadence.FRAME)},
            faces=count(self._found),
            box=box_of(self._found[0], factor),
            face=sight.face,
        )

    def _follow(self, work: Pixels) -> Landmarks | None:
        if self._face is None:
            return None
        face = self._networks.mesh.follow(work, self._face)
        return face if face.presence >= FOLLOWED else None

    def _look_again(self, work: Pixels, followed: Landmarks | None) -> Landmarks | None:
        self._found = self._networks.detector.find(work)
        if not self._found:
            return None
        if followed is None or _strayed(followed, self._found[0]):
            return self._networks.mesh.find(work, self._found[0])
        return followed

    def _taken(self, sight: Sight, cadence: Cadence) -> Natives:
        return {
            gate.measure: measure.native(sight)
            for gate in self.profile.gates
            if (measure := MEASURES[gate.measure]).cadence is cadence
        }


def _strayed(face: Landmarks, found: Detection) -> bool:
    """Return whether these are two faces."""
    middle = (found.points[0] + found.points[1]) / 2
    apart = face.between_eyes - middle
    return math.hypot(*apart) > _STRAY * max(face.eye_distance, 1.0)
