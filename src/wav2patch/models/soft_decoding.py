"""From what a network puts out to a patch that the synth can have, with a gradient that reaches every parameter.

Rounding and the choice of the largest have no gradient. Sound matching with a proxy (Combes et al., JAES 2025) decodes
by them, so that of Diva's parameters 42% learn nothing from what is heard. Here choices and steps are made on the way
there, and left out on the way back (straight-through estimator; Bengio et al., 2013), or are not made at all.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from wav2patch.models.choices import Choices
from wav2patch.models.layout import Layout


class SoftDecoding(nn.Module):
    """Outputs as patches: numbers by a sigmoid, choices by a softmax.

    Args:
        layout: What the columns are.
        hard: Whether steps and choices are made. Otherwise discrete numbers stay between their steps, and one-hots are
            as soft as the softmax leaves them.
        temperature: That logits of choices are divided by; the smaller, the nearer is the gradient to none.

    Raises:
        ValueError: The temperature is not above 0.
    """

    steps: Tensor

    def __init__(self, layout: Layout, *, hard: bool = True, temperature: float = 1.0) -> None:
        super().__init__()
        if not temperature > 0.0:
            raise ValueError(f"temperature is a positive number, not {temperature}")
        self.hard, self.temperature = hard, temperature
        self.choices = Choices([layout.columns[i] for i in layout.of_kind("categorical")], layout.width)
        steps = torch.zeros(layout.width)
        for i in layout.of_kind("discrete"):
            steps[layout.columns[i]] = float(max(layout.sizes[i] - 1, 1))
        self.register_buffer("steps", steps, persistent=False)

    def forward(self, outputs: Tensor) -> Tensor:
        """Vectors ``(n, D)`` in [−1, 1] of outputs ``(n, D)``, logits all of them."""
        numbers = self._numbers(outputs.sigmoid())
        if not self.choices.groups:
            return numbers
        return self.choices.spread(2.0 * self._choices(outputs / self.temperature) - 1.0, numbers)

    def _numbers(self, values: Tensor) -> Tensor:
        if self.hard:
            steps = self.steps.clamp(min=1.0)
            stepped = torch.where(self.steps > 0, (values * steps).round() / steps, values)
            values = values + (stepped - values).detach()
        return 2.0 * values - 1.0

    def _choices(self, logits: Tensor) -> Tensor:
        soft = self.choices.log_probabilities(logits).exp()
        if not self.hard:
            return soft
        chosen = nn.functional.one_hot(soft.argmax(dim=-1), soft.shape[-1]).to(soft)
        return chosen + soft - soft.detach()
