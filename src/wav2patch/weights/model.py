"""Models that run without PyTorch."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wav2patch.errors import UserError
from wav2patch.notes import Note
from wav2patch.weights.folder import ARRAYS, CONFIG, STATS, ModelFolder, open_folder
from wav2patch.weights.graphs import load_graphs
from wav2patch.weights.proposals import told_note
from wav2patch.weights.record import Record
from wav2patch.weights.sampling import KINDS, Parts


class OnnxModel:
    """A model of a folder, run by onnxruntime on one processor core; it pickles.

    Args:
        folder: A model folder that holds graphs.

    Raises:
        UserError: It is no such folder, or damaged.
    """

    def __init__(self, folder: ModelFolder | Path | str) -> None:
        self.folder = folder if isinstance(folder, ModelFolder) else open_folder(folder)
        self.record: Record = self.folder.record
        kind = self.folder.sampling.get("kind")
        if not self.folder.graphs and not kind:
            raise UserError(
                f"{self.folder.path} holds no graphs: `wav2patch export ckpt={self.folder.path}` makes them."
            )
        if not isinstance(kind, str) or kind not in KINDS:
            raise UserError(f"{self.folder.path} makes proposals by {kind!r}: bring wav2patch up to date.")
        self._kind = KINDS[kind]
        self._parts = Parts(load_graphs(self.folder), self.folder.sampling, self.folder.arrays())

    @cached_property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that change whenever what the model proposes does."""
        names = [CONFIG, STATS, ARRAYS, *(self.folder.graph_path(name).name for name in sorted(self.folder.graphs))]
        digest = hashlib.sha256()
        for path in (self.folder.path / name for name in names):
            digest.update(path.read_bytes() if path.exists() else b"")
        return digest.hexdigest()[:16]

    @property
    def count(self) -> int | None:
        """How many different proposals there are for a sound; None where chance makes ever new ones."""
        return self._kind.count(self._parts)

    def propose(
        self, feature: NDArray[np.float32], note: Note | None, n: int, generator: np.random.Generator
    ) -> NDArray[np.float32]:
        """Proposals for one sound.

        Args:
            feature: As `Hearing` gives it, of the record's shape.
            note: What was played; ignored by a model that is not told.
            n: How many; a model without chance gives one n times.
            generator: Of a model with chance.

        Returns:
            Vectors ``(n, D)`` as `decode` takes them, in about [0, 1].

        Raises:
            UserError: The model has to be told the note and there is none, or its files do not fit together.
        """
        told = told_note(self.record, note)
        heard = {"features": feature[None], **({} if told is None else {"notes": told[None]})}
        try:
            vectors = self._kind.propose(self._parts, heard, n, generator)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise UserError(f"{self.folder.path} is damaged: its parts do not fit together.") from error
        return (vectors + np.float32(1.0)) / np.float32(2.0)
