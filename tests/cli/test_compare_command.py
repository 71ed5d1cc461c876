"""`wav2patch compare`."""

import json
from pathlib import Path

import numpy as np
import pytest
from commands import one_sentence, run

from wav2patch.audio.files import read_audio, write_wav


def test_compare_shows_the_panel(sound: Path, tmp_path: Path) -> None:
    quieter = tmp_path / "quieter.wav"
    audio, rate = read_audio(sound)
    write_wav(quieter, 0.5 * audio, rate)
    done = run("compare", sound, quieter, "--json")
    metrics = json.loads(done.out)["metrics"]
    assert metrics["loudness"] == pytest.approx(-6.02, abs=0.1)
    assert metrics["mss"] == pytest.approx(0.0, abs=0.2)
    table = run("compare", sound, sound)
    assert table.code == 0
    assert all(name in table.out for name in ("mss", "wmfcc", "sot", "rms", "lsd", "loudness", "f0"))


def test_compare_takes_what_can_be_compared(sound: Path, tmp_path: Path) -> None:
    audio, _ = read_audio(sound)
    write_wav(tmp_path / "three.wav", np.repeat(audio, 3, axis=0), 44100)
    write_wav(tmp_path / "two.wav", np.repeat(audio, 2, axis=0), 44100)
    write_wav(tmp_path / "slow.wav", audio, 2000)
    mixed = run("compare", tmp_path / "two.wav", tmp_path / "three.wav", "--json")
    assert json.loads(mixed.out)["metrics"]["mss"] == pytest.approx(0.0, abs=1e-3)
    slow = run("compare", sound, tmp_path / "slow.wav")
    assert slow.code == 2
    assert one_sentence(slow.err)
