"""Data sets for Lightning: views of them, read while training."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import torch

from wav2patch.datasets.recipes.feature_words import load_stored_feature
from wav2patch.datasets.recipes.recipe import Recipe
from wav2patch.datasets.shards.layout import AUDIO
from wav2patch.datasets.storage.base import open_storage
from wav2patch.datasets.storage.local import LocalStorage
from wav2patch.datasets.views.view import View, find_view, is_address
from wav2patch.errors import UserError
from wav2patch.features.base import Feature
from wav2patch.rendering.choose import available_cores
from wav2patch.training.clips import ClipDataset
from wav2patch.training.device_features import Standardize
from wav2patch.training.finish import Augment, Finish
from wav2patch.training.loader import Loader, RowLoader
from wav2patch.training.marks import view_mark
from wav2patch.training.resuming import ResumableData
from wav2patch.training.sampler import EpochOrder
from wav2patch.training.standards import view_standards

Place = View | Path | str

_MOST_WORKERS = 4


class ClipData(ResumableData):
    """The views of a data set as a Lightning data module.

    Batches are dictionaries; see `clips` for the fields. On the device they have `parameters`, `notes`, `index`, each
    feature as ``features/NAME`` and, if wanted, `audio`. Training never starts on a view with holes.

    Args:
        folder: Of the views; local, or such as ``s3://bucket/set``.
        train: Name of a view in the folder (``"train"`` is ``train.h5``), the address of one, or an open one. An
            address ends in ``.h5``, or is the folder of a whole data set and contains a slash.
        val: As `train`; a folder without it trains without validation.
        test: As `train`.
        predict: As `train`; by default what `test` is.
        features: In words, such as ``"log_mel"``. One that is not stored is computed on the device from the audio.
        audio: Whether batches have the clips as well.
        batch_size: Of each rank.
        seed: Of the shuffles.
        last: What becomes of rows left over at the end of a training epoch; see `EpochOrder`. Other views are read
            once each, to the last row.
        standardize: Whether features get mean 0 and deviation 1 by the statistics of the training view, which
            `wav2patch data stats` makes; None if they are there.
        dtype: Of features and audio on the device.
        augment: Changes training batches on the device.
        num_workers: Processes that read ahead; one core less than there are by default, and 4 at most.
        pin_memory: By default where there is a GPU.
        persistent_workers: Whether workers stay between epochs.
        prefetch_factor: Batches that each worker reads ahead.
        start_method: Of worker processes; see `RowLoader`.
        held: Bytes of fields that are held in memory; see `ClipDataset`. Of remote data sets nothing is, as it would
            have to be fetched first.
        cache: Folder for copies of remote files.
    """

    def __init__(
        self,
        folder: Path | str | None = None,
        *,
        train: Place = "train",
        val: Place = "val",
        test: Place = "test",
        predict: Place | None = None,
        features: str | Sequence[str] = ("log_mel",),
        audio: bool = False,
        batch_size: int = 128,
        seed: int = 0,
        last: Literal["drop", "pad", "keep"] = "drop",
        standardize: bool | None = None,
        dtype: torch.dtype = torch.float32,
        augment: Augment | None = None,
        num_workers: int | None = None,
        pin_memory: bool | None = None,
        persistent_workers: bool = True,
        prefetch_factor: int = 2,
        start_method: str | None = None,
        held: int = 2**30,
        cache: Path | None = None,
    ) -> None:
        super().__init__()
        self.folder, self.cache, self.held = folder, cache, held
        self.places: dict[str, Place] = {"train": train, "val": val, "test": test, "predict": predict or test}
        self.features: tuple[Feature, ...] = tuple(
            load_stored_feature(words) for words in ([features] if isinstance(features, str) else features)
        )
        self.audio, self.batch_size, self.seed = audio, batch_size, seed
        self.last: Literal["drop", "pad", "keep"] = last
        self.standardize, self.dtype, self.augment = standardize, dtype, augment
        self.loading: dict[str, Any] = {
            "num_workers": min(_MOST_WORKERS, available_cores() - 1) if num_workers is None else num_workers,
            "pin_memory": torch.cuda.is_available() if pin_memory is None else pin_memory,
            "persistent_workers": persistent_workers,
            "prefetch_factor": prefetch_factor,
            "start_method": start_method,
        }
        self._views: dict[str, View] = {}

    def setup(self, stage: str) -> None:
        """Open and check the views of a stage.

        Raises:
            UserError: One is missing, has holes, or does not go with the training view.
        """
        super().setup(stage)
        fitting = ("train", "val") if self.validates else ("train",)
        for name in {"fit": fitting, "validate": ("val",)}.get(stage, (stage,)):
            self.view(name)

    @property
    def validates(self) -> bool:
        """Whether there is a validation view."""
        return self._is_there("val")

    def view(self, name: str) -> View:
        """The view ``"train"``, ``"val"``, ``"test"`` or ``"predict"``, checked.

        Raises:
            UserError: It is missing, has holes, or does not go with another view.
        """
        if name not in self._views:
            view = self._open(self.places[name])
            view.check()
            for other in self._views.values():
                _check_alike(view, other)
            self._views[name] = view
        return self._views[name]

    @property
    def recipe(self) -> Recipe:
        """Of the data set that is in use, the training one if there is one."""
        return (self._views.get("train") or next(iter(self._views.values()), None) or self.view("train")).recipe

    @cached_property
    def standards(self) -> dict[str, Standardize]:
        """What standardises the features, by their names; from the training view alone.

        Raises:
            UserError: They are to be standardised and cannot be.
        """
        view = self._views.get("train") or (self._open(self.places["train"]) if self._is_there("train") else None)
        return view_standards(view, [one.name for one in self.features], self.standardize)

    def finish(self) -> Finish:
        """See `ResumableData`."""
        return self._finish

    @cached_property
    def _finish(self) -> Finish:
        recipe = self.recipe
        finish = Finish(
            self.features,
            recipe.features,
            recipe.sample_rate,
            standards=self.standards,
            dtype=self.dtype,
            audio=self.audio,
            augment=self.augment,
        )
        if AUDIO in finish.needs and recipe.audio == "none":
            absent = [one.name for one in self.features if one.name not in recipe.features]
            wanted = f"to compute {absent[0]} from" if absent else "in it"
            raise UserError(f"the data set has no audio {wanted}: it was made with audio=none.")
        return finish

    def make_train_loader(self) -> Loader:
        """See `ResumableData`."""
        view = self.view("train")
        # Lightning's check of a model that has to overfit wants the same batches every time.
        shuffled = self.trainer is None or not getattr(self.trainer, "overfit_batches", 0)
        order = EpochOrder(len(view), self.batch_size, self.seed if shuffled else None, self.last, self.share)
        if not order.batches:
            raise UserError(
                f"{view.address} has {len(view)} rows, too few for one batch of {self.batch_size} "
                f"on each of {order.share.world} processes: make batches smaller."
            )
        return self._loader_of(view, order)

    def val_dataloader(self) -> Loader:
        """Every row of the validation view once, in order."""
        return self._once("val")

    def test_dataloader(self) -> Loader:
        """Every row of the test view once, in order."""
        return self._once("test")

    def predict_dataloader(self) -> Loader:
        """Every row of the prediction view once, in order."""
        return self._once("predict")

    def _once(self, name: str) -> Loader:
        view = self.view(name)
        order = EpochOrder(len(view), self.batch_size, None, "keep", self.share)
        return self.watched(self._loader_of(view, order))

    def _loader_of(self, view: View, order: EpochOrder) -> Loader:
        source = ClipDataset(view, self._finish.needs, self.held if isinstance(view.storage, LocalStorage) else 0)
        source.hold()
        return RowLoader(source, order, marks={"data": view_mark(view)}, **self.loading)

    def _open(self, place: Place) -> View:
        return place if isinstance(place, View) else find_view(place, self.folder, cache=self.cache)

    def _is_there(self, name: str) -> bool:
        place = self.places[name]
        if isinstance(place, View) or is_address(place):
            return True
        return self.folder is not None and open_storage(self.folder, cache=self.cache).exists(f"{place}.h5")


def _check_alike(view: View, other: View) -> None:
    mine, theirs = view.recipe, other.recipe
    for what in ("space", "sample_rate", "length", "channels", "features", "audio"):
        if (here := getattr(mine, what)) != (there := getattr(theirs, what)):
            told = f" ({what} {here} and {there})" if what != "space" else ": their synths have other parameters"
            raise UserError(f"{view.address} does not go with {other.address}{told}.")
