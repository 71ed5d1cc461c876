"""What a worker process inherits: one thread for linear algebra, no Ctrl-C, and no second run of the main script."""

from __future__ import annotations

import contextlib
import os
import runpy
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, MutableMapping
from multiprocessing import resource_tracker
from types import ModuleType
from typing import Any

ONE_THREAD: dict[str, str] = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
        "BLOSC_NTHREADS",
    ),
    "1",
)
# The environment is one for the whole process: two threads must not change it at once.
_STARTING = threading.Lock()
_ABSENT = object()


@contextlib.contextmanager
def child_settings() -> Iterator[None]:
    """Start processes within this block.

    NumPy reads the number of threads as it is imported, so it has to stand in the environment before that. Spawned
    processes import the main module first, which would run a script without a guard once more; see `import_main`.
    """
    main = vars(sys.modules["__main__"])
    with _STARTING, _no_interrupts():
        environment = {name: os.environ.get(name, _ABSENT) for name in ONE_THREAD}
        names = {name: main.get(name, _ABSENT) for name in ("__spec__", "__file__")}
        os.environ.update(ONE_THREAD)
        main.update(dict.fromkeys(names))
        try:
            yield
        finally:
            _restore(main, names)
            _restore(os.environ, environment)


def main_module() -> tuple[str, str] | None:
    """What `import_main` needs in a worker, None in an interactive session."""
    main = sys.modules["__main__"]
    if (spec := getattr(main, "__spec__", None)) is not None:
        return "module", spec.name
    path = getattr(main, "__file__", None)
    return None if path is None else ("path", os.path.abspath(path))


def import_main(kind: str, name: str) -> None:
    """Import the program's own module, as multiprocessing would, for what was pickled from there.

    Args:
        kind: ``"path"`` or ``"module"``.
        name: The file or the module.
    """
    run = runpy.run_path if kind == "path" else runpy.run_module
    module = ModuleType("__mp_main__")
    # Under this name a guarded main part does not run.
    module.__dict__.update(run(name, run_name="__mp_main__"))
    sys.modules["__main__"] = sys.modules["__mp_main__"] = module


@contextlib.contextmanager
def _no_interrupts() -> Iterator[None]:
    """Keep Ctrl-C from what is started, until it can see to it itself; Windows has no such thing."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # Multiprocessing starts this helper with the first process, and lets Ctrl-C through again as it does.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _restore(where: MutableMapping[str, Any], before: Mapping[str, Any]) -> None:
    for name, value in before.items():
        if value is _ABSENT:
            del where[name]
        else:
            where[name] = value
