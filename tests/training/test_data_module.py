from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from shard_sets import make_recipe, make_set
from small_model import FEATURE, QUIET, SmallModel, cut, make_trainer, ready_model

from wav2patch.datasets.recipes.recipe import shard_name
from wav2patch.datasets.statistics.files import save_statistics
from wav2patch.datasets.statistics.measure import measure
from wav2patch.datasets.views.view import open_view
from wav2patch.errors import UserError
from wav2patch.features.catalogue import load_feature
from wav2patch.training.data_module import ClipData

pytestmark = [pytest.mark.filterwarnings(one) for one in QUIET]

MEL_SIZE = 128 * 11


def only_batch(data: ClipData, stage: str = "validate") -> dict[str, torch.Tensor]:
    """The validation rows as a model gets them."""
    data.setup(stage)
    (batch,) = data.val_dataloader()
    return data.on_after_batch_transfer(batch, 0)


def test_training_reads_the_training_view_and_validation_every_row_of_its_own(finished_set: Path) -> None:
    model = ready_model(MEL_SIZE)
    data = ClipData(finished_set, batch_size=4, num_workers=0)
    trainer = make_trainer(finished_set, max_epochs=2)
    trainer.fit(model, datamodule=data)
    assert len(model.seen) == 18
    for epoch in (model.seen[:9], model.seen[9:]):
        assert set(itertools.chain(*epoch)) < set(range(37))
        assert len(set(itertools.chain(*epoch))) == 36
    assert model.validated == [*range(37, 44)] * 2
    model.validated.clear()
    trainer.test(model, datamodule=data, verbose=False)
    assert model.validated == [*range(44, 50)]
    predicted: Any = trainer.predict(model, datamodule=ClipData(finished_set, num_workers=0))
    assert len(predicted) == 1


def test_a_feature_that_is_not_stored_is_computed_on_the_device(finished_set: Path) -> None:
    view = open_view(finished_set / "val.h5")
    batch = only_batch(ClipData(finished_set, features=("log_mel", "log_mel_level"), num_workers=0))
    assert set(batch) == {"parameters", "notes", "index", FEATURE, "features/log_mel_level"}
    assert np.array_equal(batch[FEATURE].numpy(), view.read(FEATURE, slice(None)).astype(np.float32))
    feature = load_feature("log_mel_level")
    for audio, found in zip(view.read("audio", slice(None)), batch["features/log_mel_level"].numpy(), strict=True):
        assert np.abs(feature(audio.astype(np.float32), 16_000) - found).max() < 1e-2


def test_audio_comes_if_wanted_and_in_the_type_that_is_wanted(finished_set: Path) -> None:
    batch = only_batch(ClipData(finished_set, features=(), audio=True, dtype=torch.float64, num_workers=0))
    assert set(batch) == {"parameters", "notes", "index", "audio"}
    assert batch["audio"].dtype == torch.float64
    assert batch["audio"].shape == (7, 1, 1600)


def test_features_are_standardised_by_the_training_view(own_set: Path) -> None:
    train = open_view(own_set / "train.h5")
    plain = only_batch(ClipData(own_set, num_workers=0))[FEATURE]
    with pytest.raises(UserError, match=r"run `wav2patch data stats .*train.h5`"):
        only_batch(ClipData(own_set, standardize=True, num_workers=0))
    save_statistics(measure(train, workers=1), train, None)
    mels = train.read(FEATURE, slice(None)).astype(np.float64)
    deviation = np.where(mels.std(axis=0) < 1e-3, 1.0, mels.std(axis=0))
    found = only_batch(ClipData(own_set, num_workers=0))[FEATURE]
    assert np.allclose(found.numpy(), (plain.numpy() - mels.mean(axis=0)) / deviation, atol=1e-4)
    assert torch.equal(only_batch(ClipData(own_set, standardize=False, num_workers=0))[FEATURE], plain)


