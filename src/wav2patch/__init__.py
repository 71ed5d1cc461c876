"""wav2patch takes a sound and gives back the synthesizer patch that makes it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wav2patch.audio.compare import compare
    from wav2patch.audio.target import Target, listen
    from wav2patch.errors import UserError
    from wav2patch.matching.match import match
    from wav2patch.matching.result import Match
    from wav2patch.matching.store import save_match
    from wav2patch.notes import Note
    from wav2patch.parameters import Categorical, Continuous, Discrete, ParameterSpace
    from wav2patch.synths.base import Synth
    from wav2patch.synths.catalogue import load_synth

__all__ = [
    "Categorical",
    "Continuous",
    "Discrete",
    "Match",
    "Note",
    "ParameterSpace",
    "Synth",
    "Target",
    "UserError",
    "compare",
    "listen",
    "load_synth",
    "match",
    "save_match",
]

_HOMES = {
    "Categorical": "parameters",
    "Continuous": "parameters",
    "Discrete": "parameters",
    "Match": "matching.result",
    "Note": "notes",
    "ParameterSpace": "parameters",
    "Synth": "synths.base",
    "Target": "audio.target",
    "UserError": "errors",
    "compare": "audio.compare",
    "listen": "audio.target",
    "load_synth": "synths.catalogue",
    "match": "matching.match",
    "save_match": "matching.store",
}


def __getattr__(name: str) -> Any:
    # Imported when first asked for: `wav2patch --help` must not wait for SciPy.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
