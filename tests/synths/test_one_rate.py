"""Dexed's tables are the process's: two sample rates at once come out as they do one after the other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from wav2patch.notes import Note
from wav2patch.synths.catalogue import load_synth

NOTE = Note(60, 100, 0.0, 0.4)
RATES = (22050, 44100, 48000)


def play(rate: int) -> NDArray[np.float32]:
    synth = load_synth("dexed")
    return np.asarray(synth.render(synth.space.default, NOTE, length=0.5, sample_rate=rate))


def test_renders_at_several_rates_wait_for_each_other() -> None:
    alone = {rate: play(rate) for rate in RATES}
    with ThreadPoolExecutor(6) as threads:
        for rate, audio in zip(RATES * 20, threads.map(play, RATES * 20), strict=True):
            np.testing.assert_array_equal(audio, alone[rate])
