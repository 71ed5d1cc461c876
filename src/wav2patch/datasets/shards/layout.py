"""The layout of a shard: which arrays it has, of which shapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wav2patch.datasets.recipes.recipe import Recipe

FORMAT = "wav2patch-shard-1"
AUDIO = "audio"
FEATURES = "features/"
NOTE_COLUMNS = ("pitch", "velocity", "onset", "duration")


@dataclass(frozen=True)
class Field:
    """One of the arrays of a shard.

    Attributes:
        shape: Of one row.
        dtype: Name of the NumPy type.
        packed: Whether it is compressed, a chunk a row.
    """

    shape: tuple[int, ...]
    dtype: str
    packed: bool = False


@dataclass(frozen=True)
class Row:
    """One row of a data set.

    Attributes:
        index: Its number i.
        attempt: Which draw was kept.
        parameters: Encoding ``(D,)`` of the patch, float32.
        note: Pitch, velocity, onset and duration.
        loudness: In LUFS.
        clips: The packed fields: audio and features, as arrays or as chunks from `pack`.
        rejected: Why earlier draws were rejected.
    """

    index: int
    attempt: int
    parameters: NDArray[np.float32]
    note: tuple[float, float, float, float]
    loudness: float
    clips: Mapping[str, Any]
    rejected: tuple[str, ...] = ()


def plain_fields(recipe: Recipe) -> dict[str, Field]:
    """The fields that are stored plainly, by name."""
    return {
        "parameters": Field((len(recipe.parameters),), "float32"),
        "notes": Field((len(NOTE_COLUMNS),), "float64"),
        "index": Field((), "int64"),
        "attempt": Field((), "int32"),
        "loudness": Field((), "float32"),
    }


def packed_fields(recipe: Recipe, feature_shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Field]:
    """The fields that are compressed, by name; `feature_shapes` are those of the recipe's features."""
    shapes = {AUDIO: (recipe.channels, recipe.samples)}
    shapes |= {FEATURES + name: shape for name, shape in feature_shapes.items()}
    return {name: Field(shapes[name], "float16", packed=True) for name in packed_names(recipe)}


def packed_names(recipe: Recipe) -> tuple[str, ...]:
    """Names of the fields that are compressed."""
    audio = (AUDIO,) if recipe.audio != "none" else ()
    return (*audio, *(FEATURES + name for name in recipe.features))


def field_names(recipe: Recipe) -> tuple[str, ...]:
    """Names of all fields of a data set."""
    return (*plain_fields(recipe), *packed_names(recipe))
