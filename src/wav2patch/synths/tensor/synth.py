"""What the research synths have in common: a `Synth` made of a parameter space and a function of tensors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wav2patch.notes import Note
from wav2patch.parameters import ParameterSpace, Patch
from wav2patch.priors import Prior, UniformPrior
from wav2patch.synths.base import Audio, Preset
from wav2patch.synths.tensor.presets import read_json, write_json
from wav2patch.synths.tensor.shifted import SPREAD, ShiftedPrior

if TYPE_CHECKING:
    from torch import Tensor

PIECE = 2**15 - 1
"""Oscillator samples to work on at once: they stay in a core's cache, and PyTorch keeps to one thread up to here."""


class TensorSynth(ABC):
    """A research synth.

    These synths have neither keys nor envelopes: pitch and velocity are ignored, and a note sounds from its onset, at
    phase 0, to its end, where it stops at once. The papers' signals are the first 1024 samples (InverSynth's: 16,384).

    A patch holds the papers' own numbers. Where those lie in [-1, 1], a patch *is* the vector that a model of theirs
    works on; an encoding is in [0, 1], as for every synth, so the vector is ``2 * encoding - 1``.

    Args:
        name: Short name.
        title: Name for people.
        space: The parameters.
        voices: Oscillators, or what else a sample costs.
        shifted: Parameters that are low in training and high in the test, see `ShiftedPrior`.
    """

    preset_suffix = ".json"
    bank_name = None
    # PyTorch lets go of the lock while it computes, but calls are so short that threads were not seen to pay.
    releases_gil = False
    may_crash = False
    noise_floor = 0.0
    precision: type[np.floating] = np.float64
    """In which `play` computes; phases are in double precision anyway."""

    def __init__(
        self, name: str, title: str, space: ParameterSpace, voices: int, shifted: tuple[str, ...] = ()
    ) -> None:
        self.name = name
        self.title = title
        self.space = space
        self.voices = voices
        self.shifted = shifted

    @abstractmethod
    def signal(self, patches: Tensor, length: int, *, sample_rate: float, start: int = 0) -> Tensor:
        """The synth's sound, differentiable; dtype and device are those of the patches.

        Args:
            patches: ``(n, P)``.
            length: Number of samples.
            sample_rate: In Hz.
            start: Number of the first sample.

        Returns:
            ``(n, length)``.
        """

    def arranged(self, patch: Patch) -> Patch:
        """The patch ``(P,)`` that stands for all those that sound like this one, where the synth has such a form."""
        return patch

    def prior(self) -> Prior:
        """What the paper trains on: uniform, or with the mean of shifted parameters at −1/3."""
        return ShiftedPrior(self.space, self.shifted, -SPREAD) if self.shifted else UniformPrior(self.space)

    def test_prior(self) -> Prior:
        """What the paper tests on: as `prior`, but with the mean of shifted parameters at +1/3."""
        return ShiftedPrior(self.space, self.shifted, SPREAD) if self.shifted else self.prior()

    def play(self, patch: Patch, length: int, sample_rate: int) -> NDArray[np.floating]:
        """The sound ``(length,)`` of an arranged patch ``(P,)``, bit for bit, whatever the number of threads."""
        import torch  # noqa: PLC0415 - the extra `train`, and seconds to import

        patches, piece = torch.from_numpy(patch[None].astype(self.precision)), max(1, PIECE // self.voices)
        with torch.inference_mode():
            parts = [
                self.signal(patches, min(piece, length - start), sample_rate=sample_rate, start=start)[0].numpy()
                for start in range(0, length, piece)
            ]
        return np.concatenate(parts)

    def missing(self) -> str | None:
        """That PyTorch is, if it is."""
        if find_spec("torch") is None:
            return f"{self.name} needs PyTorch: run pip install 'wav2patch[train]'."
        return None

    def versions(self) -> Mapping[str, str]:
        """PyTorch's version."""
        return {"torch": metadata.version("torch")}

    def render(self, patch: Patch, note: Note, *, length: float, sample_rate: int) -> Audio:
        """Render one note; float32 ``(1, samples)``. See `Synth.render` and the class."""
        self.space.validate(patch)
        samples = round(length * sample_rate)
        start = min(round(note.onset * sample_rate), samples)
        sounding = min(round(note.duration * sample_rate), samples - start)
        audio = np.zeros((1, samples), dtype=np.float32)
        if sounding:
            arranged = self.arranged(np.asarray(patch, dtype=np.float64))
            audio[0, start : start + sounding] = self.play(arranged, sounding, sample_rate)
        return audio

    def render_batch(
        self,
        patches: NDArray[np.floating] | Tensor,
        length: int = 1024,
        sample_rate: float = 44100.0,
        device: str | None = None,
    ) -> Tensor:
        """Render many patches on the device, for training on sounds that are never stored.

        Unlike `render` it knows nothing of notes and checks no ranges, so that predictions can be rendered as the
        papers do, and gradients flow through it.

        Args:
            patches: ``(n, P)`` in the synth's own units, as an array (rendered in single precision) or a tensor
                (rendered in its own).
            length: Number of samples.
            sample_rate: In Hz.
            device: Where to render; by default where the patches are.

        Returns:
            ``(n, length)``.
        """
        import torch  # noqa: PLC0415 - the extra `train`, and seconds to import

        if not isinstance(patches, torch.Tensor):
            patches = torch.from_numpy(np.asarray(patches, dtype=np.float32))
        if device is not None:
            patches = patches.to(device)
        elements = 2**24 if patches.is_cuda else 2**17
        rows = max(1, elements // (self.voices * length))
        parts = [self.signal(part, length, sample_rate=sample_rate) for part in patches.split(rows)]
        return torch.cat(parts)

    def write_preset(self, patch: Patch, path: Path | str, *, name: str = "wav2patch") -> None:
        """Write a ``.json`` file, which only wav2patch opens."""
        write_json(patch, Path(path), synth=self.name, space=self.space, name=name)

    def write_bank(self, patches: Sequence[Patch], path: Path | str, names: Sequence[str]) -> None:
        """Not available.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError("research synths have no banks")

    def read_presets(self, path: Path | str) -> list[Preset]:
        """The preset of a ``.json`` file."""
        return [read_json(Path(path), synth=self.name, space=self.space)]

    def loading_instructions(self) -> list[str]:
        """Where the file opens."""
        return [
            "This is a research synth: its .json file opens in wav2patch itself, with "
            f"“wav2patch render FILE.json --synth {self.name}”."
        ]
