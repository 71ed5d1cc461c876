"""What the feed-forward preset encoders are stacked of."""

from __future__ import annotations

from torch import Tensor, nn


def normed(inputs: int, outputs: int) -> nn.Sequential:
    """A linear layer without bias, batch normalisation, ReLU."""
    return nn.Sequential(nn.Linear(inputs, outputs, bias=False), nn.BatchNorm1d(outputs), nn.ReLU())


class Highway(nn.Module):
    """``g·f(x) + (1 − g)·x`` with a learnt gate g that starts at a quarter (Srivastava et al., 2015).

    Args:
        width: Of what comes in and goes out.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.branch = normed(width, width)
        self.gate = nn.Linear(width, width)
        nn.init.constant_(self.gate.bias, -1.0)

    def forward(self, values: Tensor) -> Tensor:
        """Values of the same shape ``(n, width)``."""
        gate = self.gate(values).sigmoid()
        return gate * self.branch(values) + (1.0 - gate) * values


class Residual(nn.Module):
    """Two linear layers with batch normalisation, added to what comes in; ReLU after the sum.

    Args:
        width: Of what comes in and goes out.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(normed(width, width), nn.Linear(width, width, bias=False), nn.BatchNorm1d(width))

    def forward(self, values: Tensor) -> Tensor:
        """Values of the same shape ``(n, width)``."""
        return nn.functional.relu(values + self.branch(values))
