"""Attention of tokens to a context, and the layer that encoders stack of it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from wav2patch.models.settings import need_positive


class Attention(nn.Module):
    """Multi-head attention of tokens to a context.

    Raises:
        ValueError: The width is no multiple of the number of heads.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        need_positive(width=width, heads=heads)
        if width % heads:
            raise ValueError(f"a width of {width} does not divide by {heads} heads: choose a multiple of {heads}")
        self.heads = heads
        self.query = nn.Linear(width, width)
        # A bias of keys would change nothing: the softmax does not see what all logits of a query have in common.
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, context: Tensor, bias: Tensor | None = None) -> Tensor:
        """``(n, a, width)`` of tokens ``(n, a, width)``, a context ``(n, b, width)`` and a bias ``(heads, a, b)``."""
        query, key, value = self._split(self.query(x)), self._split(self.key(context)), self._split(self.value(context))
        return self.out(attend(query, key, value, bias).transpose(1, 2).flatten(2))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class AttentionLayer(nn.Module):
    """Attention and a feed-forward network, each with normalisation before, and added to what comes in.

    Args:
        width: Of a token.
        heads: Of the attention.
        hidden: Width inside the feed-forward network.
        activation: Inside the feed-forward network.
    """

    def __init__(self, width: int, heads: int, hidden: int, activation: type[nn.Module] = nn.GELU) -> None:
        super().__init__()
        need_positive(hidden=hidden)
        self.norm, self.attention = nn.LayerNorm(width), Attention(width, heads)
        self.network = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, hidden), activation(), nn.Linear(hidden, width)
        )

    def forward(self, sequence: Tensor, wanted: int | None = None) -> Tensor:
        """The first tokens that are wanted, all by default, having attended to the whole sequence."""
        normal = self.norm(sequence)
        kept = sequence[:, :wanted] + self.attention(normal[:, :wanted], normal)
        return kept + self.network(kept)


def attend(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None = None) -> Tensor:
    """``softmax(q·kᵀ/√d + bias)·v`` of heads ``(n, heads, places, d)``.

    On a CPU it is in single precision where all else is in half: PyTorch's kernel takes its gradient four times as long
    in bfloat16 (2.13, narrow heads, on a CPU that multiplies matrices in bfloat16 six times as fast).
    """
    if query.device.type != "cpu" or query.dtype not in (torch.bfloat16, torch.float16):
        return scaled_dot_product_attention(query, key, value, attn_mask=bias)
    with torch.autocast("cpu", enabled=False):
        mask = None if bias is None else bias.float()
        return scaled_dot_product_attention(query.float(), key.float(), value.float(), attn_mask=mask).to(query.dtype)
