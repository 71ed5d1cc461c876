from __future__ import annotations

import numpy as np
import pytest

from wav2patch.audio.target import Target, target_from_audio
from wav2patch.notes import Note
from wav2patch.parameters import Patch
from wav2patch.synths.base import Synth


def simple_voice(synth: Synth) -> Patch:
    """Algorithm 32 with two sounding operators."""
    return synth.space.from_named(
        {
            "algorithm": "32",
            "op1_output_level": 95,
            "op1_eg_rate_2": 40,
            "op1_eg_level_2": 80,
            "op1_eg_rate_3": 30,
            "op1_eg_level_3": 0,
            "op2_output_level": 85,
            "op2_coarse": 3,
            "op2_eg_rate_2": 55,
            "op2_eg_level_2": 60,
            "op2_eg_level_3": 0,
        }
    )


@pytest.fixture(scope="session")
def simple_target(dexed: Synth) -> Target:
    note = Note(60, 100, 0.0, 0.4)
    audio = dexed.render(simple_voice(dexed), note, length=0.6, sample_rate=44100)
    return target_from_audio(audio, 44100, note="60", hold=0.4, source="simple voice.wav")


@pytest.fixture(scope="session")
def noise_target() -> Target:
    generator = np.random.default_rng([1, 2])
    burst = 0.2 * generator.standard_normal(15000) * np.exp(-np.arange(15000) / 3000)
    return target_from_audio(burst.astype(np.float32), 44100, source="noise.wav")
