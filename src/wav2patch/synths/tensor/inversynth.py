"""The FM synth of InverSynth II."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wav2patch.parameters import Patch
from wav2patch.priors import Prior
from wav2patch.synths.tensor.inversynth_space import CanonicalPrior, canonical, inversynth_space
from wav2patch.synths.tensor.synth import TensorSynth

if TYPE_CHECKING:
    from torch import Tensor

WAVES = 11
"""Waves that are computed for every sample: all shapes of the oscillator, the LFO and the tremolo."""


class InverSynthFm(TensorSynth):
    """An oscillator with vibrato, tremolo and low-pass filter, set by nine classes.

    See `signals.inversynth.inversynth_fm`, which also renders soft weights of classes: patches, being whole numbers,
    carry no gradient.
    """

    def __init__(self) -> None:
        super().__init__("inversynth_fm", "InverSynth FM (research)", inversynth_space(), WAVES)

    def prior(self) -> Prior:
        """Every class equally likely, then `canonical`."""
        return CanonicalPrior(self.space)

    def arranged(self, patch: Patch) -> Patch:
        """The canonical patch, which sounds the same."""
        return canonical(patch)

    def signal(self, patches: Tensor, length: int, *, sample_rate: float, start: int = 0) -> Tensor:
        """See `TensorSynth.signal`; patches are taken as they are, canonical or not."""
        from wav2patch.synths.tensor.signals.inversynth import inversynth_fm, one_hots  # noqa: PLC0415 - imports PyTorch

        return inversynth_fm(one_hots(patches), start + length, sample_rate=sample_rate)[..., start:]

    def play(self, patch: Patch, length: int, sample_rate: int) -> NDArray[np.floating]:
        """See `TensorSynth.play`; in one piece, as phase, filter and gain depend on what was before."""
        import torch  # noqa: PLC0415 - the extra `train`, and seconds to import

        with torch.inference_mode():
            return self.signal(torch.from_numpy(patch[None]), length, sample_rate=sample_rate)[0].numpy()
