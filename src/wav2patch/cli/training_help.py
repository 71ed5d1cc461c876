"""What `wav2patch train --help` teaches, from the experiments and the settings themselves, without PyTorch or Hydra."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typer.core import TyperCommand


class TrainingCommand(TyperCommand):
    """A command whose help lists the experiments and the settings of a run."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """The usual help, and two tables."""
        super().format_help(ctx, formatter)
        _print_experiments()
        _print_settings()


def _print_experiments() -> None:
    from rich.table import Table

    from wav2patch.cli.console import out
    from wav2patch.configs.experiments import load_families

    table = Table(title="Experiments", title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column("experiment=", style="bold", no_wrap=True)
    table.add_column("")
    for family in load_families():
        chains = [f"{name} (these one after the other)" for name in family.chains]
        table.add_row(", ".join(f"{task}/…" for task in family.tasks), ", ".join([*family.methods, *chains]))
    out().print(table)
    out().print()


def _print_settings() -> None:
    from rich.table import Table

    from wav2patch.cli.console import out
    from wav2patch.training.reading_settings import every_setting

    title = "Settings (experiments have their own; --cfg job shows all of a run)"
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column("key=default", style="bold", no_wrap=True)
    table.add_column("")
    for path, explanation, default in every_setting():
        table.add_row(f"{path}={_word(default)}", explanation)
    out().print(table)


def _word(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_word(one)}" for key, one in value.items()) + "}"
    return "[" + ",".join(map(_word, value)) + "]" if isinstance(value, tuple) else str(value)
