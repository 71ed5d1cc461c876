"""`wav2patch parameters`: what a synth's controls are."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="What a synth's controls are.", no_args_is_help=True)


class Form(StrEnum):
    """How a table is written."""

    MARKDOWN = "markdown"
    LATEX = "latex"


@app.command("table")
def table_command(
    synth: Annotated[str, typer.Argument(help="A name of `wav2patch synths list`, or a spec file.")],
    form: Annotated[Form, typer.Option("--format", help="How it is written.")] = Form.MARKDOWN,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The file to write, instead of printing it.")
    ] = None,
) -> None:
    """Print the parameters of a synth: kind, range, unit, default, and when each can be heard.

    LaTeX needs the packages booktabs and longtable.

    Examples:
      wav2patch parameters table dexed

      wav2patch parameters table vital --format latex -o vital.tex
    """
    from wav2patch.cli.console import out, printable
    from wav2patch.evaluation.space_table import draw_space
    from wav2patch.files import write_text
    from wav2patch.synths.catalogue import load_synth

    space = load_synth(synth).space
    text = draw_space(space, form.value)
    if output is None:
        print(text, end="")
        return
    write_text(output, text)
    out().print(f"{len(space)} parameters → {printable(output)}")


@app.callback()
def _group() -> None:
    # Keeps `table` a command of its own while it is the only one.
    pass
