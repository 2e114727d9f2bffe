"""What can be wrong with a device: every fault that a client must notice, put in on purpose.

Only the simulator uses it. Faults of what is signed are put into the steps of `Answers`, those of
the wire between the application and the connection; the service itself knows of neither.
"""

import base64
import datetime as dt
import enum
import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from hardware.sbi.answers import Answers, Scored, Signer
from hardware.sbi.chain import follow
from hardware.sbi.messages import (
    Bio,
    Biometric,
    CaptureAnswer,
    Captured,
    CaptureRequest,
    Denied,
    Failure,
)
from hardware.sbi.offers import Card
from hardware.sbi.port import EyePicture, FingerPicture
from hardware.sbi.service import Wsgi
from hardware.sbi.vocabulary import EYE_NAMES, FINGER_NAMES, ErrorCode, Verb


class Fault(enum.StrEnum):
    """One thing that is wrong, in captures unless it says otherwise."""

    BAD_SIGNATURE = "bad_signature"
    UNTRUSTED_CHAIN = "untrusted_chain"
    """Everything is signed under another root."""
    EXPIRED_LEAF = "expired_leaf"
    """Everything is signed with a certificate whose time is over."""
    REVOKED_LEAF = "revoked_leaf"
    """Everything is signed with a certificate that was taken back."""
    STALE_TIMESTAMP = "stale_timestamp"
    OTHER_TRANSACTION = "other_transaction"
    OTHER_VERSION = "other_version"
    BROKEN_HASHES = "broken_hashes"
    """The other reading of the specification: texts are hashed, not bytes."""
    OTHER_SERIAL = "other_serial"
    MISSING_FINGER = "missing_finger"
    EXTRA_FINGER = "extra_finger"
    OTHER_POSITION = "other_position"
    """The record is of another finger or eye than the words beside it say."""
    TRUNCATED_RECORD = "truncated_record"
    INFLATED_QUALITY = "inflated_quality"
    BUSY = "busy"
    SLOW = "slow"
    """The answer drips."""
    HANG = "hang"
    """No answer comes at all; a stream stops in the middle."""
    DROP = "drop"
    """The connection ends in the middle of the answer, or of a live picture."""
    HALF_JSON = "half_json"
    """The answer is whole HTTP around half a message."""
    HUGE = "huge"
    SECOND_RESPONSE = "second_response"
    """A stream ends with a whole second HTTP answer in it."""


_STALE: Final = dt.timedelta(minutes=10)
_OTHER_VERSION: Final = "0.9.2"
_HUGE: Final = 128 * 1024 * 1024
_PIECE: Final = 64 * 1024
_DRIPS: Final = 40
_DRIP_SECONDS: Final = 0.1
_STREAMED_FIRST: Final = 3
"""Live pictures before a stream goes wrong."""
_NO_PICTURE: Final = 2
"""Bytes of an empty line, which a stream sends while there is nothing to see."""

_ENDED: Final = Denied(error=Failure.of(ErrorCode.STREAM_ENDED)).encode()
_SECOND: Final = (
    b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_ENDED), _ENDED)
)


