"""One RCAPTURE: the message that asks, what the answer must say, and what it says.

It sends nothing and believes nothing.
"""

import datetime as dt
import uuid
from typing import Final

from hardware.errors import Garbled, Refused
from hardware.sbi.asked import Asked
from hardware.sbi.discovery import Device
from hardware.sbi.evidence import Expected
from hardware.sbi.messages import (
    Bio,
    CaptureAnswer,
    Captured,
    CaptureRequest,
    MessageInvalid,
    encode_date,
)
from hardware.sbi.outcomes import Mendable, outcome
from hardware.sbi.raw import Answer, Request
from hardware.sbi.vocabulary import (
    PATHS,
    ROLLED,
    SPEC_VERSION,
    Environment,
    Purpose,
    Verb,
)

_BAD_STATUS: Final = 400


def write_capture(
    device: Device, asked: Asked, *, seconds: float, score: int, previous: str, now: dt.datetime
) -> CaptureRequest:
    """Return the message that asks a device for pictures, with a transaction of its own.

    Args:
        device: that is asked.
        asked: what is wanted.
        seconds: that the device has for it.
        score: quality 0..100 at which the device takes the picture by itself.
        previous: hash of what was taken before.
        now: aware.
    """
    return CaptureRequest(
        env=environment(device),
        purpose=Purpose.REGISTRATION,
        spec_version=version(device),
        timeout=str(int(seconds * 1000)),
        capture_time=encode_date(now),
        transaction_id=str(uuid.uuid4()),
        custom_opts=list(ROLLED) if asked.rolled else None,
        bio=(
            Bio(
                type=asked.modality,
                count=str(len(asked.sub_types)),
                bio_sub_type=asked.named,
                exception=asked.exceptions,
                requested_score=str(score),
                device_id=device.info.device_id,
                device_sub_id=asked.sub_id,
                previous_hash=previous,
            ),
        ),
    )


def ask_capture(message: CaptureRequest) -> Request:
    """Return the request with this message."""
    return Request(Verb.CAPTURE, PATHS[Verb.CAPTURE], message.encode())


def expect(message: CaptureRequest, device: Device, asked: Asked, at: dt.datetime) -> Expected:
    """Return what the answer to a message must say at a time."""
    return Expected(
        transaction=message.transaction_id,
        version=message.spec_version,
        purpose=message.purpose,
        env=message.env,
        modality=asked.modality,
        sub_types=asked.sub_types,
        rolled=asked.rolled,
        serial=device.identity.serial_no,
        previous=message.bio[0].previous_hash or "",
        at=at,
    )


def read_capture(answer: Answer, where: str) -> tuple[Captured, ...] | Mendable:
    """Return the pictures of an answer, still unverified, or what a person can mend.

    Raises:
        Unplugged, Refused: what the device's error codes mean.
        Garbled: it is no such answer.
    """
    try:
        said = CaptureAnswer.decode(answer.body)
    except MessageInvalid as error:
        if answer.status >= _BAD_STATUS:
            raise Refused(f"{where}: HTTP {answer.status}", answer.status) from error
        raise Garbled(f"{where}: the answer to a capture: {error}") from error
    for failure in (said.error, *(captured.error for captured in said.biometrics)):
        mendable = outcome(failure, where)
        if mendable is not None:
            return mendable
    if not said.biometrics:
        raise Garbled(f"{where}: neither a picture nor an error (HTTP {answer.status})")
    return said.biometrics


def environment(device: Device) -> str:
    """Return the environment to name: the device's own, where it says one."""
    named = {one.value for one in Environment} - {Environment.NONE.value}
    return device.info.env if device.info.env in named else Environment.PRODUCTION.value


def version(device: Device) -> str:
    """Return the interface's version to speak: ours where the device knows it, else its first."""
    known = device.info.spec_version
    return SPEC_VERSION if SPEC_VERSION in known or not known else known[0]
