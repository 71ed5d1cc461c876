"""A contrastive pair: a network that hears and one that reads patches, which meet in one space."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from wav2patch.models.inverters.base import Examples, Graph, Inverter, Losses
from wav2patch.models.inverters.parts import Spec, make_encoder
from wav2patch.models.layers import TokenHead
from wav2patch.models.layout import Layout
from wav2patch.models.listener import Listener
from wav2patch.models.memory import Memory
from wav2patch.models.noise import Generators, Noise
from wav2patch.models.preset_encoders.catalogue import make_preset_encoder

_SHARPEST = 100.0
"""Largest factor of the cosines, as in CLIP."""

_AT_ONCE = 2_048
"""Patches that are read at one time."""


class ContrastivePair(Inverter):
    """The draws of the prior whose embeddings are nearest to that of the sound. None of them is ever rendered.

    Sounds and patches become unit vectors of one space, in which a sound and the patch that made it are to be nearer
    to each other than to all others of the batch: symmetric InfoNCE with a learnt temperature (CLIP; Radford et al.,
    ICML 2021). The patch's side is a proxy of the synth, as in Combes et al. (JAES 2025), but one of a space that is
    learnt along with it. It is not told the note, so that a patch is embedded once for all notes; the sound's side is,
    and has to hear through it.

    Proposals are chosen from draws that it has to be shown; see `show_draws`.

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
        super().__init__(layout, shape, note=note)
        if min(size, draws) < 1 or not temperature > 0.0:
            raise ValueError("size, draws and temperature are above 0")
        self.draws = draws
        self.listener = Listener(make_encoder(encoder, shape, tokens=1, width=width), width, note=note)
        self.head = TokenHead(width, 1, size, hidden=hidden, blocks=blocks)
        self.presets = make_preset_encoder(preset_encoder, layout, size)
        self.log_scale = nn.Parameter(torch.tensor(-math.log(temperature)))
        self.memory = Memory(size, layout.width)
        self._rehearsed: Tensor | None = None

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
        return {"loss": loss, "mrr": _reciprocal_rank(logits.detach())}

    @property
    def wanted_draws(self) -> int:
        """All, until they are kept."""
        return 0 if len(self.memory) else self.draws

    @torch.no_grad()
    def show_draws(self, vectors: Tensor, *, keep: bool = True) -> None:
        """Have proposals chosen from these patches.

        Args:
            vectors: ``(n, D)`` in [−1, 1].
            keep: Whether they are embedded now, once and for all, and belong to the model's state; otherwise anew for
                every question, as while weights change.
        """
        if not keep:
            self._rehearsed = vectors
            return
        self.memory.fill(self._embed_all(vectors), vectors)
        self._rehearsed = None

    @torch.no_grad()
    def propose_batch(
        self, features: Tensor, notes: Tensor | None, n: int, generator: Generators | None = None
    ) -> Tensor:
        """See `Inverter.propose_batch`; nearest first, and from the start again where n exceeds the draws.

        Raises:
            ValueError: It has been shown no draws.
        """
        asked, memory = self(features, notes), self.memory
        if self._rehearsed is not None:
            vectors = self._rehearsed.to(asked.device)
            memory = Memory(asked.shape[1], vectors.shape[1]).to(asked.device)
            memory.fill(self._embed_all(vectors), vectors)
        if not len(memory):
            raise ValueError("the contrastive pair knows no patches to choose from yet: call show_draws")
        return memory.nearest(asked.float(), n)

    def graphs(self) -> Mapping[str, Graph]:
        """``network``: features and notes to a key."""
        return {"network": Graph(self, self.sound_inputs(), ("key",))}

    @property
    def sampling(self) -> dict[str, Any]:
        """The vectors whose keys are nearest; of unit vectors those with the largest cosine."""
        return {"kind": "table"}

    def tables(self) -> dict[str, NDArray[Any]]:
        """See `Memory.tables`."""
        return self.memory.tables()

    def _embed_all(self, vectors: Tensor) -> Tensor:
        """As `embed_patches`, as it is when nothing is learnt."""
        device, learns = self.log_scale.device, self.presets.training
        self.presets.eval()
        found = torch.cat([self.embed_patches(some.to(device)) for some in vectors.split(_AT_ONCE)])
        self.presets.train(learns)
        return found


def _reciprocal_rank(logits: Tensor) -> Tensor:
    """Mean of 1/rank of each row's own column; of ties half are counted as before it."""
    own = logits.diagonal()[:, None]
    ranks = 0.5 + (logits > own).sum(dim=1) + 0.5 * (logits == own).sum(dim=1)
    return (1.0 / ranks).mean()
