"""A preset encoder in which parameters attend to each other."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from wav2patch.models.attention import AttentionLayer
from wav2patch.models.layout import Layout
from wav2patch.models.preset_encoders.tokens import PresetTokens
from wav2patch.models.settings import need_positive


class PresetTransformer(nn.Module):
    """A token for each parameter and one for the answer, through layers with normalisation first.

    Args:
        layout: What the columns are.
        size: Of an embedding.
        width: Of a token.
        layers: How many.
        heads: Of the attention.
        hidden: Width inside the feed-forward networks.
        tokens: Further settings of `PresetTokens`.

    Raises:
        ValueError: A setting is out of its range.
    """

    def __init__(
        self,
        layout: Layout,
        size: int,
        *,
        width: int = 256,
        layers: int = 6,
        heads: int = 8,
        hidden: int = 1024,
        tokens: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        need_positive(layers=layers)
        self.tokens = PresetTokens(layout, width, **(tokens or {}))
        self.answer = nn.Parameter(0.02 * torch.randn(width))
        self.body = nn.ModuleList(AttentionLayer(width, heads, hidden, nn.ReLU) for _ in range(layers))
        self.head = nn.Sequential(nn.LayerNorm(width), nn.ReLU(), nn.Linear(width, size))

    def forward(self, vectors: Tensor) -> Tensor:
        """Embeddings ``(n, size)`` of vectors ``(n, D)`` in [−1, 1]; one-hots may be soft."""
        tokens = self.tokens(vectors)
        sequence = torch.cat([self.answer.expand(len(tokens), 1, -1), tokens], dim=1)
        for layer in self.body[:-1]:
            sequence = layer(sequence)
        return self.head(self.body[-1](sequence, 1)[:, 0])
