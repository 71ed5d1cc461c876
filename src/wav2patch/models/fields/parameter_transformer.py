"""A vector field that has a token for each parameter: what Hayes et al. (2025) would have tried next."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from wav2patch.models.fields.modulation import Signals
from wav2patch.models.fields.parameter_columns import ParameterColumns
from wav2patch.models.fields.transformer import Layer, Transformer
from wav2patch.models.layout import Layout
from wav2patch.models.settings import need_positive


class ParameterTransformer(nn.Module):
    """Each parameter is a token with weights of its own, a categorical one with its whole one-hot.

    With latents, the layers work on those instead: they read the parameters' tokens once, and the parameters' tokens
    read them at the end (Jaegle et al., "Perceiver IO", ICLR 2022). That is cheaper for hundreds of parameters.

    Args:
        layout: What the columns are.
        condition: Width of a condition token.
        outputs: What the columns of the answer are, as `gridded` makes them; None for those of the layout.
        latents: How many, or None to let the layers work on the parameters' tokens.
        width: Of a token.
        layers: Of the transformer.
        heads: Of its attention.
        hidden: Width inside its feed-forward networks.
        time_features: See `TimeFeatures`.
        shared_condition: Whether all layers get one condition token, or each its own.
        zero_gates: See `Modulation`.

    Raises:
        ValueError: A setting is out of its range.

    Attributes:
        tokens: Condition tokens it wants.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        condition: int,
        outputs: Layout | None = None,
        latents: int | None = None,
        width: int = 96,
        layers: int = 4,
        heads: int = 4,
        hidden: int = 192,
        time_features: int = 64,
        shared_condition: bool = False,
        zero_gates: bool = True,
    ) -> None:
        super().__init__()
        need_positive(latents=1 if latents is None else latents, width=width)
        self.tokens = 1 if shared_condition else layers
        self.signals = Signals(condition, time_features, width)
        self.columns = ParameterColumns(layout, width, outputs)
        body = Transformer(layers, width, heads, hidden, zero_gates=zero_gates)
        self.body = body if latents is None else _Latents(body, latents, width, heads, hidden)

    def forward(self, x: Tensor, t: Tensor, condition: Tensor) -> Tensor:
        """Outputs ``(n, O)`` at points ``(n, D)``, times ``(n,)``, for conditions ``(n, tokens, condition)``."""
        return self.columns.out(self.body(self.columns.into(x), self.signals(t, condition)))


class _Latents(nn.Module):
    """A transformer on latents, with a layer before that reads tokens into them, and one after that gives them back."""

    def __init__(self, body: Transformer, latents: int, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.start = nn.Parameter(torch.randn(latents, width) / math.sqrt(width))
        # These two have no zero gates: closed doors on the only way through would keep everything behind them still.
        self.read = Layer(width, heads, hidden, zero_gates=False)
        self.body = body
        self.give = Layer(width, heads, hidden, zero_gates=False)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))

    def forward(self, x: Tensor, signals: Tensor) -> Tensor:
        """Tokens ``(n, a, width)`` of tokens and signals ``(n, layers or 1, width)``."""
        before, after = self.norms
        latents = self.start.expand(len(x), -1, -1)
        latents = self.body(self.read(latents, signals[:, 0], context=before(x)), signals)
        return self.give(x, signals[:, -1], context=after(latents))
