"""`wav2patch prior`: the statistics that patches are drawn from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="The statistics that patches are drawn from.", no_args_is_help=True)


@app.command("fit")
def fit_command(
    banks: Annotated[list[Path], typer.Argument(metavar="BANK", help="Preset files, or folders of them.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write.")] = Path("prior.npz"),
    synth: Annotated[str, typer.Option(help="The synth that the presets are for.")] = "dexed",
) -> None:
    """Learn from your own presets what patches look like, for `wav2patch match --prior`.

    A few hundred presets make a useful prior; their copies count once.

    Example:
      wav2patch prior fit ~/dx7-banks -o mine.npz
    """
    from wav2patch.cli.console import note_aside, out, printable
    from wav2patch.priors import fit_copula, save_prior
    from wav2patch.synths.catalogue import load_synth
    from wav2patch.synths.collections import read_collection

    engine = load_synth(synth)
    collection = read_collection(engine, *banks)
    if collection.remark:
        note_aside(collection.remark)
    fitted = fit_copula(engine.space, collection.patches)
    save_prior(fitted, output)
    out().print(
        f"{fitted.count} presets → {printable(output)}; use it with: wav2patch match SOUND --prior {printable(output)}"
    )


@app.callback()
def _group() -> None:
    # Keeps `fit` a command of its own while it is the only one.
    pass
