"""Progress of long work on the terminal, and a Ctrl-C that keeps what was found."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from wav2patch.cli.console import printable, progress_console

if TYPE_CHECKING:
    from wav2patch.matching.evaluator import Progress


@contextlib.contextmanager
def first_interrupt_only() -> Iterator[None]:
    """Ctrl-C ends the search; a second one must not end the writing of what it found."""

    def stop(number: int, frame: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        print("stopping: writing the best found so far …", file=sys.stderr)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def search_progress(name: str) -> Iterator[Callable[[Progress], None]]:
    """A bar with the renders and the best distance so far, where somebody is looking."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}", style="bold", markup=False),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[renders]:>6} renders   best {task.fields[best]}"),
    )
    console = progress_console()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(printable(name), total=1.0, renders=0, best="…")

        def report(progress: Any) -> None:
            best = f"{progress.best:.2f} dB"
            bar.update(task, completed=progress.fraction, renders=progress.renders, best=best)

        yield report
