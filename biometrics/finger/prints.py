"""An impression as it goes on record: its picture, its minutiae record, and what agrees with it.

It chooses nothing (see `selection`).
"""

from collections.abc import Iterable

from biometrics.capture import Print
from biometrics.finger.likeness import Likeness
from biometrics.finger.offers import Impression, Item
from biometrics.records import minutiae as records


def print_of(
    item: Item,
    best: Impression,
    others: Iterable[tuple[Item, Impression]],
    *,
    attempts: int,
    likeness: Likeness,
) -> Print:
    """Return the print of an item.

    Args:
        item: what was asked for.
        best: the impression that was chosen.
        others: further impressions of this finger, each with the item it was taken for.
        attempts: how many were looked at.
        likeness: of the visit.
    """
    scored = [(likeness.of(best, other), taken_for, other) for taken_for, other in others]
    support = max(scored, key=lambda one: one[0], default=None)
    quality = best.seen.quality
    return Print(
        position=item.position,
        kind=item.kind,
        image=best.image,
        width=best.width,
        height=best.height,
        dpi=best.dpi,
        nfiq2=quality.nfiq2,
        estimate=quality.estimate,
        minutiae=best.minutiae_count,
        template=_record(item, best),
        support=None if support is None else _record(*support[1:]),
        agreement=None if support is None else support[0],
        attempts=attempts,
        reader=best.reader,
    )


def _record(item: Item, impression: Impression) -> bytes | None:
    """Return the ISO/IEC 19794-2:2011 record, None where there is no minutia to record."""
    if impression.seen.minutiae is None:
        return None
    try:
        view = records.of(
            impression.seen.minutiae,
            position=item.position,
            kind=item.kind,
            quality=impression.seen.quality.nfiq2,
            width=impression.width,
            height=impression.height,
            dpi=impression.dpi,
        )
    except records.RecordInvalid:
        return None
    return records.encode((view,))
