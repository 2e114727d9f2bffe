"""How well a device that is plugged in keeps to SBI: one line for each thing it should do.

It changes nothing on the device, and keeps no picture it took.
"""

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from hardware.errors import Broken, Garbled, Refused, Unplugged
from hardware.iris.port import Eye
from hardware.sbi.asked import Asked, ask_eyes, ask_face, ask_one, ask_together
from hardware.sbi.certificates import check_chain
from hardware.sbi.chain import FIRST
from hardware.sbi.discovery import INFORM, PATIENCE, Device, ask_discovery
from hardware.sbi.distrust import CheckName, Distrusted
from hardware.sbi.evidence import Evidence, check_signature
from hardware.sbi.exchange import ask_capture, expect, read_capture, write_capture
from hardware.sbi.live import Live
from hardware.sbi.messages import (
    DigitalId,
    MessageInvalid,
    StreamRequest,
    decode_discovered,
)
from hardware.sbi.outcomes import Mendable
from hardware.sbi.port import Records, Scores
from hardware.sbi.preview import read_jpeg
from hardware.sbi.provocations import LATE, SHORT, Outcome, Provocations
from hardware.sbi.raw import MOST_CAPTURE, Line
from hardware.sbi.stream import Ended, Picture
from hardware.sbi.trust import Trust
from hardware.sbi.verify import examine
from hardware.sbi.vocabulary import (
    Environment,
    Modality,
    Purpose,
    Status,
)

