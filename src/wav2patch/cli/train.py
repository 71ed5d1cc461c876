"""`wav2patch train`: any experiment, and sweeps over its settings."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from wav2patch.training.run import RunResult
    from wav2patch.training.settings import RunSettings


def command(
    settings: Annotated[
        list[str], typer.Argument(metavar="KEY=VALUE…", help="An experiment and settings; the tables below have all.")
    ],
    multirun: Annotated[
        bool, typer.Option("--multirun", "-m", help="Run every combination of values with commas between them.")
    ] = False,
    cfg: Annotated[
        str | None, typer.Option("--cfg", metavar="job", help="Print the settings of the run as YAML, and stop.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Train a model: flow matching, or one of its rivals.

    A run lies in runs/EXPERIMENT/NAME: its settings, checkpoints, figures and pictures. The same command goes on
    where it was stopped, even killed, and gives the same model. settings=FILE.yaml takes the settings of a file, such
    as the config.yaml of another run.

    Examples:
      wav2patch train experiment=kosc/flow_assigned data.k=8 data.symmetric=false

      wav2patch train experiment=dexed/flow data.folder=dexed-100k trainer.max_steps=20k trainer.precision=bf16-mixed

      wav2patch train experiment=surge_simple/flow data.folder=surge trainer.devices=4 trainer.strategy=ddp

      wav2patch train -m experiment=kosc/mse,kosc/flow_mlp data.k=4,8 seed=0,1,2

      wav2patch train experiment=pretrain/all data.synth=dexed
    """
    from wav2patch.cli.console import print_json

    with training_ready():
        from wav2patch.configs.chains import run_chains
        from wav2patch.configs.composing import compose_settings, sweep
        from wav2patch.training.processes import is_first_process
    if cfg is not None:
        if run_chains(settings, lambda one, words: print_settings(one, cfg)) is None:
            print_settings(compose_settings(settings), cfg)
        return
    if multirun:
        _show_sweep(sweep(settings, run_job), as_json)
        return
    if (chained := run_chains(settings, run_job)) is not None:
        _show_sweep(chained, as_json)
        return
    result = run_job(compose_settings(settings), settings)
    if as_json and is_first_process():
        print_json(_as_json(result))


def run_job(settings: RunSettings, words: Sequence[str]) -> RunResult:
    """One run, and what came of it on standard error."""
    from wav2patch.cli.console import note_aside
    from wav2patch.training.processes import is_first_process, quiet_lightning
    from wav2patch.training.run import fit

    try:
        with as_one_command(words), quiet_lightning():
            result = fit(settings)
    except KeyboardInterrupt:
        note_aside(f"{_going_on(settings)} from the last checkpoint.")
        raise
    if is_first_process():
        note_aside(_sentence(result, settings))
    return result


def _going_on(settings: RunSettings) -> str:
    """How a run that was stopped goes on."""
    return "the same command goes on" if settings.resume == "auto" else "the same command without resume=… goes on"


@contextlib.contextmanager
def training_ready() -> Iterator[None]:
    """Say what to install where something is missing.

    Raises:
        UserError: PyTorch, Lightning, Hydra or Optuna is not installed.
    """
    from wav2patch.errors import UserError

    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("wav2patch"):
            raise
        raise UserError(f"training needs {error.name}: pip install 'wav2patch[train]'.") from error


@contextlib.contextmanager
def as_one_command(words: Sequence[str]) -> Iterator[None]:
    """Have the further processes of distributed training, which repeat this one's command, run this job alone.

    What they left in the environment and between the processes goes, so that the next job of a sweep has its own.
    """
    import os

    from hydra.core.hydra_config import HydraConfig

    from wav2patch.training.processes import leave_group

    environment = dict(os.environ)
    before, sys.argv = sys.argv, [sys.argv[0], "train", *words]
    held: Any = HydraConfig.instance()
    kept, held.cfg = held.cfg, None
    try:
        yield
    finally:
        sys.argv, held.cfg = before, kept
        leave_group()
        for name in os.environ.keys() - environment.keys():
            del os.environ[name]


def print_settings(settings: RunSettings, what: str) -> None:
    """All settings of a run, as a document of YAML.

    Raises:
        UserError: Something else is wanted.
    """
    import yaml

    from wav2patch.cli.console import out
    from wav2patch.errors import UserError
    from wav2patch.training.reading_settings import plain_settings

    if what != "job":
        raise UserError(f"--cfg is job, not {what}.")
    document = yaml.safe_dump(plain_settings(settings), sort_keys=False, allow_unicode=True, explicit_start=True)
    out().print(document.rstrip())


def _show_sweep(results: Sequence[Any], as_json: bool) -> None:
    """What came of all runs.

    Raises:
        UserError: One of them failed.
    """
    from wav2patch.cli.console import print_json
    from wav2patch.errors import UserError

    failures = [one for one in results if isinstance(one, UserError)]
    ended = [one for one in results if not isinstance(one, UserError)]
    if as_json and not failures:
        print_json({"runs": [_as_json(one) for one in ended]})
    elif ended and not as_json:
        _print_table(ended)
    if failures:
        raise UserError(f"{len(failures)} of {len(results)} runs failed; the first: {failures[0]}")


def _sentence(result: RunResult, settings: RunSettings) -> str:
    figures = ", ".join(f"{name} {value:.4g}" for name, value in result.metrics.items() if name.count("/") == 1)
    ending = {
        "finished before": "this run was finished before; more trainer.max_steps go on, or more trainer.patience where "
        "that ended it, and resume=none begins anew",
        "stopped": f"stopped by its time; {_going_on(settings)}",
    }.get(result.state, f"{result.state} in {result.seconds:.0f} s")
    return f"{result.folder}: {result.steps} steps, {ending}; {figures or 'nothing was validated'}."


def _as_json(result: RunResult) -> dict[str, Any]:
    import dataclasses
    from pathlib import Path

    values = dataclasses.asdict(result)
    return {name: str(value) if isinstance(value, Path) else value for name, value in values.items()}


def _print_table(results: Sequence[RunResult]) -> None:
    from rich.table import Table

    from wav2patch.cli.console import out, printable

    table = Table(box=None, pad_edge=False)
    for column in ("run", "steps", "train/loss", "val/loss"):
        table.add_column(column)
    for one in results:
        figures = [one.metrics.get(name) for name in ("train/loss", "val/loss")]
        shown = ["–" if value is None else f"{value:.4g}" for value in figures]
        table.add_row(printable(one.folder), str(one.steps), *shown)
    out().print(table)
