"""From a data module's batches to what a model learns from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wav2patch.datasets.recipes.feature_words import load_stored_feature
from wav2patch.datasets.shards.layout import FEATURES
from wav2patch.errors import UserError
from wav2patch.models.inverters.base import Examples, Learner
from wav2patch.models.noise import Noise
from wav2patch.note_rules import NOTE_WIDTH, PaperNotes, parse_notes
from wav2patch.notes import Note
from wav2patch.parameters import ParameterSpace
from wav2patch.training.clips import Batch
from wav2patch.weights.record import Record

VECTORS, WEIGHTS, START, EPOCH = "vectors", "weights", "start", "epoch"
"""What `Preparation` adds to a batch."""


@dataclass(frozen=True)
class Translation:
    """What a record says of how batches become examples.

    Attributes:
        record: Of the model.
        mask_inaudible: Whether parameters that cannot be heard in a patch weigh nothing.
        embedding: Words of the embedding that examples have beside what is heard, if any.
    """

    record: Record
    mask_inaudible: bool = False
    embedding: str | None = None

    def __call__(self, batch: Batch) -> Examples:
        """The examples of a batch; what was prepared ahead of time is used as it is."""
        key = FEATURES + self.feature
        if key not in batch:
            offered = ", ".join(name for name in batch if name.startswith(FEATURES)) or "none"
            raise UserError(f"the model hears {key}, and the data has {offered}: ask the data for it.")
        notes = batch["notes"] if self.record.note == "given" else None
        embedding = None if self.embedding is None else batch[FEATURES + load_stored_feature(self.embedding).name]
        examples = self.targets(batch)
        return examples.replace(features=batch[key], notes=notes, start=batch.get(START), embedding=embedding)

    def targets(self, batch: Batch) -> Examples:
        """Vectors ``(n, D)`` and their weights alone, the features ``(n, 0)``.

        Raises:
            UserError: The batch is of another synth, or its notes cannot be predicted.
        """
        vectors = batch[VECTORS] if VECTORS in batch else self._vectors(batch)
        weights = batch.get(WEIGHTS)
        if self.mask_inaudible and weights is None:
            weights = self._weights(batch)
        return Examples(vectors[:, :0], None, vectors, weights)

    def _vectors(self, batch: Batch) -> Tensor:
        parameters = batch["parameters"]
        if parameters.shape[1] != self.space.width:
            raise UserError(
                f"the data has patches of {parameters.shape[1]} numbers, and those of {self.record.synth} have "
                f"{self.space.width}: train on a data set of {self.record.synth}."
            )
        parts = [parameters.float()]
        if self.record.note == "predicted":
            parts.append(encoded_notes(self._rule, batch["notes"]))
        return torch.cat(parts, dim=1) * 2.0 - 1.0

    def _weights(self, batch: Batch) -> Tensor:
        """1 for each column of a parameter that can be heard, and of the note; 0 for the others."""
        parameters = batch["parameters"]
        note = NOTE_WIDTH * (self.record.note == "predicted")
        return audible_columns(self.space, parameters.cpu().numpy(), note).to(parameters.device)

    @cached_property
    def space(self) -> ParameterSpace:
        """Of the synth.

        Raises:
            UserError: It is another one by now.
        """
        return self.record.load_synth().space

    @cached_property
    def feature(self) -> str:
        """Name of what is heard."""
        return load_stored_feature(self.record.feature).name

    @cached_property
    def _rule(self) -> PaperNotes:
        rule = parse_notes(self.record.notes, self.record.length)
        if not isinstance(rule, PaperNotes):
            raise UserError(f"notes of the rule {self.record.notes!r} cannot be predicted: those of paper can.")
        return rule


@dataclass(frozen=True)
class Preparation:
    """What can be done to a training batch before its turn: without the weights, on the processor.

    Attributes:
        translation: Of batches to examples.
        inverter: Whose `prepare` is called.
        seed: Of the noise.
    """

    translation: Translation
    inverter: Learner
    seed: int

    def __call__(self, batch: Batch, epoch: int) -> Batch:
        """The batch with ``vectors``, ``epoch`` and, where there are some, ``weights`` and ``start``."""
        targets = self.translation.targets(batch)
        with torch.no_grad():
            ready = self.inverter.prepare(targets, Noise(self.seed, epoch, batch["index"]))
        added = {VECTORS: ready.vectors, WEIGHTS: ready.weights, START: ready.start}
        # The epoch stays a number: as a tensor on a GPU it would have to be waited for.
        numbers: dict[str, Any] = {EPOCH: epoch}
        return {**batch, **{name: value for name, value in added.items() if value is not None}, **numbers}


def audible_columns(space: ParameterSpace, encoded: NDArray[np.floating], note: int) -> Tensor:
    """1 for each column of a parameter that can be heard in its patch, 0 for others, float32 ``(n, D + note)``.

    Args:
        space: Of the patches.
        encoded: ``(n, D)``, in [0, 1].
        note: Columns of the note behind, which always can be heard.
    """
    active = np.repeat(space.active(space.decode(encoded)), [one.width for one in space.parameters], axis=1)
    ones = np.ones((len(encoded), note), dtype=np.float32)
    return torch.from_numpy(np.concatenate([active.astype(np.float32), ones], axis=1))


def encoded_notes(rule: PaperNotes, notes: Tensor) -> Tensor:
    """Pitch, start and end ``(n, 3)`` in [0, 1] of notes ``(n, 4)``, by `PaperNotes.encode`.

    Raises:
        UserError: The rule never draws such a note.
    """
    try:
        found = [
            rule.encode(Note(round(pitch), round(velocity), onset, max(duration, 1e-6)))
            for pitch, velocity, onset, duration in notes.tolist()
        ]
    except ValueError as error:
        raise UserError(f"the data has notes that the model cannot predict: {error}.") from error
    return torch.from_numpy(np.stack(found)).to(notes.device)
