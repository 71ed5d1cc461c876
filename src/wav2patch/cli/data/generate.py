"""`wav2patch data generate`: millions of rendered patches."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from wav2patch.datasets.recipes.wishes import Wishes

if TYPE_CHECKING:
    from wav2patch.datasets.recipes.plan import Plan
    from wav2patch.datasets.shards.generate import Progress
    from wav2patch.datasets.storage.base import Storage
    from wav2patch.rendering.base import Renderer
    from wav2patch.synths.base import Synth


@dataclasses.dataclass(frozen=True, kw_only=True)
class Generation(Wishes):
    """Settings of `wav2patch data generate`."""

    out: Annotated[str, "Where the set lies: a folder, or an address such as s3://bucket/set."]
    workers: Annotated[int | None, "Renders side by side; one a core by default."] = None
    cluster: Annotated[str | None, "A Ray cluster to render on: its address, or local."] = None
    shards: Annotated[range | None, "Make these shards only, such as 0-9: several machines can share a set."] = None
    deadline: Annotated[float, "Seconds that one render may take."] = 60.0


def command(
    settings: Annotated[list[str], typer.Argument(metavar="KEY=VALUE", help="Settings; the table below has all.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Render patches and store them, for training and for research.

    Row i depends on the seed and on i alone, so a set that was stopped, even killed, is finished by the same
    command and comes out the same. Of a set that was begun before, out=… alone is enough.

    Examples:
      wav2patch data generate synth=dexed count=100k out=dexed-100k

      wav2patch data generate synth=surge_xt_simple notes=paper count=2M out=surge

      wav2patch data generate synth=vital "prior=0.5 synth + 0.5 mutations:~/Vital" out=s3://bucket/vital
    """
    from wav2patch.cli.console import note_aside, print_json
    from wav2patch.cli.keys import read_keys
    from wav2patch.datasets.shards.generate import generate
    from wav2patch.datasets.storage.base import open_storage

    wanted = read_keys(Generation, settings)
    storage = open_storage(wanted.out)
    resumed = {word.partition("=")[0] for word in settings}.isdisjoint(
        field.name for field in dataclasses.fields(Wishes)
    )
    try:
        with _prepared(wanted, storage, resumed) as (plan, renderer), _progress(plan) as report:
            made = generate(plan, storage, renderer, report, shards=wanted.shards)
    except KeyboardInterrupt:
        note_aside("the shards that are finished stay; the same command goes on from there.")
        raise
    if as_json:
        print_json({"out": wanted.out, **dataclasses.asdict(made)})
    else:
        _print(made, wanted.out)


@contextlib.contextmanager
def _prepared(wanted: Generation, storage: Storage, resumed: bool) -> Iterator[tuple[Plan, Renderer]]:
    """The plan, of the set that is there or of a new one, and what renders it."""
    from wav2patch.cli.console import note_aside
    from wav2patch.datasets.recipes.plan import load_plan, load_wished_synth, make_plan
    from wav2patch.datasets.recipes.recipe import MANIFEST

    if resumed and storage.exists(MANIFEST):
        plan = load_plan(storage)
        with contextlib.closing(_renderer(wanted, plan.synth)) as renderer:
            yield plan, renderer
        return
    synth = load_wished_synth(wanted)
    with contextlib.closing(_renderer(wanted, synth)) as renderer:
        plan = make_plan(wanted, synth, renderer)
        for remark in plan.remarks:
            note_aside(remark)
        yield plan, renderer


def _renderer(wanted: Generation, synth: Synth) -> Renderer:
    from wav2patch.errors import UserError
    from wav2patch.rendering.choose import make_renderer

    if wanted.workers is not None and wanted.workers < 1:
        raise UserError(f"workers is 1 or more, not {wanted.workers}.")
    if wanted.deadline <= 0:
        raise UserError(f"a deadline lies above 0 s, not {wanted.deadline:g}.")
    return make_renderer(synth, wanted.workers, deadline=wanted.deadline, cluster=wanted.cluster, processes=True)


@contextlib.contextmanager
def _progress(plan: Plan) -> Iterator[Callable[[Progress], None]]:
    """A bar with rate, time left and rejections, where somebody is looking."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from wav2patch.cli.console import printable, progress_console

    columns = (
        TextColumn("{task.description}", style="bold", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[rejected]}", markup=False),
    )
    console = progress_console()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(printable(plan.recipe.synth), total=plan.recipe.count, rate="", rejected="starting")

        def report(made: object) -> None:
            from wav2patch.datasets.shards.generate import Progress as Made

            assert isinstance(made, Made)
            bar.update(
                task,
                completed=made.there + made.rows,
                total=made.there + made.wanted,
                rate=f"{made.rate:.1f} clips/s",
                rejected=_rejections(made),
            )

        yield report


def _rejections(made: Progress) -> str:
    draws = made.rows + sum(made.rejected.values())
    listed = ", ".join(f"{count} {reason}" for reason, count in sorted(made.rejected.items()))
    return f"rejected {sum(made.rejected.values()) / draws:.1%}: {listed}" if made.rejected else "none rejected"


def _print(made: Progress, place: str) -> None:
    from wav2patch.cli.console import out, printable

    if not made.wanted:
        out().print(f"{printable(place)} is complete: all {made.there} rows were there.")
        return
    there = f", {made.there} were there" if made.there else ""
    out().print(
        f"{made.rows} rows in {made.seconds:.0f} s ({made.rate:.1f} clips/s, {made.bytes / 1e6:.0f} MB){there}; "
        f"{_rejections(made)} → {printable(place)}"
    )
    if made.failure:
        out().print(printable(f"some renders failed and were drawn anew; the last one: {made.failure}"))
    out().print(f"next:  wav2patch data subset {printable(place)} train=80% val=10% test=10%")
