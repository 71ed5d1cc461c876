"""The layer of a vision transformer, with the keys that timm gave it and that many published weights have."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

EPSILON = 1e-6
"""Of the normalisations."""


class Attention(nn.Module):
    """Self-attention with one projection for queries, keys and values."""

    def __init__(self, size: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(size, 3 * size)
        self.proj = nn.Linear(size, size)

    def forward(self, tokens: Tensor) -> Tensor:
        """``(B, tokens, size)`` in and out."""
        query, key, value = self.qkv(tokens).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return self.proj(F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2))


class Mlp(nn.Module):
    """Two layers with GELU between them, four times as wide inside."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(size, 4 * size)
        self.fc2 = nn.Linear(4 * size, size)

    def forward(self, tokens: Tensor) -> Tensor:
        """``(..., size)`` in and out."""
        return self.fc2(F.gelu(self.fc1(tokens)))


class Block(nn.Module):
    """A layer of the transformer, normalised before each part.

    Source: Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021.
    """

    def __init__(self, size: int, heads: int) -> None:
        """A layer for tokens of `size` values."""
        super().__init__()
        self.norm1 = nn.LayerNorm(size, eps=EPSILON)
        self.attn = Attention(size, heads)
        self.norm2 = nn.LayerNorm(size, eps=EPSILON)
        self.mlp = Mlp(size)

    def forward(self, tokens: Tensor) -> Tensor:
        """``(B, tokens, size)`` in and out."""
        tokens = tokens + self.attn(self.norm1(tokens))
        return tokens + self.mlp(self.norm2(tokens))
