"""Progress of work that has stages, on the terminal."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from wav2patch.cli.console import printable, progress_console


@contextlib.contextmanager
def stage_progress(name: str) -> Iterator[Callable[[str, float], None]]:
    """A bar that shows the stage at hand and its part that is done, where somebody is looking."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}", style="bold", markup=False),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[stage]}", markup=False),
    )
    console = progress_console()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(printable(name), total=1.0, stage="starting")

        def report(stage: str, part: float) -> None:
            bar.update(task, completed=part, stage=stage)

        yield report
