"""A vector field that commutes with the declared symmetries of a synth, whatever its weights are."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from wav2patch.models.blocks import fixed_columns, interchangeable
from wav2patch.models.fields.modulation import Signals, small
from wav2patch.models.fields.relations import Relations, block_relations
from wav2patch.models.fields.transformer import Transformer
from wav2patch.models.grids import spans
from wav2patch.models.layout import Layout
from wav2patch.models.settings import need_positive


class EquivariantTransformer(nn.Module):
    """Interchangeable blocks are tokens that one pair of matrices leads into and out of (CNF-Equivariant).

    For every symmetry P of the layout, ``f(P x) = P f(x)``. Hayes et al. (2025) have this for k-osc: k tokens of
    three columns, 5 layers of width 128 with 4 heads and 256 inside, and one condition for all layers. Here each group
    of interchangeable blocks has matrices of its own, columns that nothing moves share some tokens, and where not all
    blocks of a group may be exchanged freely (such as modulators that belong to a carrier), attention depends on how
    two blocks are related; see `block_relations`.

    Args:
        layout: What the columns are, with its symmetries.
        condition: Width of a condition token.
        outputs: What the columns of the answer are, as `gridded` makes them; None for those of the layout.
        fixed_tokens: Tokens for all columns that no symmetry moves, at most one for each.
        width: Of a token.
        layers: Of the transformer.
        heads: Of its attention.
        hidden: Width inside its feed-forward networks.
        time_features: See `TimeFeatures`; the paper has 0.
        shared_condition: Whether all layers get one condition token, or each its own.
        zero_gates: See `Modulation`; the paper has False.

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
        fixed_tokens: int = 8,
        width: int = 128,
        layers: int = 5,
        heads: int = 4,
        hidden: int = 256,
        time_features: int = 64,
        shared_condition: bool = False,
        zero_gates: bool = True,
    ) -> None:
        super().__init__()
        need_positive(fixed_tokens=fixed_tokens, width=width)
        self.tokens = 1 if shared_condition else layers
        self.signals = Signals(condition, time_features, width)
        self.columns = _Columns(layout, outputs or layout, width, fixed_tokens)
        self.body = Transformer(layers, width, heads, hidden, zero_gates=zero_gates)
        relations = block_relations(layout)
        fixed = self.columns.fixed_tokens
        self.relations = None if relations is None else Relations(relations, fixed, heads)

    def forward(self, x: Tensor, t: Tensor, condition: Tensor) -> Tensor:
        """Outputs ``(n, O)`` at points ``(n, D)``, times ``(n,)``, for conditions ``(n, tokens, condition)``."""
        bias = None if self.relations is None else self.relations()
        return self.columns.out(self.body(self.columns.into(x), self.signals(t, condition), bias))


class _Columns(nn.Module):
    """Columns to tokens and back: blocks of all groups in their order, then the fixed columns' tokens."""

    order: Tensor
    places: Tensor

    def __init__(self, layout: Layout, outputs: Layout, width: int, fixed_tokens: int) -> None:
        super().__init__()
        groups, fixed = interchangeable(layout), fixed_columns(layout)
        self.fixed_tokens = min(fixed_tokens, len(fixed))
        order = [column for group in groups for block in group for column in block] + list(fixed)
        self.register_buffer("order", torch.tensor(order), persistent=False)
        answers = [list(range(one.start, one.stop)) for one in spans(layout, outputs)]
        given = [place for column in order for place in answers[column]]
        self.register_buffer("places", torch.argsort(torch.tensor(given)), persistent=False)
        self.counts = [len(group) for group in groups]
        self.sizes = [len(group) * len(group[0]) for group in groups]
        widths = [len(group[0]) for group in groups]
        # The bias is a group's embedding.
        self.group_into = nn.ModuleList(nn.Linear(c, width) for c in widths)
        # The blocks of a group have the same columns, and so as many answers.
        answered = [sum(len(answers[column]) for column in group[0]) for group in groups]
        self.group_out = nn.ModuleList(small(nn.Linear(width, c)) for c in answered)
        all_fixed = self.fixed_tokens * width
        self.fixed_into = nn.Linear(len(fixed), all_fixed) if fixed else None
        self.fixed_out = small(nn.Linear(all_fixed, sum(len(answers[one]) for one in fixed))) if fixed else None

    def into(self, x: Tensor) -> Tensor:
        """Tokens ``(n, blocks + fixed_tokens, width)`` of columns ``(n, D)``."""
        *blocks, fixed = x[:, self.order].split([*self.sizes, len(self.order) - sum(self.sizes)], dim=1)
        tokens = [
            linear(block.unflatten(1, (count, -1)))
            for linear, block, count in zip(self.group_into, blocks, self.counts, strict=True)
        ]
        if self.fixed_into is not None:
            tokens.append(self.fixed_into(fixed).unflatten(1, (self.fixed_tokens, -1)))
        return torch.cat(tokens, dim=1)

    def out(self, tokens: Tensor) -> Tensor:
        """Outputs ``(n, O)`` of tokens ``(n, blocks + fixed_tokens, width)``."""
        *blocks, fixed = tokens.split([*self.counts, self.fixed_tokens], dim=1)
        columns = [linear(block).flatten(1) for linear, block in zip(self.group_out, blocks, strict=True)]
        if self.fixed_out is not None:
            columns.append(self.fixed_out(fixed.flatten(1)))
        return torch.cat(columns, dim=1)[:, self.places]
