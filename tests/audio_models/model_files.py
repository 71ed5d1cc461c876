"""Audio models with filled weights, by their names in the catalogue."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from filling import filled

from wav2patch.audio_models.base import FrozenModel
from wav2patch.audio_models.catalogue import AUDIO_MODELS, load_audio_model

HERE = Path(__file__).parent
VARIANCES = {"mn04": (0.33, 0.66), "mn20": (0.33, 0.66)}
"""With which the outputs of all blocks depend on the sound; by file of keys."""


def keys(name: str) -> dict[str, list[int]]:
    """Keys and shapes of the published checkpoint, as the authors' own program has them."""
    return json.loads((HERE / "keys" / f"{name}.json").read_text())


def reference(name: str) -> dict[str, Any]:
    """Some of what the authors' own program gives for `two_sounds`, with filled weights."""
    return json.loads((HERE / "reference" / f"{name}.json").read_text())


def model(name: str, folder: Path, **options: Any) -> FrozenModel:
    """The model, with weights from a file that is made in `folder`."""
    if AUDIO_MODELS[name].built_in:
        return load_audio_model(name, **options)
    stem = name.removesuffix("_clip").removesuffix("_mel")
    path = folder / f"{stem}.pt"
    if not path.exists():
        torch.save(filled(keys(stem), VARIANCES.get(stem, (0.5, 1.5))), path)
    return load_audio_model(name, weights=path, **options)
