"""EfficientAT: networks that were trained to name the sounds of AudioSet, as descriptions of sound.

Sources:
    Schmid et al., "Efficient Large-Scale Audio Tagging via Transformer-to-CNN Knowledge Distillation", ICASSP 2023;
    "Low-complexity audio embedding extractors", EUSIPCO 2023; Combes et al., "Neural Proxies for Sound
    Synthesizers", JAES 73(9), 2025, for which blocks, windows and means are taken.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from wav2patch.audio_models.mobilenet import MobileNet
from wav2patch.audio_models.patchout import HOP, SHORT, SUFFIXES, PatchoutMel, PatchoutModel, View
from wav2patch.audio_models.weights import Published, load_published

BLOCKS = (5, 11, 13, 15)
"""Blocks of the network whose means over time and frequency are the description."""

_RELEASE = "https://github.com/fschmid56/EfficientAT/releases/download/v0.0.1"

PUBLISHED = {
    "mn04": Published(
        "mn04_as_mAP_432.pt",
        f"{_RELEASE}/mn04_as_mAP_432.pt",
        "MIT",
        "899a8c6217063f6941793102a2780b3dd788ab11fce468d9cf5f0577c453321c",
    ),
    "mn20": Published("mn20_as_mAP_478.pt", f"{_RELEASE}/mn20_as_mAP_478.pt", "MIT"),
}
WIDTHS = {"mn04": 0.4, "mn20": 2.0}


class EfficientAT(PatchoutModel):
    """Means over time and frequency of four blocks of a MobileNetV3, and of its mel bands if wanted.

    Its windows last 160 ms; for the views see `PatchoutModel`.
    """

    def __init__(
        self,
        weights: Path | str | None = None,
        *,
        width: str = "mn04",
        mel: bool = False,
        view: View = "mean",
        together: int = 512,
    ) -> None:
        """Load a network.

        Args:
            weights: File or folder of the published weights, see `find_weights`.
            width: "mn04" or "mn20".
            mel: Whether the mean of the log-mel spectrogram, 128 values, comes first.
            view: Mean over windows, windows, or the sound as a whole.
            together: Windows that go through the network at a time.

        Raises:
            UserError: The weights are absent, another file, damaged, or of another model.
            ValueError: `width` or `view` is none of those.
        """
        super().__init__(view, SHORT, together)
        if width not in WIDTHS:
            raise ValueError(f"EfficientAT has no width {width!r}")
        self.name = width + "_mel" * mel + SUFFIXES[view]
        self.network, self.provenance = load_published(
            self.name, lambda: MobileNet(WIDTHS[width]), PUBLISHED[width], weights
        )
        self.mel = mel
        self.size = sum(self.network.channels(block) for block in BLOCKS) + PatchoutMel.bands * mel
        self.train(False)

    def in_time(self, audio: Tensor) -> Tensor:
        """``(B, samples // 1600 + 1, size)``."""
        return self.windowed(audio, SHORT, HOP)

    def whole(self, audio: Tensor) -> Tensor:
        """Means of mel bands, if wanted, then of blocks, ``(B, size)``."""
        bands = self.spectrogram(audio)
        blocks = self.network.blocks(bands[:, None], BLOCKS)
        return torch.cat([bands.mean(2), *blocks] if self.mel else blocks, dim=1)
