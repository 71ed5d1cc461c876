"""The models that come with the package: of each synth the one that `match` starts from, and others by a name."""

from __future__ import annotations

from pathlib import Path

from wav2patch.errors import UserError
from wav2patch.weights.folder import is_model_folder

PRETRAINED = Path(__file__).parent.parent / "pretrained"
"""Where they lie: SYNTH is the one that is started from, SYNTH-NAME another one."""


def shipped_names(place: Path = PRETRAINED) -> list[str]:
    """Names of the models that come with the package, which begin with those of their synths."""
    return sorted(one.name for one in place.iterdir() if is_model_folder(one)) if place.is_dir() else []


def find_model(wanted: Path | str, place: Path = PRETRAINED, *, synth: str | None = None) -> Path:
    """The folder of a model, by its path or, of a model that comes with the package, its name.

    Args:
        wanted: Path, or name.
        place: Where those lie that come with the package.
        synth: That it is for, whose name may then be left out: of ``dexed-proxy``, ``proxy`` will do.

    Raises:
        UserError: There is none.
    """
    path = Path(wanted)
    if is_model_folder(path):
        return path
    names = shipped_names(place)
    for name in (str(wanted), f"{synth}-{wanted}"):
        if name in names:
            return place / name
    if path.is_file():
        raise UserError(
            f"{path} is a file: `wav2patch export ckpt={path} out=DIR` makes a model folder of a checkpoint."
        )
    shipped = f", or one that comes along: {', '.join(names)}" if names else ""
    raise UserError(f"there is no model {wanted}: give a folder that `wav2patch export` made{shipped}.")
