"""The nearest neighbour: no network at all, only the examples themselves."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from wav2patch.models.inverters.base import Examples, Graph, Inverter, Losses
from wav2patch.models.keyed import FromKey
from wav2patch.models.layers import averaging, expect_shape
from wav2patch.models.layout import Layout
from wav2patch.models.listener import NOTE_FIELDS, note_vector
from wav2patch.models.losses import MeanSquared
from wav2patch.models.memory import Memory
from wav2patch.models.noise import Generators, Noise

_CONSTANT = 1e-6
"""A standard deviation below it is that of a number that does not vary."""


class NearestNeighbour(Inverter):
    """The parameters of the examples that sound most alike.

    What a learned method has to beat with the same data. A sound's key is its feature, averaged over a coarse grid,
    every number standardised over the examples, with the note beside it where it is told; nearness is the Euclidean
    distance of keys. There is nothing to train: `fit_data` reads the examples once, and `loss` has no gradient.

    Args:
        layout: Columns of what is proposed.
        shape: Of the features of one sound.
        note: Whether the model is told the note.
        cells: Numbers that are kept of each channel, at most: 256 of a spectrogram are a grid of 16 by 16. All of an
            embedding are kept.
        rows: Examples that are remembered, at most; the first ones.
        note_weight: What two examples' notes contribute to their squared distance, on average, beside what the sounds
            do.
        per_octave: Bands in an octave of a feature whose bands are equally spaced in pitch, a multiple of 12: sounds
            are then compared by their bands from the key that was played, so that an example on another key may be
            near; see `FromKey`. None compares them as they are.
        components: Principal components that are kept of a key; None keeps it whole.

    Raises:
        ValueError: There is nothing to be remembered, or a key is to be heard that is not told.
    """

    kind: ClassVar[str] = "nearest_neighbour"
    trainable: ClassVar[bool] = False

    def __init__(
        self,
        layout: Layout,
        shape: tuple[int, ...],
        *,
        note: bool = True,
        cells: int = 256,
        rows: int = 100_000,
        note_weight: float = 1.0,
        per_octave: int | None = None,
        components: int | None = None,
    ) -> None:
        super().__init__(layout, shape, note=note)
        if min(cells, rows, 1 if components is None else components) < 1:
            raise ValueError("there has to be a cell, a component and a row, or more")
        self.rows, self.note_weight = rows, note_weight
        self.measure = MeanSquared(layout)
        self.key = Key(shape, cells, note=note, per_octave=per_octave, components=components)
        self.memory = Memory(self.key.width, layout.width)

    @torch.no_grad()
    def fit_data(self, batches: Iterable[Examples]) -> None:
        """Remember the first `rows` examples, and forget those before.

        Args:
            batches: Examples, once.

        Raises:
            ValueError: There is no example.
        """
        raw, vectors, left = [], [], self.rows
        for examples in batches:
            raw.append(self.key.raw(examples.features, examples.notes)[:left])
            vectors.append(examples.vectors[:left])
            left -= len(raw[-1])
            if left == 0:
                break
        if left == self.rows:
            raise ValueError("there is no example to remember")
        together = torch.cat(raw).float()
        self.key.fit(together, self.note_weight)
        self.memory.fill(self.key.standard(together), torch.cat(vectors))

    @torch.no_grad()
    def loss(self, examples: Examples, noise: Noise) -> Losses:
        """Mean squared error of the nearest example's vector, without a gradient."""
        found = self.propose_batch(examples.features, examples.notes, 1)[:, 0]
        return {"loss": self.measure(found, examples.vectors, examples.weights).mean()}

    @torch.no_grad()
    def propose_batch(
        self, features: Tensor, notes: Tensor | None, n: int, generator: Generators | None = None
    ) -> Tensor:
        """See `Inverter.propose_batch`; nearest first, and from the start again where n exceeds the examples.

        Raises:
            ValueError: Nothing has been remembered yet.
        """
        if not len(self.memory):
            raise ValueError("the nearest neighbour knows no example yet: call fit_data")
        return self.memory.nearest(self.key(features, notes), n)

    def graphs(self) -> Mapping[str, Graph]:
        """``network``: features and notes to a key."""
        return {"network": Graph(self.key, self.sound_inputs(), ("key",))}

    @property
    def sampling(self) -> dict[str, Any]:
        """The vectors whose keys are nearest by the Euclidean distance; see `tables`."""
        return {"kind": "table"}

    def tables(self) -> dict[str, NDArray[Any]]:
        """See `Memory.tables`."""
        return self.memory.tables()


