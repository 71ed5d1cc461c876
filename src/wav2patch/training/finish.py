"""What becomes of a batch on the device that it is trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from wav2patch.datasets.shards.layout import AUDIO, FEATURES
from wav2patch.errors import UserError
from wav2patch.features.base import Feature
from wav2patch.training.clips import Batch
from wav2patch.training.device_features import Standardize, device_feature

Augment = Callable[[Batch], Batch]
"""Changes a training batch on its device, before features are made of its audio. For a run that can be resumed exactly
it takes its chances from what is in the batch, such as ``index``, and not from a global generator."""


class Finish(nn.Module):
    """Features that are not stored are made of the audio, features are standardised, half precision ends.

    Args:
        features: That a batch is to have, ``"features/NAME"``.
        stored: Names of those that it comes with.
        sample_rate: Of its audio, in Hz.
        standards: What standardises a feature, by its name; the others stay as they are.
        dtype: Of what comes out.
        audio: Whether the clips themselves stay in the batch.
        augment: Changes training batches.

    Raises:
        UserError: A feature cannot be made on the device.
    """

    def __init__(
        self,
        features: Iterable[Feature],
        stored: Iterable[str],
        sample_rate: int,
        *,
        standards: Mapping[str, Standardize] | None = None,
        dtype: torch.dtype = torch.float32,
        audio: bool = False,
        augment: Augment | None = None,
    ) -> None:
        super().__init__()
        self.stored = frozenset(stored)
        self.features = tuple(features)
        self.dtype, self.audio, self.augment = dtype, audio, augment
        # Module lists, as names of features are no names of modules.
        made = [feature for feature in self.features if feature.name not in self.stored]
        self._made = [feature.name for feature in made]
        self._makers = nn.ModuleList(_maker(feature, sample_rate) for feature in made)
        self._standardised = list(standards or {})
        self._standards = nn.ModuleList((standards or {}).values())
        self._device: torch.device | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """Fields that a batch comes with, beside those that every one has."""
        audio = (AUDIO,) if self.audio or self._made else ()
        return (*audio, *(FEATURES + one.name for one in self.features if one.name in self.stored))

    @property
    def standards(self) -> dict[str, Standardize]:
        """What standardises a feature, by its name."""
        found: dict[str, Any] = dict(zip(self._standardised, self._standards, strict=True))
        return found

    @torch.no_grad()
    def forward(self, batch: Batch, *, training: bool) -> Batch:
        """Finish a batch that is on its device."""
        device = batch["parameters"].device
        if self._device != device:
            self.to(device)
            self._device = device
        if training and self.augment is not None:
            batch = self.augment(batch)
        done = {name: value for name, value in batch.items() if not name.startswith(FEATURES) and name != AUDIO}
        standards = self.standards
        makers = dict(zip(self._made, self._makers, strict=True))
        for one in self.features:
            value = makers[one.name](batch[AUDIO]) if one.name in makers else batch[FEATURES + one.name]
            done[FEATURES + one.name] = self._last(standards[one.name](value) if one.name in standards else value)
        if self.audio:
            done[AUDIO] = self._last(batch[AUDIO])
        return done

    def _last(self, value: Tensor) -> Tensor:
        return value.to(self.dtype)


def _maker(feature: Feature, sample_rate: int) -> nn.Module:
    try:
        return device_feature(feature, sample_rate)
    except ValueError as error:
        raise UserError(f"{error}: store it in the data set instead, with features={feature.name}.") from error
