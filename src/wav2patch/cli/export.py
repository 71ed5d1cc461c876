"""`wav2patch export`: a trained model for the install without PyTorch."""

from __future__ import annotations

import dataclasses
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wav2patch.errors import UserError

if TYPE_CHECKING:
    from wav2patch.training.saving import Trained


@dataclasses.dataclass(frozen=True, kw_only=True)
class Exporting:
    """Settings of `wav2patch export`."""

    ckpt: Annotated[Path, "A checkpoint that `wav2patch train` wrote, or a model folder."]
    out: Annotated[Path, "The model folder; a model that is there already makes way."]
    half: Annotated[bool, "Whether the graphs store their weights in half precision, and take half the room."] = False
    card: Annotated[Path | None, "A YAML file with data, steps, hardware, hours, figures and limits, for people."] = (
        None
    )
    weights: Annotated[bool, "Whether the weights for PyTorch come along, to evaluate the model."] = True
    draws: Annotated[
        int | None, "Of the prior, that a model which chooses takes along; as many as in training by default."
    ] = None
    sounds: Annotated[
        str | None, "A view whose patches such a model takes along instead, each found by its sound; draws= of them."
    ] = None


def command(
    settings: Annotated[list[str], typer.Argument(metavar="KEY=VALUE", help="Settings; the table below has all.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Make a model folder of a checkpoint, which `wav2patch match --proposer` takes without PyTorch.

    Examples:
      wav2patch export ckpt=runs/dexed/flow/first/checkpoints/best.ckpt out=models/dexed

      wav2patch export ckpt=best.ckpt out=models/small half=true weights=false

      wav2patch export ckpt=runs/dexed/contrastive/first/checkpoints/last.ckpt out=models/pair sounds=dexed/train.h5
    """
    from wav2patch.cli.console import out, print_json, printable
    from wav2patch.cli.keys import read_keys
    from wav2patch.weights.card import read_card
    from wav2patch.weights.hearing import hears_alone

    wanted = read_keys(Exporting, settings)
    if wanted.draws is not None and wanted.draws < 1:
        raise UserError(f"draws is 1 or more, not {wanted.draws}.")
    try:
        from wav2patch.training.export import export
        from wav2patch.training.saving import load_trained
    except ImportError as error:
        raise UserError("models are exported with PyTorch and ONNX: pip install 'wav2patch[train]'.") from error
    card = None if wanted.card is None else read_card(wanted.card)
    trained = load_trained(wanted.ckpt, draws=wanted.draws) if wanted.sounds is None else _with_sounds(wanted)
    made = export(trained, wanted.out, card=card, half=wanted.half, weights=wanted.weights)
    size = sum(path.stat().st_size for path in made.path.iterdir())
    differences = {name: graph.difference for name, graph in made.graphs.items()}
    if as_json:
        print_json({"out": printable(made.path), "bytes": size, "differences": differences})
        return
    worst = max(differences.values(), default=0.0)
    out().print(f"{printable(made.path)}: {size / 1e6:.1f} MB, differs from PyTorch by {worst:.1g} at most")
    if hears_alone(made.record):
        out().print(f"Use it: wav2patch match SOUND --synth {made.record.synth} --proposer {printable(made.path)}")
    else:
        out().print(
            f"It hears {made.record.feature}, which takes PyTorch: wav2patch predict SOUND ckpt={printable(made.path)}"
        )


def _with_sounds(wanted: Exporting) -> Trained:
    """The model with the sounds that are wanted."""
    from wav2patch.cli.data.progress import row_progress
    from wav2patch.datasets.views.view import open_view
    from wav2patch.training.heard_sounds import keep_sounds
    from wav2patch.training.saving import load_trained

    assert wanted.sounds is not None
    view = open_view(wanted.sounds)
    trained = load_trained(wanted.ckpt, empty=True)
    with row_progress() as report:
        return keep_sounds(trained, view, wanted.draws, partial(report, "sounds"))