def test_augmentation_sees_training_batches_alone_and_before_features_are_made(finished_set: Path) -> None:
    asked: list[list[int]] = []

    def silence(batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        asked.append(batch["index"].tolist())
        return batch | {"audio": torch.zeros_like(batch["audio"])}

    class Watching(SmallModel):
        def training_step(self, batch: dict[str, torch.Tensor], batch_idx: int) -> torch.Tensor:
            assert batch["features/log_mel_level"].unique().numel() == 1
            return super().training_step(batch | {FEATURE: batch["features/log_mel_level"]}, batch_idx)

    model = Watching()
    model.layer(torch.zeros(1, MEL_SIZE))
    data = ClipData(finished_set, features="log_mel_level", augment=silence, batch_size=8, num_workers=0)
    make_trainer(finished_set, max_epochs=1).fit(model, datamodule=data)
    assert asked == model.seen
    assert model.validated


def test_explicit_views_need_no_folder(finished_set: Path) -> None:
    data = ClipData(train=open_view(finished_set / "train.h5"), val=str(finished_set / "test.h5"), num_workers=0)
    assert len(only_batch(data)["index"]) == 6
    with pytest.raises(UserError, match="no view test: name the folder"):
        data.test_dataloader()


def test_a_whole_data_set_can_be_trained_on_without_validation(finished_set: Path) -> None:
    model = ready_model(MEL_SIZE)
    data = ClipData(train=finished_set, val="none", batch_size=8, num_workers=0)
    make_trainer(finished_set, max_epochs=1).fit(model, datamodule=data)
    assert len(model.seen) == 6
    assert not model.validated


def test_overfitting_sees_the_same_batches_every_time(finished_set: Path) -> None:
    model = ready_model(MEL_SIZE)
    data = ClipData(finished_set, val="none", batch_size=4, num_workers=0)
    make_trainer(finished_set, max_epochs=2, overfit_batches=2).fit(model, datamodule=data)
    assert model.seen == [[0, 1, 2, 3], [4, 5, 6, 7]] * 2


@pytest.mark.parametrize("shard", [0, 4])
def test_training_never_starts_on_a_view_with_holes(own_set: Path, shard: int) -> None:
    (own_set / shard_name(shard)).unlink()
    model = ready_model(MEL_SIZE)
    with pytest.raises(UserError, match=f"shard-00000{shard}.h5") as caught:
        make_trainer(own_set, max_epochs=1).fit(model, datamodule=ClipData(own_set, batch_size=4, num_workers=0))
    assert "\n" not in str(caught.value)
    assert not model.seen


def test_training_never_starts_on_a_damaged_shard(own_set: Path) -> None:
    path = own_set / shard_name(2)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(UserError, match=r"shard-000002\.h5"):
        ClipData(own_set, num_workers=0).setup("fit")


def test_views_of_different_synths_do_not_go_together(finished_set: Path, tmp_path: Path) -> None:
    make_set(tmp_path, make_recipe(rows=8, synth="ksin_8"))
    cut(open_view(tmp_path), tmp_path, "val", range(8))
    with pytest.raises(UserError, match=r"val.h5 does not go with .*train.h5: their synths have other parameters"):
        ClipData(finished_set, val=tmp_path / "val.h5").setup("fit")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"train": "nothing"}, "there is no view .*nothing.h5"),
        ({"features": "no_such_feature"}, "no_such_feature"),
        ({"batch_size": 64}, "37 rows, too few for one batch of 64"),
    ],
)
def test_mistakes_are_told_in_a_sentence(finished_set: Path, options: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError, match=told):
        make_trainer(finished_set, max_epochs=1).fit(
            ready_model(MEL_SIZE), datamodule=ClipData(finished_set, num_workers=0, **options)
        )


def test_a_set_without_audio_cannot_give_other_features(tmp_path: Path) -> None:
    make_set(tmp_path, make_recipe(rows=8, audio="none"))
    with pytest.raises(UserError, match="no audio to compute log_mel_level from: it was made with audio=none"):
        ClipData(train=tmp_path, features="log_mel_level", batch_size=4).train_dataloader()
