"""`wav2patch synths`: the synths that sounds can be matched on."""

from __future__ import annotations

from typing import Annotated

import typer

from wav2patch.cli import check, inspect

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
        rows = [
            {"name": s.name, "title": s.title, "parameters": len(s.space), "presets": s.preset_suffix} for s in synths
        ]
        print_json({"synths": rows})
        return
    table = Table(box=None, pad_edge=False)
    for column in ("name", "synth", "parameters", "preset files"):
        table.add_column(column)
    for synth in synths:
        table.add_row(synth.name, synth.title, str(len(synth.space)), synth.preset_suffix)
    out().print(table)
