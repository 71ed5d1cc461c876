"""Columns that belong together, such as the one-hots of categorical parameters, as rows of one padded table."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Choices(nn.Module):
    """Groups of columns of a vector; each group is one question, each column of it one answer.

    Args:
        columns: Where each group lies, without overlap.
        width: Columns of the vector.
    """

    def __init__(self, columns: Sequence[slice], width: int) -> None:
        super().__init__()
        most = max((one.stop - one.start for one in columns), default=0)
        places = torch.zeros(len(columns), most, dtype=torch.int64)
        there = torch.zeros(len(columns), most, dtype=torch.bool)
        for row, one in enumerate(columns):
            places[row, : one.stop - one.start] = torch.arange(one.start, one.stop)
            there[row, : one.stop - one.start] = True
        inside = torch.zeros(width, dtype=torch.bool)
        inside[places[there]] = True
        where = torch.zeros(width, dtype=torch.int64)
        where[places[there]] = torch.nonzero(there.flatten())[:, 0]
        for name, value in {"places": places, "there": there, "inside": inside, "where": where}.items():
            self.register_buffer(name, value, persistent=False)
        self.groups, self.most = len(columns), most

    places: Tensor
    there: Tensor
    inside: Tensor
    where: Tensor

    def log_probabilities(self, logits: Tensor, more: Tensor | None = None) -> Tensor:
        """Log-probabilities ``(n, groups, most)`` of logits ``(n, width)``; very low beyond a group.

        Args:
            logits: By column.
            more: Added to them, by group: ``(n, groups, most)``.
        """
        table = logits[:, self.places.flatten()].unflatten(1, (self.groups, self.most))
        table = table if more is None else table + more
        lowest = torch.finfo(table.dtype).min / 4
        return torch.log_softmax(table.masked_fill(~self.there, lowest), dim=-1)

    def cross_entropy(self, logits: Tensor, one_hots: Tensor) -> Tensor:
        """Cross-entropy ``(n, groups)`` of logits ``(n, width)``; the answer is the largest of each group's columns."""
        table = one_hots[:, self.places.flatten()].unflatten(1, (self.groups, self.most))
        answers = table.masked_fill(~self.there, -torch.inf).argmax(dim=-1, keepdim=True)
        return -self.log_probabilities(logits).gather(-1, answers)[..., 0]

    def spread(self, table: Tensor, elsewhere: Tensor) -> Tensor:
        """A vector ``(n, width)`` that is `table` ``(n, groups, most)`` inside of the groups, `elsewhere` outside."""
        return torch.where(self.inside, table.flatten(1)[:, self.where], elsewhere)
