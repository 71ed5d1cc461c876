"""What a plug-in host offers: one plug-in, loaded in this process.

A plug-in may end the process, so matches open hosts in worker processes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from wav2patch.notes import Note
from wav2patch.synths.base import Audio


@dataclass(frozen=True)
class Control:
    """A parameter as the host sees it; its place is the only name that is unique and does not change.

    Attributes:
        index: Place in the plug-in's own list.
        name: The plug-in's name for it, which may be another's too.
        unit: Unit text such as ``"Hz"``; empty where the plug-in gives none.
        steps: Number of different positions; 0 for a smooth control or where the plug-in does not say.
        default: Normalised, 0 to 1: the value it has in a freshly opened plug-in.
    """

    index: int
    name: str
    unit: str = ""
    steps: int = 0
    default: float = 0.0


class Host(Protocol):
    """One loaded instance of a plug-in."""

    @property
    def controls(self) -> Sequence[Control]:
        """The plug-in's own parameters, in its order; what a wrapper adds (MIDI controllers) is left out."""
        ...

    def clear(self) -> None:
        """Stop what sounds, voices and the tails of effects, as far as this host can; controls stay as they are."""
        ...

    def reload(self) -> None:
        """Replace the plug-in by a fresh instance, with its own initial state."""
        ...

    def set(self, values: Mapping[int, float]) -> None:
        """Set parameters by their place to normalised values, 0 to 1; they are sent even where they seem unchanged."""
        ...

    def get(self, index: int) -> float:
        """The normalised value that the plug-in reports, which may be stale after a preset was loaded."""
        ...

    def text(self, index: int, value: float) -> str:
        """What the plug-in would show for a normalised value of a parameter."""
        ...

    def settle(self, seconds: float, *, sample_rate: int) -> None:
        """Process silence, so that what was set takes effect."""
        ...

    def play(self, note: Note, *, length: float, sample_rate: int) -> Audio:
        """Play one note at once; its onset is the caller's business.

        Returns:
            Float32 ``(2, round(length * sample_rate))``, the key press on the first sample.
        """
        ...

    def read_state(self) -> bytes:
        """The plug-in's whole state as the content of a preset file of its format."""
        ...

    def write_state(self, state: bytes) -> None:
        """Load the content of a preset file.

        Raises:
            ValueError: The plug-in refuses it.
        """
        ...


HostMaker = Callable[[Path], Host]
"""Loads the plug-in of a path; raises `HostError` where that fails."""


# At least two letters, or drives on Windows would be URIs; a `Path` of a URI has lost one of the slashes.
_URI = re.compile(r"[a-z][a-z0-9+.-]+:/|urn:")


class HostError(Exception):
    """A host that could not load a plug-in; says which and why."""


def plugin_format(path: Path | str) -> str:
    """``"vst3"``, ``"vst2"``, ``"lv2"`` or ``"au"`` by the name of a plug-in's file or bundle, or its URI (LV2)."""
    if is_uri(path):
        return "lv2"
    return {".vst3": "vst3", ".lv2": "lv2", ".component": "au"}.get(Path(path).suffix.lower(), "vst2")


def is_uri(path: Path | str) -> bool:
    """Whether a plug-in is named by a URI, as installed LV2 plug-ins are, and not by a path."""
    return _URI.match(str(path)) is not None


PRESET_SUFFIXES = {"vst3": ".vstpreset", "vst2": ".fxp", "lv2": ".lv2state", "au": ".aupreset"}
"""Ending of preset files by a plug-in's format."""


def host_for(path: Path | str) -> str:
    """The host that fits a plug-in's format best: ``"pedalboard"`` for VST3 and AU, ``"dawdreamer"`` for all else."""
    return "pedalboard" if plugin_format(path) in ("vst3", "au") else "dawdreamer"


def open_host(path: Path, host: str | None = None) -> Host:
    """Load a plug-in in this process.

    Args:
        path: Of the plug-in's file or bundle.
        host: ``"pedalboard"`` or ``"dawdreamer"``; the one that fits best by default.

    Raises:
        HostError: It cannot be loaded, or DawDreamer is not installed.
    """
    if (host or host_for(path)) == "pedalboard":
        from wav2patch.synths.plugins.pedalboard import PedalboardHost  # noqa: PLC0415 - 0.2 s, only with plug-ins

        return PedalboardHost(path)
    from wav2patch.synths.plugins.dawdreamer import DawDreamerHost  # noqa: PLC0415 - as above

    return DawDreamerHost(path)
