"""`wav2patch render`: hear a preset file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wav2patch.errors import UserError


def command(
    preset: Annotated[Path, typer.Argument(help="A preset file of the synth.")],
    synth: Annotated[str, typer.Option(help="The synth that the preset is for.")] = "dexed",
    note: Annotated[str, typer.Option(help="60 or C4.")] = "60",
    velocity: Annotated[int, typer.Option(min=1, max=127, help="How hard the key is struck.")] = 100,
    hold: Annotated[float, typer.Option(metavar="SECONDS", help="How long the key is held.")] = 3.0,
    length: Annotated[float, typer.Option(metavar="SECONDS", help="How long the sound is.")] = 4.0,
    voice: Annotated[int, typer.Option(min=1, help="Which voice of a bank.")] = 1,
    sample_rate: Annotated[int, typer.Option(min=8000, max=192000, help="Samples a second.")] = 44100,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The wav file.  [default: beside the preset]")
    ] = None,
) -> None:
    """Render a preset file to a wav file, as 32-bit floats.

    Examples:
      wav2patch render matches/bass/candidate_1.syx --note E1

      wav2patch render rom1a.syx --voice 11 -o epiano.wav
    """
    from wav2patch.audio.files import write_wav
    from wav2patch.cli.console import out
    from wav2patch.notes import Note, parse_pitch
    from wav2patch.synths.catalogue import load_synth

    if not (0 < hold < 600 and 0 < length <= 600):
        raise UserError("hold and length lie between 0 and 600 seconds.")
    engine = load_synth(synth)
    voices = engine.read_presets(preset)
    if voice > len(voices):
        raise UserError(f"{preset} holds {len(voices)} voice(s): there is no voice {voice}.")
    name, patch = voices[voice - 1]
    played = Note(parse_pitch(note), velocity, 0.0, hold)
    audio = engine.render(patch, played, length=length, sample_rate=sample_rate)
    path = output or preset.with_suffix(".wav")
    write_wav(path, audio, sample_rate)
    out().print(f"{name or 'voice'} → {path}")
