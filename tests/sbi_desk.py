"""A service over readers that do as they are told, and how to talk to it byte by byte."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from hardware.camera.port import CameraInfo, Frame
from hardware.errors import Broken, Unplugged
from hardware.finger.port import Impression, NoImage, Preview, ReaderInfo, Touch, Wanted
from hardware.sbi.answers import Answers, Signer
from hardware.sbi.desk import Desk
from hardware.sbi.messages import Biometric, CaptureAnswer
from hardware.sbi.offers import CameraOffer, Card, FingerOffer, Offer
from hardware.sbi.port import EyePicture, FacePicture, FingerPicture, Scores
from hardware.sbi.service import LOOPBACK, SbiService
from hardware.sbi.tokens import parse, verify
from hardware.sbi.vocabulary import Environment, Modality
from tests.sbi_authority import CHAIN, NOW, PlainRecords, key

SLAP = Card(
    device_id="1", modality=Modality.FINGER, serial="SN-1", make="m", model="slap", firmware="1",
    several=True, rolls=True,
)  # fmt: skip
SINGLE = replace(SLAP, device_id="4", serial="SN-4", model="single", several=False, rolls=False)
FACE = replace(SINGLE, device_id="2", serial="SN-2", modality=Modality.FACE)
LEFT = ("Left IndexFinger", "Left MiddleFinger", "Left RingFinger", "Left LittleFinger")
PATIENCE = 20.0
Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Hand:
    """A reader that gives what it is told to; a fake at the port of readers."""

    quality: list[int] = field(default_factory=lambda: [70])
    there: bool = True
    claims: bool = True
    error: Broken | None = None
    waits: threading.Event | None = None
    asked: list[Wanted] = field(default_factory=list)
    closed: threading.Event = field(default_factory=threading.Event)

    @property
    def info(self) -> ReaderInfo:
        return ReaderInfo(
            name="hand", serial="SN-1", simulated=True, width=6, height=8, dpi=500,
            takes=frozenset(Touch),
        )  # fmt: skip

    def capture(
        self,
        wanted: Wanted,
        *,
        deadline: float,
        progress: Callable[[float], None] | None = None,  # noqa: ARG002 - the port's
        preview: Preview | None = None,
    ) -> tuple[Impression, ...] | NoImage:
        self.asked.append(wanted)
        if preview is not None:
            preview(np.zeros((20, 30), np.uint8))
        if self.waits is not None:
            self.waits.wait(deadline)
        if self.closed.is_set():
            raise Unplugged("closed")
        if self.error is not None:
            raise self.error
        if not self.there:
            time.sleep(min(deadline, 0.05))
            return NoImage.NO_FINGER
        quality = self.quality.pop(0) if len(self.quality) > 1 else self.quality[0]
        return tuple(
            Impression(
                pixels=np.full((8, 6), quality, np.uint8), dpi=500, at=0.0, serial="SN-1",
                position=position, claimed=quality if self.claims else None,
            )
            for position in wanted.positions
        )  # fmt: skip

    def wait_lifted(self, *, deadline: float) -> bool:
        return deadline > 0

    def close(self) -> None:
        self.closed.set()
        if self.waits is not None:
            self.waits.set()


class Grey:
    """Scores that are the picture's own grey: what `Hand` was told is what is measured."""

    def finger(self, picture: FingerPicture) -> int | None:
        return int(picture.pixels[0, 0])

    def iris(self, picture: EyePicture) -> int | None:
        raise AssertionError(picture)

    def face(self, picture: FacePicture) -> int | None:
        return int(picture.pixels[0, 0, 0]) or None


GREY = Grey()


class Film:
    """A camera that gives frames which get brighter, or breaks."""

    def __init__(self, error: Broken | None = None) -> None:
        self._error, self._number = error, 0

    @property
    def info(self) -> CameraInfo:
        return CameraInfo(name="film", simulated=True, width=40, height=30)

    def read(self) -> Frame:
        time.sleep(0.01)
        if self._error is not None:
            raise self._error
        self._number += 1
        grey = min(self._number, 90)
        return Frame(pixels=np.full((30, 40, 3), grey, np.uint8), at=0.0, number=self._number)

    def close(self) -> None:
        self._number = 0


Started = tuple[SbiService, Hand]


@contextlib.contextmanager
def serving(
    hand: Hand | None = None,
    *,
    token: str | None = None,
    camera: Callable[[], Film] = Film,
    scores: Scores | None = GREY,
) -> Iterator[Started]:
    laid = hand or Hand()
    answers = Answers(
        Signer(key=key(2), chain=CHAIN), PlainRecords(), lambda: NOW, Environment.STAGING
    )
    offers: list[Offer] = [
        FingerOffer(laid, SLAP),
        FingerOffer(Hand(), SINGLE),
        CameraOffer(camera, FACE),
    ]
    service = SbiService(Desk(offers, answers, scores), token=token, ports=(0,))
    try:
        yield service, laid
    finally:
        service.stop()


def talk(port: int, data: bytes, *, patience: float = PATIENCE) -> bytes:
    """Return all that comes back for these bytes; nothing where the other side just hangs up."""
    with socket.create_connection((LOOPBACK, port), timeout=patience) as connection:
        connection.sendall(data)
        found = bytearray()
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(65536):
                found += part
    return bytes(found)


def write(
    verb: str, path: str, body: bytes, port: int, *lines: str, host: str | None = None
) -> bytes:
    head = [
        f"{verb} {path} HTTP/1.1",
        f"Host: {host or f'{LOOPBACK}:{port}'}",
        f"Content-Length: {len(body)}",
        *lines,
        "Connection: close",
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def read(data: bytes) -> Answer:
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(first.split()[1]), headers, body


def ask(
    port: int, verb: str, path: str, body: object = None, *lines: str, host: str | None = None
) -> Answer:
    sent = b"" if body is None else json.dumps(body).encode()
    return read(talk(port, write(verb, path, sent, port, *lines, host=host)))


def wish(**said: object) -> dict[str, Any]:
    """Return a request for the left hand; `bio_...` changes what is wanted of the device."""
    bio: dict[str, object] = {
        "type": "Finger", "count": "4", "bioSubType": [], "exception": [],
        "requestedScore": "40", "deviceId": "1", "deviceSubId": "1", "previousHash": "",
    }  # fmt: skip
    request: dict[str, object] = {
        "env": "Staging", "purpose": "Registration", "specVersion": "0.9.5", "timeout": "5000",
        "captureTime": "2026-11-25T02:00:00Z", "transactionId": "abcd-1", "customOpts": None,
    }  # fmt: skip
    for name, value in said.items():
        if name.startswith("bio_"):
            bio[name.removeprefix("bio_")] = value
        else:
            request[name] = value
    return {"bio": [bio]} | request


def capture(port: int, **said: object) -> CaptureAnswer:
    status, headers, body = ask(port, "RCAPTURE", "/capture", wish(**said))
    assert status == 200
    assert headers["content-type"] == "application/json"
    return CaptureAnswer.decode(body)


def pictures(answer: CaptureAnswer) -> list[Biometric]:
    return [Biometric.decode(verify(parse(one.data))) for one in answer.biometrics]


def code(answer: CaptureAnswer) -> int | None:
    (entry,) = answer.biometrics
    assert entry.error is not None
    assert not entry.data
    return entry.error.code


def code_or_none(answer: CaptureAnswer) -> int | None:
    error = answer.biometrics[0].error
    return None if error is None else error.code
