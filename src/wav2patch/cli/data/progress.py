"""How far a pass over the rows of a data set is."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from wav2patch.cli.console import printable, progress_console


@contextlib.contextmanager
def row_progress(shown: bool = True) -> Iterator[Callable[[str, int, int], None]]:
    """A bar where somebody is looking, to be told what is being done, how many rows are done, and of how many."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", style="bold", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    console = progress_console()
    with Progress(*columns, console=console, transient=True, disable=not (shown and console.is_terminal)) as bar:
        task = bar.add_task("", total=None)

        def report(what: str, done: int, of: int) -> None:
            bar.update(task, description=printable(what), completed=done, total=of)

        yield report
