"""What methods have in common that make up no patches: they choose, among draws that were never rendered or sounds."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from wav2patch.errors import UserError
from wav2patch.models.inverters.base import Examples, Inverter
from wav2patch.models.layout import Layout
from wav2patch.models.memory import Distance, Memory
from wav2patch.models.noise import Generators

_AT_ONCE = 2_048
"""Patches that are read at one time."""


class Choosing(Inverter):
    """Proposes the patches whose embeddings are nearest to that of the sound.

    They are draws of the prior, embedded as patches; or those of sounds that were heard, embedded as sounds, which is
    surer, but takes that each was rendered once.

    Args:
        layout: Columns of what is proposed.
        shape: Of the features of one sound.
        note: Whether the model is told the note.
        size: Of an embedding.
        draws: Of the prior, that are chosen from.
        distance: Of embeddings.
        audible: Whether patches are read without the parameters that cannot be heard in them.

    Raises:
        ValueError: A number is not above 0.
    """

    def __init__(
        self,
        layout: Layout,
        shape: tuple[int, ...],
        *,
        note: bool,
        size: int,
        draws: int,
        distance: Distance,
        audible: bool = False,
    ) -> None:
        super().__init__(layout, shape, note=note)
        if min(size, draws) < 1:
            raise ValueError("size and draws are above 0")
        self.draws, self.heeds_audible = draws, audible
        self.memory = Memory(size, layout.width, distance)
        self._rehearsed: tuple[Tensor, Tensor] | None = None

    @abstractmethod
    def forward(self, features: Tensor, notes: Tensor | None = None) -> Tensor:
        """Embeddings ``(n, size)`` of sounds."""

    @abstractmethod
    def embed_patches(self, vectors: Tensor) -> Tensor:
        """Embeddings ``(n, size)`` of vectors ``(n, D)`` in [−1, 1]."""

    @property
    def wanted_draws(self) -> int:
        """All, until they are kept."""
        return 0 if len(self.memory) else self.draws

    @torch.no_grad()
    def show_draws(self, vectors: Tensor, weights: Tensor | None = None, *, keep: bool = True) -> None:
        """Have proposals chosen from these patches.

        Args:
            vectors: ``(n, D)`` in [−1, 1].
            weights: ``(n, D)``, 0 where a parameter of this patch cannot be heard; for a method that heeds it.
            keep: Whether they are embedded now, once and for all, and belong to the model's state; otherwise anew for
                every question, as while weights change.
        """
        read = self._audible(vectors, weights)
        if not keep:
            self._rehearsed = vectors, read
            return
        self.memory.fill(self._embed_all(read), vectors)
        self._rehearsed = None

    @torch.no_grad()
    def keep_sounds(self, batches: Iterable[Examples]) -> None:
        """Have proposals chosen from the patches of these sounds, instead of from draws, for good.

        Args:
            batches: With features and, where the model is told them, notes.
        """
        keys, vectors = zip(*((self(one.features, one.notes), one.vectors) for one in batches), strict=True)
        self.memory.fill(torch.cat(keys), torch.cat(vectors))
        self._rehearsed = None

    @torch.no_grad()
    def propose_batch(
        self, features: Tensor, notes: Tensor | None, n: int, generator: Generators | None = None
    ) -> Tensor:
        """See `Inverter.propose_batch`; nearest first, and from the start again where n exceeds the draws.

        Raises:
            ValueError: It has been shown no draws.
        """
        asked, memory = self(features, notes).float(), self.memory
        if self._rehearsed is not None:
            vectors, read = (one.to(asked.device) for one in self._rehearsed)
            memory = Memory(asked.shape[1], vectors.shape[1], memory.distance).to(asked.device)
            memory.fill(self._embed_all(read), vectors)
        if not len(memory):
            raise ValueError(f"the {self.kind} method knows no patches to choose from yet: call show_draws")
        return memory.nearest(asked, n)

    @property
    def sampling(self) -> dict[str, Any]:
        """The vectors whose keys are nearest."""
        return {"kind": "table", "distance": self.memory.distance}

    def tables(self) -> dict[str, NDArray[Any]]:
        """See `Memory.tables`."""
        return self.memory.tables()

    def _audible(self, vectors: Tensor, weights: Tensor | None) -> Tensor:
        """Vectors as a method reads them that heeds what can be heard: the rest is in the middle of its range."""
        if not self.heeds_audible:
            return vectors
        if weights is None:
            raise UserError(
                "inverter.audible=true takes module.mask_inaudible=true, by which the model is told what is heard."
            )
        return vectors * (weights > 0).to(vectors)

    def _embed_all(self, vectors: Tensor) -> Tensor:
        """As `embed_patches`, with all parts as they are when nothing is learnt."""
        device, learns = next(self.parameters()).device, self.training
        self.eval()
        found = torch.cat([self.embed_patches(some.to(device)) for some in vectors.split(_AT_ONCE)])
        self.train(learns)
        return found


def mean_reciprocal_rank(distances: Tensor) -> Tensor:
    """Mean of 1/rank of each row's own column, by distances ``(n, n)``; of ties half are counted as before it.

    As in `wav2patch.metrics.retrieval`, for a batch on its device.
    """
    own = distances.diagonal()[:, None]
    ranks = 0.5 + (distances < own).sum(dim=1) + 0.5 * (distances == own).sum(dim=1)
    return (1.0 / ranks).mean()
