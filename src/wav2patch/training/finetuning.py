"""Finetuning for one sound: a few steps on what a model's decoder expects to hear, judged by the synth itself.

Two forms: of the encoder's weights (inference-time finetuning, Barkan et al., "InverSynth II", ISMIR 2023, Eq. 6), and
of the answer alone, as that paper's follow-up does. Both judge the answer as it is first, and each new one once.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from wav2patch.models.inverters.base import Examples
from wav2patch.models.inverters.inversynth import InverSynth
from wav2patch.models.noise import Noise

Judge = Callable[[Tensor], float]
"""Distance of the sound that a vector ``(D,)`` in [−1, 1] makes on the real synth."""


@dataclass(frozen=True, eq=False)
class Finetuned:
    """What came of it.

    Attributes:
        vector: The best answer, ``(D,)`` in [−1, 1].
        first: The answer before any step.
        distance: Of its sound.
        step: After which it was found; 0 is the answer before.
        distances: After each step, from before the first.
        renders: How many different answers were heard.
    """

    vector: Tensor
    first: Tensor
    distance: float
    step: int
    distances: tuple[float, ...]
    renders: int


class _Trials:
    """Answers as they come, each heard once."""

    def __init__(self, judge: Judge) -> None:
        self._judge, self._known = judge, dict[bytes, float]()
        self.vectors, self.distances = list[Tensor](), list[float]()

    def hear(self, vector: Tensor) -> None:
        key = vector.numpy().tobytes()
        if key not in self._known:
            self._known[key] = self._judge(vector)
        self.vectors.append(vector)
        self.distances.append(self._known[key])

    def best(self) -> Finetuned:
        step = min(range(len(self.distances)), key=self.distances.__getitem__)
        best, first = self.vectors[step], self.vectors[0]
        return Finetuned(best, first, self.distances[step], step, tuple(self.distances), len(self._known))


def finetune_weights(
    model: InverSynth,
    features: Tensor,
    notes: Tensor | None,
    judge: Judge,
    others: Iterator[Examples],
    *,
    steps: int = 30,
    learning_rate: float = 1e-4,
    anchor_weight: float = 1.0,
) -> Finetuned:
    """Finetune a copy of the encoder for one sound; the decoder stays as it is, and so does the model.

    Args:
        model: Trained, in evaluation mode.
        features: Of the sound, ``shape``.
        notes: Its note ``(4,)``, where the model is told.
        judge: Of answers.
        others: Training batches, one a step, whose loss keeps the encoder from forgetting.
        steps: Of Adam.
        learning_rate: Of Adam.
        anchor_weight: Of the training batches' loss; 0 reads none.
    """
    copied = copy.deepcopy(model).eval()
    copied.decoder.requires_grad_(False)
    weights = [*copied.listener.parameters(), *copied.head.parameters()]
    optimizer, trials = torch.optim.Adam(weights, learning_rate), _Trials(judge)
    sound, told = features[None], None if notes is None else notes[None]
    trials.hear(_likeliest(copied, copied(sound, told)))
    for step in range(steps):
        optimizer.zero_grad()
        loss = (copied.sound_of(copied(sound, told), told) - sound).abs().mean()
        if anchor_weight:
            examples = next(others)
            rows = torch.arange(len(examples.vectors), device=examples.vectors.device)
            loss = loss + anchor_weight * copied.loss(examples, Noise(0, step, rows))["loss"]
        loss.backward()
        optimizer.step()
        trials.hear(_likeliest(copied, copied(sound, told)))
    return trials.best()


def finetune_answer(
    model: InverSynth,
    features: Tensor,
    notes: Tensor | None,
    judge: Judge,
    *,
    steps: int = 30,
    learning_rate: float = 0.3,
) -> Finetuned:
    """Finetune what the encoder says of one sound, its logits, and leave all weights as they are.

    Args:
        model: Trained, in evaluation mode.
        features: Of the sound, ``shape``.
        notes: Its note ``(4,)``, where the model is told.
        judge: Of answers.
        steps: Of Adam.
        learning_rate: Of Adam, in logits.
    """
    sound, told = features[None], None if notes is None else notes[None]
    with torch.no_grad():
        logits = model(sound, told).clone().requires_grad_()
    optimizer, trials = torch.optim.Adam([logits], learning_rate), _Trials(judge)
    trials.hear(_likeliest(model, logits))
    for _ in range(steps):
        optimizer.zero_grad()
        (slope,) = torch.autograd.grad((model.sound_of(logits, told) - sound).abs().mean(), logits)
        logits.grad = slope
        optimizer.step()
        trials.hear(_likeliest(model, logits))
    return trials.best()


def _likeliest(model: InverSynth, logits: Tensor) -> Tensor:
    return model.choose(logits.detach(), 1)[0, 0].cpu()
