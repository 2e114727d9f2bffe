"""The records and scores that SBI code is handed: ISO/IEC 19794 as `biometrics` reads it.

It talks to no device.
"""

import datetime as dt
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from biometrics.capture import EyeSide, ImpressionKind
from biometrics.face import encoding
from biometrics.face import record as face_record
from biometrics.finger.impression import ImpressionInvalid
from biometrics.finger.quality import assess
from biometrics.records import blocks, codings, face_image, finger_image, iris_image
from biometrics.records.codings import Coding
from biometrics.sandbox.room import RoomBroken, RoomFull
from hardware.iris.port import Eye
from hardware.sbi.port import EyePicture, FacePicture, FingerPicture, RecordUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

_KINDS: Final = {True: ImpressionKind.ROLLED, False: ImpressionKind.PLAIN, None: None}
_ROLLED: Final = {kind: rolled for rolled, kind in _KINDS.items()}
_SIDES: Final = {Eye.RIGHT: EyeSide.RIGHT, Eye.LEFT: EyeSide.LEFT, None: None}
_EYES: Final = {side: eye for eye, side in _SIDES.items()}
_FACE_2005: Final = face_record.FORMAT + face_record.VERSION


class IsoRecords:
    """`hardware.sbi.port.Records` over `biometrics.records` and `biometrics.face.record`."""

    def finger(self, data: bytes) -> FingerPicture:
        """Return the finger of a 19794-4 record of 2011 or 2005.

        Raises:
            RecordUnreadable: see `finger_image.decode`; also more than one image.
        """
        with _read():
            images = finger_image.decode(data)
        if len(images) != 1:
            raise RecordUnreadable(f"{len(images)} images; one is wanted")
        (image,) = images
        return FingerPicture(
            pixels=image.pixels,
            dpi=image.dpi,
            position=image.position,
            rolled=_ROLLED[image.kind],
            quality=image.quality,
            at=image.at,
        )

    def iris(self, data: bytes) -> EyePicture:
        """Return the eye of a 19794-6:2011 record.

        Raises:
            RecordUnreadable: see `iris_image.decode`; also more than one image.
        """
        with _read():
            images = iris_image.decode(data)
        if len(images) != 1:
            raise RecordUnreadable(f"{len(images)} images; one is wanted")
        (image,) = images
        return EyePicture(
            pixels=image.pixels, eye=_EYES[image.eye], quality=image.quality, at=image.at
        )

    def face(self, data: bytes) -> FacePicture:
        """Return the face of a 19794-5 record of 2011 or 2005.

        Raises:
            RecordUnreadable: see `face_image.decode`, `face_record.FaceRecord.decode` and
                `codings.read_colours`.
        """
        image, quality, at = _face(data)
        with _read():
            return FacePicture(pixels=codings.read_colours(image), quality=quality, at=at)

    def write_finger(self, picture: FingerPicture) -> bytes:
        """Return a 19794-4:2011 record, JPEG 2000 without loss.

        Raises:
            RecordInvalid: see `finger_image.encode`.
        """
        return finger_image.encode(
            [
                finger_image.FingerImage(
                    position=picture.position,
                    kind=_KINDS[picture.rolled],
                    pixels=picture.pixels,
                    dpi=picture.dpi,
                    quality=picture.quality,
                    at=picture.at,
                )
            ],
            Coding.JPEG2000,
        )

    def write_iris(self, picture: EyePicture) -> bytes:
        """Return a 19794-6:2011 record, JPEG 2000 without loss.

        Raises:
            RecordInvalid: see `iris_image.encode`.
        """
        return iris_image.encode(
            [
                iris_image.IrisImage(
                    eye=_SIDES[picture.eye],
                    pixels=picture.pixels,
                    quality=picture.quality,
                    at=picture.at,
                )
            ],
            Coding.JPEG2000,
        )

    def write_face(self, picture: FacePicture) -> bytes:
        """Return a 19794-5:2011 record with a JPEG: a large face takes JPEG 2000 seconds.

        Raises:
            RecordInvalid: see `face_image.encode`.
        """
        height, width = picture.pixels.shape[:2]
        return face_image.encode(
            face_image.FaceImage(
                image=encoding.jpeg(picture.pixels),
                width=width,
                height=height,
                quality=picture.quality,
                at=picture.at,
            )
        )


class FingerScores:
    """`hardware.sbi.port.Scores` of fingers: NFIQ 2, in its worker process.

    What others claim of irises and faces is not held against anything: there is no measure of
    them that two makers would agree on.
    """

    def finger(self, picture: FingerPicture) -> int | None:
        """Return NFIQ 2, None where it could not be computed."""
        try:
            quality = assess(picture.pixels, picture.dpi)
        except ImpressionInvalid:
            return None
        return quality.nfiq2

    def iris(self, picture: EyePicture) -> int | None:
        """Return None."""

    def face(self, picture: FacePicture) -> int | None:
        """Return None."""


def _face(data: bytes) -> tuple[bytes, int | None, dt.datetime | None]:
    """Return the picture, its quality and its time."""
    with _read():
        if data.startswith(_FACE_2005):
            return face_record.FaceRecord.decode(data).image, None, None
        face = face_image.decode(data)
    return face.image, face.quality, face.at


@contextmanager
def _read() -> "Iterator[None]":
    try:
        yield
    except (blocks.RecordInvalid, face_record.RecordRefused) as error:
        raise RecordUnreadable(str(error)) from error
    except (RoomFull, RoomBroken) as error:
        raise RecordUnreadable(f"it could not be decoded now: {error}") from error
