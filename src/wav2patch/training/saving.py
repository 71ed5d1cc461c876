"""Trained models on disk: Lightning checkpoints and model folders, read by one function.

Nothing that is read here can run code: checkpoints are loaded as tensors and plain values only.
"""

from __future__ import annotations

import pickle
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from wav2patch.datasets.recipes.feature_words import ready_feature
from wav2patch.errors import UserError
from wav2patch.features.standard import Standard
from wav2patch.models.inverters.base import Inverter
from wav2patch.models.inverters.catalogue import make_inverter
from wav2patch.models.learners import PRETRAINING
from wav2patch.notes import Note
from wav2patch.synths.base import Synth
from wav2patch.training.shown_draws import show_draws
from wav2patch.weights.card import Card, write_card
from wav2patch.weights.folder import (
    CARD,
    STATS,
    WEIGHTS,
    ModelFolder,
    new_folder,
    open_folder,
    write_config,
    write_space,
)
from wav2patch.weights.hearing import Hearing
from wav2patch.weights.proposals import Proposals, decode, told_note
from wav2patch.weights.record import Record

ENTRY = "wav2patch"
"""Key of a checkpoint under which the record and what standardises features are."""

PREFIX = "inverter."
"""What the names of the model's weights begin with in a checkpoint."""

_UNREADABLE = (
    *(pickle.UnpicklingError, RuntimeError, EOFError, OSError),
    *(LookupError, ValueError, TypeError, AttributeError, zipfile.BadZipFile),
)


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained model with all that it takes to ask it.

    Attributes:
        inverter: The model, in evaluation mode, on the processor unless it was moved.
        record: What it is.
        standard: What standardises the feature it hears; None for raw features.
        synth: Whose patches it proposes.
        source: Where it was read from.
        steps: Of the optimizer, where that is known.
    """

    inverter: Inverter
    record: Record
    standard: Standard | None
    synth: Synth
    source: Path
    steps: int | None = None

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next((one.device for one in self.inverter.state_dict().values()), torch.device("cpu"))

    @cached_property
    def hearing(self) -> Hearing:
        """From recordings to features.

        Raises:
            UserError: The feature takes an audio model that is not here.
        """
        return Hearing(self.record, ready_feature(self.record.feature), self.standard)

    def propose(
        self,
        audio: NDArray[np.floating],
        sample_rate: int,
        note: Note | None,
        n: int,
        generator: torch.Generator | None = None,
    ) -> Proposals:
        """Propose patches for one sound; see `ReadyModel.propose`. The generator is on the model's device."""
        generators = None if generator is None else [generator]
        return self.propose_many([audio], sample_rate, [note], n, generators)[0]

    def propose_many(
        self,
        audios: Sequence[NDArray[np.floating]],
        sample_rate: int,
        notes: Sequence[Note | None],
        n: int,
        generators: Sequence[torch.Generator] | None = None,
    ) -> list[Proposals]:
        """Propose patches for many sounds at once, with the note and the generator of each."""
        device = self.device
        heard = torch.from_numpy(np.stack([self.hearing(audio, sample_rate) for audio in audios])).to(device)
        told = [one for one in (told_note(self.record, note) for note in notes) if one is not None]
        known = torch.from_numpy(np.stack(told)).to(device) if told else None
        vectors = (self.inverter.propose_batch(heard, known, n, generators) + 1.0) / 2.0
        return [decode(self.record, self.synth.space, one) for one in vectors.float().cpu().numpy()]


def load_trained(path: Path | str, *, draws: int | None = None, empty: bool = False) -> Trained:
    """A trained model from a Lightning checkpoint or a model folder.

    Args:
        path: Of either.
        draws: Of the prior, that a model of a checkpoint chooses from, if not as many as in training.
        empty: Whether a model of a checkpoint gets none, and proposes nothing before it has something else.

    Raises:
        UserError: There is none, it is damaged, was made for another parameter space, or chooses from no other draws.
    """
    path = Path(path)
    if path.is_dir():
        if draws is not None:
            raise UserError(f"{path} has its draws: give the checkpoint that it was made of for others.")
        return _from_folder(open_folder(path))
    if not path.exists():
        raise UserError(f"there is no {path}: give a checkpoint that `wav2patch train` wrote, or a model folder.")
    return _from_checkpoint(path, draws, empty)


def save_model(
    folder: Path | str, inverter: Inverter, record: Record, standard: Standard | None, card: Card | None = None
) -> Path:
    """Write a model folder, whole or not at all; a model that is there already makes way.

    Raises:
        UserError: Something else is there, the disk refuses it, or the model was made for another parameter space.
    """
    with new_folder(Path(folder)) as place:
        write_model(place, inverter, record, standard, card)
        write_config(ModelFolder(place, record))
    return Path(folder)


