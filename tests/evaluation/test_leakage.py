"""Rows that a model was trained on are known when it is tested on them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import yaml
from real_sets import cut_view
from shard_sets import make_recipe, make_set

from wav2patch.datasets.views.view import open_view
from wav2patch.datasets.views.view_file import Extent
from wav2patch.evaluation.leakage import row_indices, rows_trained_on
from wav2patch.training.reading_settings import plain_settings, read_settings

SECOND = "shards/shard-000001.h5"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """20 rows in shards of 8; those from 2 to 9 are trained on."""
    make_set(tmp_path / "set")
    cut_view(tmp_path / "set", "train", (Extent("shards/shard-000000.h5", 2, 6), Extent(SECOND, 0, 2)))
    return tmp_path / "set"


def checkpoint_of(run: Path, **data: object) -> Path:
    """Where a run's checkpoint would lie; what it learnt from is in the settings beside."""
    settings = plain_settings(read_settings({"data": data}))
    (run / "checkpoints").mkdir(parents=True)
    (run / "config.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    return run / "checkpoints" / "last.ckpt"


def test_rows_of_a_view_are_known_by_their_numbers_in_the_set(data: Path) -> None:
    view = open_view(data / "train.h5")
    assert row_indices(view, range(len(view))).tolist() == list(view.read("index", slice(None))) == [*range(2, 10)]


def test_the_view_may_have_been_given_by_its_address(data: Path) -> None:
    checkpoint = checkpoint_of(data.parent / "run", folder=str(data), train=str(data / "train.h5"))
    assert rows_trained_on(checkpoint, open_view(data), 100) == 8


@pytest.mark.parametrize(("first", "rows", "count", "known"), [(2, 6, 100, 0), (0, 6, 100, 2), (0, 6, 1, 1)])
def test_rows_that_were_trained_on_are_counted(data: Path, first: int, rows: int, count: int, known: int) -> None:
    checkpoint = checkpoint_of(data.parent / "run", folder=str(data))
    tested = open_view(cut_view(data, "test", (Extent(SECOND, first, rows),)))
    assert rows_trained_on(checkpoint, tested, count) == known


def test_the_same_rows_in_another_set_are_the_same_and_those_of_another_seed_are_not(data: Path) -> None:
    checkpoint = checkpoint_of(data.parent / "run", folder=f"{data}/")
    grown = dataclasses.replace(make_recipe(rows=30, shard_rows=5), audio="none")
    make_set(data.parent / "grown", grown)
    assert rows_trained_on(checkpoint, open_view(data.parent / "grown"), 100) == 8
    make_set(data.parent / "other", make_recipe(seed=1))
    assert rows_trained_on(checkpoint, open_view(data.parent / "other"), 100) == 0


def test_what_is_not_known_is_not_guessed(data: Path, tmp_path: Path) -> None:
    tested = open_view(data)
    assert rows_trained_on(tmp_path / "alone.ckpt", tested, 100) == 0
    assert rows_trained_on(checkpoint_of(tmp_path / "online", synth="dexed"), tested, 100) == 0
    assert rows_trained_on(checkpoint_of(tmp_path / "gone", folder=str(tmp_path / "nowhere")), tested, 100) == 0
    checkpoint = checkpoint_of(tmp_path / "odd", folder=str(data))
    (tmp_path / "odd" / "config.yaml").write_text("data: [", encoding="utf-8")
    assert rows_trained_on(checkpoint, tested, 100) == 0
