"""Preset files of several synths that need no plug-in installed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from wav2patch.parameters import Patch
from wav2patch.priors import UniformPrior, draw
from wav2patch.synths.base import Synth
from wav2patch.synths.plugins import vstpreset
from wav2patch.synths.plugins.stored import Stored, attach


def drawn(synth: Synth, count: int, seed: int = 5) -> Patch:
    """Different patches ``(count, P)``."""
    return np.stack([draw(UniformPrior(synth.space), seed, i) for i in range(count)])


def write(synth: Synth, patch: Patch, folder: Path, name: str) -> Path:
    """A preset file of one patch, also for a plug-in that is not here: then without its state."""
    path = folder / f"{name}{synth.preset_suffix}"
    folder.mkdir(parents=True, exist_ok=True)
    if synth.preset_suffix == vstpreset.SUFFIX and synth.missing():
        stored = Stored(name, synth.name, synth.space.digest, synth.space.named(patch), {})
        empty = vstpreset.to_bytes(vstpreset.VstPreset(b"0" * 32, ((b"Comp", b"state"),)))
        path.write_bytes(attach(empty, stored, vstpreset.SUFFIX))
    else:
        synth.write_preset(patch, path, name=name)
    return path


WRITABLE = ("dexed", "vital", "surge_xt_simple", "tal_noisemaker", "ksin_16", "inversynth_fm")
"""One synth for every format: .syx, .vital, .fxp, .vstpreset and .json."""