def write_model(
    place: Path,
    inverter: Inverter,
    record: Record,
    standard: Standard | None,
    card: Card | str | None = None,
    *,
    weights: bool = True,
) -> None:
    """Write everything of a model folder but its ``config.yaml`` and graphs into an empty folder.

    Args:
        place: The folder.
        inverter: The model.
        record: What it is.
        standard: What standardises its feature, if anything does.
        card: The facts for its card, or the card itself.
        weights: Whether the weights for PyTorch are written.
    """
    write_space(place, record.load_synth().space)
    if standard is not None:
        np.savez_compressed(place / STATS, allow_pickle=False, mean=standard.mean, scale=standard.scale)
    state = {name: value.detach().cpu().contiguous().clone() for name, value in inverter.state_dict().items()}
    if weights:
        save_file(state, place / WEIGHTS)
    count = sum(one.numel() for one in inverter.parameters())
    text = card if isinstance(card, str) else write_card(card or Card(), record, parameters=count)
    (place / CARD).write_text(text, encoding="utf-8")


def _from_folder(folder: ModelFolder) -> Trained:
    weights = folder.path / WEIGHTS
    if not weights.exists():
        raise UserError(
            f"{folder.path} holds no {WEIGHTS}, only graphs for `wav2patch match`: use the checkpoint it was made of."
        )
    try:
        state = load_file(weights)
    except (SafetensorError, OSError, ValueError) as error:
        raise UserError(f"{weights} is damaged: fetch or export it again.") from error
    return _trained(folder.record, state, folder.standard(), folder.path)


def _from_checkpoint(path: Path, draws: int | None, empty: bool) -> Trained:
    checkpoint = read_checkpoint(path)
    entry = checkpoint[ENTRY]
    record = Record.from_dict(entry.get("record"), path)
    if draws is not None:
        record = replace(record, inverter={**record.inverter, "draws": draws})
    state = {k.removeprefix(PREFIX): v for k, v in checkpoint["state_dict"].items() if k.startswith(PREFIX)}
    steps = checkpoint.get("global_step")
    trained = _trained(record, state, _standard(entry, path), path)
    # A checkpoint has none: they follow from the weights, and would make it many times as large.
    if not empty:
        show_draws(trained.inverter, record, trained.synth)
    return replace(trained, steps=steps if isinstance(steps, int) else None)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint of wav2patch, as tensors and plain values.

    Raises:
        UserError: It is damaged, or no checkpoint of wav2patch.
    """
    try:
        path.open("rb").close()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
    try:
        # It warns of what it is about to refuse.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except _UNREADABLE as error:
        raise UserError(f"{path} is no checkpoint, or a damaged one.") from error
    if not isinstance(checkpoint, dict) or not {ENTRY, "state_dict"} <= checkpoint.keys():
        raise UserError(f"{path} is no checkpoint of wav2patch: give one that `wav2patch train` wrote.")
    if not isinstance(checkpoint[ENTRY], Mapping) or not isinstance(checkpoint["state_dict"], Mapping):
        raise UserError(f"{path} is no checkpoint of wav2patch, or a damaged one.")
    return checkpoint


def _standard(entry: Mapping[str, Any], path: Path) -> Standard | None:
    tensors = entry.get("standard")
    if not tensors:
        return None
    if not isinstance(tensors, Mapping) or not all(isinstance(tensors.get(k), Tensor) for k in ("mean", "scale")):
        raise UserError(f"{path} is damaged: its statistics have no mean or no scale.")
    # A checkpoint has what `Standardize` multiplies by, a `Standard` what to divide by.
    return Standard(tensors["mean"].float().numpy(), 1.0 / tensors["scale"].float().numpy())


def _trained(record: Record, state: Mapping[str, Tensor], standard: Standard | None, path: Path) -> Trained:
    if record.inverter["kind"] in PRETRAINING:
        raise UserError(f"{path} was pretrained and proposes no patches: train a method that begins with init={path}.")
    synth = record.load_synth(path)
    layout = record.layout(synth, path)
    inverter = make_inverter(record.inverter, layout, record.shape, note=record.note == "given")
    try:
        inverter.load_state_dict(state)
    except RuntimeError as error:
        raise UserError(
            f"{path} is damaged, or of another version of wav2patch: its weights are not those of the model that it "
            "describes."
        ) from error
    return Trained(inverter.eval(), record, standard, synth, path)