class Key(nn.Module):
    """What sounds are compared by.

    Args:
        shape: Of one sound's feature, channels first.
        cells: Of a channel's grid, at most.
        note: Whether the note is a part of it.
        per_octave: Of bands that are counted from the key; None for features as they are.
        components: Principal components that are kept, None for all numbers.

    Raises:
        ValueError: A feature has no bands to be counted, or no key is told to count them from.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        cells: int,
        *,
        note: bool,
        per_octave: int | None = None,
        components: int | None = None,
    ) -> None:
        super().__init__()
        self.from_key = None if per_octave is None else FromKey(per_octave)
        if self.from_key is not None:
            channels, _, frames = expect_shape(shape, "channels", "bands", "frames")
            if not note:
                raise ValueError("bands are counted from the key, so the model has to be told the note")
            shape = (channels, self.from_key.bands, frames)
        sides = shape[1:]
        counts = [min(side, max(1, int(cells ** (1 / len(sides)) + 1e-9))) for side in sides]
        for axis, (side, count) in enumerate(zip(sides, counts, strict=True)):
            self.register_buffer(f"average{axis}", averaging(side, count), persistent=False)
        self.axes, self.note = len(sides), note
        self.heard = math.prod((shape[0], *counts))
        inner = self.heard + NOTE_FIELDS * note
        self.width = inner if components is None else min(components, inner)
        self.register_buffer("centre", torch.zeros(inner))
        self.register_buffer("scale", torch.ones(inner))
        self.register_buffer("basis", None if components is None else torch.eye(inner)[:, : self.width].clone())

    centre: Tensor
    scale: Tensor
    basis: Tensor | None

    def forward(self, features: Tensor, notes: Tensor | None = None) -> Tensor:
        """Keys ``(n, width)`` of features ``(n, *shape)`` and notes ``(n, 4)``."""
        return self.standard(self.raw(features, notes))

    def raw(self, features: Tensor, notes: Tensor | None) -> Tensor:
        """Averages and notes ``(n, …)`` as they are.

        Raises:
            ValueError: Notes are a part of the key, and there are none.
        """
        if self.note and notes is None:
            raise ValueError("this model has to be told what note was played")
        if self.from_key is not None:
            assert notes is not None
            features = self.from_key(features, notes[:, 0])
        for axis in range(self.axes):
            # The first axis after the channels is averaged, and comes back as the last.
            features = features.movedim(2, -1) @ self.get_buffer(f"average{axis}")
        if not self.note:
            return features.flatten(1)
        assert notes is not None
        return torch.cat([features.flatten(1), note_vector(notes)], dim=1)

    def standard(self, raw: Tensor) -> Tensor:
        """Keys ``(n, width)`` of raw numbers."""
        scaled = self._scaled(raw)
        return scaled if self.basis is None else scaled @ self.basis

    def fit(self, raw: Tensor, note_weight: float) -> None:
        """Give what varies in raw numbers ``(n, …)`` a variance of 1 and notes their weight in all; find components."""
        deviation = raw.std(dim=0, correction=0)
        varies = deviation > _CONSTANT
        sounds, notes = varies[: self.heard].sum().clamp(min=1), varies[self.heard :].sum().clamp(min=1)
        balance = torch.ones_like(deviation)
        balance[self.heard :] = (note_weight * sounds / notes).sqrt()
        self.centre.copy_(raw.mean(dim=0))
        self.scale.copy_(torch.where(varies, balance / deviation.clamp(min=_CONSTANT), 0.0))
        if self.basis is not None:
            scaled = self._scaled(raw).double()
            # They come in ascending order. Turned around they are as good, so all are made to sum up to 0 or more.
            vectors = torch.linalg.eigh(scaled.T @ scaled / len(scaled)).eigenvectors.flip(1)[:, : self.width]
            self.basis.copy_(torch.where(vectors.sum(dim=0) < 0.0, -vectors, vectors))

    def _scaled(self, raw: Tensor) -> Tensor:
        return (raw - self.centre) * self.scale
