"""Collections of presets: every different patch of preset files and of folders of them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wav2patch.errors import UserError
from wav2patch.parameters import Patch
from wav2patch.priors import distinct
from wav2patch.synths.base import RenderError, Synth

_NAMED = 3


@dataclass(frozen=True, eq=False)
class Collection:
    """The presets that were found.

    Attributes:
        patches: ``(N, P)``, at least one, each different, in ascending order: what files they were in, and in which
            order those came, makes no difference.
        presets: How many presets the files hold, copies included.
        unreadable: Files with the ending of a preset that hold none, in order.
        reasons: Of each of those, a sentence.
    """

    patches: Patch
    presets: int
    unreadable: tuple[Path, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def remark(self) -> str | None:
        """A sentence about the files that were passed over, None where there are none."""
        if not self.unreadable:
            return None
        named = ", ".join(str(path) for path in self.unreadable[:_NAMED])
        more = f" and {len(self.unreadable) - _NAMED} more" if len(self.unreadable) > _NAMED else ""
        files = "file was" if len(self.unreadable) == 1 else "files were"
        return f"{len(self.unreadable)} {files} passed over, as no preset could be read: {named}{more}."


def read_collection(synth: Synth, *paths: Path) -> Collection:
    """Every different preset of files, and of folders with the folders in them.

    Of a folder, files with the ending of the synth's presets count, in capitals too; a file that is named itself may
    have any ending. Files that cannot be read are passed over and kept count of.

    Raises:
        UserError: A file or folder does not exist, or holds not one preset of this synth.
    """
    found = [_read(synth, path) for path in paths]
    if not found:
        raise ValueError("a collection is read from at least one path")
    return Collection(
        distinct(synth.space, np.concatenate([part.patches for part in found])),
        sum(part.presets for part in found),
        tuple(path for part in found for path in part.unreadable),
        tuple(reason for part in found for reason in part.reasons),
    )


def _read(synth: Synth, path: Path) -> Collection:
    # Path.exists raises for a name that is too long.
    if not os.path.exists(path):
        raise UserError(f"there is no {'file' if path.suffix else 'folder'} {path}.")
    if path.is_file():
        return _gather(synth, path, [path])
    ending = synth.preset_suffix
    return _gather(synth, path, sorted(file for file in path.rglob("*") if file.suffix.lower() == ending))


def _gather(synth: Synth, place: Path, files: Iterable[Path]) -> Collection:
    patches: list[Patch] = []
    unreadable: dict[Path, str] = {}
    for file in files:
        if file.is_dir():
            continue
        try:
            patches += [preset.patch for preset in synth.read_presets(file)]
        except (UserError, RenderError, OSError) as error:
            unreadable[file] = str(error)
    if not patches:
        raise UserError(_nothing(synth, place, unreadable))
    return Collection(np.stack(patches), len(patches), tuple(unreadable), tuple(unreadable.values()))


def _nothing(synth: Synth, place: Path, unreadable: dict[Path, str]) -> str:
    if place in unreadable:
        return unreadable[place]
    ending = synth.preset_suffix
    if not unreadable:
        return f"{place} holds no presets of {synth.title}: give {ending} files, or a folder of them."
    count = len(unreadable)
    files = f"none of its {count} {ending} files could" if count > 1 else f"its only {ending} file could not"
    return f"{place} holds no presets of {synth.title}: {files} be read; {next(iter(unreadable.values()))}"
