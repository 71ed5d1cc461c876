"""Training data of the research synths: drawn on the processor, rendered in whole batches on the training device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import torch
from torch.utils.data import Dataset

from wav2patch.datasets.recipes.feature_words import load_stored_feature
from wav2patch.datasets.shards.layout import AUDIO
from wav2patch.errors import UserError
from wav2patch.features.base import Feature
from wav2patch.priors import Prior
from wav2patch.synths.catalogue import load_synth
from wav2patch.synths.tensor.synth import TensorSynth
from wav2patch.training.clips import Batch
from wav2patch.training.device_features import Standardize
from wav2patch.training.finish import Augment, Finish
from wav2patch.training.loader import Loader, RowLoader
from wav2patch.training.many_draws import draw_many
from wav2patch.training.online import TEST_SEED, VAL_SEED
from wav2patch.training.resuming import ResumableData
from wav2patch.training.sampler import BatchOrder, EndlessOrder, EpochOrder, Rows

PATCHES = "patches"


class TensorData(ResumableData):
    """The endless list of patches that a seed stands for, each rendered once.

    Batches have `parameters` (encodings, float32 ``(n, D)``), `index` and `audio` ``(n, 1, samples)``, or features of
    it. Patches are those of a data set with the same seed and no gate; they are rendered in single precision, from
    phase 0 on, and without notes, as the papers do.

    Args:
        synth: A research synth or the name of one, such as ``"kosc_4"``.
        features: Computed of the audio, in words.
        audio: Whether batches have the audio.
        samples: Length of the audio.
        sample_rate: In Hz.
        batch_size: Of each rank.
        epoch_batches: Batches that Lightning calls an epoch; the next one goes on with new rows. None never ends.
        seed: Of what is trained on.
        val_rows: Rows that are validated on, 0 for none; drawn as those of the training.
        test_rows: Rows that are tested on; drawn from the synth's `test_prior`, so that a shifted variant is tested
            out of its distribution.
        val_seed: Of what is validated on; another seed than the training's.
        test_seed: Of what is tested on.
        dtype: Of audio and features.
        augment: Changes training batches on the device.
        standards: What standardises a feature, by its name.
        num_workers: Processes that draw ahead. None are needed for the papers' priors.
        pin_memory: By default where there is a GPU.
    """

    def __init__(
        self,
        synth: TensorSynth | str,
        *,
        features: str | Sequence[str] = (),
        audio: bool = True,
        samples: int = 1_024,
        sample_rate: int = 44_100,
        batch_size: int = 1_024,
        epoch_batches: int | None = 1_000,
        seed: int = 0,
        val_rows: int = 4_096,
        test_rows: int = 4_096,
        val_seed: int = VAL_SEED,
        test_seed: int = TEST_SEED,
        dtype: torch.dtype = torch.float32,
        augment: Augment | None = None,
        standards: Mapping[str, Standardize] | None = None,
        num_workers: int = 0,
        pin_memory: bool | None = None,
    ) -> None:
        super().__init__()
        if len({seed, val_seed, test_seed}) < 3:
            raise UserError("training, validation and test have three different seeds, or they would share patches.")
        self.synth = _tensor_synth(synth)
        self.features: tuple[Feature, ...] = tuple(
            load_stored_feature(words) for words in ([features] if isinstance(features, str) else features)
        )
        self.audio, self.samples, self.sample_rate = audio, samples, sample_rate
        self.batch_size, self.epoch_batches, self.seed = batch_size, epoch_batches, seed
        self.val_rows, self.test_rows, self.val_seed, self.test_seed = val_rows, test_rows, val_seed, test_seed
        self.dtype, self.augment, self.standards, self.num_workers = dtype, augment, standards or {}, num_workers
        self.pin_memory = torch.cuda.is_available() if pin_memory is None else pin_memory

    @property
    def validates(self) -> bool:
        """Whether rows are held out for validation."""
        return self.val_rows > 0

    def finish(self) -> Finish:
        """See `ResumableData`."""
        return self._finish

    def make_train_loader(self) -> Loader:
        """See `ResumableData`."""
        return self._loader_of(
            self.synth.prior(), self.seed, EndlessOrder(self.batch_size, self.epoch_batches, self.share)
        )

    def val_dataloader(self) -> Loader:
        """The validation rows; each rank has its share."""
        return self._held_out(self.synth.prior(), self.val_seed, self.val_rows)

    def test_dataloader(self) -> Loader:
        """The test rows; each rank has its share."""
        return self._held_out(self.synth.test_prior(), self.test_seed, self.test_rows)

    def predict_dataloader(self) -> Loader:
        """As `test_dataloader`."""
        return self.test_dataloader()

    def finished(self, batch: Batch, *, training: bool) -> Batch:
        """Render a batch on its device, and finish it."""
        with torch.no_grad():
            patches = batch.pop(PATCHES)
            batch[AUDIO] = self.synth.render_batch(patches, self.samples, self.sample_rate).unsqueeze(1)
        return super().finished(batch, training=training)

    def _held_out(self, prior: Prior, seed: int, rows: int) -> Loader:
        order = EpochOrder(rows, self.batch_size, None, "keep", self.share)
        return self.watched(self._loader_of(prior, seed, order))

    def _loader_of(self, prior: Prior, seed: int, order: BatchOrder) -> Loader:
        marks: dict[str, str | int] = {"synth": self.synth.name, "space": self.synth.space.digest, "list": seed}
        return RowLoader(
            DrawnPatches(prior, seed), order, num_workers=self.num_workers, pin_memory=self.pin_memory, marks=marks
        )

    @cached_property
    def _finish(self) -> Finish:
        return Finish(
            self.features,
            (),
            self.sample_rate,
            standards=self.standards,
            dtype=self.dtype,
            audio=self.audio,
            augment=self.augment,
        )


class DrawnPatches(Dataset[Batch]):
    """Rows of the endless list that a prior and a seed stand for: `parameters`, `index` and `patches`, float32.

    Args:
        prior: That is drawn from.
        seed: Row i is a function of (seed, i).
    """

    def __init__(self, prior: Prior, seed: int) -> None:
        self.prior, self.seed = prior, seed

    def __getitem__(self, row: int) -> Batch:
        """One row, as a batch without its first dimension."""
        return {name: values[0] for name, values in self.__getitems__([row]).items()}

    def __getitems__(self, rows: Rows | Sequence[int]) -> Batch:
        """A batch of rows."""
        indices = torch.as_tensor(rows, dtype=torch.int64)
        patches = draw_many(self.prior, self.seed, indices.numpy())
        return {
            "parameters": torch.from_numpy(self.prior.space.encode(patches)),
            "index": indices,
            PATCHES: torch.from_numpy(patches).float(),
        }


def _tensor_synth(synth: TensorSynth | str) -> TensorSynth:
    found: Any = load_synth(synth) if isinstance(synth, str) else synth
    if not isinstance(found, TensorSynth):
        raise UserError(f"{synth} does not render on the training device: OnlineData is for it.")
    return found
