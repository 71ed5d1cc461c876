"""The models that come with the package, one a synth."""

from __future__ import annotations

from pathlib import Path

from wav2patch.errors import UserError
from wav2patch.weights.folder import is_model_folder

PRETRAINED = Path(__file__).parent.parent / "pretrained"
"""Where they lie, each in a folder with the name of its synth."""


def shipped_names(place: Path = PRETRAINED) -> list[str]:
    """Names of the models that come with the package, which are those of their synths."""
    return sorted(one.name for one in place.iterdir() if is_model_folder(one)) if place.is_dir() else []


def find_model(wanted: Path | str, place: Path = PRETRAINED) -> Path:
    """The folder of a model, by its path or, of a model that comes with the package, its name.

    Raises:
        UserError: There is none.
    """
    path = Path(wanted)
    if is_model_folder(path):
        return path
    names = shipped_names(place)
    if str(wanted) in names:
        return place / str(wanted)
    if path.is_file():
        raise UserError(
            f"{path} is a file: `wav2patch export ckpt={path} out=DIR` makes a model folder of a checkpoint."
        )
    shipped = f", or one that comes along: {', '.join(names)}" if names else ""
    raise UserError(f"there is no model {wanted}: give a folder that `wav2patch export` made{shipped}.")
