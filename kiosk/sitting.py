"""What is seen of the person who sits for the portrait: judged, coached, taken, and attended to.

It decides no step and shows nothing: it reports what it saw.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from biometrics.capture import Liveness, Portrait
from biometrics.face.coach import Advice, Coach
from biometrics.face.crop import crop
from biometrics.face.judge import Verdict
from biometrics.face.liveness import Progress
from biometrics.face.shutter import Shot, Shutter
from hardware.camera.port import Frame

STEADY: Final = 12
"""Good frames in a row before the shutter fires: 0.8 s at 15 frames a second."""
LIVENESS_SECONDS: Final = 20.0
"""For the whole challenge: two movements take six; whoever has not made them by then will not."""

Pixels = NDArray[np.uint8]


class Full(Protocol):
    """A judge of single pictures, which takes its time."""

    def judge(self, pixels: Pixels) -> Verdict:
        """Return the verdict on a picture."""
        ...


class Live(Full, Protocol):
    """A judge of one camera's frames, in their order."""

    def reset(self) -> None:
        """Forget whom was followed."""
        ...


class Attending(Protocol):
    """A challenge under way; see `biometrics.face.liveness`."""

    def feed(self, pixels: Pixels, verdict: Verdict, at: float) -> Progress:
        """Take in one frame."""
        ...

    def result(self) -> Liveness:
        """Return what was seen so far."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Judges:
    """The two judges of one profile; both are used by the camera's watching thread only."""

    live: Live
    full: Full


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the last frame showed.

    Attributes:
        verdict: of this frame.
        advice: what to tell the sitter.
        share: how far the shutter's burst has come, 0..1.
        shot: the frame that was taken and stood the full judge, once the burst is full.
    """

    verdict: Verdict
    advice: Advice
    share: float
    shot: Shot | None


class PortraitEye:
    """Judges frames by one profile, coaches, feeds the shutter, and judges its shot in full."""

    def __init__(self, judges: Judges, report: Callable[[Look], None]) -> None:
        self._judges = judges
        self._report = report
        self._coach = Coach()
        self._shutter = Shutter(STEADY)
        self._lock = threading.Lock()
        self._last: Shot | None = None
        judges.live.reset()

    def __call__(self, frame: Frame) -> None:
        """Judge one frame."""
        verdict = self._judges.live.judge(frame.pixels)
        with self._lock:
            self._last = (
                None if verdict.face is None else Shot(pixels=frame.pixels, verdict=verdict)
            )
        advice = self._coach.see(verdict, frame.at)
        shot = None
        if advice.ready:
            shot = self._shutter.feed(frame.pixels, verdict)
        else:
            self._shutter.reset()
        share = 1.0 if shot else self._shutter.steady_share
        if shot is not None:
            # What the live judge says of the wall is a few frames old: what is kept is judged anew.
            full = self._judges.full.judge(shot.pixels)
            if full.ok:
                shot = Shot(pixels=shot.pixels, verdict=full)
            else:
                shot, share, advice = None, 0.0, self._coach.insist(full, frame.at)
        self._report(Look(verdict=verdict, advice=advice, share=share, shot=shot))

    @property
    def last(self) -> Shot | None:
        """Return the last frame that showed a face, good or not: an officer may accept it."""
        with self._lock:
            return self._last


class AttendedEye:
    """Shows the frames after the picture to the challenge, and says how far it has come."""

    def __init__(
        self, live: Live, attendance: Attending, report: Callable[[Progress], None]
    ) -> None:
        self._live = live
        self._attendance = attendance
        self._report = report
        self._lock = threading.Lock()

    def __call__(self, frame: Frame) -> None:
        """Look at one frame."""
        verdict = self._live.judge(frame.pixels)
        with self._lock:
            progress = self._attendance.feed(frame.pixels, verdict, frame.at)
        self._report(progress)

    def result(self) -> Liveness:
        """Return what was seen so far."""
        with self._lock:
            return self._attendance.result()


def portrait_of(shot: Shot, *, forced_by: str | None) -> Portrait:
    """Return the card's picture of what the shutter took.

    Raises:
        NothingToCrop: no face is in it.
    """
    cropped = crop(shot.pixels, shot.verdict)
    return Portrait(
        image=cropped.image,
        width=cropped.width,
        height=cropped.height,
        findings=shot.verdict.findings,
        profile=shot.verdict.profile.name,
        profile_sha256=shot.verdict.profile.sha256,
        forced_by=forced_by,
        liveness=None,
    )


def attended(portrait: Portrait, liveness: Liveness) -> Portrait:
    """Return the portrait with what was seen of its sitter afterwards."""
    return replace(portrait, liveness=liveness)
