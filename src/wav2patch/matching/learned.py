"""A trained model as a proposer, in the install without PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wav2patch.audio.target import Target
from wav2patch.errors import UserError
from wav2patch.parameters import Patch
from wav2patch.synths.base import Synth
from wav2patch.weights.folder import open_folder
from wav2patch.weights.hearing import load_hearing
from wav2patch.weights.model import OnnxModel
from wav2patch.weights.proposals import decode
from wav2patch.weights.record import Record
from wav2patch.weights.shipped import PRETRAINED, find_model, shipped_names

CHUNK = 16
"""Proposals that are made at a time: the search may want no more."""

MOST = 4096
"""Proposals of a model without chance."""

_STALE = 8
"""Chunks in a row without anything new after which nothing new is expected."""


class LearnedProposer:
    """Proposals of a model for one synth, each different one once.

    Args:
        model: A model folder with graphs, or the name of a model that comes with the package.
        synth: Whose patches it has to propose.
        share: Share of the budget up to which its proposals are rendered.

    Raises:
        UserError: There is no such model, it is damaged, for another synth, or hears what takes PyTorch.
    """

    def __init__(self, model: Path | str, synth: Synth, *, share: float = 0.1) -> None:
        path = find_model(model, synth=synth.name)
        self.model = OnnxModel(path)
        _check_synth(path, self.model.record, synth)
        self.name = f"model {path.resolve().name}"
        self.share = share
        self._space = synth.space
        self._hearing = load_hearing(self.model.record, self.model.folder.standard(), path)

    @property
    def digest(self) -> str:
        """Changes whenever what the model proposes does."""
        return self.model.digest

    def propose(self, target: Target, generator: np.random.Generator) -> Iterator[Patch]:
        """Patches ``(P,)``; of a note that the model predicts as well nothing is left, as the target's is known."""
        feature = self._hearing(target.audio, target.sample_rate)
        known: set[bytes] = set()
        stale = 0
        for vectors in self._chunks(feature, target, generator):
            chunk = decode(self.model.record, self._space, vectors).patches
            new = {patch.tobytes(): patch for patch in chunk if patch.tobytes() not in known}
            known |= new.keys()
            stale = 0 if new else stale + 1
            if stale == _STALE:
                return
            yield from new.values()

    def _chunks(
        self, feature: NDArray[np.float32], target: Target, generator: np.random.Generator
    ) -> Iterator[NDArray[np.float32]]:
        """Vectors ``(n, D)`` until there are no others."""
        if self.model.count is not None:
            vectors = self.model.propose(feature, target.note, min(self.model.count, MOST), generator)
            yield from (vectors[start : start + CHUNK] for start in range(0, len(vectors), CHUNK))
            return
        while True:
            yield self.model.propose(feature, target.note, CHUNK, generator)


def shipped_proposers(synth: Synth, place: Path = PRETRAINED) -> list[LearnedProposer]:
    """The proposers of the models that come with the package for a synth, that of its own name first.

    Those are left out that were made for another parameter space than the one that it has.
    """
    names = [one for one in shipped_names(place) if one == synth.name or one.startswith(f"{synth.name}-")]
    fitting = [one for one in names if open_folder(place / one).record.space == synth.space.digest]
    return [LearnedProposer(place / one, synth) for one in fitting]


def _check_synth(path: Path, record: Record, synth: Synth) -> None:
    if record.space == synth.space.digest:
        return
    if record.synth != synth.name:
        raise UserError(f"the model {path} proposes patches of {record.synth}, not of {synth.name}: match on that one.")
    raise UserError(
        f"the model {path} was made for another parameter space of {synth.name}, by wav2patch {record.version}: "
        "export it again from a model that this version trained."
    )
