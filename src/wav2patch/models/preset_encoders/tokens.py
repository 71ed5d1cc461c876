"""A patch as a sequence: one token for each parameter, in their order."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from wav2patch.models.choices import Choices
from wav2patch.models.layout import Layout
from wav2patch.models.preset_encoders.inputs import unit


class PresetTokens(nn.Module):
    """A number u in [0, 1] is ``u·w + b``, with vectors of its own parameter; a choice is a row of a table.

    Combes et al. (JAES 2025) have no b, so that a control at 0 says nothing, not even which it is, and start with
    vectors of 0.02, a fifty-sixth of the code of positions that is added to them: ``bias=False, spread=0.02,
    positions=True``. Here a parameter is told by its b, and needs no code of its position.

    With `periodic`, sines and cosines of u and of its doubles up to 2^(periodic − 1) times as fast come with vectors of
    their own, so that a network need not bend a straight line into what repeats, as the tone does along ratios and
    phases.

    Args:
        layout: What the columns are.
        width: Of a token.
        bias: Whether numbers have a b.
        positions: Whether a sinusoidal code of the parameter's place is added.
        periodic: Octaves of sines and cosines; 0 for none.
        spread: Standard deviation of the first weights.

    Raises:
        ValueError: A setting is out of its range.
    """

    numbers: Tensor
    order: Tensor
    code: Tensor | None

    def __init__(
        self,
        layout: Layout,
        width: int,
        *,
        bias: bool = True,
        positions: bool = False,
        periodic: int = 0,
        spread: float = 0.7,
    ) -> None:
        super().__init__()
        if width < 1 or width % 2 or periodic < 0 or not 0.0 < spread < math.inf:
            raise ValueError("a token has an even width, periodic is 0 or more, and spread is a positive number")
        chosen = layout.of_kind("categorical")
        plain = [i for i in range(len(layout)) if i not in set(chosen)]
        self.choices = Choices([layout.columns[i] for i in chosen], layout.width)
        starts = [layout.columns[i].start for i in plain]
        self.register_buffer("numbers", torch.tensor(starts, dtype=torch.long), persistent=False)
        self.register_buffer("order", torch.argsort(torch.tensor([*plain, *chosen])), persistent=False)
        self.table = nn.Parameter(spread * torch.randn(layout.width, width).clamp(-2.0, 2.0))
        self.bias = nn.Parameter(spread * torch.randn(len(plain), width).clamp(-2.0, 2.0)) if bias else None
        waves = torch.randn(len(plain), 2 * periodic, width).clamp(-2.0, 2.0) / math.sqrt(max(1, periodic))
        self.waves = nn.Parameter(spread * waves) if periodic else None
        self.register_buffer("code", position_code(len(layout), width) if positions else None, persistent=False)

    def forward(self, vectors: Tensor) -> Tensor:
        """Tokens ``(n, parameters, width)`` of vectors ``(n, D)`` in [−1, 1]; one-hots may be soft."""
        values = unit(vectors)
        places = self.choices.places
        chosen = torch.einsum("nkc,kcw->nkw", values[:, places] * self.choices.there, self.table[places])
        tokens = torch.cat([self._numbers(values[:, self.numbers]), chosen], dim=1)[:, self.order]
        return tokens if self.code is None else tokens + self.code

    def _numbers(self, values: Tensor) -> Tensor:
        tokens = values[..., None] * self.table[self.numbers]
        if self.bias is not None:
            tokens = tokens + self.bias
        if self.waves is not None:
            octaves = 2.0 ** torch.arange(self.waves.shape[1] // 2, device=values.device)
            angles = 2.0 * math.pi * values[..., None] * octaves
            tokens = tokens + torch.einsum(
                "nkf,kfw->nkw", torch.cat([torch.sin(angles), torch.cos(angles)], dim=-1), self.waves
            )
        return tokens


def position_code(length: int, width: int) -> Tensor:
    """Sines and cosines of places 0, 1, …, ``(length, width)`` (Vaswani et al., NeurIPS 2017)."""
    speeds = torch.exp(torch.arange(0, width, 2) * (-math.log(10_000.0) / width))
    angles = torch.arange(length)[:, None] * speeds
    return torch.stack([torch.sin(angles), torch.cos(angles)], dim=-1).flatten(1)
