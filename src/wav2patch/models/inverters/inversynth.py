"""InverSynth II: classes for every parameter, and a decoder that stands for the synth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, get_args

import torch
from torch import Tensor, nn

from wav2patch.models.decoders import make_decoder
from wav2patch.models.inverters.base import Examples, Graph, Losses
from wav2patch.models.inverters.classification import Classification
from wav2patch.models.inverters.parts import Spec
from wav2patch.models.layout import Layout
from wav2patch.models.listener import NOTE_FIELDS, note_vector
from wav2patch.models.noise import Generators, Noise

Reads = Literal["probabilities", "logits"]
"""What the decoder reads of the classes."""

_AT_ONCE = 64
"""Draws that are decoded together."""


class InverSynth(Classification):
    """Classification whose answer has to sound right too, as far as a decoder can tell that is trained along with it.

    Barkan et al., "InverSynth II" (ISMIR 2023): L = L_parameters + λ · MAE(decoder(encoder(x)), x), Eq. 4. The decoder
    is a proxy of the synth. There it reads raw logits and learns from what the encoder says alone; here it reads
    probabilities, so that it also learns from the true patches what they sound like, and a wrong class sounds wrong.
    ``reads="logits", proxy_weight=0`` is the original.

    Proposals are drawn as those of `Classification`, and can be chosen by the decoder from many more draws: those that
    it expects to sound most alike. On Dexed that was better than finetuning (docs/benchmarks.md).

    Args:
        layout: Columns of what is proposed.
        shape: Of the features of one sound.
        note: Whether the model is told the note; the decoder then is as well.
        width: Of the condition token.
        encoder: Name, or name and settings.
        hidden: Width of the head.
        blocks: Residual blocks of the head.
        bins: Of a continuous parameter, and of a discrete one with more than `most_values`.
        most_values: Of a discrete parameter whose every value is a class.
        temperature: Of the softmax that further proposals are drawn from.
        reads: What the decoder reads.
        decoder_width: Channels of the decoder where there are most.
        audio_weight: λ, of what the decoder makes of the encoder's answer.
        proxy_weight: Of what the decoder makes of the true patch.
        chosen_of: Draws for each proposal but the first, of which the decoder chooses one; 1 takes them as they come.

    Raises:
        ValueError: The decoder is to learn from true patches, or to choose, and reads logits, which those do not have.
    """

    kind: ClassVar[str] = "inversynth"

    def __init__(
        self,
        layout: Layout,
        shape: tuple[int, ...],
        *,
        note: bool = True,
        width: int = 256,
        encoder: Spec = "strided_cnn",
        hidden: int = 384,
        blocks: int = 1,
        bins: int = 16,
        most_values: int = 128,
        temperature: float = 1.0,
        reads: Reads = "probabilities",
        decoder_width: int = 128,
        audio_weight: float = 1.0,
        proxy_weight: float = 1.0,
        chosen_of: int = 1,
    ) -> None:
        super().__init__(
            layout, shape, note=note, width=width, encoder=encoder, hidden=hidden, blocks=blocks, bins=bins,
            most_values=most_values, temperature=temperature,
        )  # fmt: skip
        if reads not in get_args(Reads):
            raise ValueError(f"a decoder reads {' or '.join(get_args(Reads))}, not {reads!r}")
        if reads == "logits" and proxy_weight:
            raise ValueError("a true patch has no logits: a decoder that reads them takes proxy_weight=0")
        if chosen_of < 1 or (chosen_of > 1 and reads == "logits"):
            raise ValueError("chosen_of is 1 or more, and 1 where the decoder reads logits, which no draw has")
        self.chosen_of = chosen_of
        self.reads: Reads = reads
        self.audio_weight, self.proxy_weight = audio_weight, proxy_weight
        self.decoder = make_decoder(sum(self.classes.sizes) + NOTE_FIELDS * note, shape, width=decoder_width)

    def sound_of(self, logits: Tensor, notes: Tensor | None) -> Tensor:
        """The features ``(n, *shape)`` that the decoder expects of logits ``(n, classes of all parameters)``."""
        if self.reads == "logits":
            return self._decoded(logits, notes)
        groups = self.classes.groups
        return self._decoded(groups.spread(groups.log_probabilities(logits).exp(), torch.zeros_like(logits)), notes)

    def sound_of_vectors(self, vectors: Tensor, notes: Tensor | None, weights: Tensor | None = None) -> Tensor:
        """The features that it expects of vectors ``(n, D)`` in [−1, 1]; of a decoder that reads probabilities.

        Of a parameter that weighs nothing ``(n, D)`` it is told nothing.
        """
        groups = self.classes.groups
        table = torch.nn.functional.one_hot(self.classes.of_vectors(vectors), groups.most).to(vectors)
        if weights is not None:
            table = table * (weights[:, self.classes.first, None] > 0)
        return self._decoded(groups.spread(table, vectors.new_zeros(len(vectors), sum(self.classes.sizes))), notes)

    @torch.no_grad()
    def propose_batch(
        self, features: Tensor, notes: Tensor | None, n: int, generator: Generators | None = None
    ) -> Tensor:
        """See `Inverter.propose_batch`; the first is the likeliest, then those that the decoder likes best."""
        drawn = self.choose(self(features, notes), 1 + self.chosen_of * (n - 1), generator)
        if self.chosen_of == 1 or n == 1:
            return drawn
        told = [None] * len(drawn) if notes is None else list(notes)
        return torch.stack([self.alike(*one, n) for one in zip(drawn, features, told, strict=True)])

    def graphs(self) -> Mapping[str, Graph]:
        """As `Classification`; and ``decode``, from one-hots of all classes to features, where the decoder chooses."""
        if self.chosen_of == 1:
            return super().graphs()
        read = {"read": torch.zeros(2, sum(self.classes.sizes))}
        if self.tells_note:
            read["notes"] = self.sound_inputs()["notes"]
        return {**super().graphs(), "decode": Graph(_Decode(self), read, ("expected",))}

    @property
    def sampling(self) -> dict[str, Any]:
        """As `Classification`; of ``of`` draws for each proposal but the first those with the least mean |error|."""
        if self.chosen_of == 1:
            return super().sampling
        return {**super().sampling, "kind": "chosen", "of": self.chosen_of}

    def alike(self, drawn: Tensor, features: Tensor, note: Tensor | None, n: int) -> Tensor:
        """Of vectors ``(m, D)`` the first, and the n − 1 others whose sound is expected to be nearest to features."""
        expected = [
            self.sound_of_vectors(some, None if note is None else note.expand(len(some), -1))
            for some in drawn[1:].split(_AT_ONCE)
        ]
        apart = torch.cat([(one - features).abs().flatten(1).mean(dim=1) for one in expected])
        return torch.cat([drawn[:1], drawn[1:][apart.argsort(stable=True)[: n - 1]]])

    def loss(self, examples: Examples, noise: Noise) -> Losses:
        """The sum of ``parameters``, ``audio`` and ``proxy`` by their weights; no chance in it."""
        logits = self(examples.features, examples.notes)
        judged = self.judge(logits, examples)
        audio = (self.sound_of(logits, examples.notes) - examples.features).abs().mean()
        losses = {"parameters": judged["loss"], "accuracy": judged["accuracy"], "audio": audio}
        summed = judged["loss"] + self.audio_weight * audio
        if self.proxy_weight:
            expected = self.sound_of_vectors(examples.vectors, examples.notes, examples.weights)
            losses["proxy"] = (expected - examples.features).abs().mean()
            summed = summed + self.proxy_weight * losses["proxy"]
        return {"loss": summed, **losses}

    def _decoded(self, read: Tensor, notes: Tensor | None) -> Tensor:
        if not self.tells_note:
            return self.decoder(read)
        assert notes is not None
        return self.decoder(torch.cat([read, note_vector(notes)], dim=1))


class _Decode(nn.Module):
    def __init__(self, model: InverSynth) -> None:
        super().__init__()
        self.model = model

    def forward(self, read: Tensor, notes: Tensor | None = None) -> Tensor:
        return self.model._decoded(read, notes)
