"""Where the results of many sounds go."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from pathlib import Path


def own_folders(sounds: Sequence[Path], out_folder: Path) -> list[tuple[Path, Path]]:
    """Every different sound with a folder of its own: its stem, its name, or its name with a number."""
    different = list({sound.resolve(): sound for sound in sounds}.values())
    stems = [sound.stem for sound in different]
    taken: dict[str, Path] = {}
    for sound in different:
        name = sound.stem if stems.count(sound.stem) == 1 else sound.name
        numbered = (f"{name}-{i}" for i in count(2))
        while name in taken:
            name = next(numbered)
        taken[name] = sound
    return [(sound, out_folder / name) for name, sound in taken.items()]
