"""`wav2patch prior`."""

from pathlib import Path

from commands import one_sentence, run

from wav2patch.priors import draw
from wav2patch.synths.base import Synth


def test_a_prior_fitted_to_own_banks_serves_a_match(sound: Path, tmp_path: Path, dexed: Synth) -> None:
    patches = [draw(dexed.prior(), 9, i) for i in range(32)]
    dexed.write_bank(patches, tmp_path / "banks" / "one.syx", [str(i) for i in range(32)])
    (tmp_path / "banks" / "broken.syx").write_bytes(b"garbage")
    fitted = run("prior", "fit", "banks", "-o", "mine.npz", cwd=tmp_path)
    assert fitted.code == 0, fitted.err
    assert "32 presets" in fitted.out
    assert "1 file was passed over, as no preset could be read: banks/broken.syx." in fitted.err
    done = run("match", sound, "--prior", "mine.npz", "--renders", 80, "--out", tmp_path, cwd=tmp_path)
    assert done.code == 0, done.err
    assert one_sentence(run("prior", "fit", "nowhere", cwd=tmp_path).err)
