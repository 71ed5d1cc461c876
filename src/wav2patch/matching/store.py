"""A match on disk: presets, audio and ``match.json`` in one folder, each file whole or absent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from wav2patch.audio.files import write_wav
from wav2patch.files import write_text
from wav2patch.matching.match import with_tail
from wav2patch.matching.result import Candidate, Match

FORMAT = 1


def save_match(match: Match, folder: Path | str) -> list[Path]:
    """Write the target, every candidate's preset and audio, and last ``match.json``, which names them.

    Returns:
        The files, in the order of their writing.

    Raises:
        UserError: The disk refuses a file; those already written are whole.
    """
    folder = Path(folder)
    outdated = _named_files(folder)
    written = [folder / "target.wav"]
    write_wav(written[0], with_tail(match.target)[None], match.target.sample_rate)
    for candidate in match.candidates:
        preset, audio = preset_path(match, candidate, folder), folder / f"{candidate.name}.wav"
        match.synth.write_preset(candidate.patch, preset, name=preset_name(match, candidate))
        write_wav(audio, candidate.audio, match.sound.sample_rate)
        written += [preset, audio]
    if match.synth.bank_name:
        bank = folder / match.synth.bank_name
        names = [preset_name(match, candidate) for candidate in match.candidates]
        match.synth.write_bank([candidate.patch for candidate in match.candidates], bank, names)
        written.append(bank)
    written.append(folder / "match.json")
    write_text(written[-1], json.dumps(as_dictionary(match), indent=2, ensure_ascii=False) + "\n")
    for path in outdated - set(written):
        path.unlink(missing_ok=True)
    return written


def _named_files(folder: Path) -> set[Path]:
    """Candidates' files of an earlier match in the same folder, as its ``match.json`` names them."""
    try:
        told = json.loads((folder / "match.json").read_text(encoding="utf-8"))
        names = [str(candidate[kind]) for candidate in told["candidates"] for kind in ("preset", "audio")]
    except (OSError, ValueError, KeyError, TypeError):
        return set()
    return {folder / name for name in names if name.startswith("candidate_") and Path(name).name == name}


def preset_path(match: Match, candidate: Candidate, folder: Path) -> Path:
    """Where a candidate's preset file goes."""
    return folder / f"{candidate.name}{match.synth.preset_suffix}"


def preset_name(match: Match, candidate: Candidate) -> str:
    """Name of the patch within the synth: the sound's own, with the candidate's number, in ten characters."""
    number = candidate.name.rsplit("_", 1)[-1]
    stem = Path(match.target.source).stem.upper().replace("_", " ")
    return f"{stem[: 9 - len(number)]} {number}"


def as_dictionary(match: Match) -> dict[str, Any]:
    """The match as plain numbers, texts, lists and dictionaries, for ``match.json`` and ``--json``."""
    target = match.target
    return {
        "format": FORMAT,
        "target": {
            "source": target.source,
            "start": target.start,
            "end": target.end,
            "frequency": target.frequency,
            "pitch_confidence": target.pitch_confidence,
            "tuning_cents": target.tuning,
            "loudness_lufs": target.loudness,
            "gain_db": target.gain,
            "bandwidth_hz": target.bandwidth,
            "remarks": list(target.remarks),
        },
        "synth": match.synth.name,
        "note": {
            "pitch": match.sound.note.pitch,
            "velocity": match.sound.note.velocity,
            "onset": match.sound.note.onset,
            "duration": match.sound.note.duration,
        },
        "length": match.sound.length,
        "sample_rate": match.sound.sample_rate,
        "budget": {"renders": match.limit_renders, "seconds": match.limit_seconds},
        "spent": {
            "renders": match.renders,
            "rendered": dict(match.rendered),
            "seconds": round(match.seconds, 3),
            "failed_renders": match.failures,
        },
        "seed": match.seed,
        "stopped": match.stopped,
        "noise_floor": match.synth.noise_floor,
        "candidates": [_candidate(match, candidate) for candidate in match.candidates],
        "influences": [vars(influence) | {"tried": list(influence.tried)} for influence in match.influences],
        "improvements": [{"renders": i.renders, "distance": i.distance} for i in match.improvements],
        "versions": dict(match.versions),
    }


def _candidate(match: Match, candidate: Candidate) -> dict[str, Any]:
    return {
        "preset": f"{candidate.name}{match.synth.preset_suffix}",
        "audio": f"{candidate.name}.wav",
        "origin": candidate.origin,
        "distance": candidate.distance,
        "parts": dict(candidate.parts),
        "panel": dict(candidate.panel),
        "frequency": candidate.frequency,
        "patch": match.synth.space.named(candidate.patch),
    }
