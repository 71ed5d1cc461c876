"""A preset encoder that reads the columns of a patch one after the other."""

from __future__ import annotations

from torch import Tensor, nn

from wav2patch.models.layout import Layout
from wav2patch.models.preset_encoders.inputs import unit
from wav2patch.models.preset_encoders.layers import normed
from wav2patch.models.preset_encoders.sequences import last_states


class PresetGru(nn.Module):
    """A bidirectional GRU over the columns, each a step of one number, and an MLP of one hidden layer.

    Args:
        layout: What the columns are.
        size: Of an embedding.
        states: Of both directions together, and width of the hidden layer.

    Raises:
        ValueError: There is no even number of states.
    """

    def __init__(self, layout: Layout, size: int, *, states: int = 1024) -> None:
        super().__init__()
        if states < 2 or states % 2:
            raise ValueError(f"states are shared by two directions: choose an even number, not {states}")
        self.network = nn.GRU(1, states // 2, batch_first=True, bidirectional=True)
        self.head = nn.Sequential(normed(states, states), nn.Linear(states, size))

    def forward(self, vectors: Tensor) -> Tensor:
        """Embeddings ``(n, size)`` of vectors ``(n, D)`` in [−1, 1]; one-hots may be soft."""
        return self.head(last_states(self.network, unit(vectors)[..., None]))
