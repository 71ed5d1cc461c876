"""A vector field that learns which parameters belong together (Param2Tok of Hayes et al., 2025)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from wav2patch.models.fields.modulation import Signals, small
from wav2patch.models.fields.transformer import Transformer
from wav2patch.models.grids import spans
from wav2patch.models.layout import Layout
from wav2patch.models.regularizers import mean_absolute
from wav2patch.models.settings import need_positive


class AssignedTransformer(nn.Module):
    """Columns are mixed into tokens by a learnt assignment, and out of them by its transpose.

    With columns i, tokens j, assignment A, and embeddings Z and Z', tokens are ``Σ_i A_ji·FFN(x_i·Z_i)`` and
    velocities ``Z'_i·Σ_j A_ji·y_j``. All columns start alike but for a little noise, so the field starts as good as
    equivariant under every permutation of the columns, and training breaks what has to be broken. Where Z and Z' are
    alike for two columns, and A is but for an exchange of tokens, the exchange of the columns is a symmetry. Where a
    column is to be answered by one logit for each of c values, these are ``W·(Z'_i ∘ Σ_j A_ji·y_j)`` with one c-row
    matrix W for all columns of c values, in place of the sum over the width.

    The paper has 5 layers of width 128 and k tokens for k-osc; 8 of 512, 8 heads and 128 tokens for Surge XT.

    Args:
        layout: What the columns are.
        condition: Width of a condition token.
        outputs: What the columns of the answer are, as `gridded` makes them; None for those of the layout.
        parameter_tokens: Tokens that parameters are assigned to.
        width: Of a token.
        layers: Of the transformer.
        heads: Of its attention.
        hidden: Width inside its feed-forward networks.
        time_features: See `TimeFeatures`.
        shared_condition: Whether all layers get one condition token, or each its own.
        zero_gates: See `Modulation`; the paper has False.
        spread: Standard deviation of the noise that columns and tokens start with, by which they differ at all.
        haste: How many times as fast as all else A, Z and Z' are learnt. They are that many times the weights behind
            them, and a step of Adam has the same size for every weight. 1 is the paper's, whose runs have 400,000
            steps; short ones hardly find out what belongs together that slowly. docs/decisions/0016 has the figures.

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
        parameter_tokens: int = 32,
        width: int = 128,
        layers: int = 5,
        heads: int = 4,
        hidden: int = 256,
        time_features: int = 64,
        shared_condition: bool = False,
        zero_gates: bool = True,
        spread: float = 1e-4,
        haste: float = 1.0,
    ) -> None:
        super().__init__()
        need_positive(parameter_tokens=parameter_tokens, width=width)
        if not 0.0 < haste < math.inf:
            raise ValueError(f"haste is a positive number, not {haste}")
        columns = layout.width
        self.tokens = 1 if shared_condition else layers
        constant = torch.full((parameter_tokens, columns), 1.0 / math.sqrt(parameter_tokens * columns))
        embedding = _noisy((torch.randn(width) / math.sqrt(width)).expand(columns, -1), spread)
        self.haste = haste
        starts = {"assignment": _noisy(constant, spread), "embedding_in": embedding, "embedding_out": embedding.clone()}
        self.hasty = nn.ParameterDict({name: nn.Parameter(start / haste) for name, start in starts.items()})
        self.first, self.second = nn.Linear(width, width), nn.Linear(width, width)
        self.values = None if outputs in (None, layout) else _Values(layout, outputs, width)
        self.signals = Signals(condition, time_features, width)
        self.body = Transformer(layers, width, heads, hidden, zero_gates=zero_gates)

    @property
    def assignment(self) -> Tensor:
        """A, ``(parameter_tokens, D)``."""
        return self.haste * self.hasty["assignment"]

    @property
    def embedding_in(self) -> Tensor:
        """Z, ``(D, width)``."""
        return self.haste * self.hasty["embedding_in"]

    @property
    def embedding_out(self) -> Tensor:
        """Z', ``(D, width)``."""
        return self.haste * self.hasty["embedding_out"]

    def forward(self, x: Tensor, t: Tensor, condition: Tensor) -> Tensor:
        """Outputs ``(n, O)`` at points ``(n, D)``, times ``(n,)``, for conditions ``(n, tokens, condition)``."""
        return self._out(self.body(self._into(x), self.signals(t, condition)))

    def penalties(self) -> dict[str, Tensor]:
        """Regularizers by name: the mean absolute assignment, which drives parameters into few tokens."""
        return {"assignment": mean_absolute(self.assignment)}

    def _into(self, x: Tensor) -> Tensor:
        """Tokens ``(n, parameter_tokens, width)`` of columns ``(n, D)``.

        The network's matrices are linear maps, so the first may act on Z before the product with x, and the second
        on tokens after the mixing: no product of matrices is left to do for each column of each row.
        """
        inner = nn.functional.gelu(x[..., None] * (self.embedding_in @ self.first.weight.T) + self.first.bias)
        assignment = self.assignment
        bias = assignment.sum(dim=1, keepdim=True) * self.second.bias
        return (assignment @ inner) @ self.second.weight.T + bias

    def _out(self, tokens: Tensor) -> Tensor:
        """Outputs ``(n, O)`` of tokens ``(n, parameter_tokens, width)``."""
        if self.values is not None:
            return self.values((self.assignment.T @ tokens) * self.embedding_out)
        return (tokens @ self.embedding_out.T * self.assignment).sum(dim=1)


class _Values(nn.Module):
    """From ``(n, D, width)`` to outputs: a sum over the width, or logits of the values that a column may have."""

    places: Tensor

    def __init__(self, layout: Layout, outputs: Layout, width: int) -> None:
        super().__init__()
        answers = spans(layout, outputs)
        counts = [one.stop - one.start for one in answers]
        self.columns = {c: [i for i, count in enumerate(counts) if count == c] for c in sorted(set(counts))}
        given = [
            place for own in self.columns.values() for i in own for place in range(answers[i].start, answers[i].stop)
        ]
        self.register_buffer("places", torch.argsort(torch.tensor(given)), persistent=False)
        self.logits = nn.ModuleDict({str(c): small(nn.Linear(width, c)) for c in self.columns if c > 1})

    def forward(self, inner: Tensor) -> Tensor:
        """Outputs ``(n, O)``."""
        found = []
        for c, own in self.columns.items():
            part = inner[:, own]
            found.append(part.sum(dim=-1) if c == 1 else self.logits[str(c)](part).flatten(1))
        return torch.cat(found, dim=1)[:, self.places]


def _noisy(values: Tensor, spread: float) -> Tensor:
    return values + spread * torch.randn(values.shape)
