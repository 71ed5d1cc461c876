"""`wav2patch data subset`: train, validation and test sets, and small cuts."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from wav2patch.datasets.views.subset import Subset


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cutting:
    """Settings of `wav2patch data subset`, beside the views themselves."""

    out: Annotated[
        str | None, "Folder of the views; the set's own by default. Views find the set by relative path."
    ] = None
    duplicates: Annotated[
        str,
        "Rows of two views whose patches are the same in all that can be heard: refuse; drop those of the larger "
        "view; group all rows of one patch in one view; or keep.",
    ] = "refuse"
    tolerance: Annotated[float, "Largest difference of such patches, as a share of each parameter's range."] = 1e-3
    replace: Annotated[bool, "Whether views that are there may be replaced."] = False


def command(
    data: Annotated[str, typer.Argument(metavar="SET", help="A data set: a folder, or s3://bucket/set.")],
    settings: Annotated[list[str], typer.Argument(metavar="VIEW=ROWS…", help="Views to make, and settings.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Cut a data set into views: files train.h5, val.h5, … that any HDF5 reader opens, and that hold no data.

    A view has any name, and these rows:
      train=80%             a share of the set
      train=50k             so many rows
      train=rest            all rows that no other view has
      train=shards:0-9,12   those of some shards, by number
      train=rows:0-9999     rows by number, the last included
      test=test             those of another view of the set
      train=train:20k       the first of another view

    Shares and counts are taken in order, which is as good as by lot: each row was drawn independently of all others.
    Views in one folder have no row in common. A view in another folder is named by its path: cuts/50k/train.h5:20k.

    Examples:
      wav2patch data subset surge train=80% val=10% test=10%

      wav2patch data subset surge train=shards:0-8 val=shards:9 duplicates=drop

      wav2patch data subset surge out=cuts/20k train=train:20k val=val test=test
    """
    from wav2patch.cli.console import print_json
    from wav2patch.cli.keys import read_keys
    from wav2patch.datasets.storage.base import open_storage
    from wav2patch.datasets.views.cuts import parse_cut
    from wav2patch.datasets.views.subset import make_subset
    from wav2patch.errors import UserError

    known = {field.name for field in dataclasses.fields(Cutting)}
    wanted = read_keys(Cutting, [word for word in settings if word.partition("=")[0] in known])
    views = [word for word in settings if word.partition("=")[0] not in known]
    _check_views(views)
    cuts = [parse_cut(*word.split("=", 1)) for word in views]
    if not cuts:
        raise UserError("no view is named: expected something like train=80% val=10% test=10%.")
    storage = open_storage(data)
    with _progress() as report:
        made = make_subset(
            storage,
            open_storage(wanted.out) if wanted.out else storage,
            cuts,
            duplicates=wanted.duplicates,
            tolerance=wanted.tolerance,
            replace=wanted.replace,
            report=report,
        )
    if as_json:
        print_json({"out": wanted.out or data, **dataclasses.asdict(made)})
    else:
        _print(made, wanted.out or data)


def _check_views(words: list[str]) -> None:
    from wav2patch.errors import UserError

    names = [word.partition("=")[0] for word in words]
    for word, name in zip(words, names, strict=True):
        if "=" not in word:
            raise UserError(f"views and settings are given as name=rows, such as train=80%, not {word!r}.")
        if names.count(name) > 1:
            raise UserError(f"{name} is given twice.")


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar for what takes time, where somebody is looking."""
    from rich.progress import Progress

    from wav2patch.cli.console import progress_console

    console = progress_console()
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("reading")

        def report(stage: str, done: int, of: int) -> None:
            bar.update(task, description=stage, completed=done, total=of)

        yield report


def _print(made: Subset, place: str) -> None:
    from wav2patch.cli.console import out, printable

    for view in made.views:
        dropped = f", {view.dropped} near-duplicates dropped" if view.dropped else ""
        out().print(f"{view.state}: {printable(place)}/{view.name}.h5, {view.rows} rows{dropped}")
    if made.kept:
        out().print(f"{made.kept} near-duplicates of other views' rows are kept")
    if made.caveat:
        out().print(f"patches were compared in parameters that cannot be heard, too: {printable(made.caveat)}")
