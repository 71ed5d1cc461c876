"""Proposers: where candidates come from before any search."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from wav2patch.audio.target import Target
from wav2patch.parameters import Patch
from wav2patch.priors import Prior

_CHUNK = 64


class Proposer(Protocol):
    """Proposes patches for a target.

    A learned model, a collection of presets and the prior are all proposers; the matcher renders what they
    propose, and searches on from the best.
    """

    @property
    def name(self) -> str:
        """Short name, as the report shows it."""
        ...

    @property
    def share(self) -> float:
        """Share of the budget up to which its patches are worth rendering."""
        ...

    def propose(self, target: Target, generator: np.random.Generator) -> Iterator[Patch]:
        """Patches ``(P,)``, most promising first, as many as the proposer has; the matcher takes what it can use."""
        ...


@dataclass(frozen=True)
class PriorProposer:
    """Draws from a prior, whatever the target; endless."""

    prior: Prior
    name: str = "prior"
    share: float = 0.1

    def propose(self, target: Target, generator: np.random.Generator) -> Iterator[Patch]:
        """Draw after draw."""
        while True:
            yield from self.prior.sample(generator, _CHUNK)


@dataclass(frozen=True)
class PresetProposer:
    """The user's own presets, each once, in an order of chance."""

    patches: Sequence[Patch]
    name: str = "presets"
    share: float = 0.5

    def propose(self, target: Target, generator: np.random.Generator) -> Iterator[Patch]:
        """Every preset."""
        return (self.patches[i] for i in generator.permutation(len(self.patches)))
