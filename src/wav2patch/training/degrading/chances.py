"""How each sound of a batch is degraded: a function of the seed, the epoch and the row alone."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from wav2patch.models.noise import Noise

ROOMS = 24
"""How many rooms there are to choose from."""

_SHIFT = 0.03
_GAIN = (-15.0, 9.0)
_TILT = 2.0
_LOWEST, _HIGHEST = (20.0, 300.0), (20_000.0, 4_000.0)
_CLEAREST, _NOISIEST = 60.0, 15.0
_DRIEST, _WETTEST = -24.0, 0.0
_STEEPEST = 1.6
_CLIPPED = 0.6
_BITS = (14.0, 7.0)


@dataclass(frozen=True)
class Likelihoods:
    """How often what happens to a sound, each by itself; independent of the strength.

    Attributes:
        clean: Share of sounds that are left as they are.
        shift: That the onset is up to 30 ms early or late, mostly less.
        gain: That the level changes, by -15 to 9 dB.
        tilt: That the spectrum tilts, by up to 2 dB an octave around 1 kHz.
        band: That low frequencies, up to 300 Hz, and high ones, from 4 kHz, are lost.
        room: That it is heard in a room.
        noise: That there is noise, 15 to 60 dB below the sound.
        clip: That peaks are cut off, to 40% of the highest at most.
        bits: That samples are rounded to 7 to 14 bits.
    """

    clean: float = 0.3
    shift: float = 0.5
    gain: float = 0.8
    tilt: float = 0.4
    band: float = 0.3
    room: float = 0.4
    noise: float = 0.6
    clip: float = 0.1
    bits: float = 0.1


@dataclass(frozen=True)
class Chances:
    """What happens to each of n sounds; all float32 ``(n,)`` but `room`, int64.

    Attributes:
        shift: Seconds that the sound begins later.
        gain: In dB.
        tilt: In dB an octave; 0 dB at 1 kHz.
        low: Frequency in Hz below which the sound is lost; 0 for none.
        high: Frequency in Hz above which it is lost; infinite for none.
        room: Number of the room.
        wet: Amplitude of the reverberation beside the sound itself; 0 for none.
        snr: Mean square of the sound to that of the noise; infinite without noise.
        colour: Power of the noise falls with frequency to the power of this; 0 is white.
        place: Where in the stored noise it begins, in [0, 1).
        clip: Share of the highest peak at which others are cut off; 1 for none.
        step: Of rounding, as a share of the highest peak; 0 for none.
    """

    shift: Tensor
    gain: Tensor
    tilt: Tensor
    low: Tensor
    high: Tensor
    room: Tensor
    wet: Tensor
    snr: Tensor
    colour: Tensor
    place: Tensor
    clip: Tensor
    step: Tensor

    def of(self, rows: Tensor) -> Chances:
        """Those of some sounds."""
        return Chances(**{one.name: getattr(self, one.name)[rows] for one in dataclasses.fields(self)})

    @property
    def filtered(self) -> Tensor:
        """Which sounds have another spectrum, bool ``(n,)``."""
        return (self.tilt != 0) | (self.low > 0) | self.high.isfinite() | (self.wet > 0) | self.snr.isfinite()

    @property
    def any(self) -> Tensor:
        """Which sounds are not left as they are, bool ``(n,)``."""
        return self.filtered | (self.shift != 0) | (self.gain != 0) | (self.clip < 1) | (self.step > 0)


def draw_chances(noise: Noise, strength: float, likely: Likelihoods) -> Chances:
    """What happens to each row.

    Args:
        noise: Of the batch.
        strength: 0 to 1: how far it may go.
        likely: How often.
    """
    happens, extent = noise.uniform("degrade whether", 9), noise.uniform("degrade how far", 9).float()
    touched = (happens[:, 0] >= likely.clean) & (strength > 0)
    names = ("shift", "gain", "tilt", "band", "room", "noise", "clip", "bits")
    chosen = {one: touched & (happens[:, i] < getattr(likely, one)) for i, one in enumerate(names, 1)}
    more = noise.uniform("degrade in which way", 4)
    far = {one: extent[:, i] * strength for i, one in enumerate(names, 1)}
    aside = 2.0 * extent - 1.0

    def where(name: str, value: Tensor, otherwise: float) -> Tensor:
        return torch.where(chosen[name], value, otherwise)

    return Chances(
        # Squared: matchers are a few milliseconds off more often than many.
        shift=where("shift", strength * _SHIFT * aside[:, 1] * aside[:, 1].abs(), 0.0),
        gain=where("gain", strength * _GAIN[0] + far["gain"] * (_GAIN[1] - _GAIN[0]), 0.0),
        tilt=where("tilt", strength * _TILT * aside[:, 3], 0.0),
        low=where("band", _between(*_LOWEST, far["band"]), 0.0),
        high=where("band", _between(*_HIGHEST, more[:, 0].float() * strength), math.inf),
        room=(more[:, 1] * ROOMS).long(),
        wet=where("room", _ratio(_DRIEST + far["room"] * (_WETTEST - _DRIEST)).sqrt(), 0.0),
        snr=where("noise", _ratio(_CLEAREST + far["noise"] * (_NOISIEST - _CLEAREST)), math.inf),
        colour=more[:, 2].float() * _STEEPEST,
        place=more[:, 3].float(),
        clip=where("clip", 1.0 - _CLIPPED * far["clip"], 1.0),
        step=where("bits", 2.0 ** (1.0 - _BITS[0] - far["bits"] * (_BITS[1] - _BITS[0])), 0.0),
    )


def _between(first: float, last: float, share: Tensor) -> Tensor:
    return first * (last / first) ** share


def _ratio(decibels: Tensor) -> Tensor:
    return 10.0 ** (decibels / 10.0)
