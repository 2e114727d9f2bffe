"""A capture handed out as files: what each holds, the same each time, or refused."""

from dataclasses import replace

import nistitl
import numpy as np
import pytest

from biometrics.capture import (
    Capture,
    EyeSide,
    ImpressionKind,
    Iris,
    Missing,
    MissingReason,
    Portrait,
    Print,
)
from biometrics.face import encoding
from biometrics.records import cbeff, codings, export, face_image, finger_image, iris_image
from biometrics.records import minutiae as records
from biometrics.records.cbeff import Modality
from biometrics.records.codings import Coding
from biometrics.records.export import RecordInvalid
from tests.captures import AT, capture
from tests.records import HEIGHT, WIDTH, colours, ridges, view


def print_(position: int, kind: ImpressionKind, shift: int) -> Print:
    pixels = np.roll(ridges(), shift, axis=1)
    small = view(width=WIDTH, height=HEIGHT, points=view().points[:1], position=position, kind=kind)
    return Print(
        position=position,
        kind=kind,
        image=codings.write(pixels, Coding.PNG),
        width=WIDTH,
        height=HEIGHT,
        dpi=500,
        nfiq2=61,
        estimate=58.0,
        minutiae=1,
        template=records.encode([small]),
        support=None,
        agreement=None,
        attempts=2,
        reader="SIM-1",
    )


def whole(**changes: object) -> Capture:
    one = capture()
    picture = encoding.jpeg(colours())
    face: Portrait = replace(one.portrait, image=picture, width=WIDTH, height=HEIGHT)
    eye = Iris(
        eye=EyeSide.RIGHT,
        image=codings.write(ridges(), Coding.PNG),
        width=WIDTH,
        height=HEIGHT,
        quality=80,
        reader="Mắt-1",
    )
    lost = Missing(
        position=4, reason=MissingReason.AMPUTATED, permanent=True, officer="cb-01", at=AT
    )
    fields = {
        "portrait": face,
        "prints": (
            print_(1, ImpressionKind.ROLLED, 1),
            print_(1, ImpressionKind.PLAIN, 2),
            print_(6, ImpressionKind.PLAIN, 3),
        ),
        "missing": (*one.missing, lost),
        "irises": (eye,),
        "proof": picture,
        **changes,
    }
    return replace(one, **fields)  # type: ignore[arg-type]  # a test may name any field


def test_an_impressions_minutiae_are_handed_out_as_they_are_kept_or_in_2005() -> None:
    one = print_(6, ImpressionKind.PLAIN, 0)
    assert export.minutiae_file(one) == one.template
    old = records.decode(export.minutiae_file(one, 2005))
    assert (old.edition, old.views[0].position) == (2005, 6)
    with pytest.raises(RecordInvalid):
        export.minutiae_file(replace(one, template=None))
    with pytest.raises(RecordInvalid):
        export.minutiae_file(replace(one, template=b"FMR\x00 damaged"))


@pytest.mark.parametrize("coding", [Coding.RAW, Coding.PNG, Coding.JPEG2000])
def test_an_impressions_image_is_handed_out_pixel_for_pixel(coding: Coding) -> None:
    one = print_(6, ImpressionKind.PLAIN, 3)
    (image,) = finger_image.decode(export.image_file(one, coding, at=AT))
    assert (image.pixels == np.roll(ridges(), 3, axis=1)).all()
    assert (image.position, image.dpi, image.quality, image.at) == (6, 500, 61, AT)


def test_an_eyes_image_is_handed_out_pixel_for_pixel() -> None:
    (image,) = iris_image.decode(export.iris_file(whole().irises[0]))
    assert (image.pixels == ridges()).all()
    assert (image.eye, image.quality, image.at) == (EyeSide.RIGHT, 80, None)


def transaction(one: Capture) -> bytes:
    return export.nist_file(one, at=AT, kind="ENROL", destination="VN-C06", origin="VN-HN-01")


def test_a_transaction_holds_the_whole_capture() -> None:
    message = nistitl.Message()
    message.parse(transaction(whole()))
    assert [record.type for record in message] == [1, 2, 14, 14, 14, 14, 14, 17, 10]
    assert (message[0].TCN, message[1][3].value) == (whole().visit, whole().dossier)
    lost = [record.AMP for record in message.iter(14) if record["AMP"]]
    assert lost == [[["7", "UP"]], [["4", "XX"]]]


def test_mosips_document_holds_one_sample_of_each_finger() -> None:
    samples = cbeff.read(export.cbeff_file(whole(), at=AT))
    named = [(sample.modality, sample.subtype, sample.record is None) for sample in samples]
    assert named == [
        (Modality.FINGER, "Right Thumb", False),
        (Modality.FINGER, "Left Thumb", False),
        (Modality.FINGER, "Left IndexFinger", True),
        (Modality.FINGER, "Right RingFinger", True),
        (Modality.IRIS, "Right", False),
        (Modality.FACE, "", False),
        (Modality.EXCEPTION_PHOTO, "", False),
    ]
    thumb, eye, face = samples[0], samples[4], samples[5]
    assert thumb.record is not None
    assert eye.record is not None
    assert face.record is not None
    (plain,) = finger_image.decode(thumb.record)
    assert (plain.kind, plain.coding) == (ImpressionKind.PLAIN, Coding.JPEG2000)
    assert (plain.pixels == np.roll(ridges(), 2, axis=1)).all()
    assert len(iris_image.decode(eye.record)) == 1
    portrait = face_image.decode(face.record)
    assert codings.keeps_pixels(portrait.image)
    assert len({sample.index for sample in samples}) == 7


def test_a_person_without_hands_has_files_too() -> None:
    nobody = tuple(
        Missing(
            position=position,
            reason=MissingReason.AMPUTATED_HAND,
            permanent=True,
            officer="cb-1",
            at=AT,
        )
        for position in range(1, 11)
    )
    one = whole(prints=(), missing=nobody)
    message = nistitl.Message()
    message.parse(transaction(one))
    assert [record.type for record in message].count(14) == 10
    samples = cbeff.read(export.cbeff_file(one, at=AT))
    assert sum(sample.record is None for sample in samples) == 10


def test_the_same_capture_gives_the_same_files() -> None:
    assert transaction(whole()) == transaction(whole())
    assert export.cbeff_file(whole(), at=AT) == export.cbeff_file(whole(), at=AT)


def test_a_capture_with_a_damaged_picture_gives_no_file() -> None:
    broken = replace(print_(2, ImpressionKind.PLAIN, 0), image=b"\x89PNG\r\n\x1a\n damaged")
    lying = replace(print_(2, ImpressionKind.PLAIN, 0), width=WIDTH + 1)
    for one in (whole(prints=(broken,)), whole(prints=(lying,))):
        with pytest.raises(RecordInvalid):
            transaction(one)
    for one in (whole(prints=(broken,)), whole(proof=b"\xff\xd8\xff damaged")):
        with pytest.raises(RecordInvalid):
            export.cbeff_file(one, at=AT)
