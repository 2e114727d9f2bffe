"""What an office takes away of a portrait: prints, the master as JPEG 2000, the ISO record.

Each is made anew from the sealed master and kept by nobody here; who may have it is not asked.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from biometrics.capture import Portrait
from biometrics.face import balance, crop, encoding, gates, prints, record
from biometrics.face.detect import Detector
from biometrics.face.images import ImageRefused, decode
from biometrics.face.landmarks import Mesh
from biometrics.face.segment import PersonSegmenter

RATIO: Final = 15
"""How often the JPEG 2000 goes into the plain pixels: MOSIP's specification of biometric images
allows up to 15 to 1; a master of 900 x 1200 is then at most 216 kB."""
UNCERTAINTY: Final = 5
"""Degrees, of the pose's angles: twice the spread of studio sitters told to look straight ahead
(docs/portrait.md)."""
_LARGEST: Final = 4 * 3 * crop.WIDTH * crop.HEIGHT
"""Values of a master, twice ours each way: none of ours is larger, and more takes minutes."""
_POSE: Final = {"yaw": "HeadPoseYaw", "pitch": "HeadPosePitch"}


class Output(enum.StrEnum):
    """One kind of file."""

    PRINT_3X4 = "3x4"
    PRINT_4X6 = "4x6"
    JPEG2000 = "jpeg2000"
    RECORD = "record"

    @property
    def is_print(self) -> bool:
        """Whether it may be balanced: the master itself never is."""
        return self.value in prints.formats()


_KINDS: Final[Mapping[Output, tuple[str, str]]] = {
    Output.PRINT_3X4: ("jpg", "image/jpeg"),
    Output.PRINT_4X6: ("jpg", "image/jpeg"),
    Output.JPEG2000: ("jp2", "image/jp2"),
    Output.RECORD: ("fac", "application/octet-stream"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A file, and what was done to the master for it: plain values, for whoever keeps account."""

    data: bytes
    extension: str
    kind: str
    """MIME type."""
    done: Mapping[str, object]


def make(wanted: Output, portrait: Portrait, *, balanced: bool = False) -> Made | None:
    """Return the file, or None where the master does not hold it, cannot be read or lies.

    Args:
        wanted: which.
        portrait: as it was opened.
        balanced: ask for white balance by the wall; of prints only.

    Raises:
        ModelMissing, ModelAltered: a network is not what was measured.
    """
    try:
        master = decode(portrait.image)
    except ImageRefused:
        return None
    if master.shape[:2] != (portrait.height, portrait.width) or master.size > _LARGEST:
        return None
    if wanted.is_print:
        made = _print(master, prints.formats()[wanted.value], balanced=balanced)
    elif wanted is Output.JPEG2000:
        made = _jpeg2000(master), {"ratio": RATIO}
    else:
        made = _record(master, portrait)
    if made is None:
        return None
    extension, kind = _KINDS[wanted]
    return Made(data=made[0], extension=extension, kind=kind, done=made[1])


def refused(portrait: Portrait) -> tuple[str, ...]:
    """Return which gates refused the portrait: failed, and not only advice.

    Where its profile is unknown here every failed finding counts.
    """
    failed = [finding.name for finding in portrait.findings if finding.passed is False]
    try:
        table = {gate.measure: gate.blocks for gate in gates.profile(portrait.profile).gates}
    except gates.ProfileUnknown:
        table = {}
    return tuple(name for name in failed if table.get(name, not table))


def _print(
    master: NDArray[np.uint8], wanted: prints.Format, *, balanced: bool
) -> tuple[bytes, dict[str, object]] | None:
    segmenter = PersonSegmenter()
    hair = prints.crown(master, segmenter)
    chin_share, eye_line = (round(share, 4) for share in prints.geometry(wanted, hair))
    done: dict[str, object] = {
        "geometry": wanted.dated,
        "chin_share": chin_share,
        "eye_line": eye_line,
        "balance": "off",
    }
    if balanced:
        found = balance.balance(master, balance.wall_of(master, segmenter))
        master, done["balance"] = found.pixels, found.done
        if found.gains is not None:
            done["gains"] = [round(gain, 4) for gain in found.gains]
    pixels = prints.make(master, wanted, hair)
    return None if pixels is None else (encoding.jpeg(pixels, dpi=wanted.dpi), done)


def _jpeg2000(master: NDArray[np.uint8]) -> bytes:
    return encoding.jpeg2000(master, at_most=master.size // RATIO)


def _record(
    master: NDArray[np.uint8], portrait: Portrait
) -> tuple[bytes, dict[str, object]] | None:
    height, width = master.shape[:2]
    native = {finding.name: finding.native for finding in portrait.findings}
    yaw, pitch = (_angle(native.get(name)) for name in _POSE.values())
    is_full = portrait.forced_by is None and not refused(portrait)
    kind = record.ImageType.FULL_FRONTAL if is_full else record.ImageType.BASIC
    points = _eyes(master)
    written = record.FaceRecord(
        image=_jpeg2000(master),
        width=width,
        height=height,
        image_type=kind,
        points=points,
        yaw=yaw,
        pitch=pitch,
        # The crop has laid the eyes on one level.
        roll=_angle(0.0) if points else None,
    )
    return written.encode(), {
        "ratio": RATIO,
        "image_type": kind.name.lower(),
        "points": len(points),
    }


def _angle(degrees: float | None) -> record.Angle | None:
    if degrees is None:
        return None
    return record.Angle(degrees=round(degrees), uncertainty=UNCERTAINTY)


def _eyes(master: NDArray[np.uint8]) -> tuple[record.Point, ...]:
    """Return the centres of both eyes, none where no face is found or an eye lies outside."""
    found = Detector().find(master)
    if not found:
        return ()
    face = Mesh().find(master, found[0])
    height, width = master.shape[:2]
    points = []
    for (major, minor), eye in (
        (record.LEFT_EYE, face.left_eye),
        (record.RIGHT_EYE, face.right_eye),
    ):
        x, y = round(float(eye[0])), round(float(eye[1]))
        if not (0 <= x < width and 0 <= y < height):
            return ()
        points.append(record.Point(major=major, minor=minor, x=x, y=y))
    return tuple(points)
