"""Work on many pictures in several processes, of which one may fall without taking the rest along.

It knows nothing of pictures. A picture that takes its process down is named, and only it is lost.
"""

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Final, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_AHEAD: Final = 4
"""Items handed out for each process: enough to keep it busy, few to try again after a fall."""


def each(
    work: Callable[[Item], Result], items: Iterable[Item], processes: int
) -> Iterator[tuple[Item, Result | None]]:
    """Yield every item with what `work` made of it, None where it took a process down.

    The order is that in which they become ready. Processes are spawned, not forked: OpenCV's
    threads do not survive a fork. What `work` raises is raised here.
    """
    left = deque(items)
    pool = _pool(processes)
    flying: dict[Future[Result], Item] = {}
    try:
        while left or flying:
            fallen: list[Item] = []
            while left and len(flying) < processes * _AHEAD:
                item = left.popleft()
                try:
                    flying[pool.submit(work, item)] = item
                except BrokenProcessPool:
                    fallen.append(item)
                    break
            for future in wait(flying, return_when=FIRST_COMPLETED).done:
                item = flying.pop(future)
                try:
                    result = future.result()
                except BrokenProcessPool:
                    fallen.append(item)
                    continue
                yield item, result
            if fallen:
                fallen.extend(flying.values())
                flying.clear()
                pool.shutdown(cancel_futures=True)
                yield from _one_by_one(work, fallen)
                pool = _pool(processes)
    finally:
        pool.shutdown(cancel_futures=True)


def _one_by_one(
    work: Callable[[Item], Result], items: Iterable[Item]
) -> Iterator[tuple[Item, Result | None]]:
    """Yield the results of items one of which took its process down, each alone in the next."""
    pool = _pool(1)
    try:
        for item in items:
            try:
                yield item, pool.submit(work, item).result()
            except BrokenProcessPool:
                pool.shutdown()
                pool = _pool(1)
                yield item, None
    finally:
        pool.shutdown(cancel_futures=True)


def _pool(processes: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn"))
