"""Surge XT in pedalboard, set by patches of its own format."""

from __future__ import annotations

import math
from collections.abc import Mapping

from wav2patch.synths.plugins.pedalboard import PedalboardHost
from wav2patch.synths.plugins.surge import patch_of, to_vstpreset

BLOCK = 32
"""Samples that Surge computes at once."""


class SurgeHost(PedalboardHost):
    """Setting controls loads a patch that holds their values, and nothing else."""

    def clear(self) -> None:
        """Have Surge begin a block with the next sample; the next patch's load stops what sounds."""
        self._plugin.reset()

    def settle(self, seconds: float, *, sample_rate: int) -> None:
        """Process silence in whole blocks of Surge's: a note is rendered differently by its place in one."""
        self._process([], BLOCK * math.ceil(seconds * sample_rate / BLOCK), sample_rate)

    def set(self, values: Mapping[int, float]) -> None:
        """Load a patch in which controls have these normalised values, and all others Surge's initial ones."""
        self.write_state(to_vstpreset(patch_of(values, "wav2patch")))
