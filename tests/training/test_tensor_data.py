from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_model import QUIET, SmallModel, make_trainer

from wav2patch.errors import UserError
from wav2patch.features.catalogue import load_feature
from wav2patch.notes import Note
from wav2patch.priors import draw
from wav2patch.training.tensor_data import TensorData

pytestmark = [pytest.mark.filterwarnings(one) for one in QUIET]


def rows(data: TensorData, loader: Any, batches: int | None = None) -> dict[str, np.ndarray]:
    """Finished batches, put together."""
    found = [data.on_after_batch_transfer(batch, 0) for batch in itertools.islice(loader, batches)]
    return {name: torch.cat([batch[name] for batch in found]).numpy() for name in found[0]}


@pytest.mark.parametrize("name", ["kosc_4", "ksin_4_shifted"])
def test_batches_are_the_draws_of_the_seed(name: str) -> None:
    data = TensorData(name, batch_size=5, seed=4, epoch_batches=2)
    synth = data.synth
    loader = data.train_dataloader()
    found = rows(data, itertools.chain(loader, loader))
    assert found["index"].tolist() == list(range(20))
    for index, encoding, audio in zip(found["index"], found["parameters"], found["audio"], strict=True):
        patch = draw(synth.prior(), 4, int(index))
        assert np.array_equal(encoding, synth.space.encode(patch))
        rendered = synth.render(patch, Note(duration=1.0), length=1024 / 44_100, sample_rate=44_100)
        # The batch is rendered in single precision.
        assert np.abs(rendered - audio).max() < 2e-3
    assert {values.dtype for key, values in found.items() if key != "index"} == {np.dtype(np.float32)}


def test_what_is_tested_on_comes_from_the_test_prior() -> None:
    data = TensorData("ksin_4_shifted", batch_size=64, val_rows=200, test_rows=200)
    shifted = data.synth.space.indices(data.synth.shifted)
    parts = {name: rows(data, getattr(data, f"{name}_dataloader")()) for name in ("val", "test")}
    means = {name: part["parameters"][:, shifted].mean() for name, part in parts.items()}
    # Means of about −0.3 and 0.3 in [−1, 1].
    assert means["val"] < 0.4 < 0.6 < means["test"]
    assert parts["test"]["index"].tolist() == list(range(200))
    expected = draw(data.synth.test_prior(), data.test_seed, 7)
    assert np.array_equal(parts["test"]["parameters"][7], data.synth.space.encode(expected))


def test_features_are_computed_of_the_sound() -> None:
    data = TensorData("kosc_4", features="log_mel", audio=False, samples=4096, batch_size=3, epoch_batches=1)
    found = rows(data, data.train_dataloader())
    assert set(found) == {"parameters", "index", "features/log_mel"}
    assert found["features/log_mel"].shape[1:] == load_feature("log_mel").shape(1, 4096, 44_100)


class Guess(SmallModel):
    """From the sound alone."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = torch.nn.Linear(64, 12)

    def forward(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        return self.layer(batch["audio"].flatten(1))


def test_a_resumed_run_equals_one_that_was_not_stopped(tmp_path: Path) -> None:
    def data(workers: int) -> TensorData:
        return TensorData("kosc_4", samples=64, batch_size=8, epoch_batches=3, val_rows=0, num_workers=workers)

    whole, begun, again = Guess(), Guess(), Guess()
    make_trainer(tmp_path, max_steps=8).fit(whole, datamodule=data(0))
    trainer = make_trainer(tmp_path, max_steps=4)
    trainer.fit(begun, datamodule=data(2))
    trainer.save_checkpoint(tmp_path / "kept.ckpt")
    make_trainer(tmp_path, max_steps=8).fit(again, datamodule=data(0), ckpt_path=str(tmp_path / "kept.ckpt"))
    assert begun.seen + again.seen == whole.seen == [[*range(n, n + 8)] for n in range(0, 64, 8)]
    assert torch.equal(again.layer.weight, whole.layer.weight)


def test_mistakes_are_told_in_a_sentence() -> None:
    with pytest.raises(UserError, match="dexed does not render on the training device: OnlineData is for it"):
        TensorData("dexed")
    with pytest.raises(UserError, match="three different seeds"):
        TensorData("kosc_4", seed=5, val_seed=5)
