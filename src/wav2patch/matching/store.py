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
    """Write every candidate's preset, the sounds, and last ``match.json``, which names them.

    The presets come first: they are small, and what the person wants most where the disk is nearly full.

    Returns:
        The files, in the order of their writing.

    Raises:
        UserError: The disk refuses a file; those already written are whole.
    """
    folder = Path(folder)
    outdated = _named_files(folder)
    written = [*_write_presets(match, folder), *_write_sounds(match, folder), folder / "match.json"]
    write_text(written[-1], json.dumps(as_dictionary(match), indent=2, ensure_ascii=False) + "\n")
    for path in outdated - set(written):
        path.unlink(missing_ok=True)
    return written


def _write_presets(match: Match, folder: Path) -> list[Path]:
    names = [preset_name(match, candidate) for candidate in match.candidates]
    paths = [preset_path(match, candidate, folder) for candidate in match.candidates]
    for candidate, path, name in zip(match.candidates, paths, names, strict=True):
        match.synth.write_preset(candidate.patch, path, name=name)
    if match.synth.bank_name:
        paths.append(folder / match.synth.bank_name)
        match.synth.write_bank([candidate.patch for candidate in match.candidates], paths[-1], names)
    return paths


def _write_sounds(match: Match, folder: Path) -> list[Path]:
    sounds = {"target": with_tail(match.target)[None]} | {c.name: c.audio for c in match.candidates}
    for name, audio in sounds.items():
        write_wav(folder / f"{name}.wav", audio, match.sound.sample_rate)
    return [folder / f"{name}.wav" for name in sounds]


def _named_files(folder: Path) -> set[Path]:
    """Candidates' files and the bank of an earlier match in the same folder, as its ``match.json`` names them."""
    try:
        told = json.loads((folder / "match.json").read_text(encoding="utf-8"))
        names = [str(candidate[kind]) for candidate in told["candidates"] for kind in ("preset", "audio")]
        names.append(str(told.get("bank")))
    except (OSError, ValueError, KeyError, TypeError):
        return set()
    return {folder / name for name in names if name.startswith(("candidate_", "bank.")) and Path(name).name == name}


def preset_path(match: Match, candidate: Candidate, folder: Path) -> Path:
    """Where a candidate's preset file goes."""
    return folder / preset_file(match, candidate)


def preset_file(match: Match, candidate: Candidate) -> str:
    """Name of a candidate's preset file."""
    return f"{candidate.name}{match.synth.preset_suffix}"


def preset_name(match: Match, candidate: Candidate) -> str:
    """Name of the patch within the synth: the sound's own, with the candidate's number."""
    number = candidate.name.rsplit("_", 1)[-1]
    return f"{Path(match.target.source).stem.replace('_', ' ')} {number}"


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
        "bank": match.synth.bank_name,
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
            "skipped_patches": match.skipped,
        },
        "seed": match.seed,
        "stopped": match.stopped,
        "noise_floor": match.synth.noise_floor,
        "candidates": [_candidate(match, candidate) for candidate in match.candidates],
        "influences": [vars(influence) | {"tried": list(influence.tried)} for influence in match.influences],
        "improvements": [{"renders": i.renders, "distance": i.distance} for i in match.improvements],
        "models": dict(match.models),
        "versions": dict(match.versions),
    }


def _candidate(match: Match, candidate: Candidate) -> dict[str, Any]:
    return {
        "preset": preset_file(match, candidate),
        "audio": f"{candidate.name}.wav",
        "origin": candidate.origin,
        "distance": candidate.distance,
        "parts": dict(candidate.parts),
        "panel": dict(candidate.panel),
        "frequency": candidate.frequency,
        "patch": match.synth.space.named(candidate.patch),
    }
