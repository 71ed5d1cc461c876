"""What an audio model is: sound in, a vector (or a vector per window of time) out.

Audio is a float32 tensor ``(B, samples)``, one channel, at the model's own sample rate; embeddings are float32
``(B, size)``, or ``(B, T, size)`` where time is kept.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol, Self, runtime_checkable

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Windows:
    """Where the vectors of a time-structured model lie.

    Attributes:
        length: Seconds of sound that a vector describes.
        hop: Seconds from one vector to the next.
    """

    length: float
    hop: float


@runtime_checkable
class AudioModel(Protocol):
    """A frozen model: its weights take no gradients, but gradients with respect to the audio pass.

    Attributes:
        name: As in the catalogue.
        sample_rate: Samples per second that it must be given.
        size: Values per vector.
        windows: Where the vectors lie in time; None if there is one vector a sound.
    """

    name: str
    sample_rate: int
    size: int
    windows: Windows | None

    @property
    def time_structured(self) -> bool:
        """Whether it gives ``(B, T, size)`` rather than ``(B, size)``."""
        ...

    def embed(self, audio: Tensor) -> Tensor:
        """Embeddings ``(B, size)`` or ``(B, T, size)``, float32, of audio ``(B, samples)`` on the model's device."""
        ...

    def to(self, device: str | torch.device) -> Self:
        """Move the model to a device, and return it."""
        ...


class FrozenModel(nn.Module, ABC):
    """What all audio models share: write `describe`, give the four attributes, and this does the rest.

    Weights take no gradients, the model stays in evaluation mode inside a model that trains, audio is checked, and
    the arithmetic is float32 on every device.
    """

    name: str
    sample_rate: int
    size: int
    windows: Windows | None = None

    @property
    def time_structured(self) -> bool:
        """Whether it gives ``(B, T, size)`` rather than ``(B, size)``."""
        return self.windows is not None

    @abstractmethod
    def describe(self, audio: Tensor) -> Tensor:
        """Embeddings ``(B, size)`` or ``(B, T, size)`` of float32 audio ``(B, samples)`` with at least one sample.

        Sounds that are shorter than what the model needs are the model's own affair: it pads them with silence.
        """

    def embed(self, audio: Tensor) -> Tensor:
        """Embeddings ``(B, size)`` or ``(B, T, size)``, float32, of audio ``(B, samples)`` on the model's device.

        Raises:
            ValueError: The audio is not a batch of one-channel sounds of floats, or has no samples.
        """
        if audio.ndim != 2 or not audio.is_floating_point() or audio.shape[1] == 0:
            raise ValueError(f"audio must be float (B, samples), not {audio.dtype} {tuple(audio.shape)}")
        with full_precision(audio.device):
            return self.describe(audio.float())

    def forward(self, audio: Tensor) -> Tensor:
        """The same as `embed`."""
        return self.embed(audio)

    def train(self, mode: bool = True) -> Self:
        """Stay in evaluation mode and frozen, whatever the model around it does."""
        self.requires_grad_(False)
        return super().train(False)


@contextlib.contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Float32 arithmetic, the same on every device: no half precision and no TF32, whatever the program has set."""
    switches = _switches()
    before = [getattr(place, name) for place, name, _ in switches]
    try:
        for place, name, exact in switches:
            setattr(place, name, exact)
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        for (place, name, _), value in zip(switches, before, strict=True):
            setattr(place, name, value)


def _switches() -> list[tuple[Any, str, Any]]:
    """PyTorch's switches of precision: (where, name, the value that is exact)."""
    cudnn, matmul, cpu = torch.backends.cudnn, torch.backends.cuda.matmul, torch.backends.mkldnn
    if hasattr(cudnn, "conv"):
        return [(place, "fp32_precision", "ieee") for place in (cudnn.conv, matmul, cpu.conv, cpu.matmul)]
    # Before PyTorch 2.9 there were only these.
    return [(cudnn, "allow_tf32", False), (matmul, "allow_tf32", False)]


class Pooled(FrozenModel):
    """A time-structured model with one vector a sound: the mean, the maximum, or both over time."""

    def __init__(self, model: FrozenModel, how: tuple[str, ...] | str = "mean", name: str | None = None) -> None:
        """Pool what `model` gives.

        Args:
            model: A time-structured model.
            how: "mean", "max", or several of them, whose results follow one another.
            name: Its name; by default the model's with what was pooled.

        Raises:
            ValueError: The model has no time to pool, or `how` has another word.
        """
        super().__init__()
        how = (how,) if isinstance(how, str) else how
        if model.windows is None or not how or not set(how) <= {"mean", "max"}:
            raise ValueError(f"{model.name} cannot be pooled over time by {how}")
        self.model, self.how = model, how
        self.name = name or "_".join((model.name, *how))
        self.sample_rate, self.size = model.sample_rate, model.size * len(how)
        self.train(False)

    def describe(self, audio: Tensor) -> Tensor:
        """Embeddings ``(B, size)``."""
        frames = self.model.describe(audio)
        return torch.cat([frames.mean(1) if how == "mean" else frames.amax(1) for how in self.how], dim=-1)
