"""Private folders for plug-ins, which write databases and settings under the user's home as they are loaded."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path

FOLDER_VARIABLE = "WAV2PATCH_WORKER_FOLDER"
"""Set in worker processes to a folder that is theirs alone."""

_HOMES = {
    "HOME": ".",
    "XDG_CONFIG_HOME": ".config",
    "XDG_DATA_HOME": ".local/share",
    "XDG_CACHE_HOME": ".cache",
    "USERPROFILE": ".",
    "APPDATA": "AppData/Roaming",
    "LOCALAPPDATA": "AppData/Local",
}


def private_folder(owner: object) -> Path:
    """A folder for the plug-ins of this process: in the worker's own, or one that goes when `owner` does."""
    if worker := os.environ.get(FOLDER_VARIABLE):
        folder = Path(worker) / "plugin-home"
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    folder = Path(tempfile.mkdtemp(prefix="wav2patch-plugin-"))
    weakref.finalize(owner, shutil.rmtree, folder, ignore_errors=True)
    return folder


@contextlib.contextmanager
def private_environment(folder: Path, extra: Mapping[str, str]) -> Iterator[None]:
    """Load a plug-in within this block: it takes `folder` for the user's home.

    In a worker process the environment stays so, elsewhere it is put back after the block.

    Args:
        folder: Exists.
        extra: Variables that the plug-in reads; ``~`` and ``$NAME`` in them are those of the user. A plug-in whose
            licence lies under the user's home asks for ``HOME: "~"``.
    """
    before = dict(os.environ)
    expanded = {name: os.path.expandvars(os.path.expanduser(value)) for name, value in extra.items()}
    for name, place in _HOMES.items():
        (folder / place).mkdir(parents=True, exist_ok=True)
        os.environ[name] = str(folder / place)
    os.environ.update(expanded)
    try:
        yield
    finally:
        if FOLDER_VARIABLE not in before:
            os.environ.clear()
            os.environ.update(before)
