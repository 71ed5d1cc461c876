"""Matching on engines that are slow, noisy or not there."""

import time

import numpy as np
import pytest
from synth_variants import Absent, Noisy, Slow

from wav2patch.audio.channels import to_mono
from wav2patch.audio.target import Target
from wav2patch.errors import UserError
from wav2patch.matching.match import match, with_tail
from wav2patch.metrics.objective import Objective


def test_a_slow_synth_keeps_to_its_seconds(simple_target: Target) -> None:
    start = time.monotonic()
    found = match(simple_target, Slow(), seconds=6.0, workers=2)
    # Without a share set aside, choosing and explaining alone would take 20 s; the last batch may run over.
    assert time.monotonic() - start < 12.0
    assert found.candidates
    assert found.influences


def test_a_noisy_synth_is_judged_by_several_renders(simple_target: Target) -> None:
    synth = Noisy()
    found = match(simple_target, synth, renders=400, workers=1)
    objective = Objective(with_tail(simple_target), simple_target.sample_rate, simple_target.bandwidth)
    for candidate in found.candidates:
        sound = found.sound
        again = [
            objective(to_mono(synth.render(candidate.patch, sound.note, length=sound.length, sample_rate=44100)))
            for _ in range(40)
        ]
        # The search remembers each patch's one lucky render; the mean of four must not be far from the truth.
        assert candidate.distance == pytest.approx(np.mean(again), abs=1.0)
    assert all(influence.change > synth.noise_floor for influence in found.influences)


def test_a_synth_that_is_not_there_is_told_at_once(simple_target: Target) -> None:
    with pytest.raises(UserError, match="Absent is not installed"):
        match(simple_target, Absent())
