"""Small data sets, written in milliseconds: their patches are drawn as those of a real set, their sound is made up."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wav2patch.datasets.recipes.recipe import Recipe, column_names, shard_name
from wav2patch.datasets.shards.layout import AUDIO, FEATURES, Row, packed_fields
from wav2patch.datasets.shards.writer import ShardWriter, pack
from wav2patch.features.catalogue import load_feature
from wav2patch.parameters import Patch
from wav2patch.priors import draw
from wav2patch.synths.catalogue import load_synth

SAMPLE_RATE = 16_000


def make_recipe(
    *,
    rows: int = 20,
    shard_rows: int = 8,
    seed: int = 0,
    synth: str = "ksin_4",
    audio: str = "float16",
    features: tuple[str, ...] = ("log_mel",),
    length: float = 0.1,
    channels: int = 1,
) -> Recipe:
    """The recipe of a small set."""
    loaded = load_synth(synth)
    return Recipe(
        synth=synth,
        versions={"wav2patch": "test"},
        space=loaded.space.digest,
        parameters=column_names(loaded.space),
        prior="synth",
        notes="C4",
        count=rows,
        shard_rows=shard_rows,
        seed=seed,
        length=length,
        sample_rate=SAMPLE_RATE,
        channels=channels,
        gate=None,
        audio=audio,
        features=tuple(load_feature(words).name for words in features),
        package="test",
    )


def make_set(
    folder: Path, recipe: Recipe | None = None, *, shards: Iterable[int] | None = None, patches: Patch | None = None
) -> Recipe:
    """Write a small data set: its manifest and its shards.

    Args:
        folder: Where.
        recipe: Of the set, by default `make_recipe()`.
        shards: Numbers of those that are written, by default all: the others are holes.
        patches: ``(rows, P)``, by default drawn from the prior of the synth.
    """
    recipe = recipe or make_recipe()
    (folder / "shards").mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").write_text(recipe.to_json(), encoding="utf-8")
    for shard in range(recipe.shards) if shards is None else shards:
        write_shard(folder / shard_name(shard), recipe, recipe.rows_of(shard), patches)
    return recipe


def write_shard(path: Path, recipe: Recipe, rows: range, patches: Patch | None = None) -> None:
    """Write one shard; `patches` are those of the whole set."""
    shapes = {
        name: load_feature(name).shape(recipe.channels, recipe.samples, recipe.sample_rate) for name in recipe.features
    }
    writer = ShardWriter(path, recipe, packed_fields(recipe, shapes), rows)
    for index in rows:
        writer.write(make_row(recipe, index, None if patches is None else patches[index]))
    writer.finish()


def make_row(recipe: Recipe, index: int, patch: Patch | None = None) -> Row:
    """Row `index`: another one for another index or seed."""
    synth = load_synth(recipe.synth)
    if patch is None:
        patch = draw(synth.prior(), recipe.seed, index, 0)
    clip = make_clip(recipe, index)
    clips: dict[str, NDArray[Any]] = {AUDIO: clip} if recipe.audio != "none" else {}
    for name in recipe.features:
        feature = load_feature(name)(clip.astype(np.float32), recipe.sample_rate)
        clips[FEATURES + name] = feature.astype(np.float16)
    note = (48.0 + index % 25, 100.0, 0.0, recipe.length / 2)
    rejected = ("quiet",) if index % 5 == 4 else ()
    encoding = synth.space.encode(patch)
    return Row(index, len(rejected), encoding, note, -20.0 - index % 10, pack(clips), rejected)


def make_clip(recipe: Recipe, index: int) -> NDArray[np.float16]:
    """The sound of row `index`, ``(channels, samples)``: a sine that fades, in a little noise."""
    rng = np.random.default_rng([recipe.seed, index])
    time = np.arange(recipe.samples) / recipe.sample_rate
    tone = np.sin(2 * np.pi * rng.uniform(100, 2000) * time) * np.exp(-4 * time / recipe.length)
    noise = rng.normal(scale=1e-3, size=(recipe.channels, recipe.samples))
    return (rng.uniform(0.1, 0.9) * tone + noise).astype(np.float16)
