"""`wav2patch compare`: how alike two sounds are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    target: Annotated[Path, typer.Argument(help="The sound that is aimed at.")],
    other: Annotated[Path, typer.Argument(help="The sound that is compared with it.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Measure how far one sound is from another, with every metric of the panel.

    The sounds are compared as they are, from their first sample on; the shorter one counts as silent after its end.

    Example:
      wav2patch compare bass.wav matches/bass/candidate_1.wav
    """
    from wav2patch.audio.compare import compare
    from wav2patch.cli.console import print_json

    values = compare(target, other)
    if as_json:
        print_json({"target": str(target), "other": str(other), "metrics": values})
    else:
        _show(values)


def _show(values: dict[str, float | None]) -> None:
    from rich.table import Table

    from wav2patch.cli.console import out
    from wav2patch.metrics.panel import PANEL

    table = Table(box=None, pad_edge=False)
    table.add_column("metric", style="bold")
    table.add_column("value", justify="right")
    for column in ("unit", "alike at", "what it means"):
        table.add_column(column)
    for metric in PANEL:
        value = values[metric.name]
        shown = "–" if value is None else f"{value:{'+' if metric.signed else ''}.3f}"
        table.add_row(metric.name, shown, metric.unit, f"{metric.perfect:g}", metric.explanation)
    out().print(table)
