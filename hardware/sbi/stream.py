"""The live picture of an SBI device (M-JPEG over HTTP) without I/O: bytes in, pictures out.

It decodes no JPEG; it opens no connection.
"""

import json
import re
from dataclasses import dataclass
from typing import Final

from hardware.errors import Garbled
from hardware.sbi.raw import Chunks, read_head, read_headers, split_head

MOST_FRAME: Final = 8 * 1024 * 1024
"""Bytes of one picture, at most; a 1080p JPEG has about 0.5 MiB."""
_MOST_PART_HEAD: Final = 4 * 1024
_MOST_REPLY: Final = 64 * 1024
_START: Final = b"\xff\xd8"
_END: Final = b"\xff\xd9"
_ANSWER: Final = rb"HTTP/1\.[01] \d{3}"
_ANY_BOUNDARY: Final = rb"[\w'()+,./:=?-]{1,70}"
_MOST_MARK: Final = 80
_TEXT: Final = re.compile(rb"[\r\n]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One whole JPEG."""

    jpeg: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The device ended the stream and says why, in a second answer or instead of a stream.

    Attributes:
        code: SBI's error code, None where none stands there.
    """

    code: int | None
    said: str


class StreamParser:
    """What comes of one STREAM request, cut anywhere.

    A damaged part costs no other one: it is counted, and the next boundary looked for. Whole
    HTTP answers in the middle of the stream are known too; services write one when time is out.

    Args:
        most: bytes of one picture, at most.
    """

    def __init__(self, most: int = MOST_FRAME) -> None:
        self._most = most
        self._held = bytearray()
        self._head_seen = False
        self._chunks: Chunks | None = None
        self._marks = re.compile(_ANSWER)
        self._reply: int | None = None
        self._in_reply = False
        self.damaged = 0
        self.ended = False

    def feed(self, data: bytes) -> tuple[Picture | Ended, ...]:
        """Return the pictures, and perhaps the end, that `data` completes.

        Raises:
            Garbled: the first thing that comes is not HTTP.
        """
        if self.ended:
            return ()
        if self._head_seen:
            self._held += data if self._chunks is None else self._chunks.feed(data)
        else:
            self._held += data
            if not self._begin():
                return ()
        found: list[Picture | Ended] = []
        while (made := self._step()) is not None:
            found.extend(made)
        return tuple(found)

    def end(self) -> tuple[Ended, ...]:
        """Return what the end of the connection completes: an answer without a length."""
        if self.ended or not self._in_reply:
            return ()
        return (self._close(bytes(self._held)),)

    def _begin(self) -> bool:
        parts = split_head(self._held)
        if parts is None:
            if len(self._held) > _MOST_PART_HEAD:
                raise Garbled("the stream's head has no end")
            return False
        head = read_head(parts[0])
        rest = bytes(self._held[parts[1] :])
        if head.chunked:
            self._chunks = Chunks()
            rest = self._chunks.feed(rest)
        self._held = bytearray(rest)
        self._head_seen = True
        kind = head.headers.get("content-type", "")
        if not kind.lower().startswith("multipart/"):
            self._in_reply, self._reply = True, None if head.chunked else head.length
            return True
        # The boundary is announced with or without the two dashes that stand before it.
        name = kind.partition("boundary=")[2].partition(";")[0].strip().strip('"').lstrip("-")
        delimiter = re.escape(name.encode("latin-1")) or _ANY_BOUNDARY
        self._marks = re.compile(rb"--+" + delimiter + rb"(?=\s)|" + _ANSWER)
        return True

    def _step(self) -> list[Picture | Ended] | None:
        """Take one thing off the held bytes; None where more must come first, or nothing will."""
        if self.ended:
            return None
        if self._in_reply:
            return self._answered()
        mark = self._marks.search(self._held)
        if mark is None:
            # Nothing of what is held can be a mark but its end.
            del self._held[:-_MOST_MARK]
            return None
        if _TEXT.sub(b"", bytes(self._held[: mark.start()])):
            self.damaged += 1
        del self._held[: mark.start()]
        parts = split_head(self._held)
        if parts is None or parts[1] > _MOST_PART_HEAD:
            if len(self._held) <= _MOST_PART_HEAD:
                return None
            return self._spoiled()
        return self._part(*parts)

    def _answered(self) -> list[Picture | Ended] | None:
        if self._reply is None and self._chunks is not None and self._chunks.ended:
            self._reply = len(self._held)
        if len(self._held) < (_MOST_REPLY if self._reply is None else self._reply):
            return None
        return [self._close(bytes(self._held[: self._reply]))]

    def _part(self, head: bytes, start: int) -> list[Picture | Ended] | None:
        if head.startswith(b"HTTP/"):
            return self._answer(head, start)
        said = read_headers(head.decode("latin-1").splitlines()[1:]).get("content-length", "")
        if not (said.isascii() and said.isdigit()):
            return self._unmeasured(start)
        length = int(said) if len(said) < len(str(self._most)) + 1 else self._most + 1
        if length > self._most:
            return self._spoiled()
        jpeg = bytes(self._held[start : start + length])
        if len(jpeg) < length:
            cut = self._marks.search(self._held, start)
            # A mark inside a picture that is not whole yet: the picture was cut short.
            return None if cut is None else self._spoiled()
        if not _is_whole(jpeg):
            return self._spoiled()
        del self._held[: start + length]
        return [Picture(jpeg=jpeg)]

    def _answer(self, head: bytes, start: int) -> list[Picture | Ended]:
        try:
            length = read_head(head).length
        except Garbled:
            return self._spoiled()
        del self._held[:start]
        self._in_reply, self._reply = True, length
        return []

    def _unmeasured(self, start: int) -> list[Picture | Ended] | None:
        """Take a picture that says no length: it goes to the next mark."""
        mark = self._marks.search(self._held, start)
        if mark is None:
            return self._spoiled() if len(self._held) > self._most else None
        jpeg = bytes(self._held[start : mark.start()]).rstrip(b"\r\n")
        if not _is_whole(jpeg):
            return self._spoiled()
        del self._held[: mark.start()]
        return [Picture(jpeg=jpeg)]

    def _spoiled(self) -> list[Picture | Ended]:
        """Give up the part at hand; the next step looks for the next mark."""
        self.damaged += 1
        mark = self._marks.match(self._held)
        del self._held[: mark.end() if mark is not None else 1]
        following = self._marks.search(self._held)
        # The last bytes may be the first of a mark.
        del self._held[: -_MOST_MARK if following is None else following.start()]
        return []

    def _close(self, body: bytes) -> Ended:
        self.ended = True
        self._held.clear()
        return read_end(body)


def _is_whole(jpeg: bytes) -> bool:
    return jpeg.startswith(_START) and jpeg.rstrip(b"\0\r\n").endswith(_END)


def read_end(body: bytes) -> Ended:
    """Return what an answer in place of pictures says."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return Ended(code=None, said=body[:80].decode("utf-8", "replace"))
    entry = parsed[0] if isinstance(parsed, list) and parsed else parsed
    error = entry.get("error") if isinstance(entry, dict) else None
    if not isinstance(error, dict):
        return Ended(code=None, said=str(parsed)[:80])
    code = str(error.get("errorCode", ""))
    return Ended(
        code=int(code) if code.isascii() and code.isdigit() and len(code) < 6 else None,  # noqa: PLR2004
        said=str(error.get("errorInfo", ""))[:200],
    )
