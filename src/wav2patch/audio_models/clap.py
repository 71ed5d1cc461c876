"""CLAP: the audio tower of a network that puts sounds beside their descriptions in words.

Source: Wu et al., Large-Scale Contrastive Language-Audio Pretraining with Feature Fusion and Keyword-to-Caption
Augmentation, ICASSP 2023 (arXiv 2211.06687); hook.py, training/data.py and clap_module of LAION-AI/CLAP.
"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wav2patch.audio_models.base import FrozenModel
from wav2patch.audio_models.htsat import HTSAT, SAMPLE_RATE, SIZE_OUT, UNUSED, power_spectrogram
from wav2patch.audio_models.weights import Published, find_weights, load_network, read_weights

SIZE = 512
SPAN = 10 * SAMPLE_RATE
SPANS_AT_ONCE = 16
PREFIX = "module."
OTHER_TOWER = ("text_", "audio_transform.", "logit_scale_")

# Training losses lie beside the weights, as NumPy's numbers; the name is that of NumPy 1.
_NUMBERS = ((np.float64(0).__reduce__()[0], "numpy.core.multiarray.scalar"), np.dtype, type(np.dtype(np.float64)))


def _published(file: str, sha256: str | None = None) -> Published:
    return Published(
        file=file,
        url=f"https://huggingface.co/lukewys/laion_clap/resolve/main/{file}",
        licence="CC0-1.0",
        sha256=sha256,
        inside=("state_dict",),
        allowed=_NUMBERS,
    )


CHECKPOINTS = MappingProxyType(
    {
        "music": _published(
            "music_audioset_epoch_15_esc_90.14.pt", "fae3e9c087f2909c28a09dc31c8dfcdacbc42ba44c70e972b58c1bd1caf6dedd"
        ),
        "music_speech": _published("music_speech_epoch_15_esc_89.25.pt"),
        "music_speech_audioset": _published(
            "music_speech_audioset_epoch_15_esc_89.98.pt",
            "51c68f12f9d7ea25fdaaccf741ec7f81e93ee594455410f3bca4f47f88d8e006",
        ),
    }
)


class AudioTower(nn.Module):
    """HTS-AT and a projection to where sounds and words meet."""

    def __init__(self) -> None:
        super().__init__()
        self.audio_branch = HTSAT()
        self.audio_projection = nn.Sequential(nn.Linear(SIZE_OUT, SIZE), nn.ReLU(), nn.Linear(SIZE, SIZE))

    def forward(self, power: Tensor) -> Tensor:
        """Power spectrograms ``(B, 513, 1001)`` to vectors of length 1 ``(B, 512)``."""
        return F.normalize(self.audio_projection(self.audio_branch(power)), dim=-1)


class Clap(FrozenModel):
    """LAION's CLAP for music: 512 values of length 1 for ten seconds.

    Shorter sounds are repeated as often as they fit whole, and silence fills up the rest, as in training. Longer
    sounds are described ten seconds after ten seconds, and the mean is scaled to length 1 (laion_clap takes ten
    seconds at random). laion_clap rounds audio to 16 bits first, which no gradient passes; this does not.
    """

    def __init__(self, *, weights: Path | str | None = None, checkpoint: str = "music", name: str = "clap") -> None:
        """Load the weights.

        Args:
            weights: The checkpoint's file, or its folder.
            checkpoint: "music", "music_speech" or "music_speech_audioset".
            name: Of the model.

        Raises:
            UserError: The weights are not there, or are not what they should be.
            ValueError: There is no such checkpoint.
        """
        super().__init__()
        if checkpoint not in CHECKPOINTS:
            raise ValueError(f"CLAP has the checkpoints {', '.join(CHECKPOINTS)}, not {checkpoint}")
        self.name, self.sample_rate, self.size = name, SAMPLE_RATE, SIZE
        published = CHECKPOINTS[checkpoint]
        path = find_weights(name, published, weights)
        state, self.provenance = read_weights(path, published)
        state = {key.removeprefix(PREFIX): tensor for key, tensor in state.items()}
        unused = (*OTHER_TOWER, *(f"audio_branch.{prefix}" for prefix in UNUSED))
        self.tower = load_network(AudioTower, state, str(path), ignore=unused)
        self.spectrogram = power_spectrogram()
        self.train(False)

    def describe(self, audio: Tensor) -> Tensor:
        """Embeddings ``(B, 512)`` of length 1."""
        spans = torch.stack([fill_span(span) for span in audio.split(SPAN, dim=1)], dim=1)
        parts = spans.flatten(0, 1).split(SPANS_AT_ONCE)
        vectors = torch.cat([self.tower(self.spectrogram(part)) for part in parts])
        return F.normalize(vectors.unflatten(0, spans.shape[:2]).mean(1), dim=-1)


def fill_span(audio: Tensor) -> Tensor:
    """Audio ``(B, samples)`` repeated as often as it fits whole into ten seconds, with silence after it."""
    repeated = audio.repeat(1, SPAN // audio.shape[1])
    return F.pad(repeated, (0, SPAN - repeated.shape[1]))
