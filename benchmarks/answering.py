"""Answers of a trained InverSynth II for one sound that may be rendered: drawn, chosen by its decoder, or finetuned.

Each way gives the best vector that was heard, and its distance.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from wav2patch.configs.composing import compose_settings
from wav2patch.evaluation.rows import Row
from wav2patch.metrics.objective import Objective
from wav2patch.models.inverters.base import Examples
from wav2patch.synths.base import Synth
from wav2patch.synths.tensor.synth import TensorSynth
from wav2patch.training.examples import Translation
from wav2patch.training.finetuning import finetune_answer, finetune_weights
from wav2patch.training.making import finished, make_data, standardize
from wav2patch.training.run_folder import run_folder
from wav2patch.training.saving import Trained

STEPS = 30

Answer = tuple[Tensor, float]
"""A vector ``(D,)`` in [−1, 1], and the distance of its sound in dB."""

Batches = Callable[[int], Iterator[Examples]]
"""Batches of training data for a target, by its number."""


class Target:
    """A sound to be found, and how far answers are from it.

    Args:
        synth: Of the row.
        row: With the sound.
        trained: What hears it.
    """

    def __init__(self, synth: Synth, row: Row, trained: Trained) -> None:
        self.synth, self.row = synth, row
        self.objective = Objective(row.audio.mean(axis=0), row.sample_rate)
        self.features = torch.from_numpy(trained.hearing(row.audio, row.sample_rate))

    def distance(self, vector: Tensor) -> float:
        """Of the sound of a vector ``(D,)`` in [−1, 1]."""
        patch = self.synth.space.decode((vector.numpy()[None] + 1.0) / 2.0)
        rate, samples = self.row.sample_rate, self.row.audio.shape[-1]
        if isinstance(self.synth, TensorSynth):
            return float(self.objective(self.synth.render_batch(patch, samples, rate).numpy()[0]))
        sound = self.synth.render(patch[0], self.row.note, length=self.row.length, sample_rate=rate)
        return float(self.objective(sound.mean(axis=0)))


@torch.no_grad()
def said(trained: Trained, target: Target, answers: int) -> Answer:
    """The best of so many answers, the likeliest first and the others drawn from the softmax."""
    chance = torch.Generator().manual_seed(target.row.number)
    model: Any = trained.inverter
    return _best(model.choose(model(target.features[None], None), answers, chance)[0], target)


@torch.no_grad()
def chosen(trained: Trained, target: Target, answers: int, draws: int) -> Answer:
    """The best of so many answers: the likeliest, and draws that the decoder expects to sound most alike."""
    chance = torch.Generator().manual_seed(target.row.number)
    model: Any = trained.inverter
    drawn = model.choose(model(target.features[None], None), draws, chance)[0]
    return _best(model.alike(drawn, target.features, None, answers), target)


def _best(vectors: Tensor, target: Target) -> Answer:
    distances = [target.distance(vector) for vector in vectors]
    best = min(range(len(distances)), key=distances.__getitem__)
    return vectors[best], distances[best]


def weights_finetuned(trained: Trained, target: Target, batches: Batches, rate: float) -> Answer:
    """The best answer while the encoder's weights are finetuned."""
    model: Any = trained.inverter
    beside = batches(target.row.number)
    found = finetune_weights(model, target.features, None, target.distance, beside, steps=STEPS, learning_rate=rate)
    return found.vector, found.distance


def answer_finetuned(trained: Trained, target: Target, rate: float) -> Answer:
    """The best answer while it is finetuned itself."""
    model: Any = trained.inverter
    found = finetune_answer(model, target.features, None, target.distance, steps=STEPS, learning_rate=rate)
    return found.vector, found.distance


def training_batches(words: Sequence[str], trained: Trained) -> Batches:
    """What a run has learnt from, shuffled for each target in its own way; words are those that it was given."""
    settings = compose_settings(list(words))
    data = make_data(settings.data)
    standardize(data, settings.data, Path(run_folder(settings).standards))
    data.setup("fit")
    translation, loader = Translation(trained.record), data.make_train_loader()

    def batches(number: int) -> Iterator[Examples]:
        for epoch in itertools.count(number):
            for batch in loader.batches(epoch, 0):
                yield translation(finished(data, batch))

    return batches
