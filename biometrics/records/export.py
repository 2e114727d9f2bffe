"""A capture's fingers, eyes and face as the files that others read.

It opens no sealed packet and decides nothing about who may have a file.
"""

import uuid
from datetime import datetime
from typing import Final

from biometrics.capture import (
    Capture,
    EyeSide,
    ImpressionKind,
    Iris,
    Missing,
    MissingReason,
    Print,
)
from biometrics.face import encoding
from biometrics.records import cbeff, codings, face_image, finger_image, iris_image, minutiae, nist
from biometrics.records.blocks import RecordInvalid
from biometrics.records.codings import Coding
from biometrics.records.face_image import FaceImage
from biometrics.records.finger_image import FingerImage
from biometrics.records.iris_image import IrisImage
from biometrics.records.minutiae import Edition

__all__ = [
    "RecordInvalid",
    "cbeff_file",
    "image_file",
    "iris_file",
    "minutiae_file",
    "nist_file",
]

_SAMPLES: Final = uuid.UUID("6d2f1f5e-0c0b-5b7e-9d55-0a3f6a1c7e21")
"""Namespace of the samples' indices: the same capture gives the same ones."""
_AMPUTATED: Final = frozenset({MissingReason.AMPUTATED, MissingReason.AMPUTATED_HAND})
_EYES: Final = {EyeSide.RIGHT: "Right", EyeSide.LEFT: "Left"}


def minutiae_file(print_: Print, edition: Edition = 2011) -> bytes:
    """Return an impression's minutiae record (ISO/IEC 19794-2).

    Raises:
        RecordInvalid: none was kept, or it is damaged.
    """
    if print_.template is None:
        raise RecordInvalid("of this impression no minutiae were kept")
    record = minutiae.decode(print_.template)
    if record.edition == edition:
        return print_.template
    return minutiae.encode(record.views, edition)


def image_file(
    print_: Print, coding: Coding = Coding.JPEG2000, *, at: datetime | None = None
) -> bytes:
    """Return an impression's image record (ISO/IEC 19794-4:2011).

    Raises:
        RecordInvalid: the capture's picture is damaged, or `coding` cannot hold it.
        RoomFull, RoomBroken: see `codings.read`.
    """
    return finger_image.encode([_finger(print_, at)], coding)


def iris_file(iris: Iris, coding: Coding = Coding.JPEG2000, *, at: datetime | None = None) -> bytes:
    """Return an eye's image record (ISO/IEC 19794-6:2011).

    Raises:
        RecordInvalid: the capture's picture is damaged, or `coding` cannot hold it.
        RoomFull, RoomBroken: see `codings.read`.
    """
    return iris_image.encode([_iris(iris, at)], coding)


def nist_file(
    capture: Capture,
    *,
    at: datetime,
    kind: str,
    destination: str,
    origin: str,
    coding: Coding = Coding.WSQ,
) -> bytes:
    """Return the capture as an ANSI/NIST-ITL transaction: all impressions, eyes, the portrait.

    Args:
        capture: the visit names the transaction, the dossier what it belongs to.
        at: when it was taken, aware.
        kind: of transaction, as the receiver names it.
        destination: the receiver's agency.
        origin: the sender's agency.
        coding: of the fingers.

    Raises:
        RecordInvalid: see `nist.export`, or a picture of the capture is damaged.
        RoomFull, RoomBroken: see `codings.read`.
    """
    portrait = capture.portrait
    return nist.export(
        nist.Transaction(
            kind=kind,
            destination=destination,
            origin=origin,
            number=capture.visit,
            reference=capture.dossier,
            at=at,
        ),
        prints=[_finger(print_, at) for print_ in capture.prints],
        missing=[
            nist.MissingFinger(
                position=missing.position,
                code=nist.AMPUTATED if missing.reason in _AMPUTATED else nist.NOT_PRINTED,
            )
            for missing in capture.missing
        ],
        irises=[_iris(iris, at) for iris in capture.irises],
        portrait=nist.Portrait(image=portrait.image, width=portrait.width, height=portrait.height),
        coding=coding,
    )


