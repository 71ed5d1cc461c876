from __future__ import annotations

import numpy as np
import pytest
from voices import simple_voice

from wav2patch.audio.target import Target, target_from_audio
from wav2patch.notes import Note
from wav2patch.synths.base import Synth


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
