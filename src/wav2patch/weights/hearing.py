"""From a recording to what a model hears: its sample rate, channels and length, its feature, standardised."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wav2patch.audio.channels import to_mono
from wav2patch.errors import UserError
from wav2patch.features.base import Feature
from wav2patch.features.catalogue import FEATURES, load_feature
from wav2patch.features.standard import Standard
from wav2patch.resampling import resample
from wav2patch.weights.record import Record


@dataclass(frozen=True, eq=False)
class Hearing:
    """How a model hears.

    Attributes:
        record: Of the model.
        feature: What `record.feature` says in words.
        standard: What standardises the feature; None for a model of raw features.

    Raises:
        UserError: The feature is not of the shape that the model was trained on: another version's.
    """

    record: Record
    feature: Feature
    standard: Standard | None

    def __post_init__(self) -> None:
        record = self.record
        shape = self.feature.shape(record.channels, record.samples, record.sample_rate)
        if tuple(shape) != record.shape:
            raise UserError(
                f"the model hears {record.feature} of shape {record.shape}, which is {tuple(shape)} in this version "
                f"of wav2patch: use it with version {record.version}, or train it again."
            )

    def __call__(self, audio: NDArray[np.floating], sample_rate: int) -> NDArray[np.float32]:
        """What the model hears of a recording.

        Args:
            audio: ``(channels, samples)``, finite, beginning with the sound; cut or followed by silence where it is
                longer or shorter than the model's clips.
            sample_rate: In Hz.

        Returns:
            Float32 of the record's shape.
        """
        record = self.record
        clip = resample(_with_channels(audio, record.channels), sample_rate, record.sample_rate)[:, : record.samples]
        clip = np.pad(clip, ((0, 0), (0, record.samples - clip.shape[1])))
        heard = self.feature(clip, record.sample_rate)
        return heard if self.standard is None else self.standard(heard)


def hears_alone(record: Record) -> bool:
    """Whether a model hears in the install without PyTorch."""
    return record.feature.partition(":")[0] in FEATURES


def load_hearing(record: Record, standard: Standard | None, source: object) -> Hearing:
    """How a model hears, in the install without PyTorch.

    Raises:
        UserError: It hears what takes PyTorch, or this version of wav2patch computes its feature differently.
    """
    if not hears_alone(record):
        raise UserError(
            f"the model {source} hears through {record.feature}, which takes PyTorch: train one that hears one of "
            f"{', '.join(FEATURES)}, or use its checkpoint."
        )
    return Hearing(record, load_feature(record.feature), standard)


def _with_channels(audio: NDArray[np.floating], channels: int) -> NDArray[np.float32]:
    """The audio as it is where it has so many channels; their mix in each of so many otherwise."""
    sound = np.asarray(audio, dtype=np.float32)
    return sound if len(sound) == channels else np.repeat(to_mono(sound)[None], channels, axis=0)
