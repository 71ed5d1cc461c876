"""A contrastive pair: a network that hears and one that reads patches, which meet in one space."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from wav2patch.models.inverters.base import Examples, Graph, Losses
from wav2patch.models.inverters.choosing import Choosing
from wav2patch.models.inverters.parts import Spec, make_encoder
from wav2patch.models.layers import TokenHead
from wav2patch.models.layout import Layout
from wav2patch.models.listener import Listener
from wav2patch.models.noise import Noise
from wav2patch.models.preset_encoders.catalogue import make_preset_encoder

_SHARPEST = 100.0
"""Largest factor of the cosines, as in CLIP."""


class ContrastivePair(Choosing):
    """The draws of the prior whose embeddings are nearest to that of the sound.

    Sounds and patches become unit vectors of one space, in which a sound and the patch that made it are to be nearer
    to each other than to all others of the batch: symmetric InfoNCE with a learnt temperature (CLIP; Radford et al.,
    ICML 2021). The patch's side is a proxy of the synth, as in Combes et al. (JAES 2025), but one of a space that is
    learnt along with it. It is not told the note, so that a patch is embedded once for all notes; the sound's side is,
    and has to hear through it.

    Args:
        layout: Columns of what is proposed.
        shape: Of the features of one sound.
        note: Whether the model is told the note.
        width: Of the condition token.
        encoder: Of sounds: name, or name and settings.
        preset_encoder: Of patches: name, or name and settings; see `make_preset_encoder`.
        size: Of an embedding.
        hidden: Width of the head on the sound's side.
        blocks: Residual blocks of that head.
        temperature: That cosines are divided by at first.
        draws: Of the prior, that are chosen from.

    Raises:
        ValueError: A number is not above 0.
    """

    kind: ClassVar[str] = "contrastive"

    def __init__(
        self,
        layout: Layout,
        shape: tuple[int, ...],
        *,
        note: bool = True,
        width: int = 256,
        encoder: Spec = "cnn_2d",
        preset_encoder: Spec = "highway",
        size: int = 64,
        hidden: int = 384,
        blocks: int = 1,
        temperature: float = 0.07,
        draws: int = 100_000,
    ) -> None:
        super().__init__(layout, shape, note=note, size=size, draws=draws, distance="euclidean")
        if not temperature > 0.0:
            raise ValueError(f"temperature is a positive number, not {temperature}")
        self.listener = Listener(make_encoder(encoder, shape, tokens=1, width=width), width, note=note)
        self.head = TokenHead(width, 1, size, hidden=hidden, blocks=blocks)
        self.presets = make_preset_encoder(preset_encoder, layout, size)
        self.log_scale = nn.Parameter(torch.tensor(-math.log(temperature)))

    def forward(self, features: Tensor, notes: Tensor | None = None) -> Tensor:
        """Embeddings ``(n, size)`` of sounds, of length 1."""
        return nn.functional.normalize(self.head(self.listener(features, notes)[:, 0])[:, 0], dim=1)

    def embed_patches(self, vectors: Tensor) -> Tensor:
        """Embeddings ``(n, size)`` of vectors ``(n, D)`` in [−1, 1], of length 1."""
        return nn.functional.normalize(self.presets(vectors), dim=1)

    def loss(self, examples: Examples, noise: Noise) -> Losses:
        """See `Inverter.loss`; no chance in it. ``mrr`` is that of sounds among the patches of the batch."""
        heard, read = self(examples.features, examples.notes), self.embed_patches(examples.vectors)
        logits = heard @ read.T * self.log_scale.exp().clamp(max=_SHARPEST)
        own = torch.arange(len(logits), device=logits.device)
        loss = (nn.functional.cross_entropy(logits, own) + nn.functional.cross_entropy(logits.T, own)) / 2.0
        return {"loss": loss, "mrr": reciprocal_rank(-logits.detach())}

    def graphs(self) -> Mapping[str, Graph]:
        """``network``: features and notes to a key."""
        return {"network": Graph(self, self.sound_inputs(), ("key",))}


def reciprocal_rank(distances: Tensor) -> Tensor:
    """Mean of 1/rank of each row's own column, by distances ``(n, n)``; of ties half are counted as before it."""
    own = distances.diagonal()[:, None]
    ranks = 0.5 + (distances < own).sum(dim=1) + 0.5 * (distances == own).sum(dim=1)
    return (1.0 / ranks).mean()
