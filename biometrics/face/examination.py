"""What is done to a photo from home inside the sandbox: decoding, judging, and a small preview.

It keeps nothing. Whoever calls it from elsewhere than `examine` decodes without a sandbox.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from itertools import islice
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.carried import NotCarried, locate
from biometrics.face import crop
from biometrics.face.examine import FEW_PIXELS, SUBJECT_OF, Subject
from biometrics.face.gates import Gate
from biometrics.face.hints import PortraitHint
from biometrics.face.images import ImageRefused, Reason, decode_upright
from biometrics.face.judge import PortraitJudge, Verdict
from biometrics.face.landmarks import OVAL, Landmarks
from biometrics.face.sight import Networks
from biometrics.sandbox.zygote import Work

PREVIEW: Final = (450, 600)
"""Width and height of the preview, pixels: 3 to 4."""
_QUALITY: Final = 80
_CARRIER: Final = "scikit-image"
_SOMEBODY: Final = "skimage/data/astronaut.png"
"""Eileen Collins, photograph by NASA in the public domain, as scikit-image carries it."""
PROFILES: Final = ("can-cuoc", "assisted", "passport")
_LEAST: Final = 64
"""Pixels a side below which there is nothing to judge."""
_MOST_SQUARES: Final = 32
"""Parts of a picture that are searched for a face, each some 4 ms."""
_ROOM: Final = 1.4
"""How much larger than the card's picture is what is judged, so that its margins are seen."""
_LONGEST: Final = round(crop.HEIGHT * _ROOM)
"""Pixels down of what is judged: more than the master picture has is not used either."""
_EYES_OF_CARD: Final = 0.567 * crop.CHIN_SHARE
"""Eye distance over the card's height: it is 0.567 T (median of 60 people)."""
_TIGHT: Final = frozenset(
    hint.value
    for hint in (
        *(PortraitHint.FARTHER, PortraitHint.LEFT, PortraitHint.RIGHT),
        *(PortraitHint.UP, PortraitHint.DOWN),
    )
)
_LINE: Final = (255, 255, 255)
_MISSING: Final = (190, 190, 190)
_EDGE: Final = (90, 60, 20)
"""Blue-green-red: the outline, what the photo lacks, and the outline's rim on a white wall."""


def prepare() -> Work:
    """Load the judges, and return what judges one picture.

    A confined job can open no file, so everything is loaded here, by judging a portrait once;
    what that allocates is shared by every job. A profile that is not in `PROFILES` falls.
    """
    cv2.setNumThreads(1)
    networks = Networks.load()
    judges = {name: PortraitJudge(name, networks=networks) for name in PROFILES}
    for judge in judges.values():
        for warm in _portraits():
            _judged(judge, warm)

    def work(data: bytes, profile: str) -> tuple[dict[str, Any], bytes]:
        try:
            pixels = decode_upright(data)
            if min(pixels.shape[:2]) < _LEAST:
                raise ImageRefused("a picture this small shows nothing", Reason.TOO_SMALL)  # noqa: TRY301 - one answer for every refusal
        except ImageRefused as refused:
            return {"refused": refused.reason.value}, b""
        return _judged(judges[profile], pixels)

    return work


def _portraits() -> Iterator[NDArray[np.uint8]]:
    """Yield what warms the networks: a picture of nobody, and one of somebody where it is found."""
    yield np.full((480, 360, 3), 128, np.uint8)
    with suppress(NotCarried):
        yield decode_upright(locate(_CARRIER, _SOMEBODY).read_bytes())


def _judged(judge: PortraitJudge, pixels: NDArray[np.uint8]) -> tuple[dict[str, Any], bytes]:
    height, width = pixels.shape[:2]
    verdict = judge.judge(pixels)
    face = verdict.face or _small_face(judge, pixels)
    if face is not None:
        pixels = _around(pixels, face)
        verdict = judge.judge(pixels)
    mend = _at_home(_refused(verdict, blocking=True), width, height)
    advice = _at_home(_refused(verdict, blocking=False), width, height)
    said = {
        "hint": None if verdict.hint is None else verdict.hint.value,
        "reason": verdict.reason,
        "findings": [asdict(finding) for finding in verdict.findings],
        "mend": mend,
        "advice": [key for key in advice if key not in mend],
        **_subjects(verdict),
        "profile": verdict.profile.name,
        "profile_sha256": verdict.profile.sha256,
        "width": width,
        "height": height,
    }
    return said, _preview(pixels, verdict.face)


