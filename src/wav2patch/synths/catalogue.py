"""The synths that wav2patch knows, by name."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

from wav2patch.errors import UserError
from wav2patch.synths.base import Synth


def _dexed() -> Synth:
    from wav2patch.synths.dexed import Dexed  # noqa: PLC0415 - an engine is imported when it is asked for

    return Dexed()


SYNTHS: MappingProxyType[str, Callable[[], Synth]] = MappingProxyType({"dexed": _dexed})


def load_synth(name: str) -> Synth:
    """The synth of this name.

    Raises:
        UserError: There is none; the sentence lists those that exist.
    """
    if name not in SYNTHS:
        raise UserError(f"there is no synth called {name!r}: choose from {', '.join(sorted(SYNTHS))}.")
    return SYNTHS[name]()
