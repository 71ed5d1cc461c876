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
    sample_rate: Annotated[int, typer.Option(min=16000, max=192000, help="Samples a second.")] = 44100,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help=r"The wav file.  \[default: PRESET_NOTE.wav beside the preset]"),
    ] = None,
) -> None:
    """Render a preset file to a wav file, as 32-bit floats.

    Examples:
      wav2patch render matches/bass/candidate_1.syx --note E1

      wav2patch render rom1a.syx --voice 11 -o epiano.wav
    """
    from wav2patch.audio.files import write_wav
    from wav2patch.cli.console import out, printable
    from wav2patch.notes import Note, parse_pitch, pitch_name
    from wav2patch.synths.catalogue import load_synth

    if not (0 < hold <= 600 and 0.01 <= length <= 600):
        raise UserError("the hold lies between 0 and 600 seconds, the length between 0.01 and 600.")
    engine = load_synth(synth)
    voices = engine.read_presets(preset)
    if voice > len(voices):
        raise UserError(f"{preset} holds {len(voices)} voice(s): there is no voice {voice}.")
    chosen = voices[voice - 1]
    played = Note(parse_pitch(note), velocity, 0.0, hold)
    audio = engine.render(chosen.patch, played, length=length, sample_rate=sample_rate)
    # Named after the note too: beside candidate_1.syx lies the candidate_1.wav of its match.
    path = output or preset.with_name(f"{preset.stem}_{pitch_name(played.pitch)}.wav")
    write_wav(path, audio, sample_rate)
    for lost in chosen.dropped:
        out().print(f"  • left out: {printable(lost)}")
    out().print(f"{printable(chosen.name or 'voice')} → {printable(path)}")
