"""Sound matching with a proxy: an answer that has to be right, and to sound right to a network that knows the synth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from wav2patch.errors import UserError
from wav2patch.models.choices import Choices
from wav2patch.models.inverters.base import Examples, Graph, Inverter, Losses
from wav2patch.models.inverters.parts import Spec, make_encoder
from wav2patch.models.layers import TokenHead
from wav2patch.models.layout import Layout
from wav2patch.models.listener import Listener
from wav2patch.models.noise import Generators, Noise
from wav2patch.models.preset_encoders.catalogue import make_preset_encoder
from wav2patch.models.soft_decoding import SoftDecoding


class Estimator(Inverter):
    """A network that hears a sound and says its patch, trained by parameters, by what a proxy expects to hear, or both.

    Sound matching of Combes et al. (JAES 2025): L1 of numbers and cross-entropy of choices, and beside them the L1
    distance of the proxy's embedding of the answer from the embedding of the sound. Their weights go in straight lines
    from the first to the last over a part of the training: ``parameter_weights=(1, 1), perceptual_weights=(0, 0)`` is
    the parameter loss, (1, 0.5) and (0, 5) the mix, (1, 0) and (0, 10) the switch. There the answer is rounded on its
    way to the proxy, so that choices get no gradient from what is heard; here it reaches every parameter (see
    `SoftDecoding`).

    The proxy comes from a run of its own (``init=…``, with the same ``proxy`` as its ``preset_encoder``) and stays as
    it is. Sounds are of one note, as the proxy's are.

    Args:
        layout: Columns of what is proposed.
        shape: Of the features of one sound.
        note: False; a proxy has one note.
        width: Of the condition token.
        encoder: Of sounds: name, or name and settings.
        hidden: Width of the head.
        blocks: Residual blocks of the head.
        proxy: Preset encoder of the proxy: name, or name and settings.
        embedding: Numbers of an embedding.
        parameter_weights: Of the parameters' loss, before and after.
        perceptual_weights: Of the embeddings' distance, before and after.
        ramp: Batches after which weights begin to change, and are as they stay; with ``trainer.accumulate`` several
            of them are a step.
        smoothing: Of labels in the cross-entropy.
        choice_weight: Of a choice's cross-entropy beside a number's L1.
        temperature: Of the softmax on the way to the proxy.

    Raises:
        ValueError: Notes are told, or a number is out of its range.
    """

    kind: ClassVar[str] = "estimator"
    counters: ClassVar[tuple[str, ...]] = ("steps",)
    steps: Tensor
    knows_proxy: Tensor

    def __init__(
        self,
        layout: Layout,
        shape: tuple[int, ...],
        *,
        note: bool = False,
        width: int = 256,
        encoder: Spec = "strided_cnn",
        hidden: int = 384,
        blocks: int = 1,
        proxy: Spec = "hn_oh",
        embedding: int = 128,
        parameter_weights: tuple[float, float] = (1.0, 1.0),
        perceptual_weights: tuple[float, float] = (0.0, 0.0),
        ramp: tuple[int, int] = (0, 1),
        smoothing: float = 0.02,
        choice_weight: float = 0.01,
        temperature: float = 1.0,
    ) -> None:
        super().__init__(layout, shape, note=note)
        if note:
            raise ValueError("a proxy is of one note and is told none: give note=none, and data of one note")
        if min(*parameter_weights, *perceptual_weights) < 0.0 or not 0 <= ramp[0] < ramp[1]:
            raise ValueError("weights are 0 or more, and a ramp ends after it begins")
        self.parameter_weights, self.perceptual_weights = tuple(parameter_weights), tuple(perceptual_weights)
        self.ramp, self.smoothing, self.choice_weight = tuple(ramp), smoothing, choice_weight
        self.listener = Listener(make_encoder(encoder, shape, tokens=1, width=width), width, note=note)
        self.head = TokenHead(width, 1, layout.width, hidden=hidden, blocks=blocks)
        self.proxy = make_preset_encoder(proxy, layout, embedding).requires_grad_(False).eval()
        self.soft = SoftDecoding(layout, temperature=temperature)
        self.choices = Choices([layout.columns[i] for i in layout.of_kind("categorical")], layout.width)
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self.register_buffer("knows_proxy", torch.zeros((), dtype=torch.bool))

    def forward(self, features: Tensor, notes: Tensor | None = None) -> Tensor:
        """Vectors ``(n, D)``: numbers in [−1, 1], and of choices probabilities moved there."""
        outputs = self._outputs(features)
        numbers = 2.0 * outputs.sigmoid() - 1.0
        if not self.choices.groups:
            return numbers
        return self.choices.spread(2.0 * self.choices.log_probabilities(outputs).exp() - 1.0, numbers)

    def loss(self, examples: Examples, noise: Noise) -> Losses:
        """``parameters`` and ``perceptual`` by the weights of this step; no chance in it.

        Raises:
            UserError: Something is to be heard, and there is no embedding to be heard or no proxy.
        """
        outputs = self._outputs(examples.features)
        losses = {"parameters": self._errors(outputs, examples).mean()}
        done = self._done()
        first, last = self.parameter_weights
        total = (first + (last - first) * done) * losses["parameters"]
        if max(self.perceptual_weights) > 0.0:
            first, last = self.perceptual_weights
            losses["perceptual"] = self._heard(outputs, examples)
            total = total + (first + (last - first) * done) * losses["perceptual"]
        return {"loss": total, **losses}

    @torch.no_grad()
    def propose_batch(
        self, features: Tensor, notes: Tensor | None, n: int, generator: Generators | None = None
    ) -> Tensor:
        """See `Inverter.propose_batch`; n times the same."""
        return self(features, notes)[:, None].repeat(1, n, 1)

    def take_proxy(self, weights: Mapping[str, Tensor]) -> None:
        """Take the weights of a trained proxy's preset encoder.

        Raises:
            RuntimeError: They are of another one.
        """
        self.proxy.load_state_dict(weights)
        self.knows_proxy.fill_(True)

    def graphs(self) -> Mapping[str, Graph]:
        """``network``: features to a vector."""
        return {"network": Graph(self, self.sound_inputs(), ("vector",))}

    @property
    def sampling(self) -> dict[str, Any]:
        """One answer."""
        return {"kind": "direct"}

    def train(self, mode: bool = True) -> Estimator:
        """See `nn.Module.train`; the proxy learns nothing, not even the mean of what it sees."""
        super().train(mode)
        self.proxy.eval()
        return self

    def _outputs(self, features: Tensor) -> Tensor:
        return self.head(self.listener(features)[:, 0])[:, 0]

    def _heard(self, outputs: Tensor, examples: Examples) -> Tensor:
        if examples.embedding is None:
            raise UserError("an estimator that has to sound right takes data.embedding=…, that of its proxy.")
        if not self.knows_proxy:
            raise UserError(
                "an estimator that has to sound right takes a trained proxy: give its checkpoint as init=…."
            )
        return (self.proxy(self.soft(outputs)) - examples.embedding).abs().mean()

    def _errors(self, outputs: Tensor, examples: Examples) -> Tensor:
        """Of each row ``(n,)``: mean L1 of numbers in [0, 1], and the summed cross-entropy of choices by its weight."""
        weights = torch.ones_like(outputs) if examples.weights is None else examples.weights
        number = torch.where(self.choices.inside, 0.0, weights)
        apart = (outputs.sigmoid() - (examples.vectors + 1.0) / 2.0).abs()
        errors = (number * apart).sum(dim=1) / number.sum(dim=1).clamp(min=1.0)
        if not self.choices.groups:
            return errors
        table = self.choices.log_probabilities(outputs)
        asked = weights[:, self.choices.places[:, 0]]
        right = self.choices.cross_entropy(outputs, examples.vectors)
        there = self.choices.there.to(table)
        spread = -(table * there).sum(dim=-1) / there.sum(dim=-1)
        entropy = (1.0 - self.smoothing) * right + self.smoothing * spread
        return errors + self.choice_weight * (asked * entropy).sum(dim=1)

    def _done(self) -> Tensor:
        """Of the way from the first weights to the last, 0 to 1; counts calls in training mode."""
        begin, end = self.ramp
        done = ((self.steps - begin) / (end - begin)).clamp(0.0, 1.0)
        if self.training:
            self.steps += 1
        return done
