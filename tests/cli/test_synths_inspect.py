"""`wav2patch synths inspect`; on real plug-ins where environment variables point to them."""

import json
import os
from pathlib import Path

import pytest
from commands import one_sentence, run, run_apart

from wav2patch.synths.plugins.spec_file import load_spec

OBXD = "WAV2PATCH_OBXD"


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
    assert done.code == 2
    assert words in done.err
    assert one_sentence(done.err)
    assert (tmp_path / "old.yaml").read_text() == "mine"


def test_help_tells_what_happens() -> None:
    done = run("synths", "inspect", "--help")
    assert done.code == 0
    assert "SPEC.yaml" in done.out


@pytest.mark.slow
@pytest.mark.skipif(OBXD not in os.environ, reason=f"{OBXD} does not point to OB-Xd's VST3")
@pytest.mark.timeout(900)
def test_a_real_plugin_can_be_matched_with_at_once(tmp_path: Path, project: Path) -> None:
    done = run_apart(
        "synths", "inspect", os.environ[OBXD], "--quick", "--json", "-o", "obxd.yaml", cwd=tmp_path, seconds=800
    )
    assert done.code == 0, done.err
    told = json.loads(done.out)
    spec = load_spec(tmp_path / "obxd.yaml")
    assert told["parameters"] == len(spec.knobs) > 25
    assert told["silent_share"] < 0.05
    assert spec.figures["noise_floor"] > 0.5
    names = spec.space.names
    assert {"cutoff", "resonance", "osc1_pitch", "attack", "release"} <= set(names)
    assert not {"program", "bypass", "volume"} & set(names)
    sound = project / "examples" / "electric_piano_c4.wav"
    options = ["--synth", "obxd.yaml", "--renders", "60", "--candidates", "1"]
    matched = run_apart("match", sound, *options, cwd=tmp_path, seconds=800)
    assert matched.code == 0, matched.err
    assert (tmp_path / "matches" / "electric_piano_c4" / "candidate_1.vstpreset").is_file()
