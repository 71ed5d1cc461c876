"""Embeddings as features of data sets: computed where a clip is rendered, and stored beside it."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wav2patch.audio_models.catalogue import AUDIO_MODELS, FOLDER_VARIABLE, load_audio_model
from wav2patch.features.base import as_clip
from wav2patch.resampling import resample

if TYPE_CHECKING:
    from wav2patch.audio_models.base import FrozenModel

# PyTorch has one number of threads for the whole process.
_ONE_AT_A_TIME = threading.RLock()


@dataclass(frozen=True)
class Embedding:
    """What an audio model gives for the mean of a clip's channels, brought to its sample rate; a `Feature`.

    It travels without its model, which every process loads when it first needs it and then keeps. A clip goes through
    by itself and on one thread, so that its embedding depends on nothing but the clip.

    Attributes:
        name: Of the model, in `AUDIO_MODELS`.
        folder: With the weights; by default what WAV2PATCH_MODELS says here, which processes elsewhere may not know.
            They go by what it says there if they have no such folder.
    """

    name: str
    folder: str | None = field(default_factory=lambda: os.environ.get(FOLDER_VARIABLE), compare=False)

    def shape(self, channels: int, samples: int, sample_rate: int) -> tuple[int, ...]:
        """Shape of the embedding of a clip: ``(size,)``, or ``(T, size)``, for which the model is loaded.

        Raises:
            UserError: The model gives vectors in time and cannot be loaded.
        """
        size = AUDIO_MODELS[self.name].size
        return _shape_in_time(self, channels, samples, sample_rate) if size is None else (size,)

    def prepare(self) -> None:
        """Load the model into this process.

        Raises:
            UserError: PyTorch is not installed, or the weights are absent, another file, or damaged.
        """
        with _ONE_AT_A_TIME:
            self._model()

    def __call__(self, audio: NDArray[np.floating], sample_rate: int) -> NDArray[np.float32]:
        """The embedding of a clip ``(channels, samples)``.

        Raises:
            UserError: The model cannot be loaded; see `prepare`.
            ValueError: The audio has another number of dimensions.
        """
        mono = as_clip(audio).mean(axis=0, dtype=np.float32)
        with _ONE_AT_A_TIME:
            model = self._model()
            import torch  # noqa: PLC0415 - seconds, and an extra; whoever only names features needs none of it

            with torch.inference_mode(), _one_thread():
                # A copy, as results can depend on where in the memory an array begins.
                batch = torch.tensor(resample(mono, sample_rate, model.sample_rate))[None]
                return model.embed(batch)[0].numpy().copy()

    def _model(self) -> FrozenModel:
        return _load(self.name, self.folder if self.folder and Path(self.folder).expanduser().exists() else None)


@cache
def _load(name: str, folder: str | None) -> FrozenModel:
    return load_audio_model(name, weights=None if AUDIO_MODELS[name].built_in else folder)


@cache
def _shape_in_time(embedding: Embedding, channels: int, samples: int, sample_rate: int) -> tuple[int, ...]:
    """Found out with silence: how many vectors there are is a function of the length alone."""
    return embedding(np.zeros((channels, samples), np.float32), sample_rate).shape


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Have PyTorch compute on one thread: with more it sums in another order, and takes other algorithms."""
    import torch  # noqa: PLC0415

    before = torch.get_num_threads()
    if before == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
