"""Conditional flow matching from noise to parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from wav2patch.models.choices import Choices
from wav2patch.models.couplings import COUPLINGS
from wav2patch.models.inverters.base import Examples, Graph, Inverter, Losses
from wav2patch.models.inverters.parts import Spec, build, make_encoder, make_field
from wav2patch.models.layout import Layout
from wav2patch.models.listener import Listener
from wav2patch.models.noise import Generators, Noise, draw
from wav2patch.models.paths import RectifiedPath
from wav2patch.models.regularizers import equivariance_error, symmetric_orders
from wav2patch.models.samplers import SAMPLERS, guided

Categoricals = Literal["endpoint", "one_hot"]

_NEAREST = 0.02
"""Of the end of time, for the division by 1 − t: a field that has no end point would be infinitely fast there."""


class FlowMatching(Inverter):
    """A vector field that carries Gaussian noise to the patches that may have made a sound.

    Rectified flow (Liu et al., ICLR 2023; Lipman et al., ICLR 2023) over encodings, conditioned on the sound, as Hayes
    et al. (ISMIR 2025) do it. Two things differ. Discrete values are spread evenly over their step before they are
    learnt, so that the flow's target has a density, and decoding rounds it away. Of a categorical parameter the field
    gives logits, trained by cross-entropy, and its velocity leads to their mean: variational flow matching (Eijkelboom
    et al., NeurIPS 2024, CatFlow), where the original regresses the velocity of one-hots; ``categoricals="one_hot"``
    does that. docs/decisions/0014 has the figures.

    Args:
        layout: Columns of what is proposed.
        shape: Of the features of one sound.
        note: Whether the model is told the note.
        width: Of a condition token.
        encoder: Name, or name and settings.
        field: Name, or name and settings.
        coupling: Of noise and data in a batch.
        categoricals: ``endpoint`` or ``one_hot``.
        condition_dropout: How often the sound is left out in training, for guidance.
        sampler: Name, or name and settings.
        guidance: Weight of classifier-free guidance; 1 is none.
        penalties: Weights by name: ``equivariance``, for not commuting with the layout's symmetries, and those that
            the field offers, such as ``assignment``; a name that is not given weighs nothing.
    """

    kind: ClassVar[str] = "flow_matching"

    def __init__(
        self,
        layout: Layout,
        shape: tuple[int, ...],
        *,
        note: bool = True,
        width: int = 128,
        encoder: Spec = "cnn_2d",
        field: Spec = "assigned_transformer",
        coupling: Spec = "independent",
        categoricals: Categoricals = "endpoint",
        condition_dropout: float = 0.1,
        sampler: Spec = "heun",
        guidance: float = 2.0,
        penalties: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(layout, shape, note=note)
        if categoricals not in ("endpoint", "one_hot"):
            raise ValueError(f"categoricals is endpoint or one_hot, not {categoricals!r}")
        self.field = make_field(field, layout, condition=width)
        tokens: Any = self.field.tokens
        self.listener = Listener(make_encoder(encoder, shape, tokens=tokens, width=width), width, note=note)
        self.null = nn.Parameter(torch.randn(tokens, width) * 0.02)
        self.coupling = build("coupling", COUPLINGS, coupling)
        self.sampler = build("sampler", SAMPLERS, sampler)
        self.path = RectifiedPath()
        self.guidance, self.condition_dropout = guidance, condition_dropout
        self.penalties = {"assignment": 0.01} if penalties is None else dict(penalties)
        ends = layout.of_kind("categorical") if categoricals == "endpoint" else ()
        self.choices = Choices([layout.columns[i] for i in ends], layout.width)
        # Not a buffer: `prepare` runs ahead on the processor, wherever the weights are.
        self._step = _steps(layout)

    def prepare(self, examples: Examples, noise: Noise) -> Examples:
        """Draw the noise and couple it with the batch; needs no weights, so it may run ahead in another thread."""
        end = self._spread(examples.vectors, noise)
        start = noise.normal("start", self.layout.width).to(end)
        return examples.replace(start=self.coupling(start, end))

    def loss(self, examples: Examples, noise: Noise) -> Losses:
        """Squared error of the velocity, and cross-entropy of the choices, each parameter counted once.

        Beside the scalars there are ``_rows`` and ``_times``, the loss and the time of each row.
        """
        if examples.start is None:
            examples = self.prepare(examples, noise)
        assert examples.start is not None
        end = self._spread(examples.vectors, noise)
        times = noise.uniform("time", 1)[:, 0].to(end)
        point, velocity = self.path(examples.start, end, times)
        condition = self._condition(examples, noise)
        output = self.field(point, times, condition)
        squared, entropy, count = self._errors(output, velocity, examples)
        rows = (squared + entropy) / count
        losses = {"loss": rows.mean(), "velocity": (squared / count).mean(), "_rows": rows, "_times": times}
        if self.choices.groups:
            losses["choice"] = (entropy / count).mean()
        return self._penalised(losses, lambda x: self.field(x, times, condition), point, noise)

    @torch.no_grad()
    def propose_batch(
        self, features: Tensor, notes: Tensor | None, n: int, generator: Generators | None = None
    ) -> Tensor:
        """See `Inverter.propose_batch`."""
        condition = self.listener(features, notes).repeat_interleave(n, dim=0)
        start = draw(torch.randn, generator, (len(features), n, self.layout.width), condition).flatten(0, 1)
        velocity = guided(self.velocity, condition, self.null.expand_as(condition), self.guidance)
        return self.sampler(velocity, start).unflatten(0, (len(features), n))

    def velocity(self, x: Tensor, t: Tensor, condition: Tensor) -> Tensor:
        """Velocity ``(n, D)`` at points ``(n, D)`` and times ``(n,)`` under condition tokens ``(n, tokens, width)``."""
        output = self.field(x, t, condition)
        if not self.choices.groups:
            return output
        endpoint = self.choices.spread(2.0 * self.choices.log_probabilities(output).exp() - 1.0, output)
        left = (1.0 - t).clamp(min=_NEAREST)[:, None]
        return torch.where(self.choices.inside, (endpoint - x) / left, output)

    def graphs(self) -> Mapping[str, Graph]:
        """``listen``: features and notes to condition tokens; ``velocity``: a step of the sampler."""
        point, condition = torch.zeros(2, self.layout.width), torch.zeros(2, *self.null.shape)
        step = {"x": point, "t": torch.zeros(2), "condition": condition}
        return {
            "listen": Graph(self.listener, self.sound_inputs(), ("condition",)),
            "velocity": Graph(_Velocity(self), step, ("velocity",)),
        }

    @property
    def sampling(self) -> dict[str, Any]:
        """The sampler and the guidance; see `tables` for the null condition."""
        sampler = {"name": _name_of(self.sampler), "steps": self.sampler.steps}
        return {"kind": "flow", "sampler": sampler, "guidance": self.guidance, "width": self.layout.width}

    def tables(self) -> dict[str, NDArray[Any]]:
        """``null``: the condition tokens that stand for no sound, ``(tokens, width)``."""
        return {"null": self.null.detach().cpu().numpy()}

    def _condition(self, examples: Examples, noise: Noise) -> Tensor:
        condition = self.listener(examples.features, examples.notes)
        left_out = noise.uniform("dropout", 1)[:, :, None] < self.condition_dropout
        return torch.where(left_out, self.null, condition)

    def _errors(self, output: Tensor, velocity: Tensor, examples: Examples) -> tuple[Tensor, Tensor, Tensor]:
        """Of each row, the summed errors of its scalars and of its choices, and how many of both there are."""
        weights = torch.ones_like(output) if examples.weights is None else examples.weights
        scalar = torch.where(self.choices.inside, 0.0, weights)
        squared = (scalar * (output - velocity) ** 2).sum(dim=1)
        if not self.choices.groups:
            return squared, torch.zeros_like(squared), scalar.sum(dim=1).clamp(min=1.0)
        asked = weights[:, self.choices.places[:, 0]]
        entropy = (asked * self.choices.cross_entropy(output, examples.vectors)).sum(dim=1)
        return squared, entropy, (scalar.sum(dim=1) + asked.sum(dim=1)).clamp(min=1.0)

    def _penalised(self, losses: Losses, field: Callable[[Tensor], Tensor], point: Tensor, noise: Noise) -> Losses:
        offered: Any = getattr(self.field, "penalties", dict)
        found = dict(offered())
        if self.penalties.get("equivariance") and self.layout.symmetries:
            found["equivariance"] = equivariance_error(field, point, symmetric_orders(self.layout, noise))
        for name, value in found.items():
            losses[name] = value
            losses["loss"] = losses["loss"] + self.penalties.get(name, 0.0) * value
        return losses

    def _spread(self, vectors: Tensor, noise: Noise) -> Tensor:
        """Discrete values anywhere within their step, each of which decoding rounds to them."""
        if not self._step.any():
            return vectors
        return vectors + self._step.to(vectors.device) * (noise.uniform("step", self.layout.width).to(vectors) - 0.5)


class _Velocity(nn.Module):
    def __init__(self, flow: FlowMatching) -> None:
        super().__init__()
        self.flow = flow

    def forward(self, x: Tensor, t: Tensor, condition: Tensor) -> Tensor:
        return self.flow.velocity(x, t, condition)


def _steps(layout: Layout) -> Tensor:
    """Width of a step of each column in [−1, 1], 0 where values are continuous or choices."""
    steps = torch.zeros(layout.width)
    for i in layout.of_kind("discrete"):
        steps[layout.columns[i]] = 2.0 / max(layout.sizes[i] - 1, 1)
    return steps


def _name_of(sampler: Any) -> str:
    return next(name for name, one in SAMPLERS.items() if isinstance(sampler, one))
