"""Models that turn recordings into patches without PyTorch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wav2patch.notes import Note
from wav2patch.weights.folder import ModelFolder
from wav2patch.weights.hearing import load_hearing
from wav2patch.weights.model import OnnxModel
from wav2patch.weights.proposals import Proposals, decode


class ReadyModel:
    """A model folder's graphs with all that it takes to ask them; the counterpart of `training.saving.Trained`.

    Args:
        folder: A model folder that holds graphs.

    Raises:
        UserError: It is no such folder, damaged, of another parameter space, or hears what takes PyTorch.
    """

    def __init__(self, folder: ModelFolder | Path | str) -> None:
        self.model = OnnxModel(folder)
        self.record, self.source = self.model.record, self.model.folder.path
        self.synth = self.record.load_synth(self.source)
        self.hearing = load_hearing(self.record, self.model.folder.standard(), self.source)

    def propose(
        self, audio: NDArray[np.floating], sample_rate: int, note: Note | None, n: int, generator: np.random.Generator
    ) -> Proposals:
        """Propose patches for one sound.

        Args:
            audio: ``(channels, samples)``, finite, of any length.
            sample_rate: In Hz.
            note: What was played; ignored by a model that is not told.
            n: How many.
            generator: Of a model with chance.

        Raises:
            UserError: The model has to be told the note, and there is none.
        """
        vectors = self.model.propose(self.hearing(audio, sample_rate), note, n, generator)
        return decode(self.record, self.synth.space, vectors)
