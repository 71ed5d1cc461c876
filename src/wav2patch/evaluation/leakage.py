"""Test rows that a model was trained on: such figures say nothing about sounds that it has not heard."""

from __future__ import annotations

import dataclasses
import posixpath
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from wav2patch.datasets.recipes.recipe import Recipe, shard_name
from wav2patch.datasets.views.view import View, find_view
from wav2patch.errors import UserError
from wav2patch.training.reading_settings import read_settings
from wav2patch.training.run_folder import RunFolder


def rows_trained_on(checkpoint: Path | str, view: View, count: int) -> int:
    """How many of the first rows of a view a checkpoint's run was trained on.

    Rows are the same where the recipes are but for what is stored of them, wherever the sets lie and however far they
    were made. Only a checkpoint that lies in its run's folder tells what it learnt from; of any other, and of a run
    whose data set is gone or that rendered while training, nothing is known, and the answer is 0.

    Args:
        checkpoint: As `wav2patch train` writes it.
        view: What is tested on.
        count: Of how many of its rows, at most.
    """
    train = _training_view(RunFolder(Path(checkpoint).parent.parent))
    if train is None or _source(train.recipe) != _source(view.recipe):
        return 0
    tested = row_indices(view, range(min(count, len(view))))
    return int(np.isin(tested, row_indices(train, range(len(train)))).sum())


def row_indices(view: View, rows: Sequence[int]) -> NDArray[np.int64]:
    """Which rows of their data set some rows of a view are, ``(n,)``; no shard is opened."""
    extents, numbers = view.locate(rows)
    shards = {posixpath.basename(shard_name(shard)): shard for shard in range(view.recipe.shards)}
    firsts = [view.recipe.rows_of(shards[posixpath.basename(extent.path)]).start for extent in view.extents]
    return np.array(firsts, dtype=np.int64)[extents] + numbers


def _training_view(run: RunFolder) -> View | None:
    if not run.config.is_file():
        return None
    try:
        data = read_settings(yaml.safe_load(run.config.read_text(encoding="utf-8"))).data
        return None if data.folder is None else find_view(data.train, data.folder)
    except (UserError, OSError, UnicodeDecodeError, yaml.YAMLError):
        return None


def _source(recipe: Recipe) -> Recipe:
    """A recipe without what changes no row: how many there are, and how they are stored."""
    return dataclasses.replace(recipe, count=0, shard_rows=0, audio="", features=())
