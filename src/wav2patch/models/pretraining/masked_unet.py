"""Pretraining of the U-Net: fill in what is hidden of a spectrogram, or make all of it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor

from wav2patch.models.inverters.base import Examples, Learner, Losses
from wav2patch.models.layers import expect_shape
from wav2patch.models.layout import Layout
from wav2patch.models.noise import Noise
from wav2patch.models.pretraining.listening import scaled
from wav2patch.models.pretraining.masks import between_seen, hidden_cells, spread_cells
from wav2patch.models.pretraining.spectral_losses import SpectralWeights, spectral_losses
from wav2patch.models.pretraining.unet_1d import UNet1d


class MaskedUnet(Learner):
    """A U-Net that sees a spectrogram with cells that are 0, and says what was there.

    The masked autoencoder of the follow-up to InverSynth II: exactly 45% of the cells of 5 by 5, other ones in every
    epoch. It says a spectrogram, but the loss is over what it did not see; with ``share=0`` it sees everything and the
    loss is over everything. Beside the loss, validation has ``mean_l1`` and ``between_l1``: the errors of the mean of
    what is seen of a band, and of straight lines between what is seen in time, which it has to beat.

    Args:
        layout: Of the data's patches, of which it is told nothing.
        shape: ``(channels, bands, frames)`` of a feature; channels are averaged.
        note: Whether the data has notes; it is not told them.
        base: See `UNet1d`.
        multipliers: See `UNet1d`.
        blocks: See `UNet1d`.
        share: Of the cells that are hidden.
        cell: Bands and frames of a cell.
        lines: Whether hidden cells are filled with straight lines in time between what is seen, to which the network
            says what is to be added, instead of with 0. What it then learns is what lines do not tell.
        weights: Of the loss's parts; see `SpectralWeights`.
    """

    kind: ClassVar[str] = "masked_unet"

    def __init__(
        self,
        layout: Layout,
        shape: tuple[int, ...],
        *,
        note: bool = False,
        base: int = 128,
        multipliers: Sequence[int] = (1, 2, 4, 8),
        blocks: int = 2,
        share: float = 0.45,
        cell: int = 5,
        lines: bool = False,
        weights: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(layout, shape, note=note)
        _, bands, frames = expect_shape(shape, "channels", "bands", "frames")
        if not 0.0 <= share < 1.0 or not 1 <= cell <= min(bands, frames):
            raise ValueError("share is at least 0 and less than 1, and a cell fits into the spectrogram")
        self.share, self.cell, self.lines = share, cell, lines
        self.weights = SpectralWeights(**(weights or {}))
        self.network = UNet1d(bands, base=base, multipliers=multipliers, blocks=blocks)

    def forward(self, spectrograms: Tensor, hidden: Tensor) -> Tensor:
        """Spectrograms ``(n, bands, frames)`` of those of which boolean ``hidden`` cells are not seen."""
        heard = scaled(spectrograms, ~hidden)
        blank = heard.values.masked_fill(hidden, 0.0)
        if not self.lines:
            return heard.back(self.network(blank, hidden))
        filled = between_seen(blank, hidden)
        return heard.back(self.network(filled, hidden) + filled.masked_fill(~hidden, 0.0))

    def loss(self, examples: Examples, noise: Noise) -> Losses:
        """See the class; the cells that are hidden are a function of the noise."""
        wanted = examples.features.mean(dim=1)
        hidden = self.hide(wanted, noise)
        counts = hidden if self.share else torch.ones_like(hidden)
        losses = spectral_losses(self(wanted, hidden), wanted, counts, self.weights)
        return losses if self.training or not self.share else {**losses, **_anchors(wanted, hidden)}

    def hide(self, spectrograms: Tensor, noise: Noise) -> Tensor:
        """Boolean ``(n, bands, frames)``."""
        if not self.share:
            return torch.zeros_like(spectrograms, dtype=torch.bool)
        bands, frames = spectrograms.shape[1:]
        cells = hidden_cells(noise, bands // self.cell, frames // self.cell, self.share)
        return spread_cells(cells, self.cell, bands, frames)


@torch.no_grad()
def _anchors(wanted: Tensor, hidden: Tensor) -> Losses:
    seen = (~hidden).to(wanted)
    row = (wanted * seen).sum(dim=(1, 2), keepdim=True) / seen.sum(dim=(1, 2), keepdim=True)
    count = seen.sum(dim=2, keepdim=True)
    band = torch.where(count > 0, (wanted * seen).sum(dim=2, keepdim=True) / count.clamp(min=1.0), row)
    return {
        "mean_l1": (band - wanted).abs().expand_as(wanted)[hidden].mean(),
        "between_l1": (between_seen(wanted, hidden) - wanted).abs()[hidden].mean(),
    }
