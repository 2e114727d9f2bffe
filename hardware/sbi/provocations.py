"""Requests that a device should refuse, or answer in time: what it does with them.

It asks for no picture that anybody should be there for.
"""

import datetime as dt
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from hardware.errors import Unplugged
from hardware.sbi.asked import Asked
from hardware.sbi.chain import FIRST
from hardware.sbi.discovery import INFORM, PATIENCE, Device
from hardware.sbi.exchange import ask_capture, write_capture
from hardware.sbi.messages import CaptureAnswer, Captured, CaptureRequest, MessageInvalid
from hardware.sbi.raw import LOOPBACK, MOST_CAPTURE, Line, Request
from hardware.sbi.vocabulary import PATHS, ErrorCode, Verb

Outcome = tuple[bool | None, str]
"""Whether it was as it should be (None: nobody can say), and what was seen."""

LATE: Final = 1.5
"""Seconds by which an answer may come after its time-out."""
SHORT: Final = 2.0
"""Seconds given to what should be refused, or should run out of time."""
_BAD_STATUS: Final = 400
_FIVE_FINGERS: Final = "5"
_BUSY: Final = frozenset({int(ErrorCode.BUSY), 703})
"""703: the mock's own word for a capture that is under way."""


class Provocations:
    """Everything that one device should refuse.

    Args:
        device: that is asked.
        asked: what it would be asked for rightly.
        line: to its service.
        now: the time, aware.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        device: Device,
        asked: Asked,
        line: Line,
        *,
        now: Callable[[], dt.datetime],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._device, self._asked, self._line = device, asked, line
        self._now, self._clock = now, clock

    def checks(self) -> dict[str, Callable[[], Outcome]]:
        """Return each of them by its name; they may raise `Broken`."""
        return {
            "loopback_only": self._loopback_only,
            "origin_refused": self._origin_refused,
            "host_checked": self._host_checked,
            "unknown_verb": self._unknown_verb,
            "malformed_json": self._malformed_json,
            "short_transaction": lambda: self._transaction("a"),
            "bad_transaction": lambda: self._transaction("bad id!"),
            "long_transaction": lambda: self._transaction("a" * 51),
            "count_refused": self._count,
            "environment_refused": self._environment,
            "purpose_refused": self._purpose,
            "type_refused": self._type,
            "device_refused": self._device_id,
            "capture_timeout": self._capture_timeout,
            "busy": self._busy,
        }

    def _loopback_only(self) -> Outcome:
        address = _own_address()
        if address is None:
            return None, "this machine has no address beside the loopback's"
        try:
            socket.create_connection((address, self._device.port), timeout=1.0).close()
        except OSError:
            return True, f"not on {address}"
        return False, f"anybody on the network reaches it on {address}"

    def _origin_refused(self) -> Outcome:
        return self._shut_out(("Origin", "https://elsewhere.example"))

    def _host_checked(self) -> Outcome:
        return self._shut_out(("Host", "elsewhere.example"))

    def _shut_out(self, header: tuple[str, str]) -> Outcome:
        asked = Request(INFORM.verb, INFORM.path, headers=(header,))
        try:
            answer = self._line.ask(asked, deadline=PATIENCE)
        except Unplugged:
            return True, "hung up"
        return answer.status >= _BAD_STATUS, f"HTTP {answer.status}"

    def _unknown_verb(self) -> Outcome:
        try:
            answer = self._line.ask(Request("FROBNICATE", "/device"), deadline=PATIENCE)
        except Unplugged:
            return True, "hung up"
        # The specification's own mock says 405.
        return answer.status >= _BAD_STATUS, f"HTTP {answer.status}"

    def _malformed_json(self) -> Outcome:
        asked = Request(Verb.CAPTURE, PATHS[Verb.CAPTURE], b'{"env":')
        passed, said = self._refused(asked, frozenset())
        self._line.ask(INFORM, deadline=PATIENCE)
        return passed, said

    def _transaction(self, name: str) -> Outcome:
        message = self._message().model_copy(update={"transaction_id": name})
        return self._refused(ask_capture(message), frozenset({int(ErrorCode.TRANSACTION)}))

    def _count(self) -> Outcome:
        return self._changed_bio({"count": _FIVE_FINGERS}, ErrorCode.COUNT)

    def _environment(self) -> Outcome:
        message = self._message().model_copy(update={"env": "Elsewhere"})
        return self._refused(ask_capture(message), frozenset({int(ErrorCode.ENVIRONMENT)}))

    def _purpose(self) -> Outcome:
        message = self._message().model_copy(update={"purpose": "Curiosity"})
        return self._refused(ask_capture(message), frozenset())

    def _type(self) -> Outcome:
        return self._changed_bio({"type": "Gait"}, ErrorCode.TYPE)

    def _device_id(self) -> Outcome:
        return self._changed_bio({"device_id": "no such device"}, None)

    def _changed_bio(self, change: dict[str, str], code: ErrorCode | None) -> Outcome:
        message = self._message()
        bio = message.bio[0].model_copy(update=change)
        asked = ask_capture(message.model_copy(update={"bio": (bio,)}))
        return self._refused(asked, frozenset() if code is None else frozenset({int(code)}))

    def _refused(self, asked: Request, codes: frozenset[int]) -> Outcome:
        """Pass where the answer is an error, and of `codes` where there are any."""
        answer = self._line.ask(asked, deadline=SHORT + PATIENCE, most=MOST_CAPTURE)
        code = _code(answer.body)
        if code is None:
            # A refusal may be HTTP's alone, where no code is specified.
            return (
                answer.status >= _BAD_STATUS and not codes,
                f"HTTP {answer.status} without a code",
            )
        wanted = f", not {sorted(codes)}" if codes and code not in codes else ""
        return code != 0 and (not codes or code in codes), f"code {code}{wanted}"

    def _capture_timeout(self) -> Outcome:
        began = self._clock()
        self._line.ask(
            ask_capture(self._message()),
            deadline=SHORT + 5 * LATE,
            most=MOST_CAPTURE,
        )
        took = self._clock() - began
        return took <= SHORT + LATE, f"answered after {took:.1f} s of {SHORT:.0f}"

    def _busy(self) -> Outcome:
        """Ask twice at once; where both get a picture, the first may have been over too soon."""

        def ask() -> int | None:
            asked = ask_capture(self._message())
            return _code(self._line.ask(asked, deadline=SHORT + PATIENCE, most=MOST_CAPTURE).body)

        began = self._clock()
        with ThreadPoolExecutor(max_workers=2) as pool:
            first = pool.submit(ask)
            threading.Event().wait(0.4)
            second = pool.submit(ask)
            codes = {first.result(), second.result()}
        took = self._clock() - began
        if codes <= {0, None}:
            return None, "it gave a picture before it could be busy"
        return bool(codes & _BUSY), f"codes {sorted(map(str, codes))} within {took:.1f} s"

    def _message(self) -> CaptureRequest:
        """Return a message that is right, for a picture better than any."""
        return write_capture(
            self._device,
            self._asked,
            seconds=SHORT,
            score=100,
            previous=FIRST,
            now=self._now(),
        )


def _code(body: bytes) -> int | None:
    """Return the first error code of an answer, None where there is none."""
    try:
        said = CaptureAnswer.decode(body)
    except MessageInvalid:
        return None
    entries: tuple[CaptureAnswer | Captured, ...] = (said, *said.biometrics)
    codes = [entry.error.code for entry in entries if entry.error is not None]
    known = [code for code in codes if code is not None]
    return next((code for code in known if code), known[0] if known else None)


def _own_address() -> str | None:
    """Return this machine's address on the network, found without a packet sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1: nobody is there
        except OSError:
            return None
        address = str(probe.getsockname()[0])
    return None if address in {LOOPBACK, "0.0.0.0"} else address  # noqa: S104 - compared, not bound
