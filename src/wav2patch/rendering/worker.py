"""What runs in a worker process: it loads a synth once and renders what it is sent."""

from __future__ import annotations

import contextlib
import faulthandler
import multiprocessing
import os
import pickle
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TextIO

from wav2patch.notes import Note
from wav2patch.parameters import Patch
from wav2patch.rendering.base import Failure, Sound, render_one
from wav2patch.rendering.spawning import import_main
from wav2patch.synths.base import Audio, Synth

FOLDER_VARIABLE = "WAV2PATCH_WORKER_FOLDER"
_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")
_THENS_KEPT = 4
_GRACE = 2.0


@dataclass(frozen=True)
class Start:
    """What a worker process is started with.

    Attributes:
        synth: Pickled.
        main: The program's own module, for what is pickled from there: ``("path", file)``, ``("module", name)``.
        folder: The renderer's folder, which is gone when the renderer is.
        limits: Seconds for loading the synth and for one render.
    """

    synth: bytes
    main: tuple[str, str] | None
    folder: Path
    limits: tuple[float, float]


Task = tuple[str, Patch, Note, float, int]


def work(pipe: Connection, start: Start) -> None:
    """Answer once when the synth is loaded, then every task, until the renderer or its process is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What a plug-in prints must not get into the output of a program that prints JSON.
    with contextlib.suppress(OSError):
        os.dup2(2, 1)
    private = prepare_environment(start.folder)
    with contextlib.suppress(EOFError, OSError), open(os.devnull, "w") as nowhere:
        _serve(pipe, start, _Watchdog(nowhere))
    parent = multiprocessing.parent_process()
    orphaned = parent is not None and not parent.is_alive()
    shutil.rmtree(start.folder if orphaned else private, ignore_errors=True)
    # Python's way out would run the destructors of plug-ins, of which some crash and some take seconds.
    os._exit(0)


def prepare_environment(folder: Path | None) -> Path:
    """Give this process a private folder, named in an environment variable, and no display to open windows on.

    Args:
        folder: Where to make it; None for where temporary folders go.
    """
    for display in _DISPLAYS:
        os.environ.pop(display, None)
    private = Path(tempfile.mkdtemp(prefix="wav2patch-")) if folder is None else worker_folder(folder, os.getpid())
    private.mkdir(parents=True, exist_ok=True)
    os.environ[FOLDER_VARIABLE] = str(private)
    return private


def worker_folder(folder: Path, process: int) -> Path:
    """The private folder of the worker process with this number."""
    return folder / f"worker-{process}"


def load(synth: Synth) -> None:
    """Let a synth that has a `prepare` load its engine now, outside of any render's deadline."""
    prepare: Callable[[], None] | None = getattr(synth, "prepare", None)
    if prepare is not None:
        prepare()


def _serve(pipe: Connection, start: Start, watchdog: _Watchdog) -> None:
    thens: dict[str, Callable[[Audio], Any]] = {}
    loading, deadline = start.limits
    watchdog.watch(loading)
    try:
        synth: Synth = _unpickle(start.synth, start.main)
        load(synth)
    except (Exception, SystemExit) as error:
        pipe.send(Failure(f"could not load the synth: {type(error).__name__}: {error}"))
        return
    pipe.send(None)
    watchdog.rest()
    while True:
        if not pipe.poll():
            watchdog.rest()
        task: Task = pipe.recv()
        watchdog.watch(deadline)
        pipe.send_bytes(_answer(synth, task, thens, start))


def _answer(synth: Synth, task: Task, thens: dict[str, Callable[[Audio], Any]], start: Start) -> bytes:
    key, patch, note, length, sample_rate = task
    try:
        then = _find(thens, key, start)
        return pickle.dumps(render_one(synth, patch, Sound(note, length, sample_rate), then), protocol=5)
    except (Exception, SystemExit) as error:
        return pickle.dumps(Failure(f"{type(error).__name__}: {error}"))


class _Watchdog:
    """Ends this process, even one stuck in an engine's code, some time after the renderer should have done so.

    The renderer has not where its own process was killed. Setting the timer starts a thread (0.1 ms), so a worker
    that gets one render after the other sets it once a second only.
    """

    def __init__(self, nowhere: TextIO) -> None:
        self._nowhere, self._until = nowhere, 0.0

    def watch(self, seconds: float) -> None:
        """Allow so many seconds from now, and some grace."""
        now = time.monotonic()
        if self._until < now + seconds + _GRACE / 2:
            self._until = now + seconds + _GRACE
            faulthandler.dump_traceback_later(seconds + _GRACE, exit=True, file=self._nowhere)

    def rest(self) -> None:
        """Allow any time, until the next `watch`."""
        faulthandler.cancel_dump_traceback_later()
        self._until = 0.0


def _find(thens: dict[str, Callable[[Audio], Any]], key: str, start: Start) -> Callable[[Audio], Any]:
    if key not in thens:
        while len(thens) >= _THENS_KEPT:
            del thens[next(iter(thens))]
        thens[key] = _unpickle((start.folder / key).read_bytes(), start.main)
    return thens[key]


def _unpickle(data: bytes, main: tuple[str, str] | None) -> Any:
    # Only for what was pickled from there, so that a script without a guard works too.
    if main is not None and b"__main__" in data and sys.modules["__main__"].__name__ == "__main__":
        import_main(*main)
    return pickle.loads(data)
