"""`wav2patch match` on what cannot be matched."""

from pathlib import Path

import numpy as np
import pytest
from commands import one_sentence, run

from wav2patch.audio.files import write_wav


def bad_sounds(folder: Path) -> dict[str, Path]:
    files = {
        name: folder / f"{name}.wav" for name in ("missing", "empty", "silent", "nan", "text", "short", "cut", "header")
    }
    files["empty"].touch()
    write_wav(files["silent"], np.zeros(44100, dtype=np.float32), 44100)
    # Written by hand: our own writer would refuse it.
    import scipy.io.wavfile

    scipy.io.wavfile.write(files["nan"], 44100, np.full(44100, np.nan, dtype=np.float32))
    files["text"].write_text("This is a poem and not a sound.\n" * 50)
    write_wav(files["short"], np.ones(20, dtype=np.float32), 44100)
    tone = np.sin(np.arange(44100) / 20).astype(np.float32)
    write_wav(files["cut"], tone, 44100)
    files["header"].write_bytes(files["cut"].read_bytes()[:30])
    files["cut"].unlink()
    del files["cut"]
    return files | {"folder": folder}


@pytest.mark.parametrize("name", ["missing", "empty", "silent", "nan", "text", "short", "header", "folder"])
def test_a_bad_sound_is_one_sentence(tmp_path: Path, name: str) -> None:
    path = bad_sounds(tmp_path)[name]
    done = run("match", path, "--renders", 70, "--out", tmp_path / "out")
    assert done.code == 2
    assert done.out == ""
    assert one_sentence(done.err), done.err
    assert not (tmp_path / "out").exists()


def test_one_bad_sound_does_not_stop_the_others(sound: Path, tmp_path: Path) -> None:
    done = run("match", tmp_path / "missing.wav", sound, "--renders", 70, "--out", tmp_path)
    assert done.code == 2
    assert one_sentence(done.err)
    assert (tmp_path / "a bell" / "match.json").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--synth", "minimoog"], "no synth called 'minimoog'"),
        (["--note", "H9"], "is not a note"),
        (["--budget", "soon"], "is not a duration"),
        (["--presets", "nowhere"], "no folder nowhere"),
        (["--prior", "nowhere.npz"], "no file nowhere.npz"),
        (["--hold", "-1"], "held for longer than 0 s"),
    ],
)
def test_a_bad_option_is_one_sentence(sound: Path, tmp_path: Path, arguments: list[str], words: str) -> None:
    done = run("match", sound, *arguments, "--out", tmp_path / "out", cwd=tmp_path)
    assert done.code == 2
    assert words in done.err
    assert one_sentence(done.err)
