"""Parameters as tokens, each with weights of its own for all columns that it has."""

from __future__ import annotations

import math
from collections import Counter

import torch
from torch import Tensor, nn

from wav2patch.models.layout import Layout


class ParameterColumns(nn.Module):
    """Columns to tokens, one for each parameter, and back.

    A categorical parameter's whole one-hot becomes one token: what is chosen is one fact, and which columns belong
    together is known, so it need not be learnt. Parameters with the same number of columns are computed together; the
    tokens come in the order of these numbers. A parameter's bias is its embedding.

    Args:
        layout: What the columns are.
        width: Of a token.
        outputs: What the columns of the answer are, as `gridded` makes them; None for those of the layout.
    """

    order: Tensor
    places: Tensor

    def __init__(self, layout: Layout, width: int, outputs: Layout | None = None) -> None:
        super().__init__()
        outputs = outputs or layout
        # By their columns here, then by their columns there, so that both are computed in runs of equal width.
        pairs = list(zip(layout.widths, outputs.widths, strict=True))
        parameters = sorted(range(len(layout)), key=lambda i: pairs[i])
        order = [column for i in parameters for column in _range(layout.columns[i])]
        given = [column for i in parameters for column in _range(outputs.columns[i])]
        self.register_buffer("order", torch.tensor(order), persistent=False)
        self.register_buffer("places", torch.argsort(torch.tensor(given)), persistent=False)
        self.counts = Counter(pairs[i][0] for i in parameters)
        self.given = Counter(pairs[i] for i in parameters)
        self.into_weights = nn.ParameterList(torch.randn(k, c, width) / math.sqrt(c) for c, k in self.counts.items())
        self.embedding = nn.Parameter(torch.randn(len(layout), width))
        self.out_weights = nn.ParameterList(
            0.1 * torch.randn(k, width, c) / math.sqrt(width) for (_, c), k in self.given.items()
        )
        self.out_bias = nn.Parameter(torch.zeros(outputs.width))

    def into(self, x: Tensor) -> Tensor:
        """Tokens ``(n, parameters, width)`` of columns ``(n, D)``."""
        parts = x[:, self.order].split([c * k for c, k in self.counts.items()], dim=1)
        tokens = [
            _each(part.unflatten(1, (k, c)), weight)
            for part, weight, (c, k) in zip(parts, self.into_weights, self.counts.items(), strict=True)
        ]
        return torch.cat(tokens, dim=1) + self.embedding

    def out(self, tokens: Tensor) -> Tensor:
        """Outputs ``(n, O)`` of tokens ``(n, parameters, width)``."""
        parts = tokens.split(list(self.given.values()), dim=1)
        columns = [_each(part, weight).flatten(1) for part, weight in zip(parts, self.out_weights, strict=True)]
        return torch.cat(columns, dim=1)[:, self.places] + self.out_bias


def _range(span: slice) -> range:
    return range(span.start, span.stop)


def _each(x: Tensor, weights: Tensor) -> Tensor:
    """Products ``(n, k, b)`` of vectors ``(n, k, a)`` with a matrix for each of the k, ``(k, a, b)``."""
    if weights.shape[1] == 1:
        return x * weights[:, 0]
    if weights.shape[2] == 1:
        return (x * weights[..., 0]).sum(dim=-1, keepdim=True)
    return torch.einsum("nka,kab->nkb", x, weights)
