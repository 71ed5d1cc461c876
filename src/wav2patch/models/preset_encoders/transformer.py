"""A preset encoder in which parameters attend to each other."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from wav2patch.models.layout import Layout
from wav2patch.models.preset_encoders.tokens import PresetTokens


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
        if min(width, layers, heads, hidden) < 1 or width % heads:
            raise ValueError(f"a width of {width} does not divide by {heads} heads: choose a multiple of {heads}")
        self.tokens = PresetTokens(layout, width, **(tokens or {}))
        self.answer = nn.Parameter(0.02 * torch.randn(width))
        layer = nn.TransformerEncoderLayer(
            width, heads, hidden, dropout=0.0, activation="relu", batch_first=True, norm_first=True
        )
        self.body = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.head = nn.Sequential(nn.LayerNorm(width), nn.ReLU(), nn.Linear(width, size))

    def forward(self, vectors: Tensor) -> Tensor:
        """Embeddings ``(n, size)`` of vectors ``(n, D)`` in [−1, 1]; one-hots may be soft."""
        tokens = self.tokens(vectors)
        sequence = torch.cat([self.answer.expand(len(tokens), 1, -1), tokens], dim=1)
        return self.head(self.body(sequence)[:, 0])
