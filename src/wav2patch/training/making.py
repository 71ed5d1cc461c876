"""From settings to data, and to what a model has to know about it."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from wav2patch.datasets.recipes.feature_words import load_stored_feature
from wav2patch.datasets.recipes.recipe import SPEC_FILE
from wav2patch.datasets.recipes.wishes import Wishes
from wav2patch.datasets.shards.layout import FEATURES
from wav2patch.errors import UserError
from wav2patch.features.catalogue import heard_raw
from wav2patch.files import atomic_path
from wav2patch.note_rules import PaperNotes, parse_notes
from wav2patch.synths.catalogue import RESEARCH, load_synth
from wav2patch.training.data_module import ClipData
from wav2patch.training.degrading.augment import Degrade
from wav2patch.training.device_features import Standardize
from wav2patch.training.online import OnlineData
from wav2patch.training.resuming import ResumableData
from wav2patch.training.settings import DataSettings, RunSettings
from wav2patch.training.tensor_data import TensorData
from wav2patch.weights.record import Record

MEASURED_ROWS, MEASURED_SEED = 512, 1_000_003
"""How many rows are measured where a feature is to be standardised and no statistics are at hand."""

_SAMPLE_RATE = 44_100


def make_data(settings: DataSettings) -> ResumableData:
    """The data that settings stand for; `standardize` has still to be called.

    Raises:
        UserError: Settings contradict each other, or the data.
    """
    kind = data_kind(settings)
    least = {"batch_size": 1, "seed": 0, "val_rows": 0, "epoch_batches": 1, "held": 0}
    for name, low in least.items():
        if (value := getattr(settings, name)) < low:
            raise UserError(f"data.{name} is {low} or more, not {value}.")
    if kind == "clips":
        return _clips(settings)
    if settings.synth is None:
        raise UserError("data.synth=… has to be given, or data.folder=… of a data set.")
    return _tensor(settings) if kind == "tensor" else _online(settings)


def data_kind(settings: DataSettings) -> str:
    """Where data comes from: ``clips``, ``online`` or ``tensor``."""
    if settings.kind != "auto":
        return settings.kind
    if settings.folder is not None:
        return "clips"
    return "tensor" if settings.synth_name in RESEARCH else "online"


@dataclass(frozen=True)
class Facts:
    """What data says about itself; see `Record`."""

    synth: str
    space: str
    notes: str
    sample_rate: int
    length: float
    channels: int


def data_facts(data: ResumableData, settings: DataSettings) -> Facts:
    """What a data module that `make_data` made is about.

    Raises:
        UserError: It is not what the settings say that it is.
    """
    if isinstance(data, TensorData):
        length = data.samples / data.sample_rate
        notes = parse_notes(f"C4 duration={length}", length).words
        return Facts(data.synth.name, data.synth.space.digest, notes, data.sample_rate, length, 1)
    assert isinstance(data, ClipData | OnlineData)
    recipe = data.recipe if isinstance(data, ClipData) else data.plan.recipe
    name = settings.synth_name if recipe.synth == SPEC_FILE and settings.synth else recipe.synth
    if settings.synth and load_synth(settings.synth_name).space.digest != recipe.space:
        raise UserError(
            f"{settings.folder} is a data set of {recipe.synth}, not of {settings.synth_name} as it is here: give "
            "another data.folder=…, or the experiment of its synth."
        )
    return Facts(name, recipe.space, recipe.notes, recipe.sample_rate, recipe.length, recipe.channels)


def make_record(settings: RunSettings, facts: Facts) -> Record:
    """What a model of a run has to say about itself.

    Raises:
        UserError: The model is to know of notes that the data does not have.
    """
    _check_notes(settings, facts)
    feature = load_stored_feature(settings.data.feature)
    samples = round(facts.length * facts.sample_rate)
    same = settings.symmetries_of in (None, facts.synth)
    return Record(
        **dataclasses.asdict(facts),
        note=settings.note,
        feature=feature.name,
        shape=feature.shape(facts.channels, samples, facts.sample_rate),
        inverter=settings.inverter,
        symmetries_of=None if same else settings.symmetries_of,
    )


def standardize(data: ResumableData, settings: DataSettings, kept: Path) -> None:
    """Have the feature standardised where settings say so: by statistics of the data set, as kept, or measured now.

    Args:
        data: That `make_data` made, before its first batch.
        settings: Of the data.
        kept: File in which measured numbers are kept, so that a resumed run has the same.
    """
    feature, target = load_stored_feature(settings.feature).name, cast(Any, data)
    # An embedding beside stays as it is: what it is compared with is. So does the feature, if it is the same.
    compared = settings.embedding is not None and load_stored_feature(settings.embedding).name == feature
    if settings.standardize is False or compared or (settings.standardize is None and heard_raw(feature)):
        target.standards = {}
        return
    if isinstance(data, ClipData) and feature in data.standards:
        target.standards = {feature: data.standards[feature]}
        return
    if not kept.exists():
        mean, deviation = _measured(settings, feature)
        with atomic_path(kept) as temporary:
            np.savez(temporary, allow_pickle=False, mean=mean, deviation=deviation)
    with np.load(kept, allow_pickle=False) as file:
        target.standards = {feature: Standardize(file["mean"], file["deviation"])}


def _clips(settings: DataSettings) -> ClipData:
    if settings.folder is None:
        raise UserError("data.folder=… has to be given: the folder of a data set's views.")
    data = ClipData(
        settings.folder,
        train=settings.train,
        val=settings.val,
        features=settings.features,
        batch_size=settings.batch_size,
        seed=settings.seed,
        standardize=False if settings.standardize is False else None,
        num_workers=settings.workers,
        held=settings.held * 2**20,
    )
    _check_clips(data, settings)
    data.augment = _degrade(settings, data.recipe.sample_rate, data.recipe.features)
    return data


def _check_clips(data: ClipData, settings: DataSettings) -> None:
    recipe = data.recipe
    if settings.sample_rate not in (None, recipe.sample_rate):
        raise UserError(f"{settings.folder} has clips of {recipe.sample_rate} Hz, not {settings.sample_rate}.")
    if settings.notes is not None and parse_notes(settings.notes, recipe.length).words != recipe.notes:
        raise UserError(f"the notes in {settings.folder} are {recipe.notes!r}, not {settings.notes!r}.")


def _online(settings: DataSettings) -> OnlineData:
    sample_rate = settings.sample_rate or _SAMPLE_RATE
    wishes = Wishes(
        synth=settings.synth_name,
        seed=settings.seed,
        prior=settings.prior,
        notes=settings.notes or "wide",
        length=settings.length,
        sample_rate=sample_rate,
        gate=settings.gate,
        features=settings.features,
    )
    return OnlineData(
        wishes,
        batch_size=settings.batch_size,
        epoch_batches=settings.epoch_batches,
        val_rows=settings.val_rows,
        test_rows=0,
        augment=_degrade(settings, sample_rate, [settings.feature]),
        workers=settings.workers,
        ahead=settings.ahead,
    )


def _tensor(settings: DataSettings) -> TensorData:
    sample_rate = settings.sample_rate or _SAMPLE_RATE
    return TensorData(
        settings.synth_name,
        features=settings.features,
        audio=False,
        samples=settings.samples,
        sample_rate=sample_rate,
        augment=_degrade(settings, sample_rate, ()),
        batch_size=settings.batch_size,
        epoch_batches=settings.epoch_batches,
        seed=settings.seed,
        val_rows=settings.val_rows,
        num_workers=settings.workers or 0,
    )


def _degrade(settings: DataSettings, sample_rate: int, stored: Collection[str]) -> Degrade | None:
    """What degrades training batches: their stored feature, or the audio that it is made of."""
    if settings.degrade == 0.0:
        return None
    feature = load_stored_feature(settings.feature)
    names = {load_stored_feature(words).name for words in stored}
    return Degrade(settings.seed, settings.degrade, sample_rate, [feature] if feature.name in names else [])


def _check_notes(settings: RunSettings, facts: Facts) -> None:
    if facts.synth in RESEARCH and settings.note != "none" and data_kind(settings.data) == "tensor":
        raise UserError(f"{facts.synth} plays no notes: give note=none.")
    if settings.note == "predicted" and not isinstance(parse_notes(facts.notes, facts.length), PaperNotes):
        raise UserError(f"notes drawn by {facts.notes!r} cannot be predicted, only those of paper: give note=given.")


def _measured(settings: DataSettings, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and deviation of each bin of a feature over the first rows of what is trained on, or over as many others."""
    few = {"val_rows": MEASURED_ROWS, "batch_size": 32, "held": 0}
    data = make_data(dataclasses.replace(settings, val=settings.train, standardize=False, **few))
    if isinstance(data, OnlineData):
        data.held_out["val"] = (MEASURED_SEED, MEASURED_ROWS)
    try:
        return _moments(data, name)
    finally:
        data.close()


def _moments(data: ResumableData, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    data.setup("fit")
    loader: Any = data.val_dataloader()
    count, total, squares = 0, 0.0, 0.0
    for batch in loader:
        values = finished(data, batch)[FEATURES + name].double().numpy()
        total, squares = total + values.sum(axis=0), squares + (values**2).sum(axis=0)
        if (count := count + len(values)) >= MEASURED_ROWS:
            break
    mean: Any = total / count
    return mean, np.sqrt(np.maximum(squares / count - mean**2, 0.0))


@torch.no_grad()
def finished(data: ResumableData, batch: Any) -> Any:
    """A batch as training gets it, without a trainer."""
    return data.finished(batch, training=False)
