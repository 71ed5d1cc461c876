"""Work on the rows of a data set in several processes, with results in the order of the tasks."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Generic, TypeVar

from wav2patch.errors import UserError
from wav2patch.rendering.spawning import child_settings

_T = TypeVar("_T")
_R = TypeVar("_R")

# Tasks handed out and not yet taken back, per worker: none waits for the next one, and memory stays flat.
_AHEAD = 2


def in_order(worker: Callable[[_T], _R], tasks: Sequence[_T], workers: int) -> Iterator[_R]:
    """Do every task, and give the results in the order of the tasks.

    Args:
        worker: What does a task; pickled into each process once, and used in this one if there is one worker.
        tasks: What to do, each small enough to travel.
        workers: Number of processes.

    Raises:
        UserError: What a task raised, or a process was ended from outside.
    """
    if min(workers, len(tasks)) <= 1:
        yield from map(worker, tasks)
        return
    crew = _Crew(worker, min(workers, len(tasks)))
    try:
        yield from crew.results(tasks)
    except BrokenProcessPool:
        raise UserError("a worker process was ended from outside, perhaps for want of memory: try workers=1.") from None
    finally:
        crew.close()


class _Crew(Generic[_T, _R]):
    def __init__(self, worker: Callable[[_T], _R], workers: int) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(workers, spawn, initializer=_begin, initargs=(worker,))
        self._ahead = _AHEAD * workers

    def results(self, tasks: Sequence[_T]) -> Iterator[_R]:
        under_way: deque[Future[_R]] = deque()
        for task in tasks:
            # Processes are started as tasks come in.
            with child_settings():
                under_way.append(self._pool.submit(_work, task))
            if len(under_way) >= self._ahead:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)


# What a worker process works with: a task is too small to bring it along each time.
_WORKER: list[Callable[[Any], Any]] = []


def _begin(worker: Callable[[Any], Any]) -> None:
    _WORKER[:] = [worker]
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_leave_after, args=(parent.join,), daemon=True).start()


def _work(task: Any) -> Any:
    return _WORKER[0](task)


def _leave_after(end: Callable[[], None]) -> None:
    """A parent that is killed does not say so, and its workers would wait for ever."""
    end()
    os._exit(1)
