"""Clips as recordings are degraded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from scipy.fft import next_fast_len
from torch import Tensor

from wav2patch.training.degrading.chances import Chances
from wav2patch.training.degrading.spectra import (
    LEAST,
    ROOM_LENGTH,
    dullness,
    gain_curve,
    noise_curve,
    pieces,
    rooms,
    white,
)

_AT_ONCE = 4
_PLACES = 1 << 16


@dataclass(frozen=True, eq=False)
class _Tables:
    """What all clips of one length share, on their device.

    Attributes:
        samples: That are transformed, enough for what a room adds at the end.
        spacing: From one bin to the next, in Hz.
        frequencies: Of bins, in Hz ``(bins,)``.
        noise: Spectrum of white noise, complex64 ``(bins + _PLACES,)``.
        rooms: Spectra of what rooms add, complex64 ``(ROOMS, bins)``.
    """

    samples: int
    spacing: float
    frequencies: Tensor
    noise: Tensor
    rooms: Tensor

    @property
    def audible(self) -> int:
        """The first bin that is heard."""
        return math.ceil(LEAST / self.spacing)

    @classmethod
    def make(cls, samples: int, sample_rate: int, device: torch.device) -> _Tables:
        whole: Any = next_fast_len(samples + round(ROOM_LENGTH * sample_rate), real=True)
        frequencies = torch.fft.rfftfreq(whole, 1.0 / sample_rate).to(device)
        noise = torch.view_as_complex(white(1, 2 * (len(frequencies) + _PLACES)).view(-1, 2)).to(device)
        spectra = torch.fft.rfft(rooms().responses(sample_rate).to(device), whole)
        return cls(whole, sample_rate / whole, frequencies, noise, spectra * dullness(frequencies).sqrt())


class DegradedClips:
    """Degrades clips.

    In the order of a recording: the onset is early or late, the room answers, microphone and loudspeaker colour,
    noise is added, the level is set, peaks are cut off and samples rounded.

    Args:
        sample_rate: In Hz.
    """

    def __init__(self, sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self._made: dict[tuple[int, torch.device], _Tables] = {}

    def __call__(self, audio: Tensor, chances: Chances) -> Tensor:
        """Float32 clips; those that nothing happens to have the values that they came with.

        Args:
            audio: ``(n, channels, samples)``.
            chances: Of n sounds.
        """
        done = audio.to(torch.float32, copy=True)
        stages = (
            (chances.shift != 0, self._shifted),
            (chances.filtered, self._filtered),
            ((chances.gain != 0) | (chances.clip < 1) | (chances.step > 0), self._levelled),
        )
        for wanted, degrade in stages:
            for rows in _parts(wanted):
                done[rows] = degrade(done[rows], chances.of(rows))
        return done

    def _filtered(self, clips: Tensor, chances: Chances) -> Tensor:
        tables = self._tables(clips)
        width = clips.shape[-1]
        spectrum = torch.fft.rfft(clips, tables.samples)
        if bool(((chances.tilt != 0) | (chances.low > 0)).any()):
            spectrum *= gain_curve(chances, tables.frequencies)[:, None]
        if bool((chances.wet > 0).any()):
            response = tables.rooms[chances.room] * chances.wet[:, None]
            response += 1.0
            spectrum *= response[:, None]
        if bool(chances.snr.isfinite().any()):
            # Some synths put out more direct current than sound.
            audible = torch.view_as_real(spectrum[..., tables.audible :])
            energy = audible.square().sum(dim=(2, 3)).mean(dim=1)[:, None, None]
            # The sound lasts as long as its clip, the noise as long as what is transformed.
            spectrum += self._noise(tables, chances, clips.shape[1], energy * (tables.samples / width))
        return torch.fft.irfft(spectrum, tables.samples)[..., :width]

    @staticmethod
    def _noise(tables: _Tables, chances: Chances, channels: int, energy: Tensor) -> Tensor:
        """Spectra of noise ``(n, channels, bins)``, of the energy ``(n, 1, 1)`` divided by the ratio that is wanted."""
        bins = len(tables.frequencies)
        starts = (chances.place * _PLACES).long()[:, None] + torch.arange(channels, device=energy.device) * 9_973
        found = pieces(tables.noise, (starts % _PLACES).flatten(), bins).unflatten(0, starts.shape)
        found *= noise_curve(chances, tables.frequencies).sqrt()[:, None]
        own = torch.view_as_real(found).square().sum(dim=(2, 3))[..., None]
        found *= (energy / (own * chances.snr[:, None, None])).sqrt()
        return found

    @staticmethod
    def _levelled(clips: Tensor, chances: Chances) -> Tensor:
        level = 10.0 ** (chances.gain[:, None, None] / 20.0)
        clips = clips * level
        peak = clips.abs().amax(dim=(1, 2), keepdim=True)
        if bool((chances.clip < 1).any()):
            limit = peak * chances.clip[:, None, None]
            clips = clips.clamp(-limit, limit)
        if bool((chances.step > 0).any()):
            step = peak * chances.step[:, None, None]
            clips = torch.where(step > 0, torch.round(clips / step) * step, clips)
        return clips

    def _shifted(self, clips: Tensor, chances: Chances) -> Tensor:
        most = math.ceil(0.05 * self.sample_rate)
        delays = (chances.shift * self.sample_rate).round().long().clamp(-most, most)
        wide = torch.nn.functional.pad(clips, (most, most)).unfold(-1, clips.shape[-1], 1)
        return wide[torch.arange(len(clips), device=clips.device), :, most - delays]

    def _tables(self, clips: Tensor) -> _Tables:
        key = clips.shape[-1], clips.device
        if key not in self._made:
            self._made[key] = _Tables.make(clips.shape[-1], self.sample_rate, clips.device)
        return self._made[key]


def _parts(wanted: Tensor) -> Sequence[Tensor]:
    """Numbers of the rows that are wanted: on a processor few at once, which stay in its cache."""
    rows = wanted.nonzero()[:, 0]
    if not len(rows):
        return []
    return rows.split(_AT_ONCE if rows.device.type == "cpu" else len(rows))
