"""From the tokens of a patch to one vector, for networks that take one."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from wav2patch.models.layout import Layout
from wav2patch.models.preset_encoders.tokens import PresetTokens


class FlatTokens(nn.Module):
    """All tokens behind each other.

    Args:
        layout: What the columns are.
        token: Width of a token.
        tokens: Further settings of `PresetTokens`.

    Attributes:
        width: Numbers that come out.
    """

    def __init__(self, layout: Layout, *, token: int = 64, **tokens: Any) -> None:
        super().__init__()
        self.tokens = PresetTokens(layout, token, **tokens)
        self.width = len(layout) * token

    def forward(self, vectors: Tensor) -> Tensor:
        """``(n, width)`` of vectors ``(n, D)``."""
        return self.tokens(vectors).flatten(1)


class RecurrentTokens(nn.Module):
    """The last states of a bidirectional GRU that has read the tokens both ways.

    Args:
        layout: What the columns are.
        token: Width of a token.
        states: Of each direction.
        tokens: Further settings of `PresetTokens`.

    Attributes:
        width: Numbers that come out.
    """

    def __init__(self, layout: Layout, *, token: int = 384, states: int = 192, **tokens: Any) -> None:
        super().__init__()
        self.tokens = PresetTokens(layout, token, **tokens)
        self.network = nn.GRU(token, states, batch_first=True, bidirectional=True)
        self.width = 2 * states

    def forward(self, vectors: Tensor) -> Tensor:
        """``(n, width)`` of vectors ``(n, D)``."""
        return last_states(self.network, self.tokens(vectors))


def last_states(network: nn.GRU, sequence: Tensor) -> Tensor:
    """What a bidirectional GRU of one layer knows in the end, ``(n, 2·states)``."""
    return network(sequence)[1].transpose(0, 1).flatten(1)
