"""Notes of known pitch for ``pitch_accuracy.py``: a General MIDI sound font, DX7 voices and synthetic tones."""

from __future__ import annotations

import struct
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from dexed import get_carriers
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from wav2patch.notes import Note, midi_to_hz
from wav2patch.synths.dexed import Dexed

RATE = 44_100
HOLD, SLOT = 1.5, 2.5
DRUM_CHANNEL = 9
PITCHES = range(24, 97, 6)
FAMILIES = (
    *("piano", "bells and bars", "organ", "guitar", "bass", "strings", "ensemble", "brass", "reed", "pipe"),
    *("synth lead", "synth pad", "synth effects", "ethnic"),
)
# Where the sounding fundamental is not the key: organs with a 16-foot stop, guitar harmonics.
SOUNDS_AT = {16: -12, 17: -12, 18: -12, 31: 24}
# Timpani, orchestra hit, fifths lead and soundtrack (a fifth) sound more than the key; the key counts as right.
SEVERAL = "several pitches at once"
SEVERAL_PITCHES = {47, 55, 86, 97}
# General MIDI keys of bass drums, snares, claps, hi-hats, cymbals, tambourine, cabasa, maracas and guiros.
NOISES = (35, 36, 37, 38, 39, 40, 42, 44, 46, 49, 51, 52, 54, 55, 57, 58, 59, 69, 70, 73, 74)


class Sound(NamedTuple):
    """A note: which group it counts for, its fundamental in Hz or None, and its audio (samples,)."""

    group: str
    index: int
    truth: float | None
    audio: NDArray[np.float32]


