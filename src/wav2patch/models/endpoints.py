"""Where a flow ends, as a network's logits tell it: in the mean of the answers to each question."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from wav2patch.models.choices import Choices
from wav2patch.models.grids import spans
from wav2patch.models.layout import Layout

NEAREST = 0.02
"""Of the end of time, for the division by 1 − t: a flow that has no end point would be infinitely fast there."""


class Endpoints(nn.Module):
    """Some parameters of a vector as questions that are answered by logits, the others as numbers.

    Answer k of a categorical parameter is +1 in column k and −1 in the parameter's others; that of a discrete one is
    the k-th value of its grid, in its only column.

    Args:
        layout: Columns of the vectors, D.
        outputs: Columns of what a network gives, `gridded` of the layout or the same.
        parameters: Numbers of those that are questions; all of them are categorical among the outputs.

    Attributes:
        groups: How many questions there are.
        choices: Where their logits are among the outputs.
        inside: Which of the D columns belong to a question.
        first: A column of each question, ``(groups,)``.
    """

    def __init__(self, layout: Layout, outputs: Layout, parameters: Sequence[int]) -> None:
        super().__init__()
        self.choices = Choices([outputs.columns[i] for i in parameters], outputs.width)
        self.groups = len(parameters)
        shape = self.choices.there.shape
        columns, where = torch.zeros(shape, dtype=torch.int64), torch.zeros(layout.width, dtype=torch.int64)
        slope, square = torch.full(shape, 2.0), torch.zeros(shape)
        on_grid, inside = torch.zeros(self.groups, 1, dtype=torch.bool), torch.zeros(layout.width, dtype=torch.bool)
        for row, i in enumerate(parameters):
            own, size = layout.columns[i], layout.sizes[i]
            inside[own] = True
            where[own] = row * self.choices.most + torch.arange(own.stop - own.start)
            on_grid[row] = layout.kinds[i] == "discrete"
            columns[row, :size] = own.start if on_grid[row] else torch.arange(own.start, own.stop)
            if on_grid[row]:
                values = torch.zeros(1) - 1.0 if size == 1 else torch.linspace(-1.0, 1.0, size)
                slope[row, :size], square[row, :size] = values, values**2 / 2.0
        buffers = {
            "columns": columns,
            "where": where,
            "slope": slope,
            "square": square,
            "on_grid": on_grid,
            "inside": inside,
            "first": columns[:, 0].clone() if self.groups else torch.zeros(0, dtype=torch.int64),
            "plain": torch.tensor([one.start for one in spans(layout, outputs)], dtype=torch.int64),
        }
        for name, value in buffers.items():
            self.register_buffer(name, value, persistent=False)
        self.any_grid = bool(on_grid.any())

    columns: Tensor
    where: Tensor
    slope: Tensor
    square: Tensor
    on_grid: Tensor
    inside: Tensor
    first: Tensor
    plain: Tensor

    def numbers(self, output: Tensor) -> Tensor:
        """What outputs ``(n, O)`` say of the columns that are numbers, ``(n, D)``; elsewhere it means nothing."""
        return output[:, self.plain] if self.any_grid else output

    def likelihoods(self, x: Tensor, t: Tensor) -> Tensor:
        """Log-likelihoods ``(n, groups, most)`` of points for every answer, but for what all answers have in common.

        A point is x = t·v + (1 − t)·ε, and if ε is standard normal and independent of the value v, then
        log p(x | v) = −(x − t v)² / (2 (1 − t)²) + const. Of a categorical parameter nothing is said, all are 0: there
        it helps nothing (docs/decisions/0015), as corners are far apart.

        Args:
            x: Points on the way from noise to data, ``(n, D)``.
            t: Their times, ``(n,)``; noise counts as `NEAREST` at least.
        """
        time = t[:, None, None]
        said = time * (x[:, self.columns] * self.slope - time * self.square)
        return torch.where(self.on_grid, said / (1.0 - time).clamp(min=NEAREST) ** 2, 0.0)

    def answers(self, vectors: Tensor) -> Tensor:
        """The answers ``(n, groups)`` that vectors ``(n, D)`` are, or are nearest to."""
        table = vectors[:, self.columns] * self.slope - self.square
        return table.masked_fill(~self.choices.there, -torch.inf).argmax(dim=-1)

    def mean(self, log_probabilities: Tensor, elsewhere: Tensor) -> Tensor:
        """Vectors ``(n, D)``: the mean of answers by ``(n, groups, most)``, `elsewhere` outside of questions."""
        odds = log_probabilities.exp()
        grid = (odds * self.slope).sum(dim=-1, keepdim=True)
        table = torch.where(self.on_grid, grid, 2.0 * odds - 1.0)
        return torch.where(self.inside, table.flatten(1)[:, self.where], elsewhere)
