"""Bands on a scale of musical pitch, counted from the key that was played.

What a patch does to the partials is the same on every key, only that all of them move. Counted from the key, the third
partial is always the same band, and two sounds of one patch on two keys are nearly the same picture.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

LOWEST_KEY = 21
"""Of the first band, MIDI number: that of `ConstantQ`."""


class FromKey(nn.Module):
    """Moves bands so that the key's own pitch is always the same one; it has no weights.

    Args:
        per_octave: Bands in an octave, a multiple of 12; the first is that of the key `LOWEST_KEY`.
        below: Semitones below the key that are kept.
        above: Semitones above the key that are kept.

    Raises:
        ValueError: A semitone is no whole number of bands, or there is no band to be heard.

    Attributes:
        bands: How many come out.
    """

    def __init__(self, per_octave: int, below: int = 12, above: int = 84) -> None:
        super().__init__()
        if per_octave < 12 or per_octave % 12:
            raise ValueError(f"per_octave is a multiple of 12, and {per_octave} is none")
        if below < 0 or above < 0:
            raise ValueError("below and above are numbers of semitones from 0")
        self.per_semitone = per_octave // 12
        offsets = torch.arange(-below * self.per_semitone, above * self.per_semitone + 1)
        self.bands = len(offsets)
        self.register_buffer("offsets", offsets, persistent=False)

    offsets: Tensor

    def forward(self, values: Tensor, keys: Tensor) -> Tensor:
        """Bands ``(n, channels, bands, frames)`` of spectrograms, which may have others, and of MIDI keys ``(n,)``.

        Where there is no such band, it has a row's least value.
        """
        first = (keys.round().long() - LOWEST_KEY) * self.per_semitone
        wanted = first[:, None] + self.offsets
        there = (wanted >= 0) & (wanted < values.shape[2])
        index = wanted.clamp(0, values.shape[2] - 1)[:, None, :, None]
        found = values.gather(2, index.expand(-1, values.shape[1], -1, values.shape[3]))
        return torch.where(there[:, None, :, None], found, values.amin(dim=(1, 2, 3), keepdim=True))