def sound_font(fluidsynth: str, font: Path) -> Iterator[Sound]:
    """Every sixth note of the pitched General MIDI programs, and the unpitched drums."""
    for program in range(112):
        group = SEVERAL if program in SEVERAL_PITCHES else FAMILIES[program // 8]
        for pitch, audio in _play(fluidsynth, font, program, PITCHES):
            truth = midi_to_hz(pitch + SOUNDS_AT.get(program, 0))
            yield Sound(group, program, truth, audio)
    for pitch, audio in _play(fluidsynth, font, 0, NOISES, DRUM_CHANNEL):
        yield Sound("no pitch: drums", pitch, None, audio)


def dx7_voices(count: int) -> Iterator[Sound]:
    """Draws of the DX7 prior whose carriers all have ratio 1, so that the key is the fundamental."""
    synth = Dexed()
    place = {name: k for k, name in enumerate(synth.space.names)}
    for index in range(count):
        generator = np.random.default_rng([79, index])
        patch = synth.prior().sample(generator, 1)[0]
        carriers = get_carriers(int(patch[place["algorithm"]]))
        for k in range(1, 7):
            patch[place[f"op{k}_frequency_mode"]] = patch[place[f"op{k}_fine"]] = 0
            ratio = max(1.0, patch[place[f"op{k}_coarse"]])
            patch[place[f"op{k}_coarse"]] = 1.0 if k - 1 in carriers else ratio
        for k in range(1, 5):
            patch[place[f"pitch_eg_level_{k}"]] = 50
        patch[place["transpose"]] = 24
        patch[place["lfo_pitch_depth"]] = min(patch[place["lfo_pitch_depth"]], 10)
        patch[place["feedback"]] = min(patch[place["feedback"]], 5)
        note = Note(int(generator.integers(28, 92)), 100, 0.0, 1.2)
        audio = synth.render(patch, note, length=1.6, sample_rate=RATE)[0]
        if np.abs(audio).max() > 0.01:
            yield Sound("DX7 voices", index, note.frequency, audio)


def tones(count: int) -> Iterator[Sound]:
    """Synthetic tones from 30 Hz to 4 kHz of eleven kinds with three envelopes."""
    for index in range(count):
        generator = np.random.default_rng([77, index])
        frequency = float(np.exp(generator.uniform(np.log(30.0), np.log(4000.0))))
        kind = KINDS[index % len(KINDS)]
        if kind in ("missing fundamental", "bell") and frequency > 1000.0:
            frequency /= 4.0
        audio = _tone(kind, frequency, generator) * _envelope(index % 3, generator)
        yield Sound(f"tone: {kind}", index, frequency, _normalised(audio))


def noises(count: int) -> Iterator[Sound]:
    """White, low-passed, band-passed and high-passed noise, every other one decaying."""
    for index in range(count):
        generator = np.random.default_rng([78, index])
        audio = generator.normal(size=round(1.5 * RATE))
        centre = float(np.exp(generator.uniform(np.log(300.0), np.log(6000.0))))
        bands = {1: ("low", centre), 2: ("band", [centre / 1.6, centre * 1.6]), 3: ("high", centre)}
        if index % 4:
            shape, edges = bands[index % 4]
            audio = sosfilt(butter(2, edges, shape, fs=RATE, output="sos"), audio)
        if index % 2:
            audio = audio * np.exp(-_time() * generator.uniform(2.0, 25.0))
        yield Sound("no pitch: noise", index, None, _normalised(np.asarray(audio)))


KINDS = (
    *("sine", "saw", "square", "triangle", "missing fundamental", "FM", "bell"),
    *("formant", "three detuned saws", "vibrato", "in noise"),
)


def _tone(kind: str, frequency: float, generator: np.random.Generator) -> NDArray[np.float64]:
    time = _time()
    phase = 2.0 * np.pi * frequency * time
    numbers = np.arange(1, max(2, min(int(18_000.0 / frequency), 60) + 1))

    def partials(amplitudes: NDArray[np.float64], phase: NDArray[np.float64] = phase) -> NDArray[np.float64]:
        shifts = generator.uniform(0.0, 2.0 * np.pi, len(numbers))
        return sum((a * np.sin(n * phase + s) for a, n, s in zip(amplitudes, numbers, shifts, strict=True)), 0 * phase)

    match kind:
        case "sine":
            return np.sin(phase)
        case "saw":
            return partials(1.0 / numbers)
        case "square":
            return partials(numbers % 2 / numbers)
        case "triangle":
            return partials(numbers % 2 / numbers**2.0)
        case "missing fundamental":
            return partials((numbers >= 2) * (numbers < 11) * numbers**-0.7)
        case "FM":
            index = generator.uniform(0.3, 4.0) * np.exp(-time * generator.uniform(0.0, 4.0))
            return np.sin(phase + index * np.sin(generator.integers(1, 5) * phase))
        case "bell":
            index = generator.uniform(0.3, 1.5) * np.exp(-3.0 * time)
            return np.sin(phase + index * np.sin(generator.choice([1.41, 2.76, 3.5, 7.07, 14.0]) * phase))
        case "formant":
            return partials(np.exp(-np.square(np.log(numbers * frequency / 900.0))) + 0.05 * np.exp(-numbers / 5.0))
        case "three detuned saws":
            return sum((partials(1.0 / numbers, phase * 2.0 ** (c / 1200.0)) for c in (-12, 0, 12)), 0 * phase)
        case "vibrato":
            swing = 0.006 * frequency / 5.5 * np.sin(2.0 * np.pi * 5.5 * time)
            return partials(numbers**-1.3, phase + swing)
        case _:
            tone = partials(numbers**-1.2)
            return tone / np.std(tone) + 0.2 * generator.normal(size=len(time))


def _time() -> NDArray[np.float64]:
    return np.arange(round(1.5 * RATE)) / RATE


def _envelope(kind: int, generator: np.random.Generator) -> NDArray[np.float64]:
    time = _time()
    if kind == 0:
        return np.exp(-time * generator.uniform(1.0, 6.0))
    attack = np.minimum(1.0, time / generator.uniform(0.005, 0.3))
    return attack * np.clip((1.5 - time) / 0.01, 0.0, 1.0)


def _normalised(audio: NDArray[np.float64]) -> NDArray[np.float32]:
    return (0.5 * audio / np.abs(audio).max()).astype(np.float32)


def _play(
    fluidsynth: str, font: Path, program: int, pitches: Sequence[int], channel: int = 0
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Each pitch and its mono audio, where the program has that note at all."""
    with tempfile.TemporaryDirectory() as folder:
        midi, wave = Path(folder, "notes.mid"), Path(folder, "notes.wav")
        midi.write_bytes(_midi(program, pitches, channel))
        quiet = [fluidsynth, "-q", "-n", "-i", "-R", "0", "-C", "0", "-g", "1", "-r", str(RATE)]
        subprocess.run([*quiet, "-F", str(wave), str(font), str(midi)], check=True)
        audio = soundfile.read(wave, dtype="float32", always_2d=True)[0].mean(axis=1)
    for k, pitch in enumerate(pitches):
        note = audio[round(k * SLOT * RATE) : round((k * SLOT + 2.0) * RATE)]
        if len(note) and np.abs(note).max() > 1e-3:
            yield pitch, note


def _midi(program: int, pitches: Sequence[int], channel: int) -> bytes:
    """A standard MIDI file of 960 ticks a second that plays the pitches one after the other."""
    events = [(0.0, bytes([0xC0 | channel, program]))]
    wait = 0.0
    for pitch in pitches:
        events += [(wait, bytes([0x90 | channel, pitch, 100])), (HOLD, bytes([0x80 | channel, pitch, 0]))]
        wait = SLOT - HOLD
    events.append((SLOT, b"\xff\x2f\x00"))
    track = b"".join(_variable_length(round(960 * delta)) + message for delta, message in events)
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, 480) + b"MTrk" + struct.pack(">I", len(track)) + track


def _variable_length(number: int) -> bytes:
    septets = [number & 0x7F]
    while number := number >> 7:
        septets.append(0x80 | (number & 0x7F))
    return bytes(reversed(septets))
