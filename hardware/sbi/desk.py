"""A service without HTTP: who is busy, the best of several tries, and what goes into an answer.

It knows no verb and no header.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from hardware.errors import Broken, Silent, Unplugged
from hardware.sbi.answers import Answers, Scored
from hardware.sbi.messages import (
    CaptureAnswer,
    CaptureRequest,
    Denied,
    Discovered,
    DiscoveryRequest,
    Failure,
    Informed,
)
from hardware.sbi.offers import Look, Offer, Take, Wish
from hardware.sbi.port import EyePicture, FingerPicture, Scores
from hardware.sbi.vocabulary import ANY, ErrorCode, Modality, Status
from hardware.sbi.wishes import Refusal, check_head, read_wish

log = logging.getLogger(__name__)

_PAUSE: Final = 0.1
"""Seconds between two tries."""


@dataclass(slots=True, eq=False)
class _Seat:
    """A device and what is under way with it."""

    offer: Offer
    capturing: threading.Lock
    streams: int = 0
    """How many streams there were; the newest alone goes on."""
    live: int = 0


class Desk:
    """Devices, and what they are asked for.

    Args:
        offers: the devices; closed with the desk.
        answers: builds what goes back.
        scores: measures quality; None: what readers claim is passed on.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        offers: Sequence[Offer],
        answers: Answers,
        scores: Scores | None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seats = {
            offer.card.device_id: _Seat(offer=offer, capturing=threading.Lock()) for offer in offers
        }
        if len(self._seats) != len(offers):
            raise ValueError("two devices of one id")
        self._answers, self._scores, self._clock = answers, scores, clock
        self._guard = threading.Lock()

    def discover(self, request: DiscoveryRequest, port: int) -> tuple[Discovered | Denied, ...]:
        """Return the devices of the wanted modality, or one entry that says why there is none."""
        if request.type != ANY and request.type not in set(Modality):
            return (Denied(error=Failure.of(ErrorCode.TYPE)),)
        found = tuple(
            self._answers.discovered(seat.offer.card, port, _status(seat))
            for seat in self._seats.values()
            if request.type in (ANY, seat.offer.card.modality)
        )
        return found or (Denied(error=Failure.of(ErrorCode.NO_DEVICE)),)

    def inform(self, port: int) -> tuple[Informed, ...]:
        """Return what every device says of itself."""
        return tuple(
            self._answers.informed(seat.offer.card, port, _status(seat))
            for seat in self._seats.values()
        )

    def capture(self, request: CaptureRequest, gone: Callable[[], bool]) -> CaptureAnswer:
        """Return the pictures of a request, or one entry that says why there are none.

        Args:
            request: what is wanted.
            gone: whether whoever asked has hung up.
        """
        try:
            check_head(request, self._answers.env)
            seat = self._seat(request.bio[0].device_id)
            wish = read_wish(request, seat.offer.card)
            with _held(seat):
                found = self._best(seat.offer, wish, gone)
                entries = self._answers.captured(seat.offer.card, request, found)
        except Refusal as refusal:
            log.info("capture refused: %s %s", int(refusal.code), refusal)
            return CaptureAnswer(biometrics=(self._answers.refused(refusal.code, str(refusal)),))
        except Broken as error:
            log.warning("capture: %s", error)
            code = ErrorCode.NO_DEVICE if isinstance(error, Unplugged) else ErrorCode.NOT_READY
            return CaptureAnswer(biometrics=(self._answers.refused(code),))
        except ValueError as error:
            log.warning("no record can hold what was taken: %s", error)
            return CaptureAnswer(biometrics=(self._answers.refused(ErrorCode.EXTRACTION),))
        log.info("captured: %d of %s", len(entries), seat.offer.card.device_id)
        return CaptureAnswer(biometrics=entries)

    @contextmanager
    def watched(self, device_id: str) -> Iterator[tuple[Look, Callable[[], bool]]]:
        """Give what returns the newest live picture, and whether this stream is still the newest.

        Raises:
            Refusal: no such device.
        """
        seat = self._seat(device_id)
        with self._guard:
            seat.streams += 1
            mine = seat.streams
            seat.live += 1
        try:
            with seat.offer.watched() as look:
                yield look, lambda: seat.streams == mine
        finally:
            with self._guard:
                seat.live -= 1

    def close(self) -> None:
        """Let every device go; may be called twice."""
        for seat in self._seats.values():
            seat.offer.close()

    def _seat(self, device_id: str) -> _Seat:
        seat = self._seats.get(device_id)
        if seat is None:
            raise Refusal(ErrorCode.NOT_FOUND)
        return seat

    def _best(self, offer: Offer, wish: Wish, gone: Callable[[], bool]) -> list[Scored]:
        """Try until the score is reached or time is over; then the best there was is good enough.

        Raises:
            Refusal: nothing was there, or not all of it, at any time.
            Broken: the device failed before anything was taken.
        """
        until = self._clock() + wish.seconds
        best: list[Scored] = []
        worth, took = -1.0, 0.0
        # Another try that would not end in time is not begun.
        while (began := self._clock()) + (took if best else 0.0) < until and not gone():
            try:
                takes = offer.attempt(wish, until - began)
            except Silent:
                if best:
                    break
                if self._clock() < until:
                    raise
                # A finger was put there too late for its image to come over.
                raise Refusal(ErrorCode.CAPTURE_TIMEOUT) from None
            scored = [Scored(take=take, quality=self._score(take)) for take in takes]
            known = [one.quality for one in scored if one.quality is not None]
            mean = fmean(known) if known else 0.0
            whole = len(scored) == len(wish.sub_types)
            if whole and mean > worth:
                best, worth = scored, mean
            # What cannot be measured is not waited for.
            if whole and (not known or worth >= wish.score):
                break
            time.sleep(max(0.0, min(_PAUSE, until - self._clock())))
            took = self._clock() - began
        if not best:
            raise Refusal(ErrorCode.NO_OBJECT)
        return best

    def _score(self, take: Take) -> int | None:
        """Return what we measure; where that is nothing, what the reader claims."""
        found: int | None = None
        if self._scores is not None:
            if isinstance(take.picture, FingerPicture):
                found = self._scores.finger(take.picture)
            elif isinstance(take.picture, EyePicture):
                found = self._scores.iris(take.picture)
            else:
                found = self._scores.face(take.picture)
        return take.picture.quality if found is None else found


def _status(seat: _Seat) -> Status:
    return Status.BUSY if seat.live or seat.capturing.locked() else Status.READY


@contextmanager
def _held(seat: _Seat) -> Iterator[None]:
    if not seat.capturing.acquire(blocking=False):
        raise Refusal(ErrorCode.BUSY)
    try:
        yield
    finally:
        seat.capturing.release()
