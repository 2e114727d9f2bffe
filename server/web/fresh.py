"""Answers that may be a few seconds old: computed once, given to everybody who asks meanwhile.

It knows no question: whoever asks brings the key and the work.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar

V = TypeVar("V")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept(Generic[V]):
    since: datetime
    answer: Future[V] = field(default_factory=Future)


class Fresh(Generic[V]):
    """Answers by key, at most `seconds` old and at most `most` of them, the oldest forgotten."""

    def __init__(self, *, seconds: float, most: int) -> None:
        self._life = timedelta(seconds=seconds)
        self._most = most
        self._kept: OrderedDict[Hashable, _Kept[V]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, *, now: datetime, make: Callable[[], V]) -> V:
        """Return the answer to `key`; `make` is called by one asker, the others wait for it.

        What `make` raises is raised in all who wait, and is not kept.
        """
        with self._lock:
            kept = self._kept.get(key)
            ours = kept is None or not kept.since <= now < kept.since + self._life
            if kept is None or ours:
                kept = _Kept(since=now)
                self._kept[key] = kept
                self._kept.move_to_end(key)
                while len(self._kept) > self._most:
                    self._kept.popitem(last=False)
        if ours:
            self._work(key, kept, make)
        return kept.answer.result()

    def _work(self, key: Hashable, kept: _Kept[V], make: Callable[[], V]) -> None:
        try:
            kept.answer.set_result(make())
        except BaseException as error:
            with self._lock:
                if self._kept.get(key) is kept:
                    del self._kept[key]
            kept.answer.set_exception(error)
            raise
