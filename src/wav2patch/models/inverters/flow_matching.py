"""Conditional flow matching from noise to parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from wav2patch.models.couplings import COUPLINGS
from wav2patch.models.endpoints import NEAREST, Endpoints
from wav2patch.models.grids import gridded
from wav2patch.models.inverters.base import Examples, Graph, Inverter, Losses
from wav2patch.models.inverters.parts import Spec, build, make_encoder, make_field
from wav2patch.models.layout import Layout
from wav2patch.models.listener import Listener
from wav2patch.models.noise import Generators, Noise, draw
from wav2patch.models.paths import RectifiedPath
from wav2patch.models.regularizers import equivariance_error, symmetric_orders
from wav2patch.models.samplers import SAMPLERS, guided

Categoricals = Literal["endpoint", "one_hot"]
Discretes = Literal["grid", "spread"]


class FlowMatching(Inverter):
    """A vector field that carries Gaussian noise to the patches that may have made a sound.

    Rectified flow (Liu et al., ICLR 2023; Lipman et al., ICLR 2023) over encodings, conditioned on the sound, as Hayes
    et al. (ISMIR 2025) do it. Two things differ. Of a categorical parameter the field gives logits, trained by
    cross-entropy, and its velocity leads to their mean: variational flow matching (Eijkelboom et al., NeurIPS 2024,
    CatFlow), where the original regresses the velocity of one-hots; ``categoricals="one_hot"`` does that.
    docs/decisions/0014 has the figures.

    A discrete parameter keeps its one column on the way, and the field gives logits of the values on its grid, so that
    single values may have mass, such as the middle of a range. The network tells how likely each value v is by the
    sound and the other parameters; what the point itself says of it follows from Bayes' rule, as xₜ = t v + (1 − t) ε:
    −(xₜ − t v)² / (2 (1 − t)²) is added to the logits. Of noise that a coupling has chosen this is an approximation,
    which the logits may correct. ``discretes="spread"`` spreads values evenly over their step instead, regresses the
    velocity and lets decoding round; so are grids of more than `most_values` treated. docs/decisions/0015 has the
    figures.

    Args:
        layout: Columns of what is proposed.
        shape: Of the features of one sound.
        note: Whether the model is told the note.
        width: Of a condition token.
        encoder: Name, or name and settings.
        field: Name, or name and settings.
        coupling: Of noise and data in a batch.
        categoricals: ``endpoint`` or ``one_hot``.
        discretes: ``grid`` or ``spread``.
        most_values: Of a discrete parameter whose values get logits.
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
        discretes: Discretes = "grid",
        most_values: int = 128,
        condition_dropout: float = 0.1,
        sampler: Spec = "euler",
        guidance: float = 2.0,
        penalties: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(layout, shape, note=note)
        if categoricals not in ("endpoint", "one_hot"):
            raise ValueError(f"categoricals is endpoint or one_hot, not {categoricals!r}")
        if discretes not in ("grid", "spread"):
            raise ValueError(f"discretes is grid or spread, not {discretes!r}")
        outputs = gridded(layout, most_values) if discretes == "grid" else layout
        self.field = make_field(field, layout, condition=width, outputs=None if outputs is layout else outputs)
        tokens: Any = self.field.tokens
        self.listener = Listener(make_encoder(encoder, shape, tokens=tokens, width=width), width, note=note)
        self.null = nn.Parameter(torch.randn(tokens, width) * 0.02)
        self.coupling = build("coupling", COUPLINGS, coupling)
        self.sampler = build("sampler", SAMPLERS, sampler)
        self.path = RectifiedPath()
        self.guidance, self.condition_dropout = guidance, condition_dropout
        self.penalties = {"assignment": 0.01} if penalties is None else dict(penalties)
        one_hots = layout.of_kind("categorical") if categoricals == "one_hot" else ()
        ends = [i for i in outputs.of_kind("categorical") if i not in one_hots]
        self.endpoints = Endpoints(layout, outputs, ends)
        # Not a buffer: `prepare` runs ahead on the processor, wherever the weights are.
        self._step = _steps(outputs, layout)

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
        squared, entropy, count = self._errors(output, velocity, point, times, examples)
        rows = (squared + entropy) / count
        losses = {"loss": rows.mean(), "velocity": (squared / count).mean(), "_rows": rows, "_times": times}
        if self.endpoints.groups:
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
        return self.sampler(velocity, start, landing=self.endpoints.any_grid).unflatten(0, (len(features), n))

    def velocity(self, x: Tensor, t: Tensor, condition: Tensor) -> Tensor:
        """Velocity ``(n, D)`` at points ``(n, D)`` and times ``(n,)`` under condition tokens ``(n, tokens, width)``."""
        output = self.field(x, t, condition)
        if not self.endpoints.groups:
            return output
        numbers = self.endpoints.numbers(output)
        endpoint = self.endpoints.mean(self._log_probabilities(output, x, t), numbers)
        # The shortest step of a sampler that lands is the last, which has to arrive.
        left = (1.0 - t).clamp(min=1e-6 if self.endpoints.any_grid else NEAREST)[:, None]
        return torch.where(self.endpoints.inside, (endpoint - x) / left, numbers)

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
        """The sampler, whether it lands, and the guidance; see `tables` for the null condition."""
        sampler = {"name": _name_of(self.sampler), "steps": self.sampler.steps}
        found = {"kind": "flow", "sampler": sampler, "guidance": self.guidance, "width": self.layout.width}
        return {**found, "landing": True} if self.endpoints.any_grid else found

    def tables(self) -> dict[str, NDArray[Any]]:
        """``null``: the condition tokens that stand for no sound, ``(tokens, width)``."""
        return {"null": self.null.detach().cpu().numpy()}

    def _condition(self, examples: Examples, noise: Noise) -> Tensor:
        condition = self.listener(examples.features, examples.notes)
        left_out = noise.uniform("dropout", 1)[:, :, None] < self.condition_dropout
        return torch.where(left_out, self.null, condition)

    def _log_probabilities(self, output: Tensor, x: Tensor, t: Tensor) -> Tensor:
        """Of the answers, ``(n, groups, most)``: by what the field and the point say together."""
        said = self.endpoints.likelihoods(x, t) if self.endpoints.any_grid else None
        return self.endpoints.choices.log_probabilities(output, said)

    def _errors(
        self, output: Tensor, velocity: Tensor, point: Tensor, times: Tensor, examples: Examples
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Of each row, the summed errors of its scalars and of its choices, and how many of both there are."""
        weights = torch.ones_like(velocity) if examples.weights is None else examples.weights
        scalar = torch.where(self.endpoints.inside, 0.0, weights)
        squared = (scalar * (self.endpoints.numbers(output) - velocity) ** 2).sum(dim=1)
        if not self.endpoints.groups:
            return squared, torch.zeros_like(squared), scalar.sum(dim=1).clamp(min=1.0)
        asked = weights[:, self.endpoints.first]
        table = self._log_probabilities(output, point, times)
        entropy = (asked * self._entropies(table, self.endpoints.answers(examples.vectors))).sum(dim=1)
        return squared, entropy, (scalar.sum(dim=1) + asked.sum(dim=1)).clamp(min=1.0)

    def _entropies(self, table: Tensor, answers: Tensor) -> Tensor:
        """Cross-entropies ``(n, groups)`` of log-probabilities ``(n, groups, most)`` against answers."""
        return -table.gather(-1, answers[..., None])[..., 0]

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


def _steps(outputs: Layout, layout: Layout) -> Tensor:
    """Width of a step of each column in [−1, 1], 0 where values are continuous, or answered by logits."""
    steps = torch.zeros(layout.width)
    for i in outputs.of_kind("discrete"):
        steps[layout.columns[i]] = 2.0 / max(layout.sizes[i] - 1, 1)
    return steps


def _name_of(sampler: Any) -> str:
    return next(name for name, one in SAMPLERS.items() if isinstance(sampler, one))
