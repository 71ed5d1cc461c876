"""Regression: one encoder, one answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from wav2patch.models.inverters.base import Examples, Graph, Inverter, Losses
from wav2patch.models.inverters.parts import Spec, build, make_encoder
from wav2patch.models.layers import TokenHead
from wav2patch.models.layout import Layout
from wav2patch.models.listener import Listener
from wav2patch.models.losses import LOSSES
from wav2patch.models.noise import Generators, Noise


class Regression(Inverter):
    """The parameters themselves as the output of a network.

    The feed-forward baseline (FFN) of Hayes et al., ISMIR 2025, and its losses. Where several patches make one sound,
    the answer with the least squared error is their mean, which need not make it; the losses that ignore the order of
    interchangeable blocks repair this for exact symmetries.

    Args:
        layout: Columns of what is proposed.
        shape: Of the features of one sound.
        note: Whether the model is told the note.
        width: Of the condition token.
        encoder: Name, or name and settings.
        hidden: Width of the head.
        blocks: Residual blocks of the head.
        loss: ``mse``, ``chamfer``, ``sorted`` or ``assignment``.
    """

    kind: ClassVar[str] = "regression"

    def __init__(
        self,
        layout: Layout,
        shape: tuple[int, ...],
        *,
        note: bool = True,
        width: int = 128,
        encoder: Spec = "cnn_2d",
        hidden: int = 384,
        blocks: int = 4,
        loss: Spec = "mse",
    ) -> None:
        super().__init__(layout, shape, note=note)
        self.listener = Listener(make_encoder(encoder, shape, tokens=1, width=width), width, note=note)
        self.head = TokenHead(width, 1, layout.width, hidden=hidden, blocks=blocks)
        self.measure = build("loss", LOSSES, loss, layout)

    def forward(self, features: Tensor, notes: Tensor | None = None) -> Tensor:
        """Vectors ``(n, D)`` in about [−1, 1]."""
        return self.head(self.listener(features, notes)[:, 0])[:, 0]

    def loss(self, examples: Examples, noise: Noise) -> Losses:
        """See `Inverter.loss`; no chance in it."""
        predicted = self(examples.features, examples.notes)
        return {"loss": self.measure(predicted, examples.vectors, examples.weights).mean()}

    @torch.no_grad()
    def propose_batch(
        self, features: Tensor, notes: Tensor | None, n: int, generator: Generators | None = None
    ) -> Tensor:
        """See `Inverter.propose_batch`; n times the same."""
        return self(features, notes)[:, None].repeat(1, n, 1)

    def graphs(self) -> Mapping[str, Graph]:
        """``network``: features and notes to a vector."""
        return {"network": Graph(self, self.sound_inputs(), ("vector",))}

    @property
    def sampling(self) -> dict[str, Any]:
        """One answer."""
        return {"kind": "direct"}