class Faults:
    """What is wrong now; may be changed from any thread."""

    def __init__(self) -> None:
        self._active: frozenset[Fault] = frozenset()
        self._changed = threading.Condition()
        self._over = False

    def inject(self, *faults: Fault) -> None:
        """Put in faults beside those that are there."""
        with self._changed:
            self._active |= {Fault(fault) for fault in faults}
            self._changed.notify_all()

    def clear(self) -> None:
        """Take every fault out; what hangs goes on."""
        with self._changed:
            self._active = frozenset()
            self._changed.notify_all()

    def end(self) -> None:
        """Let nothing hang any more, for good."""
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def __contains__(self, fault: object) -> bool:
        """Return whether a fault is in."""
        return fault in self._active

    def hang(self) -> None:
        """Wait until nothing should hang."""
        with self._changed:
            self._changed.wait_for(lambda: self._over or Fault.HANG not in self._active)

    def drip(self) -> None:
        """Wait for the next drop."""
        with self._changed:
            self._changed.wait_for(lambda: self._over, timeout=_DRIP_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signers:
    """Whose key signs: the device's, and those of the faults."""

    right: Signer
    wrong: Mapping[Fault, Callable[[], Signer]]


class FaultyAnswers(Answers):
    """Answers with what is wrong put into them; arguments as `Answers`, and the faults."""

    def __init__(self, faults: Faults, signers: Signers, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - those of `Answers`
        super().__init__(signers.right, *args, **kwargs)
        self._faults, self._signers = faults, signers

    def signer(self) -> Signer:
        """Return whose key signs."""
        for fault, signer in self._signers.wrong.items():
            if fault in self._faults:
                return signer()
        return super().signer()

    def moment(self) -> dt.datetime:
        """Return the device's time."""
        stale = Fault.STALE_TIMESTAMP in self._faults
        return super().moment() - (_STALE if stale else dt.timedelta())

    def captured(
        self, card: Card, request: CaptureRequest, found: Sequence[Scored]
    ) -> tuple[Captured, ...]:
        """Return the pictures of one request."""
        if Fault.MISSING_FINGER in self._faults:
            found = found[:-1]
        if Fault.EXTRA_FINGER in self._faults:
            found = [*found, _other(found[-1], renamed=True)]
        entries = super().captured(card, request, found)
        if Fault.OTHER_VERSION in self._faults:
            changed = {"spec_version": _OTHER_VERSION}
            entries = tuple(entry.model_copy(update=changed) for entry in entries)
        return entries

    def record(self, scored: Scored) -> bytes:
        """Return the ISO record of a picture."""
        if Fault.OTHER_POSITION in self._faults:
            scored = _other(scored, renamed=False)
        record = super().record(scored)
        return record[: len(record) * 2 // 3] if Fault.TRUNCATED_RECORD in self._faults else record

    def follow(self, previous: str, record: bytes) -> str:
        """Return the hash that should tie a record to the one before."""
        if Fault.BROKEN_HASHES not in self._faults:
            return follow(previous, record)
        text = previous + hashlib.sha256(record).hexdigest().upper()
        return hashlib.sha256(text.encode()).hexdigest().upper()

    def biometric(
        self, card: Card, request: CaptureRequest, bio: Bio, scored: Scored, record: bytes
    ) -> Biometric:
        """Return what is signed of one picture."""
        if Fault.OTHER_SERIAL in self._faults:
            card = replace(card, serial=f"{card.serial}-2")
        made = super().biometric(card, request, bio, scored, record)
        changed: dict[str, object] = {}
        if Fault.OTHER_TRANSACTION in self._faults:
            changed["transaction_id"] = made.transaction_id[::-1] + "-x"
        if Fault.INFLATED_QUALITY in self._faults:
            changed["quality_score"] = "100"
        return made.model_copy(update=changed)

    def token(self, biometric: Biometric) -> str:
        """Return the signed token of one picture."""
        token = super().token(biometric)
        if Fault.BAD_SIGNATURE not in self._faults:
            return token
        signed, _, signature = token.rpartition(".")
        raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
        raw[len(raw) // 2] ^= 1
        return signed + "." + base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def _other(scored: Scored, *, renamed: bool) -> Scored:
    """Return the picture as one of the next finger, or of the other eye."""
    take = scored.take
    picture = take.picture
    name = take.sub_type
    if isinstance(picture, FingerPicture):
        picture = replace(picture, position=picture.position % 10 + 1)
        name = FINGER_NAMES[picture.position]
    elif isinstance(picture, EyePicture):
        other = next(eye for eye in EYE_NAMES if eye is not picture.eye)
        picture, name = replace(picture, eye=other), EYE_NAMES[other]
    sub_type = name if renamed else take.sub_type
    return replace(scored, take=replace(take, sub_type=sub_type, picture=picture))


class Wire:
    """What is wrong between the application and the connection."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def around(self, application: Wsgi) -> Wsgi:
        """Return the application with the faults put around it."""

        def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            verb = environ["REQUEST_METHOD"]
            if verb == Verb.STREAM:
                return self._streamed(application(environ, start))
            if verb == Verb.CAPTURE:
                return self._captured(application, environ, start)
            return application(environ, start)

        return answer

    def _captured(
        self, application: Wsgi, environ: dict[str, Any], start: Callable[..., Any]
    ) -> Iterable[bytes]:
        if Fault.HANG in self._faults:
            self._faults.hang()
            return _whole(start, b"")
        if Fault.BUSY in self._faults:
            busy = Captured(error=Failure.of(ErrorCode.BUSY))
            return _whole(start, CaptureAnswer(biometrics=(busy,)).encode())
        if Fault.HUGE in self._faults:
            start("200 OK", _headers(_HUGE))
            return (b" " * _PIECE for _ in range(_HUGE // _PIECE))
        return self._sent(start, _body(application, environ))

    def _sent(self, start: Callable[..., Any], body: bytes) -> Iterable[bytes]:
        half = body[: len(body) // 2]
        if Fault.HALF_JSON in self._faults:
            return _whole(start, half)
        # The head promises the whole; after a drop the connection is closed behind the half.
        start("200 OK", _headers(len(body)))
        if Fault.DROP in self._faults:
            return [half]
        return self._dripping(body) if Fault.SLOW in self._faults else [body]

    def _dripping(self, body: bytes) -> Iterator[bytes]:
        size = max(1, len(body) // _DRIPS)
        for at in range(0, len(body), size):
            self._faults.drip()
            yield body[at : at + size]

    def _streamed(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        pictures = 0
        try:
            for part in parts:
                pictures += len(part) > _NO_PICTURE
                if pictures > _STREAMED_FIRST and Fault.HANG in self._faults:
                    self._faults.hang()
                if pictures > _STREAMED_FIRST and Fault.DROP in self._faults:
                    yield part[: len(part) // 2]
                    return
                if pictures > _STREAMED_FIRST and Fault.SECOND_RESPONSE in self._faults:
                    yield _SECOND
                    return
                yield part
        finally:
            _close(parts)


def _close(parts: Iterable[bytes]) -> None:
    """Close what an application answered, as WSGI wants it."""
    close = getattr(parts, "close", None)
    if close is not None:
        close()


def _headers(length: int) -> list[tuple[str, str]]:
    return [("Content-Type", "application/json"), ("Content-Length", str(length))]


def _whole(start: Callable[..., Any], body: bytes) -> list[bytes]:
    start("200 OK", _headers(len(body)))
    return [body]


def _body(application: Wsgi, environ: dict[str, Any]) -> bytes:
    """Return what the application answers, without its head."""
    parts = application(environ, lambda *_: None)
    try:
        return b"".join(parts)
    finally:
        _close(parts)
