"""Renders the example notes: ``python examples/render_examples.py /usr/share/sounds/sf2/FluidR3_GM.sf2``."""

from __future__ import annotations

import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from numpy.typing import NDArray

TICKS_PER_SECOND = 960  # 480 a quarter note at MIDI's default 120 beats a minute
SAMPLE_RATE = 44100
FADE = 0.01
DRUMS = 9  # General MIDI keeps channel 10 (counted from 0: 9) for drum kits


class Example(NamedTuple):
    """One note of the sound font: General MIDI program (from 0), MIDI pitch, held time and length in s."""

    file: str
    program: int
    pitch: int
    hold: float
    length: float
    channel: int = 0
    mono: bool = False


EXAMPLES = (
    Example("electric_piano_c4.wav", program=4, pitch=60, hold=1.5, length=2.0, mono=True),
    Example("slap_bass_e1.flac", program=36, pitch=28, hold=1.2, length=2.0, mono=True),
    Example("brass_bb3.flac", program=61, pitch=58, hold=1.2, length=2.0),
    Example("marimba_c5.flac", program=12, pitch=72, hold=1.0, length=1.5),
    Example("organ_c4.flac", program=20, pitch=60, hold=1.5, length=2.0),
    Example("strings_a3.flac", program=48, pitch=57, hold=2.0, length=3.0),
    Example("vibraphone_f4.ogg", program=11, pitch=65, hold=1.5, length=2.5),
    Example("snare.flac", program=0, pitch=38, hold=0.5, length=1.5, channel=DRUMS),
)


def variable_length(number: int) -> bytes:
    """A MIDI delta time: seven bits a byte, the high bit on all but the last."""
    septets = [number & 0x7F]
    while number := number >> 7:
        septets.append(0x80 | (number & 0x7F))
    return bytes(reversed(septets))


def midi_file(example: Example) -> bytes:
    """A standard MIDI file of one note at velocity 100."""
    channel = example.channel
    events = (
        (0, bytes([0xC0 | channel, example.program])),
        (0, bytes([0x90 | channel, example.pitch, 100])),
        (example.hold, bytes([0x80 | channel, example.pitch, 0])),
        (example.length - example.hold + 0.5, b"\xff\x2f\x00"),
    )
    track = b"".join(variable_length(round(wait * TICKS_PER_SECOND)) + message for wait, message in events)
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, 480) + b"MTrk" + struct.pack(">I", len(track)) + track


def render(example: Example, sound_font: str) -> NDArray[np.float64]:
    """Audio (samples, 1 or 2) of the note, trimmed to its length and faded out over the last 10 ms."""
    with tempfile.TemporaryDirectory() as folder:
        midi, wave = Path(folder, "note.mid"), Path(folder, "note.wav")
        midi.write_bytes(midi_file(example))
        command = ["fluidsynth", "-q", "-n", "-i", "-R", "0", "-C", "0", "-g", "1.6", "-r", str(SAMPLE_RATE)]
        subprocess.run([*command, "-O", "float", "-F", str(wave), sound_font, str(midi)], check=True)
        audio, _ = soundfile.read(wave, always_2d=True)
    audio = audio[: round(example.length * SAMPLE_RATE)]
    if example.mono:
        audio = audio.mean(axis=1, keepdims=True)
    fade = round(FADE * SAMPLE_RATE)
    audio[-fade:] *= np.linspace(1.0, 0.0, fade)[:, None]
    return audio


def main() -> None:
    """Write every example beside this file."""
    for example in EXAMPLES:
        path = Path(__file__).with_name(example.file)
        subtype = "VORBIS" if path.suffix == ".ogg" else "PCM_16"
        soundfile.write(path, render(example, sys.argv[1]), SAMPLE_RATE, subtype=subtype)


if __name__ == "__main__":
    main()
