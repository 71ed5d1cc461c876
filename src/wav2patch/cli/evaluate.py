"""`wav2patch evaluate`: how close trained models come, on sounds that they have not heard."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from wav2patch.evaluation.results import Evaluation
    from wav2patch.evaluation.rows import Rows
    from wav2patch.rendering.base import Renderer


@dataclasses.dataclass(frozen=True)
class Evaluating:
    """Settings of `wav2patch evaluate`."""

    data: Annotated[str, "A view such as set/test.h5, the folder of a data set, or a research synth such as kosc_4."]
    ckpt: Annotated[tuple[str, ...], "Checkpoints or model folders, with commas; none for the baselines alone."] = ()
    rows: Annotated[int, "How many rows, the first ones."] = 1_000
    best_of: Annotated[int, "Proposals for a row; the best one by its distance to the target counts."] = 1
    seed: Annotated[int, "Of all that methods leave to chance."] = 0
    out: Annotated[Path, "Folder for tables, values, pictures and sounds."] = Path("evaluation")
    sounds: Annotated[int, "Of how many rows a picture and wav files are written."] = 4
    workers: Annotated[int | None, "Processes that render and measure; one a core by default."] = None
    samples: Annotated[int, "Length of a research synth's signals."] = 1_024


def command(
    settings: Annotated[list[str], typer.Argument(metavar="KEY=VALUE…", help="Settings; the table below has all.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Let trained models find the patches of a test set, render them on the synth and measure how close they come.

    The truth rendered again (the noise floor), the prior's mean and a random draw always stand beside them.

    Examples:
      wav2patch evaluate ckpt=runs/dexed/flow/first/checkpoints/best.ckpt data=dexed-100k/test.h5 out=results

      wav2patch evaluate ckpt=one.ckpt,other.ckpt data=dexed-100k/test.h5 rows=200 best_of=8

      wav2patch evaluate data=kosc_4 rows=10k
    """
    from wav2patch.cli.console import print_json
    from wav2patch.cli.data.progress import row_progress
    from wav2patch.cli.keys import read_keys
    from wav2patch.evaluation.baselines import baselines
    from wav2patch.evaluation.files import write_evaluation, write_sounds
    from wav2patch.evaluation.run import evaluate
    from wav2patch.evaluation.trained import load_methods
    from wav2patch.files import check_folder

    wanted = _whole_path(read_keys(Evaluating, settings))
    _check(wanted)
    rows = _rows(wanted)
    methods = {**baselines(rows.prior, wanted.seed), **load_methods(wanted.ckpt, rows)}
    check_folder(wanted.out)
    _warn_of_leakage(wanted, rows)
    with _renderer(rows, wanted.workers) as renderer, row_progress() as report:
        found = evaluate(
            methods,
            rows,
            renderer,
            best_of=wanted.best_of,
            seed=wanted.seed,
            report=lambda done, of: report("evaluate", done, of),
        )
        files = write_evaluation(found, wanted.out)
        files += write_sounds(found, rows, renderer, wanted.out, wanted.sounds)
    if as_json:
        print_json(found.summary | {"files": [str(path) for path in files]})
    else:
        _print(found, wanted.out)


def _whole_path(wanted: Evaluating) -> Evaluating:
    """With a checkpoint whose path has commas, as names of runs have, in one piece."""
    path = ",".join(wanted.ckpt)
    return dataclasses.replace(wanted, ckpt=(path,)) if len(wanted.ckpt) > 1 and Path(path).exists() else wanted


def _check(wanted: Evaluating) -> None:
    from wav2patch.errors import UserError

    least = {"rows": 1, "best_of": 1, "seed": 0, "sounds": 0, "samples": 1, "workers": 1}
    for name, low in least.items():
        value = getattr(wanted, name)
        if value is not None and value < low:
            raise UserError(f"{name} is {low} or more, not {value}.")


def _warn_of_leakage(wanted: Evaluating, rows: Rows) -> None:
    from wav2patch.cli.console import note_aside
    from wav2patch.evaluation.leakage import rows_trained_on
    from wav2patch.evaluation.rows import ViewRows

    if not isinstance(rows, ViewRows):
        return
    for checkpoint in wanted.ckpt:
        if trained := rows_trained_on(checkpoint, rows.view, wanted.rows):
            note_aside(
                f"{checkpoint} was trained on {trained:,} of these {len(rows):,} rows: its figures are not those of "
                "sounds that it has not heard. Give a view that shares no rows with the training's."
            )


def _rows(wanted: Evaluating) -> Rows:
    from wav2patch.datasets.views.view import open_view
    from wav2patch.evaluation.rows import TensorRows, ViewRows
    from wav2patch.synths.catalogue import RESEARCH, load_synth
    from wav2patch.synths.tensor.synth import TensorSynth

    if wanted.data in RESEARCH:
        synth = load_synth(wanted.data)
        assert isinstance(synth, TensorSynth)
        return TensorRows(synth, wanted.rows, samples=wanted.samples)
    view = open_view(wanted.data)
    view.check()
    return ViewRows(view, wanted.rows)


@contextlib.contextmanager
def _renderer(rows: Rows, workers: int | None) -> Iterator[Renderer | None]:
    """What renders the rows' synth; None where it is rendered in batches."""
    from wav2patch.errors import UserError
    from wav2patch.evaluation.rows import TensorRows
    from wav2patch.rendering.choose import available_cores, make_renderer

    if isinstance(rows, TensorRows):
        yield None
        return
    if reason := rows.synth.missing():
        raise UserError(reason)
    count = workers or available_cores()
    # Most of the time goes into the metrics, which hold Python's lock.
    with contextlib.closing(make_renderer(rows.synth, count, deadline=60.0, processes=count > 1)) as renderer:
        yield renderer


def _print(found: Evaluation, folder: Path) -> None:
    from rich.table import Table

    from wav2patch.cli.console import out, printable
    from wav2patch.evaluation.table import GROUPS, conditions, head, rows

    console = out()
    console.print(f"{printable(found.synth)}: {len(found)} rows of {printable(found.data)}", style="bold")
    console.print(printable(conditions(found)))
    for group, title in GROUPS.items():
        # Methods side by side, as there are fewer of them than metrics.
        table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
        for name, *cells in zip(head(found, group), *rows(found, group), strict=True):
            if not table.columns:
                table.add_column("")
                for method in cells:
                    table.add_column(printable(method), justify="right")
                continue
            table.add_row(name, *cells)
        console.print(table)
    console.print(f"→ {printable(folder)}")
