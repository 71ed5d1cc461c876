"""`wav2patch synths inspect`; on real plug-ins where environment variables point to them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from commands import one_sentence, run

from wav2patch.synths.plugins.spec_file import load_spec

OBXD = "WAV2PATCH_OBXD"


def patiently(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Like `run`, with time for thousands of renders."""
    command = [sys.executable, "-m", "wav2patch", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=800, check=False)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.vst3"], "no plug-in"),
        (["junk.vst3"], "could not be loaded"),
        (["junk.vst3", "-o", "spec.txt"], ".yaml"),
        (["junk.vst3", "-o", "old.yaml"], "--force"),
    ],
)
def test_what_cannot_be_inspected_gets_one_sentence(tmp_path: Path, arguments: list[str], words: str) -> None:
    (tmp_path / "junk.vst3").write_bytes(b"no plug-in at all")
    (tmp_path / "old.yaml").write_text("mine")
    done = run("synths", "inspect", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert one_sentence(done.stderr)
    assert (tmp_path / "old.yaml").read_text() == "mine"


def test_help_tells_what_happens() -> None:
    done = run("synths", "inspect", "--help")
    assert done.returncode == 0
    assert "SPEC.yaml" in done.stdout


@pytest.mark.slow
@pytest.mark.skipif(OBXD not in os.environ, reason=f"{OBXD} does not point to OB-Xd's VST3")
@pytest.mark.timeout(900)
def test_a_real_plugin_can_be_matched_with_at_once(tmp_path: Path, project: Path) -> None:
    done = patiently("synths", "inspect", os.environ[OBXD], "--quick", "--json", "-o", "obxd.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    spec = load_spec(tmp_path / "obxd.yaml")
    assert told["parameters"] == len(spec.knobs) > 25
    assert told["silent_share"] < 0.05
    assert spec.figures["noise_floor"] > 0.5
    names = spec.space.names
    assert {"cutoff", "resonance", "osc1_pitch", "attack", "release"} <= set(names)
    assert not {"program", "bypass", "volume"} & set(names)
    sound = project / "examples" / "electric_piano_c4.wav"
    options = ["--synth", "obxd.yaml", "--renders", "60", "--candidates", "1"]
    matched = patiently("match", sound, *options, cwd=tmp_path)
    assert matched.returncode == 0, matched.stderr
    assert (tmp_path / "matches" / "electric_piano_c4" / "candidate_1.vstpreset").is_file()
