"""The synths that wav2patch knows, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import MappingProxyType
from typing import Any

from wav2patch.errors import UserError
from wav2patch.synths.base import Synth


@dataclass(frozen=True)
class Entry:
    """Where a synth is made: a callable of a module that is imported when the synth is asked for.

    Attributes:
        module: Below `wav2patch.synths`.
        maker: Name of the callable.
        options: What it is called with.
        research: Whether it is for experiments alone, and plays no notes.
    """

    module: str
    maker: str
    options: Mapping[str, Any] = field(default_factory=dict)
    research: bool = False

    def __call__(self) -> Synth:
        """Make the synth."""
        maker: Callable[..., Synth] = getattr(import_module(f"wav2patch.synths.{self.module}"), self.maker)
        return maker(**self.options)


SYNTHS: MappingProxyType[str, Entry] = MappingProxyType({"dexed": Entry("dexed", "Dexed")})


def load_synth(name: str) -> Synth:
    """The synth of this name.

    It may still lack what it renders with, such as a plug-in; its `missing` tells.

    Raises:
        UserError: There is none; the sentence lists those that exist.
    """
    if name not in SYNTHS:
        raise UserError(f"there is no synth called {name!r}: choose from {', '.join(sorted(SYNTHS))}.")
    return SYNTHS[name]()


def instruments() -> list[str]:
    """Names of the synths that a musician would play, ready on this machine or not."""
    return sorted(name for name, entry in SYNTHS.items() if not entry.research)
