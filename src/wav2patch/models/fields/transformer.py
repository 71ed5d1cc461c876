"""A transformer whose layers are modulated by condition and time, and which knows no positions (DiT).

Peebles and Xie, "Scalable diffusion models with transformers", ICCV 2023; without positions, permuted tokens come out
as they would have, permuted.
"""

from __future__ import annotations

from torch import Tensor, nn

from wav2patch.models.attention import Attention
from wav2patch.models.fields.modulation import ModulatedNorm, Modulation
from wav2patch.models.settings import need_positive


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
