"""Classification: each parameter is a choice among a few values."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from wav2patch.models.choices import Choices
from wav2patch.models.inverters.base import Examples, Graph, Inverter, Losses
from wav2patch.models.inverters.parts import Spec, make_encoder
from wav2patch.models.layers import TokenHead
from wav2patch.models.layout import Layout
from wav2patch.models.listener import Listener
from wav2patch.models.noise import Generators, Noise, draw

Form = Literal["bins", "grid", "choices"]
"""What the classes of a parameter are: equal parts of its range, the values of its grid, or its choices."""


class Classification(Inverter):
    """Every parameter by a softmax over classes, independently of the others.

    InverSynth (Barkan et al., "InverSynth: Deep estimation of synthesizer parameter configurations from audio
    signals", TASLP 2019): the range of a continuous parameter is cut into 16 equal bins. Here a discrete parameter
    keeps the values of its grid where they are few enough, so that the answer is a legal one.

    The first proposal takes the likeliest class of every parameter, and the centre of a bin. Further ones draw every
    parameter from its softmax, and a place within a bin evenly: they are draws from the density that the network has
    learnt, a histogram.

    Args:
        layout: Columns of what is proposed.
        shape: Of the features of one sound.
        note: Whether the model is told the note.
        width: Of the condition token.
        encoder: Name, or name and settings.
        hidden: Width of the head.
        blocks: Residual blocks of the head.
        bins: Of a continuous parameter, and of a discrete one with more than `most_values`.
        most_values: Of a discrete parameter whose every value is a class.
        temperature: Of the softmax that further proposals are drawn from; low ones stay near the first proposal.

    Raises:
        ValueError: There is no bin, or a temperature that is not positive.
    """

    kind: ClassVar[str] = "classification"

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
        bins: int = 16,
        most_values: int = 128,
        temperature: float = 1.0,
    ) -> None:
        super().__init__(layout, shape, note=note)
        if bins < 1 or temperature <= 0:
            raise ValueError("there has to be one bin or more, and a positive temperature")
        self.temperature = temperature
        self.classes = Classes(layout, bins=bins, most_values=most_values)
        self.listener = Listener(make_encoder(encoder, shape, tokens=1, width=width), width, note=note)
        self.head = TokenHead(width, 1, sum(self.classes.sizes), hidden=hidden, blocks=blocks)

    def forward(self, features: Tensor, notes: Tensor | None = None) -> Tensor:
        """Logits ``(n, classes of all parameters)``."""
        return self.head(self.listener(features, notes)[:, 0])[:, 0]

    def loss(self, examples: Examples, noise: Noise) -> Losses:
        """Mean cross-entropy of the parameters, and the share of right classes; no chance in it."""
        return self.judge(self(examples.features, examples.notes), examples)

    def judge(self, logits: Tensor, examples: Examples) -> Losses:
        """The loss of logits ``(n, classes of all parameters)``."""
        table = self.classes.groups.log_probabilities(logits)
        wanted = self.classes.of_vectors(examples.vectors)
        entropy = -table.gather(2, wanted[:, :, None])[:, :, 0]
        right = (table.argmax(dim=2) == wanted).to(entropy)
        weights = torch.ones_like(entropy)
        if examples.weights is not None:
            weights = examples.weights[:, self.classes.first]
        counted = weights.sum(dim=1).clamp(min=1.0)
        return {
            "loss": ((weights * entropy).sum(dim=1) / counted).mean(),
            "accuracy": ((weights * right).sum(dim=1) / counted).mean(),
        }

    @torch.no_grad()
    def propose_batch(
        self, features: Tensor, notes: Tensor | None, n: int, generator: Generators | None = None
    ) -> Tensor:
        """See `Inverter.propose_batch`; the first is the likeliest."""
        return self.choose(self(features, notes), n, generator)

    @torch.no_grad()
    def choose(self, logits: Tensor, n: int, generator: Generators | None = None) -> Tensor:
        """Vectors ``(b, n, D)`` of logits ``(b, classes of all parameters)``; the first is the likeliest."""
        table = self.classes.groups.log_probabilities(logits)
        best = table.argmax(dim=2, keepdim=True)
        odds, places = draw(torch.rand, generator, (best.shape[0], 2, best.shape[1], n - 1), table).unbind(dim=1)
        chosen = torch.cat([best, self._drawn(table, odds)], dim=2).mT
        within = torch.cat([torch.zeros_like(best, dtype=places.dtype), places - 0.5], dim=2).mT
        return self.classes.vectors(chosen.flatten(0, 1), within.flatten(0, 1)).unflatten(0, (len(best), n))

    def graphs(self) -> Mapping[str, Graph]:
        """``network``: features and notes to logits."""
        return {"network": Graph(self, self.sound_inputs(), ("logits",))}

    @property
    def sampling(self) -> dict[str, Any]:
        """Classes of each parameter, in the order of the logits, and what they are.

        Class k of ``sizes[p]`` is, by ``forms[p]``: ``grid``, 2k / max(size − 1, 1) − 1; ``bins``, centred on
        (2k + 1) / size − 1 and 2 / size wide; ``choices``, +1 in column k of size columns and −1 in the others.
        """
        kinds = {"sizes": list(self.classes.sizes), "forms": list(self.classes.forms)}
        return {"kind": "classes", "temperature": self.temperature, **kinds}

    def _drawn(self, table: Tensor, odds: Tensor) -> Tensor:
        """Classes ``(b, P, n)`` where the summed probabilities of a table ``(b, P, most)`` pass odds ``(b, P, n)``."""
        summed = torch.softmax(table / self.temperature, dim=2).cumsum(dim=2)
        drawn = torch.searchsorted(summed, odds.contiguous(), right=True)
        return drawn.minimum(self.classes.last[:, None])


class Classes(nn.Module):
    """The classes of every parameter of a layout, and the way from vectors to classes and back.

    Args:
        layout: Columns of the vectors.
        bins: Of a continuous parameter, and of a discrete one with more than `most_values`.
        most_values: Of a discrete parameter whose every value is a class.
    """

    def __init__(self, layout: Layout, *, bins: int, most_values: int) -> None:
        super().__init__()
        pairs = [_form(kind, size, bins, most_values) for kind, size in zip(layout.kinds, layout.sizes, strict=True)]
        self.forms, self.sizes = tuple(form for form, _ in pairs), tuple(size for _, size in pairs)
        ends = list(accumulate(self.sizes))
        self.groups = Choices(
            [slice(end - size, end) for end, size in zip(ends, self.sizes, strict=True)], sum(self.sizes)
        )
        self.one_hots = Choices([layout.columns[i] for i in layout.of_kind("categorical")], layout.width)
        widths = torch.tensor(layout.widths)
        first = widths.cumsum(0) - widths
        owner = torch.arange(len(layout)).repeat_interleave(widths)
        buffers = {
            "first": first,
            "last": torch.tensor(self.sizes) - 1,
            "owner": owner,
            "choice": torch.arange(layout.width) - first[owner],
            "binned": torch.tensor([form == "bins" for form in self.forms]),
            "categorical": torch.tensor([form == "choices" for form in self.forms]),
        }
        for name, value in buffers.items():
            self.register_buffer(name, value, persistent=False)

    first: Tensor
    last: Tensor
    owner: Tensor
    choice: Tensor
    binned: Tensor
    categorical: Tensor

    def of_vectors(self, vectors: Tensor) -> Tensor:
        """The class ``(n, P)`` of every parameter of vectors ``(n, D)`` in [−1, 1]."""
        place = (vectors[:, self.first] + 1.0) / 2.0
        classes = torch.where(self.binned, (place * (self.last + 1)).floor(), (place * self.last).round())
        classes = classes.long().clamp(min=0).minimum(self.last)
        if self.one_hots.groups:
            table = vectors[:, self.one_hots.places].masked_fill(~self.one_hots.there, -torch.inf)
            classes[:, self.categorical] = table.argmax(dim=2)
        return classes

    def vectors(self, classes: Tensor, within: Tensor) -> Tensor:
        """Vectors ``(n, D)`` in [−1, 1] of classes ``(n, P)``, −½ to ½ from the centre of bins ``(n, P)``."""
        bins = (2.0 * (classes + within) + 1.0) / (self.last + 1) - 1.0
        grid = 2.0 * classes / self.last.clamp(min=1) - 1.0
        scalars = torch.where(self.binned, bins, grid)[:, self.owner]
        one_hots = 2.0 * (classes[:, self.owner] == self.choice).to(scalars) - 1.0
        return torch.where(self.categorical[self.owner], one_hots, scalars)


def _form(kind: str, size: int, bins: int, most_values: int) -> tuple[Form, int]:
    if kind == "categorical":
        return "choices", size
    return ("grid", size) if kind == "discrete" and size <= most_values else ("bins", bins)
