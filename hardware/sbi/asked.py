"""What is asked of a device: which part of it, which fingers or eyes, which of them are missing.

It asks nobody, and knows no more of a device than whether it takes several fingers at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hardware.iris.port import Eye
from hardware.sbi.vocabulary import EYE_NAMES, FINGER_NAMES, Modality, SubId

_HANDS: Final = {
    SubId.RIGHT: (2, 3, 4, 5),
    SubId.LEFT: (7, 8, 9, 10),
    SubId.BOTH: (1, 6),
}
"""Positions that each part of a slap reader takes together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked of a device.

    Attributes:
        sub_types: what must come back, and nothing else.
        named: what the request names; empty where `sub_id` says it.
        exceptions: what `sub_id` would take and is not there.
        rolled: fingers are rolled, one at a time.
    """

    modality: Modality
    sub_id: SubId
    sub_types: tuple[str, ...]
    named: tuple[str, ...] = ()
    exceptions: tuple[str, ...] = ()
    rolled: bool = False


def ask_together(positions: Sequence[int]) -> Asked:
    """Return a request for fingers of one hand, or thumbs, that a slap reader takes at once.

    Raises:
        ValueError: no part of such a reader takes them together.
    """
    for sub_id, hand in _HANDS.items():
        if positions and set(positions) <= set(hand) and len(set(positions)) == len(positions):
            return Asked(
                modality=Modality.FINGER,
                sub_id=sub_id,
                sub_types=tuple(FINGER_NAMES[position] for position in positions),
                exceptions=tuple(
                    FINGER_NAMES[position] for position in hand if position not in positions
                ),
            )
    raise ValueError(f"no reader takes fingers {tuple(positions)} at once")


def ask_one(position: int) -> Asked:
    """Return a request for one finger by its name.

    Raises:
        ValueError: there is no such finger.
    """
    name = FINGER_NAMES.get(position)
    if name is None:
        raise ValueError(f"there is no finger {position}")
    return Asked(
        modality=Modality.FINGER,
        sub_id=SubId.UNKNOWN,
        sub_types=(name,),
        named=(name,),
    )


def ask_eyes(eyes: Sequence[Eye]) -> Asked:
    """Return a request for one eye or both.

    Raises:
        ValueError: no eye, or one twice.
    """
    if not eyes or len(set(eyes)) != len(eyes):
        raise ValueError(f"no eye, or one twice: {tuple(eyes)}")
    single = {Eye.LEFT: SubId.LEFT, Eye.RIGHT: SubId.RIGHT}
    names = tuple(EYE_NAMES[eye] for eye in eyes)
    return Asked(
        modality=Modality.IRIS,
        sub_id=SubId.BOTH if len(eyes) > 1 else single[eyes[0]],
        sub_types=names,
        named=names,
    )


def ask_face(missing: Sequence[int] = ()) -> Asked:
    """Return a request for a portrait; with fingers that are missing, for the photo that proves it.

    Raises:
        ValueError: there is no such finger.
    """
    if not set(missing) <= set(FINGER_NAMES):
        raise ValueError(f"not all of {tuple(missing)} are fingers")
    return Asked(
        modality=Modality.FACE,
        sub_id=SubId.UNKNOWN,
        sub_types=("",),
        exceptions=tuple(FINGER_NAMES[position] for position in missing),
    )
