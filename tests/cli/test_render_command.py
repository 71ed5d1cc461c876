"""`wav2patch render`."""

from pathlib import Path

import pytest
from commands import one_sentence, run
from numpy.testing import assert_array_equal

from wav2patch.audio.files import read_audio
from wav2patch.notes import Note
from wav2patch.priors import draw
from wav2patch.synths.base import Synth


def test_render_takes_a_voice_of_a_bank(tmp_path: Path, dexed: Synth) -> None:
    patches = [draw(dexed.prior(), 8, i) for i in range(3)]
    dexed.write_bank(patches, tmp_path / "bank.syx", ["A", "B", "C"])
    done = run("render", "bank.syx", "--voice", 2, "--note", "C3", "--hold", 0.2, "--length", 0.4, cwd=tmp_path)
    assert done.code == 0, done.err
    audio, rate = read_audio(tmp_path / "bank_C3.wav")
    expected = dexed.render(patches[1], Note(48, 100, 0.0, 0.2), length=0.4, sample_rate=44100)
    assert rate == 44100
    assert_array_equal(audio, expected)
    assert one_sentence(run("render", "bank.syx", "--voice", 33, cwd=tmp_path).err)
    assert one_sentence(run("render", "nothing.syx", cwd=tmp_path).err)


@pytest.mark.parametrize("voice", ["E[/]PIANO", "[red]", "\x01\x02"])
def test_hostile_voice_names_are_printed(tmp_path: Path, dexed: Synth, voice: str) -> None:
    dexed.write_preset(dexed.space.default, tmp_path / "v.syx", name=voice)
    assert run("render", tmp_path / "v.syx").code == 0
