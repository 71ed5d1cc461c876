"""What a plug-in host offers: one plug-in, loaded in this process.

A plug-in may end the process, so hosts are opened in worker processes (see `rendering/processes.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
        default: Normalised, 0 to 1.
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

    def restart(self) -> None:
        """Bring the plug-in back to the state in which it was opened, as far as this host can."""
        ...

    def set(self, values: Mapping[int, float]) -> None:
        """Set parameters by their place to normalised values, 0 to 1."""
        ...

    def get(self, index: int) -> float:
        """The normalised value that the plug-in reports, which may be stale after a preset was loaded."""
        ...

    def text(self, index: int, value: float) -> str:
        """What the plug-in would show for a normalised value of a parameter."""
        ...

    def settle(self, seconds: float) -> None:
        """Process silence, so that what was set takes effect."""
        ...

    def play(self, note: Note, *, length: float, sample_rate: int) -> Audio:
        """Play one note; float32 ``(2, samples)``, from time 0 to `length` seconds."""
        ...

    def read_state(self) -> bytes:
        """The plug-in's whole state in the format of its preset files."""
        ...

    def write_state(self, state: bytes) -> None:
        """Load the content of a preset file.

        Raises:
            ValueError: The plug-in refuses it.
        """
        ...


class HostError(Exception):
    """A host that could not load a plug-in; says which and why."""


def plugin_format(path: Path) -> str:
    """``"vst3"``, ``"vst2"``, ``"lv2"``, ``"au"`` by the name of a plug-in's file or bundle."""
    return {".vst3": "vst3", ".lv2": "lv2", ".component": "au"}.get(path.suffix.lower(), "vst2")
