"""The command line: `wav2patch`."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from wav2patch.cli import compare, evaluate, export, hpo, match, parameters, predict, prior, render, synths, train
from wav2patch.cli.console import fail
from wav2patch.cli.data import app as data
from wav2patch.cli.keys import key_command
from wav2patch.cli.training_help import TrainingCommand
from wav2patch.errors import UserError

OURS, THEIRS, INTERRUPTED = 1, 2, 130

app = typer.Typer(
    name="wav2patch",
    help="Takes a sound and gives back the synthesizer patch that makes it, as a preset file.",
    epilog="Start here:  wav2patch match sound.wav",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="rich",
)
app.command("match")(match.command)
app.command("render")(render.command)
app.command("compare")(compare.command)
app.command("train", cls=TrainingCommand)(train.command)
app.command("hpo", cls=key_command("wav2patch.cli.hpo:Searching"))(hpo.command)
app.command("evaluate", cls=key_command("wav2patch.cli.evaluate:Evaluating"))(evaluate.command)
app.command("predict", cls=key_command("wav2patch.cli.predict:Predicting"))(predict.command)
app.command("export", cls=key_command("wav2patch.cli.export:Exporting"))(export.command)
app.add_typer(synths.app, name="synths")
app.add_typer(prior.app, name="prior")
app.add_typer(data.app, name="data")
app.add_typer(parameters.app, name="parameters")


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib import metadata

        typer.echo(metadata.version("wav2patch"))
        raise typer.Exit()


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; every error becomes one sentence and an exit code.

    2 is a mistake that the user can put right, 1 is one of ours, 130 is Ctrl-C. WAV2PATCH_DEBUG=1 shows the
    traceback of ours.
    """
    try:
        app()
    except UserError as error:
        fail(str(error))
        sys.exit(THEIRS)
    except SystemExit as end:
        # Typer's answer to Ctrl-C, which says nothing.
        if end.code == INTERRUPTED:
            fail("stopped.")
        raise
    except BrokenPipeError:
        # The reader of a pipe went away; pointing the descriptor elsewhere keeps Python quiet at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(OURS)
    except Exception as error:
        if os.environ.get("WAV2PATCH_DEBUG"):
            raise
        fail(f"wav2patch failed: {type(error).__name__}: {error}. WAV2PATCH_DEBUG=1 shows where; please report it.")
        sys.exit(OURS)
