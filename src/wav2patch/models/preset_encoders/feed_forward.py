"""Preset encoders that take a patch as one vector: MLP, highway and residual networks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from torch import Tensor, nn

from wav2patch.models.layout import Layout
from wav2patch.models.preset_encoders.inputs import OneHots, Scalars
from wav2patch.models.preset_encoders.layers import Highway, Residual, normed
from wav2patch.models.preset_encoders.sequences import FlatTokens, RecurrentTokens

INPUTS: MappingProxyType[str, type[nn.Module]] = MappingProxyType(
    {"scalars": Scalars, "one_hots": OneHots, "tokens": FlatTokens, "recurrent_tokens": RecurrentTokens}
)
"""How a patch becomes one vector; each is called with a layout and settings of its own."""


class FeedForward(nn.Module, ABC):
    """Blocks of one width, and a linear layer.

    Args:
        layout: What the columns are.
        size: Of an embedding.
        inputs: Name, or name and settings; see `INPUTS`.
        hidden: Width of the blocks.
        blocks: How many.

    Raises:
        ValueError: A setting is out of its range, or there are no such inputs.
    """

    def __init__(
        self,
        layout: Layout,
        size: int,
        *,
        inputs: str | Mapping[str, Any] = "one_hots",
        hidden: int = 768,
        blocks: int = 6,
    ) -> None:
        super().__init__()
        if min(hidden, blocks) < 1:
            raise ValueError("hidden and blocks are at least 1")
        self.inputs: Any = _inputs(inputs, layout)
        self.first = self.entrance(self.inputs.width, hidden)
        self.blocks = nn.Sequential(*(self.block(hidden) for _ in range(blocks - 1)))
        self.leave = nn.Linear(hidden, size)

    def forward(self, vectors: Tensor) -> Tensor:
        """Embeddings ``(n, size)`` of vectors ``(n, D)`` in [−1, 1]; one-hots may be soft."""
        return self.leave(self.blocks(self.first(self.inputs(vectors))))

    @abstractmethod
    def entrance(self, inputs: int, hidden: int) -> nn.Module:
        """The first block, which changes the width."""

    @abstractmethod
    def block(self, hidden: int) -> nn.Module:
        """One of the others."""


class PresetMlp(FeedForward):
    """Blocks are two linear layers, with batch normalisation and ReLU behind each."""

    def __init__(
        self,
        layout: Layout,
        size: int,
        *,
        inputs: str | Mapping[str, Any] = "one_hots",
        hidden: int = 2048,
        blocks: int = 1,
    ) -> None:
        super().__init__(layout, size, inputs=inputs, hidden=hidden, blocks=blocks)

    def entrance(self, inputs: int, hidden: int) -> nn.Module:
        """See `FeedForward`."""
        return nn.Sequential(normed(inputs, hidden), normed(hidden, hidden))

    def block(self, hidden: int) -> nn.Module:
        """See `FeedForward`."""
        return self.entrance(hidden, hidden)


class PresetHighway(FeedForward):
    """Blocks are gated; see `Highway`. The first is not."""

    def entrance(self, inputs: int, hidden: int) -> nn.Module:
        """See `FeedForward`."""
        return normed(inputs, hidden)

    def block(self, hidden: int) -> nn.Module:
        """See `FeedForward`."""
        return Highway(hidden)


class PresetResnet(FeedForward):
    """Blocks are added to what comes in; see `Residual`. The first is not."""

    def __init__(
        self,
        layout: Layout,
        size: int,
        *,
        inputs: str | Mapping[str, Any] = "one_hots",
        hidden: int = 256,
        blocks: int = 4,
    ) -> None:
        super().__init__(layout, size, inputs=inputs, hidden=hidden, blocks=blocks)

    def entrance(self, inputs: int, hidden: int) -> nn.Module:
        """See `FeedForward`."""
        return nn.Sequential(normed(inputs, hidden), normed(hidden, hidden))

    def block(self, hidden: int) -> nn.Module:
        """See `FeedForward`."""
        return Residual(hidden)


def _inputs(wanted: str | Mapping[str, Any], layout: Layout) -> nn.Module:
    settings: dict[str, Any] = {"name": wanted} if isinstance(wanted, str) else dict(wanted)
    name: Any = settings.pop("name", None)
    if name not in INPUTS:
        raise ValueError(f"inputs are {', '.join(INPUTS)}, not {name!r}")
    return INPUTS[name](layout, **settings)