def cbeff_file(capture: Capture, *, at: datetime) -> bytes:
    """Return the capture as MOSIP's CBEFF: one sample a finger, lossless JPEG 2000 inside.

    A finger that was taken plain and rolled goes in plain, as MOSIP has one of each.

    Args:
        capture: its visit gives the samples their indices.
        at: when it was taken, aware.

    Raises:
        RecordInvalid: a picture of the capture is damaged, or the time has no zone.
        RoomFull, RoomBroken: see `codings.read`.
    """
    chosen: dict[int, Print] = {}
    for print_ in capture.prints:
        if print_.position not in chosen or print_.kind is ImpressionKind.PLAIN:
            chosen[print_.position] = print_
    samples = [_finger_sample(capture, print_, at) for print_ in chosen.values()]
    samples += [_missing_sample(capture, missing) for missing in capture.missing]
    samples += [_iris_sample(capture, iris, at) for iris in capture.irises]
    samples.append(_face_sample(capture, cbeff.Modality.FACE, capture.portrait.image, at))
    if capture.proof is not None:
        photo = cbeff.Modality.EXCEPTION_PHOTO
        samples.append(_face_sample(capture, photo, capture.proof, at))
    return cbeff.export(samples)


def _finger(print_: Print, at: datetime | None) -> FingerImage:
    return FingerImage(
        position=print_.position,
        kind=print_.kind,
        pixels=codings.read(print_.image, Coding.PNG, width=print_.width, height=print_.height),
        dpi=print_.dpi,
        quality=print_.nfiq2,
        at=at,
    )


def _iris(iris: Iris, at: datetime | None) -> IrisImage:
    return IrisImage(
        eye=iris.eye,
        pixels=codings.read(iris.image, Coding.PNG, width=iris.width, height=iris.height),
        quality=iris.quality,
        at=at,
    )


def _index(capture: Capture, *names: object) -> uuid.UUID:
    return uuid.uuid5(_SAMPLES, "/".join(str(name) for name in (capture.visit, *names)))


def _finger_sample(capture: Capture, print_: Print, at: datetime) -> cbeff.Sample:
    name = cbeff.FINGERS[print_.position]
    return cbeff.Sample(
        modality=cbeff.Modality.FINGER,
        subtype=name,
        record=image_file(print_, at=at),
        quality=print_.nfiq2,
        index=_index(capture, name),
        at=at,
        retries=print_.attempts,
    )


def _missing_sample(capture: Capture, missing: Missing) -> cbeff.Sample:
    name = cbeff.FINGERS[missing.position]
    return cbeff.Sample(
        modality=cbeff.Modality.FINGER,
        subtype=name,
        record=None,
        quality=None,
        index=_index(capture, name),
        at=missing.at,
        retries=0,
    )


def _iris_sample(capture: Capture, iris: Iris, at: datetime) -> cbeff.Sample:
    return cbeff.Sample(
        modality=cbeff.Modality.IRIS,
        subtype=_EYES[iris.eye],
        record=iris_file(iris, at=at),
        quality=iris.quality,
        algorithm=("device", "as claimed"),
        index=_index(capture, "iris", iris.eye),
        at=at,
    )


def _face_sample(
    capture: Capture, modality: cbeff.Modality, picture: bytes, at: datetime
) -> cbeff.Sample:
    pixels = codings.read_colours(picture)
    height, width = pixels.shape[:2]
    try:
        whole = encoding.jpeg2000(pixels)
    except encoding.EncodingInvalid as error:
        raise RecordInvalid(str(error)) from error
    record = face_image.encode(FaceImage(image=whole, width=width, height=height, at=at))
    return cbeff.Sample(
        modality=modality,
        subtype="",
        record=record,
        quality=None,
        algorithm=("none", "not scored"),
        index=_index(capture, modality),
        at=at,
    )
