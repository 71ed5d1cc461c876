"""k-osc: the mean of oscillators that morph from sine over square to saw (Hayes et al., ISMIR 2025, section 4.1).

The paper gives the frequency range as 0 to π radians a sample, its code as 20 Hz to 4 kHz; published figures come
from the code, which is followed here.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from wav2patch.synths.tensor.signals.phase import RATE, bands, turns, unit

LOWEST, HIGHEST = 20.0, 4000.0


def kosc(
    parameters: Tensor,
    length: int,
    *,
    symmetric: bool = True,
    sample_rate: float = RATE,
    start: int = 0,
    published: bool = False,
) -> Tensor:
    """Render k oscillators.

    Frequency f gives ``20 + 3980 (f + 1) / 2`` Hz, amplitude a gives ``(a + 1) / 2``. Waveform w mixes a sine
    (−sin, by ``max(−w, 0)``), a square (by ``1 − |w|``) and a saw (by ``max(w, 0)``). As in the original, parameters
    out of range are clamped, so that their gradient is 0.

    Args:
        parameters: ``(batch, 3k)``: k frequencies, k amplitudes, k waveforms, each in [-1, 1].
        length: Number of samples.
        symmetric: Whether all oscillators share one band; otherwise oscillator i has ``[i, i + 1] / k`` of it.
        sample_rate: In Hz, more than 8000.
        start: Number of the first sample, to render in pieces.
        published: Leave a square's sample at −1 where its phase is half a turn exactly, in the parameters' precision,
            as the original does; PolyBLEP has it at 0. It matters for round frequencies: in single precision it
            changes the log-spectral distance of an all-zero prediction by up to 0.36 dB.

    Returns:
        ``(batch, length)``, within ±1.
    """
    frequencies, amplitudes, waveforms = parameters.clamp(-1.0, 1.0).chunk(3, dim=-1)
    places = unit(frequencies)
    cycles = _cycles(places if symmetric else bands(places), sample_rate, radians=published)
    levels = unit(amplitudes) / amplitudes.shape[-1]
    phase = turns(cycles, length, start, double=not published)
    fall = step(phase, cycles)
    saw = 2.0 * phase - 1.0 - fall
    flat = square(phase, cycles)
    flat = torch.where(phase == 0.5, flat - 1.0, flat) if published else flat
    waves = torch.sin(2.0 * math.pi * phase) * (levels * waveforms.clamp(-1.0, 0.0)).unsqueeze(-1)
    waves = waves.addcmul(flat - fall, (levels * (1.0 - waveforms.abs())).unsqueeze(-1))
    waves = waves.addcmul(saw, (levels * waveforms.clamp(0.0, 1.0)).unsqueeze(-1))
    return waves.sum(dim=-2)


def _cycles(places: Tensor, sample_rate: float, *, radians: bool) -> Tensor:
    """Turns a sample; by way of radians, as the original has them, which rounds differently."""
    if not radians:
        return (LOWEST + (HIGHEST - LOWEST) * places) / sample_rate
    lowest, highest = (2.0 * math.pi * hertz / sample_rate for hertz in (LOWEST, HIGHEST))
    return (lowest + (highest - lowest) * places) / (2.0 * math.pi)


def step(phase: Tensor, cycles: Tensor) -> Tensor:
    """PolyBLEP residual of a step from −1 to 1 at phase 0, to be added to the naive wave.

    Two parabolas, one in the sample before the step and one in the sample after it (Välimäki and Huovilainen,
    "Antialiasing oscillators in subtractive synthesis", IEEE Signal Processing Magazine 24(2), 2007).

    Args:
        phase: In turns, 0 to 1, ``(…, length)``.
        cycles: Turns a sample, ``(…)``.
    """
    samples = (1.0 / cycles).unsqueeze(-1)
    since = phase * samples
    after = (1.0 - since).clamp_min(0.0)
    before = (since - (samples - 1.0)).clamp_min(0.0)
    return before.square() - after.square()


def square(phase: Tensor, cycles: Tensor) -> Tensor:
    """A wave of −1 and then 1 with its step at half a turn rounded off; that at phase 0 is left to `step`."""
    offset = phase - 0.5
    close = (1.0 - offset.abs() / cycles.unsqueeze(-1)).clamp_min(0.0)
    return torch.copysign(1.0 - close.square(), offset)
