"""`wav2patch synths`: the synths that sounds can be matched on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from wav2patch.cli import check, inspect

if TYPE_CHECKING:
    from wav2patch.synths.base import Synth

app = typer.Typer(help="The synths that sounds can be matched on.", no_args_is_help=True)
app.command("inspect")(inspect.command)
app.command("check")(check.command)


@app.command("list")
def list_command(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """List the synths, their parameters and their preset files."""
    from rich.table import Table

    from wav2patch.cli.console import out, print_json
    from wav2patch.synths.catalogue import SYNTHS, load_synth

    synths = [load_synth(name) for name in SYNTHS]
    if as_json:
        print_json({"synths": [_row(synth) for synth in synths]})
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("name", min_width=max(len(synth.name) for synth in synths))
    for column in ("synth", "parameters", "preset files", ""):
        table.add_column(column)
    for synth in synths:
        ready = "" if synth.missing() is None else "not installed"
        table.add_row(synth.name, synth.title, str(len(synth.space)), synth.preset_suffix, ready)
    out().print(table)
    lacking = [synth for synth in synths if synth.missing()]
    if lacking:
        out().print(f"`wav2patch match SOUND --synth {lacking[0].name}` says what it lacks.")


def _row(synth: Synth) -> dict[str, str | int | bool | None]:
    return {
        "name": synth.name,
        "title": synth.title,
        "parameters": len(synth.space),
        "presets": synth.preset_suffix,
        "ready": synth.missing() is None,
        "missing": synth.missing(),
    }
