"""Degraded targets: training on sounds as recordings are, while what made them stays what it was.

Patches and notes are never changed, and pitch is not either. Every change is a function of the seed, the epoch and the
row: a resumed run degrades as the uninterrupted one, on however many processes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from wav2patch.datasets.shards.layout import AUDIO, FEATURES
from wav2patch.errors import UserError
from wav2patch.features.base import Feature
from wav2patch.models.noise import Noise
from wav2patch.training.clips import Batch
from wav2patch.training.degrading.chances import Likelihoods, draw_chances
from wav2patch.training.degrading.clips import DegradedClips
from wav2patch.training.degrading.spectrograms import DegradedSpectrograms
from wav2patch.training.examples import EPOCH


class Degrade:
    """Degrades what a batch comes with: its clips, its stored features, or both alike; see `Augment`.

    A batch without an ``epoch`` is taken for one of the first: `InverterModule` has it there.

    Args:
        seed: Of all chances.
        strength: 0 to 1: 0 leaves everything, 1 goes as far as a bad recording.
        sample_rate: Of the clips, in Hz.
        stored: Features that batches come with; log-mel and constant-Q spectrograms.
        likely: How often what happens.

    Raises:
        UserError: The strength is out of range, or a stored feature cannot be degraded.
    """

    def __init__(
        self,
        seed: int,
        strength: float,
        sample_rate: int,
        stored: Iterable[Feature] = (),
        likely: Likelihoods | None = None,
    ) -> None:
        if not 0.0 <= strength <= 1.0:
            raise UserError(f"data.degrade={strength:g} is out of range: give a number from 0, which is off, to 1.")
        self.seed, self.strength, self.likely = seed, strength, likely or Likelihoods()
        self._clips = DegradedClips(sample_rate)
        self._stored = {one.name: DegradedSpectrograms(one, sample_rate) for one in stored}
        self._device = torch.device("cpu")

    @torch.no_grad()
    def __call__(self, batch: Batch) -> Batch:
        """The batch, degraded; the one that was given stays as it is."""
        index = batch["index"]
        epoch: Any = batch.get(EPOCH, 0)
        if self.strength == 0.0 or not len(index):
            return batch
        self._move(index.device)
        chances = draw_chances(Noise(self.seed, int(epoch), index), self.strength, self.likely)
        done = dict(batch)
        with torch.autocast(index.device.type, enabled=False):
            if AUDIO in batch:
                done[AUDIO] = self._clips(batch[AUDIO], chances)
            for name, degraded in self._stored.items():
                if FEATURES + name in batch:
                    done[FEATURES + name] = degraded(batch[FEATURES + name], chances)
        return done

    def _move(self, device: torch.device) -> None:
        if device != self._device:
            self._stored = {name: one.to(device) for name, one in self._stored.items()}
            self._device = device
