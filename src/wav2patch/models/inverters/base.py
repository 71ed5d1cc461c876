"""What every way of turning a sound back into parameters offers, and whatever else learns from the same examples."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from wav2patch.models.layout import Layout
from wav2patch.models.listener import NOTE_FIELDS
from wav2patch.models.noise import Generators, Noise

Losses = dict[str, Tensor]
"""Scalars by name. ``"loss"`` is what is minimised; the others are shown."""


@dataclass(frozen=True)
class Examples:
    """A batch as a model sees it.

    Attributes:
        features: What is heard, ``(n, *shape)``, standardised where the data says so.
        notes: Pitch, velocity, onset and duration (seconds), ``(n, 4)``; None where the model is not told.
        vectors: What is to be found: encodings in [−1, 1], ``(n, D)``.
        weights: ``(n, D)``: 0 where a parameter of this patch cannot be heard; None weighs all alike.
        start: ``(n, D)``: noise that has been coupled with `vectors` already; see `FlowMatching.prepare`.
        embedding: ``(n, size)``: what an audio model says of the sound, for a method that has to sound alike.
    """

    features: Tensor
    notes: Tensor | None
    vectors: Tensor
    weights: Tensor | None = None
    start: Tensor | None = None
    embedding: Tensor | None = None

    def replace(self, **changes: Any) -> Examples:
        """A copy with changes."""
        return replace(self, **changes)


@dataclass(frozen=True)
class Graph:
    """A part of a model that runs without PyTorch.

    Attributes:
        module: Its `forward` takes and gives tensors whose first dimension is the batch.
        inputs: Examples of its arguments by name, batch size 2.
        outputs: Names of what it gives.
    """

    module: nn.Module
    inputs: Mapping[str, Tensor]
    outputs: tuple[str, ...]


class Learner(nn.Module, ABC):
    """Something that is trained on sounds and the patches that made them.

    Attributes:
        kind: Name, as `make_learner` takes it.
        trainable: Whether it descends a gradient; if not, `fit_data` shows it the examples once.
        counters: Buffers that count batches, which begin anew where a run begins from the weights of another.
        layout: Columns of the patches' encodings.
        shape: Of the features of one sound, channels first.
        tells_note: Whether the model is told the note that was played.
    """

    kind: ClassVar[str]
    trainable: ClassVar[bool] = True
    counters: ClassVar[tuple[str, ...]] = ()

    def __init__(self, layout: Layout, shape: tuple[int, ...], *, note: bool) -> None:
        super().__init__()
        self.layout, self.shape, self.tells_note = layout, tuple(shape), note

    @abstractmethod
    def loss(self, examples: Examples, noise: Noise) -> Losses:
        """What is minimised, with its parts."""

    def prepare(self, examples: Examples, noise: Noise) -> Examples:
        """What can be done to a batch ahead of time, in another thread: without the model's weights."""
        return examples

    def fit_data(self, batches: Iterable[Examples]) -> None:
        """Remember examples: for a method that is not `trainable`.

        Raises:
            NotImplementedError: It is trainable.
        """
        raise NotImplementedError(f"{self.kind} descends a gradient")


class Inverter(Learner):
    """From a sound's features to encodings of patches that may have made it."""

    @abstractmethod
    def propose_batch(
        self, features: Tensor, notes: Tensor | None, n: int, generator: Generators | None = None
    ) -> Tensor:
        """Proposals for each of many sounds.

        Args:
            features: ``(b, *shape)``.
            notes: ``(b, 4)``, or None where the model is not told.
            n: Proposals for each sound. A model without chance gives the same one n times.
            generator: On the device of the features, one for all sounds or one for each; None for a model without
                chance alone.

        Returns:
            Encodings moved to [−1, 1], any finite numbers, ``(b, n, D)``.
        """

    @torch.no_grad()
    def propose(
        self, features: Tensor, n: int, generator: Generators | None = None, *, notes: Tensor | None = None
    ) -> Tensor:
        """Proposals for one sound, ``(n, D)``, in [0, 1] as `ParameterSpace.decode` takes them.

        Args:
            features: ``shape``.
            n: How many.
            generator: Of a model with chance.
            notes: ``(4,)``, where the model is told.
        """
        told = None if notes is None else notes[None]
        return (self.propose_batch(features[None], told, n, generator)[0] + 1.0) / 2.0

    @property
    def wanted_draws(self) -> int:
        """How many draws of the prior it has still to be shown before it can propose; see `show_draws`."""
        return 0

    def show_draws(self, vectors: Tensor, weights: Tensor | None = None, *, keep: bool = True) -> None:
        """Have proposals chosen from draws of the prior: for a method that makes up none.

        Args:
            vectors: ``(n, D)`` in [−1, 1].
            weights: ``(n, D)``, 0 where a parameter of this patch cannot be heard.
            keep: Whether they become a part of the model's state; otherwise it is still training.

        Raises:
            NotImplementedError: It wants none.
        """
        raise NotImplementedError(f"{self.kind} chooses from no draws")

    @abstractmethod
    def graphs(self) -> Mapping[str, Graph]:
        """The parts that run without PyTorch, by name; see `wav2patch.weights` for what calls them."""

    def sound_inputs(self) -> dict[str, Tensor]:
        """Examples of features and, where the model is told, of notes, for a graph."""
        inputs = {"features": torch.zeros(2, *self.shape)}
        return {**inputs, "notes": torch.zeros(2, NOTE_FIELDS)} if self.tells_note else inputs

    @property
    def sampling(self) -> dict[str, Any]:
        """How proposals are made of the graphs, in plain values; ``kind`` says which way."""
        return {}

    def tables(self) -> dict[str, NDArray[Any]]:
        """Arrays that belong to the graphs, by name."""
        return {}
