"""What a capture request wants, or the error code that it is refused with.

One table of checks, in the order of the specification's fields; it takes nothing.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from hardware.sbi.messages import Bio, CaptureRequest
from hardware.sbi.offers import Card, Wish
from hardware.sbi.vocabulary import (
    EYES,
    FINGERS,
    SPEC_VERSION,
    Environment,
    ErrorCode,
    Modality,
    Purpose,
    SubId,
)

MOST_SECONDS: Final = 120.0
"""Of one capture; the interface's reference client waits 40 s."""
_TRANSACTION: Final = re.compile(r"[A-Za-z0-9-]{4,50}")
_MOST_FINGERS: Final = 4
_MOST_SCORE: Final = 100
_PARTS: Final = {
    (Modality.FINGER, SubId.LEFT): tuple(
        name for name, at in FINGERS.items() if at in range(7, 11)
    ),
    (Modality.FINGER, SubId.RIGHT): tuple(
        name for name, at in FINGERS.items() if at in range(2, 6)
    ),
    (Modality.FINGER, SubId.BOTH): ("Right Thumb", "Left Thumb"),
    (Modality.FINGER, SubId.UNKNOWN): tuple(FINGERS),
    (Modality.IRIS, SubId.LEFT): ("Left",),
    (Modality.IRIS, SubId.RIGHT): ("Right",),
    (Modality.IRIS, SubId.BOTH): ("Left", "Right"),
    (Modality.IRIS, SubId.UNKNOWN): tuple(EYES),
}
"""What each part of a device takes."""


class Refusal(Exception):
    """A request is refused; `code` and its words go back to whoever asked."""

    def __init__(self, code: ErrorCode, info: str = "") -> None:
        super().__init__(info or code.info)
        self.code = code


def check_head(request: CaptureRequest, env: Environment) -> None:
    """Hold what is said once in a request against this service.

    Raises:
        Refusal: the first thing that is not as it must be.
    """
    for code, holds in _HEAD.items():
        if not holds(request, env):
            raise Refusal(code)


_HEAD: Final[Mapping[ErrorCode, Callable[[CaptureRequest, Environment], bool]]] = {
    ErrorCode.TRANSACTION: lambda request, _: (
        _TRANSACTION.fullmatch(request.transaction_id) is not None
    ),
    ErrorCode.ENVIRONMENT: lambda request, env: request.env == env,
    ErrorCode.PURPOSE: lambda request, _: request.purpose == Purpose.REGISTRATION,
    # `captureTime` is not looked at: the reference client sends local time and does not say so.
    ErrorCode.MALFORMED: lambda request, _: (
        request.spec_version == SPEC_VERSION and int(request.timeout) > 0
    ),
    # Each device is asked for itself.
    ErrorCode.COUNT: lambda request, _: len(request.bio) == 1,
}


def read_wish(request: CaptureRequest, card: Card) -> Wish:
    """Return what is wanted of the device that the request names.

    Raises:
        Refusal: the device cannot take that.
    """
    (bio,) = request.bio
    if bio.type not in set(Modality):
        raise Refusal(ErrorCode.TYPE)
    if bio.type != card.modality:
        raise Refusal(ErrorCode.DEVICE)
    if bio.device_sub_id not in {sub.value for sub in SubId}:
        raise Refusal(ErrorCode.DEVICE)
    score = int(bio.requested_score or 0)
    if score > _MOST_SCORE:
        raise Refusal(ErrorCode.MALFORMED, "requestedScore is 0 to 100")
    sub_types = _face(bio) if card.modality is Modality.FACE else _parts(bio, card)
    if request.rolled and not (card.rolls and len(sub_types) == 1):
        raise Refusal(ErrorCode.SUB_TYPE, "one finger can be rolled, on a reader that takes it")
    return Wish(
        sub_types=sub_types,
        score=score,
        seconds=min(int(request.timeout) / 1000, MOST_SECONDS),
        rolled=request.rolled,
    )


def _face(bio: Bio) -> tuple[str, ...]:
    """Exceptions ask for the photo that proves them; it is taken alike."""
    if int(bio.count) != 1:
        raise Refusal(ErrorCode.COUNT)
    if any(bio.bio_sub_type):
        raise Refusal(ErrorCode.SUB_TYPE)
    if not set(bio.exception) <= {*FINGERS, *EYES}:
        raise Refusal(ErrorCode.EXCEPTION)
    return ("",)


def _parts(bio: Bio, card: Card) -> tuple[str, ...]:
    together = _PARTS[card.modality, SubId(bio.device_sub_id)]
    named = tuple(name for name in bio.bio_sub_type if name)
    count = int(bio.count)
    if not 0 < count <= (_MOST_FINGERS if card.several else 1):
        raise Refusal(ErrorCode.COUNT)
    if not set(bio.exception) <= set(together):
        raise Refusal(ErrorCode.EXCEPTION)
    if not set(named) <= set(together) or len(set(named)) != len(named):
        raise Refusal(ErrorCode.SUB_TYPE)
    if not named and SubId(bio.device_sub_id) is SubId.UNKNOWN:
        # Which of ten it is, no reader of ours can tell.
        raise Refusal(ErrorCode.SUB_TYPE, "name the finger or eye that is wanted")
    wanted = tuple(name for name in named or together if name not in bio.exception)
    if count != len(wanted):
        raise Refusal(ErrorCode.COUNT_MISMATCH)
    if not any(
        set(wanted) <= set(_PARTS[card.modality, part])
        for part in (SubId.LEFT, SubId.RIGHT, SubId.BOTH)
    ):
        raise Refusal(ErrorCode.COUNT, "fingers of two hands are not taken at once")
    return wanted
