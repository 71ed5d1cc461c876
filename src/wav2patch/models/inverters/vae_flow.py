"""A variational autoencoder with flows, from sounds to a latent space to parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from wav2patch.models.choices import Choices
from wav2patch.models.decoders import make_decoder
from wav2patch.models.inverters.base import Examples, Graph, Inverter, Losses
from wav2patch.models.inverters.parts import Spec, make_encoder
from wav2patch.models.layout import Layout
from wav2patch.models.listener import NOTE_FIELDS, Listener, note_vector
from wav2patch.models.noise import Generators, Noise, draw
from wav2patch.models.realnvp import RealNvp

_DEVIATIONS = (-12.0, 4.0)
"""Bounds of a latent's log-variance."""


class VaeFlow(Inverter):
    """An autoencoder of sounds, whose latent an invertible network turns into parameters.

    Esling et al., "Flow Synthesizer: Universal audio synthesizer control with normalizing flows", Applied Sciences
    2020; Le Vaillant et al., "Improving synthesizer programming from variational autoencoders latent space", DAFx
    2021. An encoder gives a Gaussian of z₀; a flow makes z of it, whose prior is a standard normal; from z a decoder
    makes the feature again and a second flow the parameters. The loss is

        parameters + reconstruction + β · [log q(z₀) − log |det ∂z/∂z₀| − log N(z; 0, I)] / width of z

    where reconstruction is the mean squared error, and parameters is the squared error of scalars and the
    cross-entropy of choices. β grows in a straight line. Hayes et al. (ISMIR 2025) use 6 and 16 layers of 512 and a β
    from 0.02 to 0.04 over 60,000 steps, and clip one-hots before they take the largest, which undoes their choices;
    here choices come as probabilities.

    The step of the schedule counts calls of `loss` in training mode; it is saved with the weights.

    Args:
        layout: Columns of what is proposed.
        shape: Of the features of one sound.
        note: Whether the model is told the note; the decoder then is as well.
        width: Of the condition token.
        encoder: Name, or name and settings.
        decoder_width: Channels of the decoder where there are most.
        latent_layers: Couplings of the latent's flow.
        regression_layers: Couplings of the flow to parameters.
        hidden: Width of the networks in both flows.
        blocks: Residual blocks in each of these.
        beta_start: β of the first step.
        beta: β in the end.
        beta_steps: Batches until then.
        choice_weight: Of a choice's cross-entropy beside a scalar's squared error.
    """

    kind: ClassVar[str] = "vae_flow"
    counters: ClassVar[tuple[str, ...]] = ("steps",)

    def __init__(
        self,
        layout: Layout,
        shape: tuple[int, ...],
        *,
        note: bool = True,
        width: int = 128,
        encoder: Spec = "cnn_2d",
        decoder_width: int = 128,
        latent_layers: int = 6,
        regression_layers: int = 16,
        hidden: int = 256,
        blocks: int = 2,
        beta_start: float = 0.02,
        beta: float = 0.04,
        beta_steps: int = 60_000,
        choice_weight: float = 1.0,
    ) -> None:
        super().__init__(layout, shape, note=note)
        # A coupling needs two columns; a layout of one gets a latent that is not read.
        self.latent = max(layout.width, 2)
        self.beta_start, self.beta, self.beta_steps = beta_start, beta, beta_steps
        self.choice_weight = choice_weight
        self.listener = Listener(make_encoder(encoder, shape, tokens=1, width=width), width, note=note)
        self.gaussian = nn.Linear(width, 2 * self.latent)
        self.decoder = make_decoder(self.latent + NOTE_FIELDS * note, shape, width=decoder_width)
        self.latent_flow = RealNvp(self.latent, layers=latent_layers, hidden=hidden, blocks=blocks)
        self.regression_flow = RealNvp(self.latent, layers=regression_layers, hidden=hidden, blocks=blocks)
        self.choices = Choices([layout.columns[i] for i in layout.of_kind("categorical")], layout.width)
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    steps: Tensor

    def encoded(self, features: Tensor, notes: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation ``(n, latent)`` of the Gaussian of z₀."""
        mean, variance = self.gaussian(self.listener(features, notes)[:, 0]).chunk(2, dim=1)
        return mean, (variance.clamp(*_DEVIATIONS) / 2.0).exp()

    def vectors(self, latents: Tensor) -> Tensor:
        """Vectors ``(n, D)`` of draws ``(n, latent)`` of z₀; choices are probabilities moved to [−1, 1]."""
        output = self._regressed(self.latent_flow(latents)[0])
        if not self.choices.groups:
            return output
        return self.choices.spread(2.0 * self.choices.log_probabilities(output).exp() - 1.0, output)

    def loss(self, examples: Examples, noise: Noise) -> Losses:
        """The sum above, with its terms and the β of this step."""
        mean, deviation = self.encoded(examples.features, examples.notes)
        drawn = noise.normal("latent", self.latent).to(mean)
        latent, stretch = self.latent_flow(mean + deviation * drawn)
        surprise = (latent**2 - drawn**2).sum(dim=1) / 2.0 - deviation.log().sum(dim=1) - stretch
        known = [latent] if examples.notes is None or not self.tells_note else [latent, note_vector(examples.notes)]
        losses = {
            "parameters": self._errors(self._regressed(latent), examples).mean(),
            "reconstruction": ((self.decoder(torch.cat(known, dim=1)) - examples.features) ** 2).mean(),
            "latent": surprise.mean() / self.latent,
            "beta": self._beta(),
        }
        summed = losses["parameters"] + losses["reconstruction"] + losses["beta"] * losses["latent"]
        return {"loss": summed, **losses}

    @torch.no_grad()
    def propose_batch(
        self, features: Tensor, notes: Tensor | None, n: int, generator: Generators | None = None
    ) -> Tensor:
        """See `Inverter.propose_batch`; the first is that of the Gaussian's mean."""
        mean, deviation = self.encoded(features, notes)
        drawn = draw(torch.randn, generator, (len(mean), n - 1, self.latent), mean)
        latents = mean[:, None] + deviation[:, None] * torch.cat([torch.zeros_like(mean)[:, None], drawn], dim=1)
        return self.vectors(latents.flatten(0, 1)).unflatten(0, (len(mean), n))

    def graphs(self) -> Mapping[str, Graph]:
        """``listen``: features and notes to the Gaussian; ``decode``: a draw of it to a vector."""
        latent = {"latent": torch.zeros(2, self.latent)}
        return {
            "listen": Graph(_Listen(self), self.sound_inputs(), ("mean", "deviation")),
            "decode": Graph(_Decode(self), latent, ("vector",)),
        }

    @property
    def sampling(self) -> dict[str, Any]:
        """A latent is mean + deviation · noise, noise standard normal and ``noise`` wide, 0 for the first proposal."""
        return {"kind": "latent", "noise": self.latent}

    def _regressed(self, latent: Tensor) -> Tensor:
        return self.regression_flow(latent)[0][:, : self.layout.width]

    def _beta(self) -> Tensor:
        share = (self.steps / max(self.beta_steps, 1)).clamp(max=1.0)
        if self.training:
            self.steps += 1
        return self.beta_start + (self.beta - self.beta_start) * share

    def _errors(self, output: Tensor, examples: Examples) -> Tensor:
        """Of each row ``(n,)``, the mean error of its parameters."""
        weights = torch.ones_like(output) if examples.weights is None else examples.weights
        scalar = torch.where(self.choices.inside, 0.0, weights)
        errors, count = (scalar * (output - examples.vectors) ** 2).sum(dim=1), scalar.sum(dim=1)
        if self.choices.groups:
            asked = weights[:, self.choices.places[:, 0]]
            entropy = (asked * self.choices.cross_entropy(output, examples.vectors)).sum(dim=1)
            errors, count = errors + self.choice_weight * entropy, count + asked.sum(dim=1)
        return errors / count.clamp(min=1.0)


class _Listen(nn.Module):
    def __init__(self, model: VaeFlow) -> None:
        super().__init__()
        self.model = model

    def forward(self, features: Tensor, notes: Tensor | None = None) -> tuple[Tensor, Tensor]:
        return self.model.encoded(features, notes)


class _Decode(nn.Module):
    def __init__(self, model: VaeFlow) -> None:
        super().__init__()
        self.model = model

    def forward(self, latent: Tensor) -> Tensor:
        return self.model.vectors(latent)
