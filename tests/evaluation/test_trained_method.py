"""Trained models as methods: named after their runs, reproducible row by row, of the right synth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny_checkpoints import FLOW, REGRESSION, write_checkpoint

from wav2patch.errors import UserError
from wav2patch.evaluation.rows import TensorRows, ViewRows
from wav2patch.evaluation.run import evaluate
from wav2patch.evaluation.trained import load_methods, short_names
from wav2patch.rendering.inline import InlineRenderer


def test_a_row_is_proposed_for_as_if_it_were_alone(kosc_rows: TensorRows, tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "flow.ckpt", "kosc_4", FLOW)
    (propose,) = load_methods([str(path)], kosc_rows).values()
    rows = kosc_rows.read(range(5))
    together, alone = propose(rows, 3, 1), propose(rows[3:4], 3, 1)
    assert [one.patches.shape for one in together] == [(3, 12)] * 5
    assert np.array_equal(together[3].patches, alone[0].patches)
    assert not np.array_equal(together[3].patches, propose(rows[3:4], 3, 2)[0].patches)
    assert len({one.patches.tobytes() for one in together}) == 5


def test_a_model_without_chance_is_rendered_once(kosc_rows: TensorRows, tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "one.ckpt", "kosc_4", REGRESSION)
    found = evaluate(load_methods([str(path)], kosc_rows), kosc_rows, best_of=4)
    assert found.methods["one"].tried == len(kosc_rows)
    assert len(np.unique(found.methods["one"].patches, axis=0)) > 30


@pytest.mark.parametrize("note", ["given", "predicted"])
def test_models_of_instruments_are_rendered_with_their_note(dexed_rows: ViewRows, tmp_path: Path, note: str) -> None:
    path = write_checkpoint(tmp_path / "m.ckpt", "dexed", REGRESSION, note=note, length=0.5)  # type: ignore[arg-type]
    methods = load_methods([str(path)], dexed_rows)
    found = evaluate(methods, dexed_rows, InlineRenderer(dexed_rows.synth)).methods["m"]
    assert not found.failures
    assert all((one is not None) == (note == "predicted") for one in found.notes)


def test_a_model_of_another_synth_is_refused(dexed_rows: ViewRows, tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "kosc.ckpt", "kosc_4", REGRESSION)
    with pytest.raises(UserError, match=r"kosc.ckpt proposes patches of kosc_4, and .*test.h5 is of dexed"):
        load_methods([str(path)], dexed_rows)
    with pytest.raises(UserError, match=r"there is no .*gone\.ckpt"):
        load_methods([str(tmp_path / "gone.ckpt")], dexed_rows)


def test_models_are_called_after_their_runs() -> None:
    runs = ["runs/dexed/first/checkpoints/best.ckpt", "runs/dexed/second/checkpoints/best.ckpt"]
    assert short_names([*runs, "models/vital", "a.ckpt"]) == ["first", "second", "vital", "a"]
    assert short_names(["x/a.ckpt", "y/a.ckpt", "b.ckpt"]) == ["x/a.ckpt", "y/a.ckpt", "b"]
    with pytest.raises(UserError, match="named twice"):
        short_names([runs[0], runs[0]])
