"""Test rows: what is read is what was rendered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shard_sets
import torch
from numpy.testing import assert_allclose

from wav2patch.datasets.views.view import open_view
from wav2patch.errors import UserError
from wav2patch.evaluation.rows import TensorRows, ViewRows
from wav2patch.training.tensor_data import TensorData


def test_rows_of_a_view_are_its_first_ones(dexed_set: Path, dexed_rows: ViewRows) -> None:
    view = open_view(dexed_set / "test.h5")
    assert len(dexed_rows) == 4
    assert len(ViewRows(view, 1000)) == len(view) == 6
    rows = dexed_rows.read([0, 1, 2, 3])
    assert [row.number for row in rows] == [0, 1, 2, 3]
    assert [row.index for row in rows] == view.read("index", slice(0, 4)).tolist()
    for row in rows:
        again = dexed_rows.synth.render(row.patch, row.note, length=row.length, sample_rate=row.sample_rate)
        assert_allclose(row.audio, again.astype(np.float16), atol=0)
    assert dexed_rows.read([2])[0].index == rows[2].index


def test_rows_of_a_research_synth_are_those_that_lightning_tests_on(kosc_rows: TensorRows) -> None:
    data = TensorData("kosc_4", test_rows=40, batch_size=40)
    batch = next(iter(data.test_dataloader()))
    batch = data.on_after_batch_transfer(batch, 0)
    rows = kosc_rows.read(range(40))
    assert [row.index for row in rows] == batch["index"].tolist()
    assert np.array_equal(np.stack([row.audio for row in rows]), batch["audio"].numpy())
    encoded = kosc_rows.synth.space.encode(np.stack([row.patch for row in rows]))
    assert torch.equal(torch.from_numpy(encoded), batch["parameters"])


def test_a_shifted_synth_is_tested_out_of_its_prior() -> None:
    synth: Any = TensorData("ksin_4_shifted").synth
    rows = TensorRows(synth, 200)
    shifted = synth.space.indices(synth.shifted)
    tested = np.stack([row.patch for row in rows.read(range(200))])[:, shifted].mean()
    drawn = rows.prior.sample(np.random.default_rng(0), 200)[:, shifted].mean()
    assert drawn < -0.2 < 0.2 < tested


def test_what_cannot_be_tested_on_is_told(dexed_set: Path, kosc_rows: TensorRows, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no rows to evaluate on"):
        ViewRows(open_view(dexed_set / "test.h5"), 0)
    with pytest.raises(UserError, match="no rows to evaluate on"):
        TensorRows(kosc_rows.synth, 0)
    shard_sets.make_set(tmp_path, shard_sets.make_recipe(audio="none"))
    with pytest.raises(UserError, match="no sounds to compare with"):
        ViewRows(open_view(tmp_path), 3)
