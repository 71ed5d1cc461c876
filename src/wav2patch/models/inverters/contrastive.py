"""A contrastive pair: a network that hears and one that reads patches, which meet in one space."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from wav2patch.models.inverters.base import Examples, Graph, Losses
from wav2patch.models.inverters.choosing import Choosing, mean_reciprocal_rank
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
        forget: Share of a patch's parameters that its side is not told while it learns, others at every step. Few
            examples are otherwise learnt by heart.
        mask: Longest share of the bands, and of the frames, that the sound's side does not hear while it learns
            (SpecAugment; Park et al., Interspeech 2019).
        audible: Whether parameters that cannot be heard in a patch are hidden from its side; takes the weights of
            ``module.mask_inaudible=true``.
        draws: Of the prior, that are chosen from.

    Raises:
        ValueError: A number is out of its range.
    """

    kind: ClassVar[str] = "contrastive"
    owners: Tensor

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
        forget: float = 0.0,
        mask: float = 0.0,
        audible: bool = False,
        draws: int = 100_000,
    ) -> None:
        super().__init__(layout, shape, note=note, size=size, draws=draws, distance="euclidean", audible=audible)
        if not temperature > 0.0:
            raise ValueError(f"temperature is a positive number, not {temperature}")
        if not 0.0 <= forget < 1.0 or not 0.0 <= mask < 1.0:
            raise ValueError("forget and mask are shares, at least 0 and less than 1")
        self.forget, self.mask = forget, mask
        owners = torch.arange(len(layout)).repeat_interleave(torch.tensor(layout.widths))
        self.register_buffer("owners", owners, persistent=False)
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
        """See `Inverter.loss`. ``mrr`` is that of sounds among the patches of the batch.

        Raises:
            UserError: It is to heed what can be heard, and is not told.
        """
        features, vectors = examples.features, self._audible(examples.vectors, examples.weights)
        if self.training:
            features, vectors = self._masked(features, noise), self._forgotten(vectors, noise)
        heard, read = self(features, examples.notes), self.embed_patches(vectors)
        logits = heard @ read.T * self.log_scale.exp().clamp(max=_SHARPEST)
        own = torch.arange(len(logits), device=logits.device)
        loss = (nn.functional.cross_entropy(logits, own) + nn.functional.cross_entropy(logits.T, own)) / 2.0
        return {"loss": loss, "mrr": mean_reciprocal_rank(-logits.detach())}

    def _forgotten(self, vectors: Tensor, noise: Noise) -> Tensor:
        """Vectors without some parameters, whose columns are in the middle of their range."""
        if not self.forget:
            return vectors
        kept = noise.uniform("forget", len(self.layout)) >= self.forget
        return vectors * kept[:, self.owners].to(vectors)

    def _masked(self, features: Tensor, noise: Noise) -> Tensor:
        """Features without a range of their bands and one of their frames, which have the mean of all."""
        if not self.mask:
            return features
        chances, gone = noise.uniform("mask", 4).to(features), torch.zeros_like(features, dtype=torch.bool)
        for axis, (long, where) in zip((-2, -1), ((0, 1), (2, 3)), strict=True):
            side = features.shape[axis]
            wide = self.mask * side * chances[:, long]
            first = (side - wide) * chances[:, where]
            places = torch.arange(side, device=features.device)
            inside = (places >= first[:, None]) & (places < (first + wide)[:, None])
            gone |= (inside[:, None, :, None] if axis == -2 else inside[:, None, None]).expand_as(features)
        mean = features.mean(dim=(-2, -1), keepdim=True)
        return torch.where(gone, mean, features)

    def graphs(self) -> Mapping[str, Graph]:
        """``network``: features and notes to a key."""
        return {"network": Graph(self, self.sound_inputs(), ("key",))}
