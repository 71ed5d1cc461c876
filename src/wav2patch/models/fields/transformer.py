"""A transformer whose layers are modulated by condition and time, and which knows no positions (DiT).

Peebles and Xie, "Scalable diffusion models with transformers", ICCV 2023; without positions, permuted tokens come out
as they would have, permuted.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from wav2patch.models.fields.modulation import ModulatedNorm, Modulation
from wav2patch.models.fields.settings import need_positive


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
        mixed = scaled_dot_product_attention(query, key, value, attn_mask=bias)
        return self.out(mixed.transpose(1, 2).flatten(2))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class Layer(nn.Module):
    """Attention and a feed-forward network, each with normalisation before and a gate after.

    Args:
        width: Of a token.
        heads: Of the attention.
        hidden: Width inside the feed-forward network.
        zero_gates: See `Modulation`.
    """

    def __init__(self, width: int, heads: int, hidden: int, *, zero_gates: bool) -> None:
        super().__init__()
        need_positive(hidden=hidden)
        self.modulation = Modulation(width, 2, zero_gates=zero_gates)
        self.norm = ModulatedNorm(width)
        self.attention = Attention(width, heads)
        self.network = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))

    def forward(
        self, x: Tensor, signal: Tensor, *, context: Tensor | None = None, bias: Tensor | None = None
    ) -> Tensor:
        """Tokens from tokens.

        Args:
            x: ``(n, a, width)``.
            signal: ``(n, width)``.
            context: What is attended to, ``(n, b, width)``, normalised; None for the tokens themselves.
            bias: Added to the attention's logits, ``(heads, a, b)``.
        """
        (shift, scale, gate), (shift_2, scale_2, gate_2) = self.modulation(signal)
        inner = self.norm(x, shift, scale)
        x = x + gate * self.attention(inner, inner if context is None else context, bias)
        return x + gate_2 * self.network(self.norm(x, shift_2, scale_2))


class Transformer(nn.Module):
    """Layers on top of each other, each with a signal of its own, or all with the same one."""

    def __init__(self, layers: int, width: int, heads: int, hidden: int, *, zero_gates: bool) -> None:
        super().__init__()
        need_positive(layers=layers)
        self.layers = nn.ModuleList(Layer(width, heads, hidden, zero_gates=zero_gates) for _ in range(layers))

    def forward(self, x: Tensor, signals: Tensor, bias: Tensor | None = None) -> Tensor:
        """Tokens ``(n, a, width)`` of tokens and signals ``(n, layers or 1, width)``; bias as for `Layer`."""
        for i, layer in enumerate(self.layers):
            x = layer(x, signals[:, min(i, signals.shape[1] - 1)], bias=bias)
        return x
