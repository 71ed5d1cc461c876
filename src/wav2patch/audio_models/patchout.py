"""What PaSST and EfficientAT share: their spectrogram, their windows, and the three ways to describe a sound."""

from __future__ import annotations

from abc import abstractmethod
from typing import Literal

import torch
from torch import Tensor, nn

from wav2patch.audio_models.base import FrozenModel, Windows
from wav2patch.audio_models.frontends import Spectrogram, at_least, htk_filters, sliding_windows

View = Literal["mean", "time", "clip"]
SUFFIXES = {"mean": "", "time": "_time", "clip": "_clip"}
"""Of the name, by view."""

SHORT, HOP = 0.16, 0.05
"""Seconds of the windows that go through the network one by one, and from one to the next."""

CLIP, CLIP_HOP = 10.0, 2.5
"""Seconds of the longest sound that goes through the network as a whole; longer ones go in overlapping parts."""


class PatchoutMel(nn.Module):
    """The log-mel spectrogram that PaSST and EfficientAT were trained on, with their settings for evaluation.

    32 kHz; pre-emphasis 0.97; frames of 25 ms every 10 ms; 128 bands up to 15 kHz; natural logarithm of the power
    plus 1e-5, shifted and scaled to about unit size.

    Sources:
        Koutini et al., "Efficient Training of Audio Transformers with Patchout", Interspeech 2022; Schmid et al.,
        "Efficient Large-Scale Audio Tagging via Transformer-to-CNN Knowledge Distillation", ICASSP 2023.
    """

    sample_rate = 32_000
    bands = 128
    hop = 320
    filters: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.spectrogram = Spectrogram(1024, 800, self.hop, periodic=False)
        top = self.sample_rate / 2 - 1000.0
        filters = htk_filters(self.sample_rate, 1024, self.bands, 0.0, top)
        self.register_buffer("filters", filters, persistent=False)

    def forward(self, audio: Tensor) -> Tensor:
        """Bands ``(B, 128, (samples - 1) // 320 + 1)`` of audio ``(B, samples)``."""
        power = self.spectrogram(audio[:, 1:] - 0.97 * audio[:, :-1])
        return ((self.filters @ power + 1e-5).log() + 4.5) / 5.0


class PatchoutModel(FrozenModel):
    """A model over that spectrogram, with three views.

    ``"mean"``, the mean over windows every 50 ms, each of which goes through the network by itself (the proxies'
    paper); ``"time"``, the same windows without the mean; ``"clip"``, the sound as a whole.
    """

    sample_rate = PatchoutMel.sample_rate

    def __init__(self, view: View, longest: float, together: int) -> None:
        """Set the view.

        Args:
            view: Mean over windows, windows, or the sound as a whole.
            longest: Seconds of the longest window that counts in the view ``"time"``.
            together: Windows of 160 ms that go through the network at a time; fewer of longer ones.

        Raises:
            ValueError: There is no such view.
        """
        super().__init__()
        if view not in SUFFIXES:
            raise ValueError(f"a sound has no view {view!r}")
        self.view, self.together = view, together
        self.windows = Windows(longest, HOP) if view == "time" else None
        self.spectrogram = PatchoutMel()

    @abstractmethod
    def whole(self, audio: Tensor) -> Tensor:
        """What the network gives for sounds ``(B, samples)`` as wholes, ``(B, size)``."""

    @abstractmethod
    def in_time(self, audio: Tensor) -> Tensor:
        """What it gives for their windows, ``(B, samples // 1600 + 1, size)``."""

    def describe(self, audio: Tensor) -> Tensor:
        """``(B, size)``, or ``(B, samples // 1600 + 1, size)`` in the view ``"time"``."""
        if self.view == "time":
            return self.in_time(audio)
        if self.view == "mean":
            return self.in_time(audio).mean(1)
        if audio.shape[1] > CLIP * self.sample_rate:
            return self.windowed(audio, CLIP, CLIP_HOP).mean(1)
        return self.whole(at_least(audio, round(SHORT * self.sample_rate)))

    def cut(self, audio: Tensor, length: float, hop: float) -> Tensor:
        """Windows ``(B, T, length)`` of so many seconds, see `sliding_windows`."""
        return sliding_windows(audio, round(length * self.sample_rate), round(hop * self.sample_rate))

    def windowed(self, audio: Tensor, length: float, hop: float) -> Tensor:
        """What the network gives for every window by itself, ``(B, T, size)``."""
        windows = self.cut(audio, length, hop)
        count = max(1, round(self.together * SHORT / length))
        parts = [self.whole(part) for part in windows.flatten(0, 1).split(count)]
        return torch.cat(parts).unflatten(0, windows.shape[:2])
