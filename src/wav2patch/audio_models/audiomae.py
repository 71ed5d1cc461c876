"""AudioMAE: a vision transformer over patches of a log-mel spectrogram, after masked pretraining and fine-tuning.

Source: Huang et al., Masked Autoencoders that Listen, NeurIPS 2022 (arXiv 2207.06405), models_vit.py and dataset.py
of facebookresearch/AudioMAE; the average over the last layers is that of Combes et al. ("audiomae_ctx8").
"""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path, PurePosixPath

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wav2patch.audio_models.base import FrozenModel, Windows
from wav2patch.audio_models.frontends import at_least
from wav2patch.audio_models.kaldi import KaldiFilterBank
from wav2patch.audio_models.transformer import EPSILON, Block
from wav2patch.audio_models.weights import Published, load_published

PUBLISHED = Published(
    file="finetuned.pth",
    url="https://drive.google.com/file/d/18EsFOyZYvBYHkJ7_n7JFFWbj6crz01gq (ViT-B, AS-2M pretrained+finetuned, "
    "https://github.com/facebookresearch/AudioMAE)",
    licence="CC BY 4.0 in its README, CC BY-NC 4.0 in its LICENSE",
    inside=("model",),
    # The training script's options lie beside the weights: plain data, a path among them.
    allowed=(Namespace, (PurePosixPath, "pathlib.PosixPath")),
)

FRAMES, BANDS, PATCH = 1024, 128, 16
SIZE, LAYERS, HEADS = 768, 12, 12
SPANS_AT_ONCE = 16
MEAN, DEVIATION = -4.2677393, 4.5689974
"""Of AudioSet's filter-bank values; dataset.py takes twice the deviation."""


class Patches(nn.Module):
    """Patches of 16 frames × 16 bands as tokens, time after time, low bands first."""

    def __init__(self) -> None:
        super().__init__()
        self.proj = nn.Conv2d(1, SIZE, PATCH, PATCH)

    def forward(self, spectrogram: Tensor) -> Tensor:
        """``(B, 1024, 128)`` to ``(B, 512, 768)``."""
        return self.proj(spectrogram[:, None]).flatten(2).transpose(1, 2)


class Encoder(nn.Module):
    """ViT-B/16 with the keys of the fine-tuned checkpoint, without its classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, SIZE))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + (FRAMES // PATCH) * (BANDS // PATCH), SIZE))
        self.patch_embed = Patches()
        self.blocks = nn.ModuleList(Block(SIZE, HEADS) for _ in range(LAYERS))
        self.fc_norm = nn.LayerNorm(SIZE, eps=EPSILON)

    def forward(self, spectrogram: Tensor, skipped: int) -> Tensor:
        """The mean over the layers after the first `skipped`, each normalised, of what they give for the patches.

        Args:
            spectrogram: Normalised ``(B, 1024, 128)``.
            skipped: Layers at the beginning that do not count.

        Returns:
            ``(B, 512, 768)``; the class token is dropped.
        """
        tokens = self.patch_embed(spectrogram) + self.pos_embed[:, 1:]
        first = (self.cls_token + self.pos_embed[:, :1]).expand(len(tokens), -1, -1)
        tokens = torch.cat([first, tokens], dim=1)
        total = torch.zeros_like(tokens)
        for number, block in enumerate(self.blocks):
            tokens = block(tokens)
            if number >= skipped:
                total = total + self.fc_norm(tokens)
        return total[:, 1:] / (LAYERS - skipped)


class AudioMAE(FrozenModel):
    """AudioMAE, 768 values every 160 ms: the maximum over the eight patches of a moment.

    Pooled over time by "max" it is the "audiomae_ctx8" of the proxies paper, whose maximum is over all patches, those
    of the silence after the sound included: what is given lasts 10.24 s or a multiple. The paper feeds 44.1 kHz
    to a network that was trained on 16 kHz, for the sake of high frequencies; ``sample_rate=16000`` is the authors'
    own way.

    Longer sounds are described span by span (the paper cuts them off).
    """

    def __init__(
        self, *, weights: Path | str | None = None, sample_rate: int = 44_100, skipped: int = 8, name: str = "audiomae"
    ) -> None:
        """Load the weights.

        Args:
            weights: The file ``finetuned.pth``, or its folder.
            sample_rate: At which audio is given.
            skipped: Layers, of 12, that do not go into the mean.
            name: Of the model.

        Raises:
            UserError: The weights are not there, or are not what they should be.
            ValueError: No layer is left.
        """
        super().__init__()
        if not 0 <= skipped < LAYERS:
            raise ValueError(f"of {LAYERS} layers, {skipped} cannot be skipped")
        self.name, self.sample_rate, self.size, self.skipped = name, sample_rate, SIZE, skipped
        self.windows = Windows(PATCH * 0.010, PATCH * 0.010)
        self.filter_bank = KaldiFilterBank(sample_rate, BANDS)
        # The classifier of AudioSet's 527 classes.
        self.encoder, self.provenance = load_published(name, Encoder, PUBLISHED, weights, ignore=("head.",))
        self.train(False)

    def describe(self, audio: Tensor) -> Tensor:
        """Embeddings ``(B, 64 × spans, 768)``."""
        spectrogram = self.spectrogram(audio)
        spans = spectrogram.reshape(-1, FRAMES, BANDS).split(SPANS_AT_ONCE)
        return torch.cat([self._span(part) for part in spans]).reshape(len(audio), -1, SIZE)

    def spectrogram(self, audio: Tensor) -> Tensor:
        """Normalised filter-bank values ``(B, 1024 × spans, 128)``; zeros, before they are normalised, fill spans."""
        audio = audio - audio.mean(-1, keepdim=True)
        values = self.filter_bank(at_least(audio, self.filter_bank.length))
        values = F.pad(values, (0, 0, 0, -values.shape[1] % FRAMES))
        return (values - MEAN) / (2 * DEVIATION)

    def _span(self, spectrogram: Tensor) -> Tensor:
        return self.encoder(spectrogram, self.skipped).unflatten(1, (FRAMES // PATCH, BANDS // PATCH)).amax(2)
