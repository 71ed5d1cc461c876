"""Parameters as tokens, each with weights of its own for all columns that it has."""

from __future__ import annotations

import math

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
    """

    order: Tensor
    places: Tensor

    def __init__(self, layout: Layout, width: int) -> None:
        super().__init__()
        spans = sorted(layout.columns, key=lambda span: span.stop - span.start)
        order = [column for span in spans for column in range(span.start, span.stop)]
        self.register_buffer("order", torch.tensor(order), persistent=False)
        self.register_buffer("places", torch.argsort(torch.tensor(order)), persistent=False)
        widths = sorted(layout.widths)
        self.counts = {c: widths.count(c) for c in dict.fromkeys(widths)}
        blocks = self.counts.items()
        self.into_weights = nn.ParameterList(torch.randn(k, c, width) / math.sqrt(c) for c, k in blocks)
        self.embedding = nn.Parameter(torch.randn(len(layout), width))
        self.out_weights = nn.ParameterList(0.1 * torch.randn(k, width, c) / math.sqrt(width) for c, k in blocks)
        self.out_bias = nn.Parameter(torch.zeros(layout.width))

    def into(self, x: Tensor) -> Tensor:
        """Tokens ``(n, parameters, width)`` of columns ``(n, D)``."""
        parts = x[:, self.order].split([c * k for c, k in self.counts.items()], dim=1)
        tokens = [
            _each(part.unflatten(1, (k, c)), weight)
            for part, weight, (c, k) in zip(parts, self.into_weights, self.counts.items(), strict=True)
        ]
        return torch.cat(tokens, dim=1) + self.embedding

    def out(self, tokens: Tensor) -> Tensor:
        """Columns ``(n, D)`` of tokens ``(n, parameters, width)``."""
        parts = tokens.split(list(self.counts.values()), dim=1)
        columns = [_each(part, weight).flatten(1) for part, weight in zip(parts, self.out_weights, strict=True)]
        return torch.cat(columns, dim=1)[:, self.places] + self.out_bias


def _each(x: Tensor, weights: Tensor) -> Tensor:
    """Products ``(n, k, b)`` of vectors ``(n, k, a)`` with a matrix for each of the k, ``(k, a, b)``."""
    if weights.shape[1] == 1:
        return x * weights[:, 0]
    if weights.shape[2] == 1:
        return (x * weights[..., 0]).sum(dim=-1, keepdim=True)
    return torch.einsum("nka,kab->nkb", x, weights)