_SECONDS: Final = 15.0
"""Seconds given to a capture that should succeed."""
_WATCHED: Final = 3.0
"""Seconds for which the live picture is watched."""
_LEAST_FPS: Final = 3.0
"""Live pictures a second, at least (specification)."""
_ROTATED: Final = dt.timedelta(days=31)
"""Life of a device's key, at most: a month is advised."""
_CLOCK: Final = dt.timedelta(minutes=3)
"""By which a device's clock may be off before a technician should set it."""
_EYES: Final = (Eye.LEFT, Eye.RIGHT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that a device should do.

    Attributes:
        name: key of its words.
        passed: None where it could not be assessed.
        said: what was seen, for a technician.
    """

    name: str
    passed: bool | None
    said: str


class Conformance:
    """An examination of one device.

    Args:
        device: as its service describes it.
        trust: whom the station believes.
        records: reads ISO records.
        scores: measures quality again; None: claims are not checked.
        now: the time, aware.
        present: told what is asked for next, so that somebody can put it there.
        token: for services that want one.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        device: Device,
        *,
        trust: Trust,
        records: Records,
        scores: Scores | None,
        now: Callable[[], dt.datetime],
        present: Callable[[Asked], None],
        token: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._device, self._trust, self._records = device, trust, records
        self._scores, self._now, self._present = scores, now, present
        self._token, self._clock = token, clock
        self._line = Line(device.port, token=token, clock=clock)
        self._asked = _usual(device)
        self._provocations = Provocations(device, self._asked, self._line, now=now, clock=clock)

    def run(self) -> tuple[Check, ...]:
        """Return all findings, first those for which nobody need be there."""
        checks = [Check(name=name, passed=passed, said=said) for name, passed, said in self._run()]
        self._line.close()
        return tuple(checks)

    def _run(self) -> Iterator[tuple[str, bool | None, str]]:
        for name, check in (
            ("info_schema", self._info_schema),
            ("discovery", self._discovery),
            ("info_signature", self._info_signature),
            ("info_chain", self._info_chain),
            ("enrolled", self._enrolled),
            ("key_rotation", self._key_rotation),
            ("stream", self._stream),
            ("stream_timeout", self._stream_timeout),
            *self._provocations.checks().items(),
        ):
            passed, said = _tried(check)
            yield name, passed, said
            if passed is False and not self._there():
                # Whatever comes next would say the same.
                yield "alive", False, f"its service was gone after {name!r}"
                return
        yield "alive", True, ""
        yield from self._captures()

    def _there(self) -> bool:
        try:
            self._line.ask(INFORM, deadline=PATIENCE)
        except Unplugged:
            return False
        except Broken:
            return True
        return True

    def _info_schema(self) -> Outcome:
        info, identity = self._device.info, self._device.identity
        wrong = [
            name
            for name, right in (
                ("deviceStatus", info.device_status in set(Status)),
                ("env", info.env in set(Environment)),
                ("purpose", info.purpose in {"", *Purpose}),
                ("certification", info.certification in {"L0", "L1"}),
                ("specVersion", bool(info.spec_version)),
                ("deviceSubId", bool(info.device_sub_id)),
                ("deviceCode", info.device_code == identity.serial_no),
                ("type", identity.type in set(Modality)),
                ("make", bool(identity.make)),
                ("model", bool(identity.model)),
                ("deviceProvider", bool(identity.device_provider)),
            )
            if not right
        ]
        return not wrong, f"not as specified: {', '.join(wrong)}" if wrong else info.device_status

    def _discovery(self) -> Outcome:
        found = decode_discovered(self._line.ask(ask_discovery(), deadline=PATIENCE).body)
        for one in found:
            if one.device_id == self._device.info.device_id:
                serial = DigitalId.from_unsigned(one.digital_id).serial_no
                return serial == self._device.identity.serial_no, f"serial number {serial}"
        return False, "discovery does not name the device"

    def _info_signature(self) -> Outcome:
        check_signature(self._device.token, "info")
        check_signature(self._device.identity_token, "identity")
        return True, "RS256"

    def _info_chain(self) -> Outcome:
        if not self._trust.anchors:
            return None, "no trust anchor is enrolled here"
        for token in (self._device.token, self._device.identity_token):
            way = check_chain(token.chain, self._trust, self._now())
        return True, way[-1].subject.rfc4514_string()[:120]

    def _enrolled(self) -> Outcome:
        serial = self._device.identity.serial_no
        if self._trust.serials is None:
            return None, "no devices are enrolled here"
        return serial in self._trust.serials, serial

    def _key_rotation(self) -> Outcome:
        leaf = self._device.token.leaf
        life = leaf.not_valid_after_utc - leaf.not_valid_before_utc
        left = leaf.not_valid_after_utc - self._now()
        said = f"valid for {life.days} days, {left.days} left; a month is advised"
        return True if life <= _ROTATED else None, said

    def _live(self, seconds: float) -> Live:
        body = StreamRequest(
            device_id=self._device.info.device_id,
            device_sub_id=self._asked.sub_id,
            timeout=str(int(seconds * 1000)),
        ).encode()
        line = Line(self._device.port, token=self._token, clock=self._clock)
        return Live(line, body, lambda _port: None)

    def _stream(self) -> Outcome:
        live = self._live(60.0)
        began = self._clock()
        times: list[float] = []
        for picture in live:
            if isinstance(picture, Ended):
                return False, f"ended at once: {picture.code} {picture.said}"
            if read_jpeg(picture.jpeg, colour=True) is None:
                return False, "a live picture cannot be decoded"
            times.append(self._clock())
            if times[-1] - times[0] >= _WATCHED:
                break
        else:
            return False, f"hung up after {self._clock() - began:.1f} s"
        live.close()
        # A camera may have to be started before the first.
        rate = (len(times) - 1) / (times[-1] - times[0])
        self._settle()
        return rate >= _LEAST_FPS, f"{rate:.1f} pictures a second"

    def _stream_timeout(self) -> Outcome:
        began = self._clock()
        live = self._live(SHORT)
        for picture in live:
            if isinstance(picture, Picture) and self._clock() - began > SHORT + LATE:
                live.close()
                self._settle()
                return False, "it goes on after its time"
        ended = self._clock() - began
        return ended >= SHORT - 1.0, f"ended after {ended:.1f} s of {SHORT:.0f}"

    def _settle(self) -> None:
        """Give the device time to notice that its stream is over."""
        for _ in range(10):
            found = decode_discovered(self._line.ask(ask_discovery(), deadline=PATIENCE).body)
            if all(
                one.device_status == Status.READY
                for one in found
                if one.device_id == self._device.info.device_id
            ):
                return
            threading.Event().wait(0.2)

    def _captures(self) -> Iterator[tuple[str, bool | None, str]]:
        """Take two captures, the second tied to the first, and hold them against all checks."""
        names = ("capture", *CheckName, "clock", "hash_carried")
        self._present(self._asked)
        try:
            first = self._taken(FIRST)
            yield "capture", True, f"{len(first.pieces)} pictures"
        except (Broken, MessageInvalid) as error:
            of = error.check if isinstance(error, Distrusted) else "capture"
            for name in names:
                yield name, False if name == of else None, str(error) if name == of else ""
            return
        yield CheckName.SIGNATURE, True, "RS256"
        yield ("clock", *_tried(lambda: _off(first)))
        for name, (passed, said) in _held(first).items():
            yield name, passed, said
        self._present(self._asked)
        yield ("hash_carried", *_tried(lambda: self._carried(first)))

    def _carried(self, first: Evidence) -> Outcome:
        second = self._taken(first.pieces[-1].captured.hash.upper())
        refusal = examine(second)[CheckName.HASH_CHAIN]
        return refusal is None, "" if refusal is None else str(refusal)

    def _taken(self, previous: str) -> Evidence:
        message = write_capture(
            self._device,
            self._asked,
            seconds=_SECONDS,
            score=1,
            previous=previous,
            now=self._now(),
        )
        answer = self._line.ask(
            ask_capture(message), deadline=_SECONDS + PATIENCE, most=MOST_CAPTURE
        )
        captured = read_capture(answer, f"port {self._device.port}")
        if isinstance(captured, Mendable):
            raise Refused(f"no picture: {captured.name.lower()}", 0)
        return Evidence(
            captured,
            expect(message, self._device, self._asked, self._now()),
            trust=self._trust,
            records=self._records,
            scores=self._scores,
        )


def _off(evidence: Evidence) -> Outcome:
    off = abs(evidence.pieces[0].moment - evidence.expected.at)
    return off <= _CLOCK, f"{off.total_seconds():.0f} s off when the answer came"


def _held(evidence: Evidence) -> dict[str, Outcome]:
    try:
        outcomes = examine(evidence)
    except Garbled as error:
        return {CheckName.RECORD: (False, str(error))}
    found: dict[str, Outcome] = {
        name: (refusal is None, "" if refusal is None else str(refusal))
        for name, refusal in outcomes.items()
    }
    if not evidence.trust.anchors:
        found[CheckName.CHAIN] = (None, "no trust anchor is enrolled here")
    if evidence.scores is None and found[CheckName.QUALITY][0]:
        found[CheckName.QUALITY] = (None, "nothing here measures quality")
    return found


def _tried(check: Callable[[], Outcome]) -> Outcome:
    try:
        return check()
    except (Broken, MessageInvalid) as error:
        return False, str(error)


def _usual(device: Device) -> Asked:
    """Return what a device of this kind is asked for most."""
    kind = device.identity.device_sub_type.casefold()
    if device.identity.type == Modality.FACE:
        return ask_face()
    if device.identity.type == Modality.IRIS:
        eyes = _EYES if kind == "double" else _EYES[:1]
        return ask_eyes(eyes)
    return ask_together((7, 8, 9, 10)) if kind == "slap" else ask_one(7)
