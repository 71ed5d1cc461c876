"""An encoder of stored embeddings of audio models, of a clip or of its frames."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from wav2patch.models.layers import Heard, Leveller, TokenHead, initialize


class PooledEmbedding(nn.Module):
    """Each vector levelled and projected, told where it stands, and all pooled by learnt attention.

    Each of several heads looks for frames of its own, such as the attack, and pools its share of the channels.

    Args:
        shape: ``(…, m)`` of one vector or of many: ``(m,)``, ``(frames, m)`` or ``(channels, frames, m)``.
        tokens: Condition tokens.
        width: Of a token.
        hidden: Width of the vectors inside.
        heads: Of the pooling.
        blocks: Residual blocks behind the pooling.
        heard: Each vector levelled, or ``plain`` as it comes; see `Leveller`.

    Raises:
        ValueError: `hidden` is no multiple of `heads`.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        *,
        tokens: int = 1,
        width: int = 128,
        hidden: int = 512,
        heads: int = 8,
        blocks: int = 2,
        heard: Heard = "levelled",
    ) -> None:
        super().__init__()
        if hidden % heads:
            raise ValueError(f"hidden is a multiple of heads, and {hidden} is none of {heads}")
        places = math.prod(shape[:-1])
        self.heads, self.many = heads, places > 1
        self.leveller = Leveller(heard, 1)
        self.enter = nn.Linear(shape[-1] + self.leveller.told, hidden)
        if self.many:
            self.place = nn.Parameter(0.02 * torch.randn(places, hidden))
            self.norm = nn.LayerNorm(hidden)
            # A bias would be the same for all frames, and so without effect.
            self.score = nn.Linear(hidden, heads, bias=False)
            self.value = nn.Linear(hidden, hidden)
        initialize(self)
        self.head = TokenHead(hidden, tokens, width, hidden=hidden, blocks=blocks)

    def forward(self, features: Tensor) -> Tensor:
        """Tokens ``(n, tokens, width)`` of embeddings ``(n, *shape)``."""
        vectors = self.enter(torch.cat(self.leveller(features), dim=-1))
        return self.head(self._pool(vectors.flatten(1, -2)) if self.many else vectors.flatten(1))

    def _pool(self, vectors: Tensor) -> Tensor:
        vectors = self.norm(vectors + self.place)
        weights = self.score(vectors).softmax(dim=1)
        values = self.value(vectors).unflatten(-1, (self.heads, -1))
        return (weights[..., None] * values).sum(dim=1).flatten(1)