def _small_face(judge: PortraitJudge, pixels: NDArray[np.uint8]) -> Landmarks | None:
    """Return a face that is too small in the whole picture to be found there.

    The detector sees faces down to a twelfth of a picture's width; at home people stand farther
    away, and "come closer" helps them more than "no face".
    """
    height, width = pixels.shape[:2]
    for left, top, side in islice(_squares(width, height), _MOST_SQUARES):
        face = judge.judge(pixels[top : top + side, left : left + side]).face
        if face is not None:
            return Landmarks(
                points=np.asarray(face.points + np.array([left, top, 0]), np.float32),
                presence=face.presence,
            )
    return None


def _squares(width: int, height: int) -> Iterator[tuple[int, int, int]]:
    """Yield left, top and side of overlapping squares, larger ones first."""
    short = min(width, height)
    for side in (short, short // 2):
        if side < _LEAST or side == max(width, height):
            continue
        across = np.linspace(0, width - side, 2 * (width - side) // side + 2, dtype=int)
        down = np.linspace(0, height - side, 2 * (height - side) // side + 2, dtype=int)
        places = {(int(left), int(top)) for top in down for left in across}
        yield from ((left, top, side) for left, top in sorted(places))


def _around(pixels: NDArray[np.uint8], face: Landmarks) -> NDArray[np.uint8]:
    """Return the part of a wide picture that a card needs, with room, no finer than the master.

    At home nobody stands in the middle of the frame; what matters is whether the crop fits.
    """
    height, width = pixels.shape[:2]
    card = face.eye_to_chin / crop.CHIN_SHARE
    half = card * _ROOM / 2
    middle = face.between_eyes + np.array([0, (0.5 - crop.EYE_LINE) * card])
    left, top = np.maximum(np.floor(middle - half), 0).astype(int)
    right, bottom = np.minimum(np.ceil(middle + half), (width, height)).astype(int)
    if right - left < _LEAST or bottom - top < _LEAST:
        return pixels
    part = pixels[top:bottom, left:right]
    scale = _LONGEST / (2 * half)
    if scale < 1:
        part = np.asarray(
            cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
        )
    return np.ascontiguousarray(part)


def _refused(verdict: Verdict, *, blocking: bool) -> Iterator[tuple[Gate, str]]:
    """Yield the gates that refuse and their hints, in their priority."""
    for gate, finding in verdict.judged:
        if finding.passed is False and finding.hint and gate.blocks is blocking:
            yield gate, finding.hint


def _at_home(refused: Iterator[tuple[Gate, str]], width: int, height: int) -> list[str]:
    """Return what to mend in a picture of this size, each once.

    Where coming closer would not bring enough pixels the picture itself is too small; and whoever
    lacks room on several sides only has to step back.
    """
    keys: list[str] = []
    for gate, hint in refused:
        nearest = min(height, width * crop.HEIGHT / crop.WIDTH) * _EYES_OF_CARD
        few = hint == PortraitHint.CLOSER and gate.lowest is not None and nearest < gate.lowest
        keys.append(FEW_PIXELS if few else hint)
    tight = _TIGHT.intersection(keys)
    if len(tight) > 1:
        keys = [PortraitHint.FARTHER.value if key in tight else key for key in keys]
    return list(dict.fromkeys(keys))


def _subjects(verdict: Verdict) -> dict[str, list[str]]:
    """Return subjects all of whose gates passed, and those of which some were not assessed."""
    passed: dict[Subject, set[bool | None]] = {}
    for gate, finding in verdict.judged:
        subject = _subject(gate)
        if subject is not None:
            passed.setdefault(subject, set()).add(finding.passed)
    if verdict.face is None:
        return {"good": [], "unsure": []}
    return {
        "good": [subject.value for subject, seen in passed.items() if seen == {True}],
        "unsure": [subject.value for subject, seen in passed.items() if None in seen],
    }


def _subject(gate: Gate) -> Subject | None:
    hints = [hint.value for hint in (gate.below, gate.above) if hint is not None]
    return SUBJECT_OF.get(hints[0]) if hints else None


def _preview(pixels: NDArray[np.uint8], face: Landmarks | None) -> bytes:
    """Return the card's crop with the outline of the face drawn, JPEG; empty without a face."""
    if face is None:
        return b""
    frame = crop.window(face, *PREVIEW)
    how = cv2.INTER_AREA if np.hypot(frame[0, 0], frame[0, 1]) < 1 else cv2.INTER_LINEAR
    image = cv2.warpAffine(
        pixels, frame, PREVIEW, flags=how, borderMode=cv2.BORDER_CONSTANT, borderValue=_MISSING
    )
    points = face.points[list(OVAL), :2] @ frame[:, :2].T + frame[:, 2]
    outline = np.rint(points * 8).astype(np.int32)
    for colour, thick in ((_EDGE, 4), (_LINE, 2)):
        cv2.polylines(image, [outline], True, colour, thick, cv2.LINE_AA, shift=3)  # noqa: FBT003 - closed
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return data.tobytes()
