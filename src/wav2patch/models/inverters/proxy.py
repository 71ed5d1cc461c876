"""A neural proxy: the embedding of a patch's sound, without the sound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from wav2patch.models.inverters.base import Examples, Graph, Losses
from wav2patch.models.inverters.choosing import Choosing, mean_reciprocal_rank
from wav2patch.models.inverters.parts import Spec
from wav2patch.models.layers import expect_shape
from wav2patch.models.layout import Layout
from wav2patch.models.noise import Noise
from wav2patch.models.preset_encoders.catalogue import make_preset_encoder


class Proxy(Choosing):
    """A preset encoder that is trained to say what a frozen audio model says of the patch's sound.

    Combes et al., "Neural Proxies for Sound Synthesizers" (JAES 2025): the loss is the mean absolute difference of
    embeddings. What it hears is an embedding, stored with the data or computed from the sound; all sounds are of one
    note, of which the proxy knows nothing. Asked for patches, it gives the draws whose embeddings it expects to be
    nearest.

    Args:
        layout: Columns of the patches.
        shape: Of an embedding: one number for each of its values.
        note: False; a proxy has one note.
        preset_encoder: Name, or name and settings; see `make_preset_encoder`.
        draws: Of the prior, that are chosen from.

    Raises:
        ValueError: What is heard is no embedding, or notes are told.
    """

    kind: ClassVar[str] = "proxy"

    def __init__(
        self,
        layout: Layout,
        shape: tuple[int, ...],
        *,
        note: bool = False,
        preset_encoder: Spec = "hn_oh",
        draws: int = 100_000,
    ) -> None:
        (size,) = expect_shape(shape, "values")
        if note:
            raise ValueError("a proxy is of one note and is told none: give note=none, and data of one note")
        super().__init__(layout, shape, note=note, size=size, draws=draws, distance="manhattan")
        self.presets = make_preset_encoder(preset_encoder, layout, size)

    def forward(self, features: Tensor, notes: Tensor | None = None) -> Tensor:
        """The features, ``(n, size)``: they are embeddings already."""
        return features

    def embed_patches(self, vectors: Tensor) -> Tensor:
        """What the sounds of vectors ``(n, D)`` in [−1, 1] are expected to be embedded as, ``(n, size)``."""
        return self.presets(vectors)

    def loss(self, examples: Examples, noise: Noise) -> Losses:
        """See `Inverter.loss`; no chance in it. ``mrr`` is that of sounds among the patches of the batch, by L1."""
        expected = self.embed_patches(examples.vectors)
        loss = (expected - examples.features).abs().mean()
        with torch.no_grad():
            rank = mean_reciprocal_rank(torch.cdist(examples.features.float(), expected.float(), p=1.0))
        return {"loss": loss, "mrr": rank}

    def graphs(self) -> Mapping[str, Graph]:
        """``network``: features as they are."""
        return {"network": Graph(self, self.sound_inputs(), ("key",))}
