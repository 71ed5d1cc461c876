"""Training data that is rendered while training, by any synth, and stored nowhere."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from wav2patch.datasets.recipes.feature_words import load_stored_feature
from wav2patch.datasets.recipes.plan import Plan, load_wished_synth, make_plan
from wav2patch.datasets.recipes.wishes import Wishes
from wav2patch.datasets.shards.layout import AUDIO
from wav2patch.datasets.views.view import View, open_view
from wav2patch.errors import UserError
from wav2patch.features.base import Feature
from wav2patch.rendering.base import Renderer
from wav2patch.rendering.choose import available_cores, make_renderer
from wav2patch.training.clips import Batch
from wav2patch.training.device_features import Standardize
from wav2patch.training.finish import Augment, Finish
from wav2patch.training.loader import Loader
from wav2patch.training.marks import recipe_mark
from wav2patch.training.rendering_loader import RenderLoader, render_batches
from wav2patch.training.resuming import ResumableData
from wav2patch.training.sampler import EndlessOrder, EpochOrder
from wav2patch.training.standards import view_standards

VAL_SEED, TEST_SEED = 1_000_001, 1_000_002
"""Seeds of what is validated and tested on, the same for every seed of the training."""


class OnlineData(ResumableData):
    """Rows rendered in the background, in the order of their numbers, each once: what `data generate` would store.

    Batches are as those of `ClipData`. Rank r of w renders rows r, r + w, r + 2w, …; the rows of validation and test
    are rendered once and kept in memory. Rows are those of a data set with the same wishes, to the last bit, the
    draws that the gate rejects included.

    Args:
        wishes: Synth, prior, notes, length, gate, seed, …; features named here are computed by the workers. `count`,
            `shard_rows` and `audio` mean nothing here.
        features: Those of a batch, in words, by default the wishes' ones. What the wishes do not name is computed on
            the device.
        audio: Whether batches have the clips as well.
        batch_size: Of each rank.
        epoch_batches: Batches that Lightning calls an epoch; the next one goes on with new rows. None never ends.
        val_rows: Rows that are validated on, 0 for none.
        test_rows: Rows that are tested on.
        val_seed: Of what is validated on; another seed than the wishes'.
        test_seed: Of what is tested on.
        statistics: A view whose statistics standardise the features, such as of a small data set with these wishes.
        standards: What standardises a feature, by its name, where there is no such view.
        dtype: Of features and audio on the device.
        augment: Changes training batches on the device.
        workers: Processes that render on each rank; the cores are shared by default.
        ahead: Batches that are kept ready.
        deadline: Seconds that one render may take.
        pin_memory: By default where there is a GPU.
    """

    def __init__(
        self,
        wishes: Wishes,
        *,
        features: str | Sequence[str] | None = None,
        audio: bool = False,
        batch_size: int = 128,
        epoch_batches: int | None = 1_000,
        val_rows: int = 1_024,
        test_rows: int = 1_024,
        val_seed: int = VAL_SEED,
        test_seed: int = TEST_SEED,
        statistics: View | Path | str | None = None,
        standards: Mapping[str, Standardize] | None = None,
        dtype: torch.dtype = torch.float32,
        augment: Augment | None = None,
        workers: int | None = None,
        ahead: int = 2,
        deadline: float = 60.0,
        pin_memory: bool | None = None,
    ) -> None:
        super().__init__()
        if len({wishes.seed, val_seed, test_seed}) < 3:
            raise UserError("training, validation and test have three different seeds, or they would share rows.")
        words = wishes.features if features is None else [features] if isinstance(features, str) else features
        self.features: tuple[Feature, ...] = tuple(load_stored_feature(one) for one in words)
        self.wishes = dataclasses.replace(wishes, audio="float16")
        self.audio, self.batch_size, self.epoch_batches = audio, batch_size, epoch_batches
        self.held_out = {"val": (val_seed, val_rows), "test": (test_seed, test_rows)}
        self.statistics, self.standards = statistics, standards
        self.dtype, self.augment = dtype, augment
        self.workers, self.ahead, self.deadline = workers, ahead, deadline
        self.pin_memory = torch.cuda.is_available() if pin_memory is None else pin_memory
        self._renderer: Renderer | None = None
        self._kept: dict[str, KeptBatches] = {}

    @property
    def renderer(self) -> Renderer:
        """What renders; started when it is first asked for, and again after `close`."""
        if self._renderer is None:
            workers = self.workers or max(1, available_cores() // self.share.world)
            self._renderer = make_renderer(self._synth, workers, deadline=self.deadline, processes=True)
        return self._renderer

    @cached_property
    def plan(self) -> Plan:
        """What is rendered.

        Raises:
            UserError: The wishes name something that is unknown or cannot be rendered.
        """
        return make_plan(self.wishes, self._synth, self.renderer)

    def setup(self, stage: str) -> None:
        """Make sure that rows can be rendered.

        Raises:
            UserError: They cannot.
        """
        super().setup(stage)
        self.finish()

    @property
    def validates(self) -> bool:
        """Whether rows are held out for validation."""
        return self.held_out["val"][1] > 0

    def finish(self) -> Finish:
        """See `ResumableData`."""
        return self._finish

    def make_train_loader(self) -> Loader:
        """See `ResumableData`."""
        return RenderLoader(
            self.plan,
            self.renderer,
            self._listen,
            EndlessOrder(self.batch_size, self.epoch_batches, self.share),
            ahead=self.ahead,
            pin_memory=self.pin_memory,
            marks={"data": recipe_mark(self.plan.recipe)},
        )

    def val_dataloader(self) -> KeptBatches:
        """Batches of the validation rows; each rank has its share."""
        return self._held_out("val")

    def test_dataloader(self) -> KeptBatches:
        """Batches of the test rows; each rank has its share."""
        return self._held_out("test")

    def predict_dataloader(self) -> KeptBatches:
        """As `test_dataloader`."""
        return self.test_dataloader()

    def close(self) -> None:
        """End the workers; the module can be used again."""
        super().close()
        renderer, self._renderer = self._renderer, None
        if renderer is not None:
            renderer.close()

    def _held_out(self, name: str) -> KeptBatches:
        if name not in self._kept:
            seed, rows = self.held_out[name]
            order = EpochOrder(rows, self.batch_size, None, "keep", self.share)
            plan = dataclasses.replace(self.plan, recipe=dataclasses.replace(self.plan.recipe, seed=seed))
            numbers = (order.rows(0, number) for number in range(order.batches))
            self._kept[name] = KeptBatches(list(render_batches(plan, numbers, self.renderer, self._listen)))
        return self._kept[name]

    @cached_property
    def _synth(self) -> Any:
        return load_wished_synth(self.wishes)

    @cached_property
    def _finish(self) -> Finish:
        view = open_view(self.statistics) if isinstance(self.statistics, Path | str) else self.statistics
        return Finish(
            self.features,
            self.plan.recipe.features,
            self.plan.recipe.sample_rate,
            standards=self.standards or view_standards(view, [one.name for one in self.features], view is not None),
            dtype=self.dtype,
            audio=self.audio,
            augment=self.augment,
        )

    @cached_property
    def _listen(self) -> Any:
        return dataclasses.replace(self.plan.listen(packed=False), audio=AUDIO in self._finish.needs)


class KeptBatches:
    """Batches that lie in memory."""

    def __init__(self, batches: Sequence[Batch]) -> None:
        self._batches = batches

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[Batch]:
        return iter(self._batches)
