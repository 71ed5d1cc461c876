"""Renders in worker processes, for engines that crash, hang or keep Python's global lock."""

from __future__ import annotations

import contextlib
import hashlib
import multiprocessing
import pickle
import shutil
import signal
import tempfile
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from wav2patch.files import write_bytes
from wav2patch.rendering.base import Failure
from wav2patch.rendering.isolated import IsolatedRenderer, Job, Worker, WorkerEndedError
from wav2patch.rendering.spawning import child_settings, main_module
from wav2patch.rendering.worker import Start, work, worker_folder
from wav2patch.synths.base import Audio, Synth

_FILES_KEPT = 4
_PARTING = 1.0
_LOADING = 60.0


class ProcessRenderer(IsolatedRenderer["ProcessWorker"]):
    """A fixed number of worker processes, each with the synth loaded once.

    A render that ends its process (crash, exit, kill), passes the deadline or is not audio costs itself; the worker
    is replaced. A patch that took its worker along twice is skipped from then on. Workers have one thread for linear
    algebra, no display, and a private folder named in ``WAV2PATCH_WORKER_FOLDER``.

    A synth may have a method ``prepare() -> None`` that loads its engine: it is called as the worker starts, outside
    of any render's deadline.

    Args:
        synth: Is pickled into each worker.
        workers: Number of processes.
        deadline: Seconds that one render may take.
        max_tasks: Renders after which a worker is replaced, for engines that leak; None for never.

    Raises:
        ValueError: The synth cannot be pickled, or a number is out of range.
    """

    def __init__(self, synth: Synth, workers: int, deadline: float = 30.0, *, max_tasks: int | None = None) -> None:
        super().__init__(workers, deadline, max_tasks, _LOADING)
        data = _pickled(synth, "a synth that renders in worker processes")
        self._folder = Path(tempfile.mkdtemp(prefix="wav2patch-"))
        self._tidy = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._start_with = Start(data, main_module(), self._folder, (_LOADING, deadline))
        self._stored: deque[str] = deque()
        self._thread.submit(self._staff)

    def _store(self, then: Callable[[Audio], Any]) -> str:
        data = _pickled(then, "what follows a render in a worker process")
        key = hashlib.blake2b(data, digest_size=16).hexdigest()
        if key in self._stored:
            self._stored.remove(key)
        else:
            write_bytes(self._folder / key, data)
        self._stored.append(key)
        if len(self._stored) > _FILES_KEPT:
            (self._folder / self._stored.popleft()).unlink(missing_ok=True)
        return key

    def _start(self) -> ProcessWorker:
        return ProcessWorker(self._start_with)

    def _wait(self, workers: Sequence[ProcessWorker], seconds: float) -> Iterable[ProcessWorker]:
        lines = {line: worker for worker in workers for line in worker.lines}
        # A worker is heard once, even if it both answered and ended.
        return dict.fromkeys(lines[line] for line in wait(list(lines), seconds))

    def _end_all(self, workers: Sequence[ProcessWorker]) -> None:
        for worker in workers:
            worker.dismiss()
        for worker in workers:
            worker.end()
        self._tidy()


class ProcessWorker(Worker):
    """One spawned process and the pipe to it."""

    def __init__(self, start: Start) -> None:
        super().__init__()
        self._folder = start.folder
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=work, args=(theirs, start), name="wav2patch worker", daemon=True)
        with theirs, child_settings():
            self._process.start()
        self.lines: tuple[Any, Any] = (self._pipe, self._process.sentinel)

    def send(self, job: Job) -> None:
        """Hand it a job; short enough for the pipe to take it whole while the worker is busy."""
        sound = job.sound
        with contextlib.suppress(OSError):
            self._pipe.send((job.batch.then, job.patch, sound.note, sound.length, sound.sample_rate))

    def receive(self) -> Any:
        """Its next answer; see `Worker.receive`."""
        try:
            # A process that has ended may have answered before.
            data = self._pipe.recv_bytes() if self._pipe.poll() else None
        except (EOFError, OSError):
            data = None
        if data is None:
            raise WorkerEndedError(f"ended its worker process ({self._cause()})")
        try:
            answer = pickle.loads(data)
        except Exception as error:
            return Failure(f"what came of the render cannot be read back: {type(error).__name__}: {error}")
        if not self.ready and isinstance(answer, Failure):
            raise WorkerEndedError(answer.reason)
        return answer

    def dismiss(self) -> None:
        """Let it end by itself if it is idle."""
        self._pipe.close()
        if self.jobs or not self.ready:
            self._process.kill()

    def end(self) -> None:
        """End it, whatever it is doing."""
        if self._pipe.closed:
            self._process.join(_PARTING)
        self._pipe.close()
        self._process.kill()
        self._process.join()
        shutil.rmtree(worker_folder(self._folder, self._process.pid or 0), ignore_errors=True)
        self._process.close()

    def _cause(self) -> str:
        self._process.join(_PARTING)
        code = self._process.exitcode
        if code is None:
            return "it stopped listening"
        if code < 0:
            return signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        return f"exit code {code}"


def _pickled(thing: Any, what: str) -> bytes:
    try:
        return pickle.dumps(thing, protocol=5)
    except Exception as error:
        raise ValueError(f"{what} has to be picklable, so made of what modules define: {error}") from error
