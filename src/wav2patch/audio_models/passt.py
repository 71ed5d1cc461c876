"""PaSST-S: a transformer over patches of a log-mel spectrogram, trained to name the sounds of AudioSet.

Sources:
    Koutini et al., "Efficient Training of Audio Transformers with Patchout", Interspeech 2022, section 2; Koutini et
    al., "Learning General Audio Representations with Large-Scale Training of Patchout Audio Transformers", HEAR 2021,
    for the windows at two scales with a mel spectrogram ("base2levelmel").
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from wav2patch.audio_models.patchout import HOP, SHORT, SUFFIXES, PatchoutMel, PatchoutModel, View
from wav2patch.audio_models.transformer import EPSILON, Block
from wav2patch.audio_models.weights import Published, load_published

SIZE, LAYERS, HEADS = 768, 12, 12
PATCH, STRIDE = 16, 10
"""Bands and frames of a patch, and from one to the next."""

FRAMES = 998
"""Of the ten seconds that it was trained on."""

CLASSES = 527
"""AudioSet's."""

LONG = 0.64
"""Seconds of the windows of the second scale."""

MEL = 0.06
"""Seconds of the windows whose mel spectrogram, six frames of 128 bands, is taken as it is."""

_RELEASES = "https://github.com/kkoutini/PaSST/releases/download"

PUBLISHED = {
    "kd": Published(
        "passt-s-kd-ap.486.pt", f"{_RELEASES}/v.0.0.9/passt-s-kd-ap.486.pt", "Apache-2.0, as its repository"
    ),
    "swa": Published(
        "passt-s-f128-p16-s10-ap.476-swa.pt",
        f"{_RELEASES}/v0.0.1-audioset/passt-s-f128-p16-s10-ap.476-swa.pt",
        "Apache-2.0, as its repository",
        "302903fa8c4aee817b11dc982da0b29aaf8d11a3e722420476d0a12c9db70c2c",
    ),
}


class PatchEmbedding(nn.Module):
    """Overlapping patches of a spectrogram as vectors."""

    def __init__(self) -> None:
        super().__init__()
        self.proj = nn.Conv2d(1, SIZE, PATCH, STRIDE)

    def forward(self, spectrogram: Tensor) -> Tensor:
        """``(B, 1, bands, frames)`` to ``(B, 768, rows, columns)``."""
        return self.proj(spectrogram)


class PatchoutTransformer(nn.Module):
    """The network. Where a patch lies is told by one vector for its bands and one for its time."""

    def __init__(self) -> None:
        super().__init__()
        rows, columns = ((extent - PATCH) // STRIDE + 1 for extent in (PatchoutMel.bands, FRAMES))
        self.cls_token = nn.Parameter(torch.zeros(1, 1, SIZE))
        self.dist_token = nn.Parameter(torch.zeros(1, 1, SIZE))
        self.new_pos_embed = nn.Parameter(torch.zeros(1, 2, SIZE))
        self.freq_new_pos_embed = nn.Parameter(torch.zeros(1, SIZE, rows, 1))
        self.time_new_pos_embed = nn.Parameter(torch.zeros(1, SIZE, 1, columns))
        self.patch_embed = PatchEmbedding()
        self.blocks = nn.Sequential(*(Block(SIZE, HEADS) for _ in range(LAYERS)))
        self.norm = nn.LayerNorm(SIZE, eps=EPSILON)
        # Never run: they are there because the checkpoints have them.
        self.head = nn.Sequential(nn.LayerNorm(SIZE), nn.Linear(SIZE, CLASSES))
        self.head_dist = nn.Linear(SIZE, CLASSES)

    def forward(self, spectrogram: Tensor) -> Tensor:
        """The mean of the two tokens that belong to no patch.

        Args:
            spectrogram: ``(B, 1, 128, frames)``, 16 to about 1000 frames.

        Returns:
            ``(B, 768)``.
        """
        patches = self.patch_embed(spectrogram)
        patches = patches + self.time_new_pos_embed[..., : patches.shape[-1]] + self.freq_new_pos_embed
        first = torch.cat([self.cls_token, self.dist_token], dim=1) + self.new_pos_embed
        tokens = torch.cat([first.expand(len(patches), -1, -1), patches.flatten(2).transpose(1, 2)], dim=1)
        return self.norm(self.blocks(tokens))[:, :2].mean(1)


class Passt(PatchoutModel):
    """PaSST-S at two scales with a mel spectrogram, or of a sound as a whole.

    The views: ``"time"``, every 50 ms what the network gives for 160 ms (768 values) and for 640 ms (768), and six
    frames of log-mel (768, frames within bands); ``"mean"``, the mean of that over time; ``"clip"``, what the network
    gives for the sound as a whole (768).
    """

    def __init__(
        self,
        weights: Path | str | None = None,
        *,
        checkpoint: str = "kd",
        view: View = "mean",
        together: int = 256,
    ) -> None:
        """Load the network.

        Args:
            weights: File or folder of the published weights, see `find_weights`.
            checkpoint: "kd", trained with other networks as teachers (the proxies' paper takes it), or "swa".
            view: Mean over windows, windows, or the sound as a whole.
            together: Windows of 160 ms that go through the network at a time; fewer of longer ones.

        Raises:
            UserError: The weights are absent, another file, damaged, or of another model.
            ValueError: `checkpoint` or `view` is none of those.
        """
        super().__init__(view, LONG, together)
        if checkpoint not in PUBLISHED:
            raise ValueError(f"PaSST has no checkpoint {checkpoint!r}")
        self.name = "passt_s" + {"kd": "", "swa": "_swa"}[checkpoint] + SUFFIXES[view]
        self.network, self.provenance = load_published(self.name, PatchoutTransformer, PUBLISHED[checkpoint], weights)
        self.size = SIZE if view == "clip" else 3 * SIZE
        self.train(False)

    def in_time(self, audio: Tensor) -> Tensor:
        """``(B, samples // 1600 + 1, 2304)``."""
        scales = [self.windowed(audio, length, HOP) for length in (SHORT, LONG)]
        windows = self.cut(audio, MEL, HOP)
        bands = self.spectrogram(windows.flatten(0, 1)).flatten(1).unflatten(0, windows.shape[:2])
        return torch.cat([*scales, bands], dim=2)

    def whole(self, audio: Tensor) -> Tensor:
        """``(B, 768)``."""
        return self.network(self.spectrogram(audio)[:, None])
