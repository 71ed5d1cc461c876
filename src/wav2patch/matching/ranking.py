"""Which synth comes closest: matches of one sound on several synths, in order and on disk."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wav2patch.files import write_text
from wav2patch.matching.candidates import pitch_is_right, pitch_penalty
from wav2patch.matching.result import Match
from wav2patch.matching.store import preset_file

FORMAT = 1


def closest_first(matches: Sequence[Match]) -> list[Match]:
    """Matches of one sound by the distance of their best candidates; one that is out of tune is put back."""
    return sorted(matches, key=lambda match: match.best.distance + _penalty(match))


def _penalty(match: Match) -> float:
    return pitch_penalty(match.target.frequency, match.best.frequency)


def save_ranking(matches: Sequence[Match], folders: Mapping[str, Path], folder: Path) -> Path:
    """Write ``synths.json``: the synths, closest first, with where their matches lie.

    Args:
        matches: Of one sound, in any order.
        folders: Where each was saved, by the name of its synth.
        folder: Where the file goes.

    Raises:
        UserError: The disk refuses the file.
    """
    path = folder / "synths.json"
    write_text(path, json.dumps(as_dictionary(matches, folders, folder), indent=2, ensure_ascii=False) + "\n")
    return path


def as_dictionary(matches: Sequence[Match], folders: Mapping[str, Path], folder: Path) -> dict[str, Any]:
    """What ``synths.json`` holds."""
    ordered = closest_first(matches)
    rows = [_row(match, folders[match.synth.name].relative_to(folder)) for match in ordered]
    return {"format": FORMAT, "closest": ordered[0].synth.name, "synths": rows}


def _row(match: Match, folder: Path) -> dict[str, Any]:
    return {
        "synth": match.synth.name,
        "title": match.synth.title,
        "distance": match.best.distance,
        "noise_floor": match.synth.noise_floor,
        "in_tune": pitch_is_right(match.target.frequency, match.best.frequency),
        "renders": match.renders,
        "preset": (folder / preset_file(match, match.best)).as_posix(),
        "match": (folder / "match.json").as_posix(),
        "report": (folder / "report.html").as_posix(),
    }
