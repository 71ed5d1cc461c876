from pathlib import Path

import pytest

from wav2patch.audio.files import write_wav
from wav2patch.notes import Note
from wav2patch.priors import draw
from wav2patch.synths.base import Synth


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory, dexed: Synth) -> Path:
    path = tmp_path_factory.mktemp("sounds") / "a bell.wav"
    patch = draw(dexed.prior(), 404, 2)
    write_wav(path, dexed.render(patch, Note(64, 100, 0.0, 0.3), length=0.5, sample_rate=44100), 44100)
    return path
