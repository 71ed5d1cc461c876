"""Where the plug-in of a spec is on this machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from wav2patch.synths.plugins.host import is_uri

_FOLDERS: dict[str, dict[str, tuple[str, ...]]] = {
    "linux": {
        "vst3": ("~/.vst3", "/usr/lib/vst3", "/usr/local/lib/vst3"),
        "vst2": ("~/.vst", "/usr/lib/vst", "/usr/local/lib/vst", "/usr/lib/lxvst", "/usr/local/lib/lxvst"),
        "lv2": ("~/.lv2", "/usr/lib/lv2", "/usr/local/lib/lv2"),
    },
    "darwin": {
        "vst3": ("~/Library/Audio/Plug-Ins/VST3", "/Library/Audio/Plug-Ins/VST3"),
        "vst2": ("~/Library/Audio/Plug-Ins/VST", "/Library/Audio/Plug-Ins/VST"),
        "lv2": ("~/Library/Audio/Plug-Ins/LV2", "/Library/Audio/Plug-Ins/LV2"),
        "au": ("~/Library/Audio/Plug-Ins/Components", "/Library/Audio/Plug-Ins/Components"),
    },
    "win32": {
        "vst3": ("%LOCALAPPDATA%/Programs/Common/VST3", "%COMMONPROGRAMFILES%/VST3"),
        "vst2": ("%PROGRAMFILES%/VSTPlugins", "%PROGRAMFILES%/Steinberg/VSTPlugins", "%COMMONPROGRAMFILES%/VST2"),
        "lv2": ("%APPDATA%/LV2", "%COMMONPROGRAMFILES%/LV2"),
    },
}
# A bundle may lie in a maker's folder.
_DEPTH = 2
_VST2_ENDINGS = (".so", ".dll", ".vst", ".dylib")


def locate(names: Sequence[str], variable: str = "", path: Path | str | None = None) -> Path | None:
    """The first of a plug-in's files that exists.

    Args:
        names: File names, the preferred one first, or paths.
        variable: Environment variable that may hold the plug-in's path, or that of a folder with it; where it is set,
            nothing else is asked.
        path: Taken before the variable, in the same way.

    Returns:
        Path of the file or bundle; None where there is none.
    """
    if given := str(path or "") or os.environ.get(variable, ""):
        return _given(Path(given).expanduser(), names)
    for name in names:
        if is_uri(name):
            # Whether an LV2 plug-in of this URI is installed, only loading it tells.
            return Path(name)
        if Path(name).is_absolute():
            if Path(name).exists():
                return Path(name)
            continue
        for folder in plugin_folders(name):
            if found := next(_inside(folder, name), None):
                return found
    return None


def why_missing(names: Sequence[str], variable: str = "", path: Path | str | None = None) -> str | None:
    """A sentence that says why `locate` finds nothing and what to do; None where it finds something."""
    if locate(names, variable, path) is not None:
        return None
    wanted, title = " or ".join(Path(name).name for name in names), Path(names[0]).stem
    if path:
        return f"{path} is neither {wanted} nor a folder that holds it: give the path of {title}."
    if given := os.environ.get(variable, ""):
        return f"{variable} points to {given}, where there is no {wanted}: set it to the path of {title}, or unset it."
    hint = f", or set {variable} to its path" if variable else ""
    return f"{title} is not installed: put {wanted} into one of your plug-in folders{hint}."


def plugin_folders(name: str) -> list[Path]:
    """The folders of this system in which a plug-in of this file name is looked for."""
    kinds = _FOLDERS.get(sys.platform, _FOLDERS["linux"])
    suffix = Path(name).suffix.lower()
    kind = "vst2" if suffix in _VST2_ENDINGS else {".vst3": "vst3", ".lv2": "lv2", ".component": "au"}.get(suffix, "")
    listed = kinds.get(kind, ())
    expanded = (os.path.expandvars(os.path.expanduser(folder)) for folder in listed)
    return [*_from_environment(kind), *(Path(folder) for folder in expanded if "%" not in folder)]


def _from_environment(kind: str) -> list[Path]:
    # Hosts on Linux read these variables, colon-separated as PATH is.
    variable = {"vst3": "VST3_PATH", "vst2": "VST_PATH", "lv2": "LV2_PATH"}.get(kind, "")
    return [Path(folder).expanduser() for folder in os.environ.get(variable, "").split(os.pathsep) if folder]


def _given(path: Path, names: Sequence[str]) -> Path | None:
    """The path itself, or what it holds. A bundle is a folder too, so its name tells."""
    plain = [Path(name).name for name in names]
    if path.name in plain or path.is_file() or path.suffix.lower() in (".vst3", ".lv2", ".component", ".vst"):
        return path if path.exists() else None
    return next((found for name in plain for found in _inside(path, name)), None)


def _inside(folder: Path, name: str) -> Iterator[Path]:
    """Files or bundles called `name` in a folder or in the folders in it."""
    patterns = ("*/" * depth + name.replace("[", "[[]") for depth in range(_DEPTH))
    return (found for pattern in patterns for found in sorted(folder.glob(pattern)))
