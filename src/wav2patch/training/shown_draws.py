"""Draws of the prior for models that choose from them, without a sound being made."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from wav2patch.models.inverters.base import Inverter
from wav2patch.note_rules import PaperNotes, parse_notes
from wav2patch.synths.base import Synth
from wav2patch.training.examples import audible_columns
from wav2patch.training.many_draws import draw_many
from wav2patch.weights.record import Record

SEED = 1_000_004
"""Of these draws, which no data has."""

REHEARSED = 1_024
"""Draws that are chosen from while a model is still training."""


def show_draws(inverter: Inverter, record: Record, synth: Synth, *, keep: bool = True) -> None:
    """Show a model the draws that it wants to choose from, if it wants some.

    They are the first of the synth's own prior, with notes by the record's rule where the model predicts them: the
    same on every machine.

    Args:
        inverter: The model.
        record: What it is.
        synth: Whose patches it proposes.
        keep: Whether they are for good; otherwise a few will do.
    """
    if wanted := inverter.wanted_draws:
        count = wanted if keep else min(wanted, REHEARSED)
        vectors = draw_vectors(record, synth, count)
        width = synth.space.width
        encoded = (vectors[:, :width].numpy() + 1.0) / 2.0
        inverter.show_draws(vectors, audible_columns(synth.space, encoded, vectors.shape[1] - width), keep=keep)


def draw_vectors(record: Record, synth: Synth, count: int) -> Tensor:
    """Vectors ``(count, D)`` in [−1, 1] of the first draws."""
    numbers = np.arange(count, dtype=np.int64)
    encoded = [synth.space.encode(draw_many(synth.prior(), SEED, numbers))]
    if record.note == "predicted":
        rule = parse_notes(record.notes, record.length)
        assert isinstance(rule, PaperNotes)
        encoded.append(np.stack([rule.encode(rule.draw(SEED, int(number))) for number in numbers]))
    return torch.from_numpy(np.concatenate(encoded, axis=1).astype(np.float32)) * 2.0 - 1.0
