"""`wav2patch synths check`; on real plug-ins where environment variables or folders have them."""

import json
from pathlib import Path

import pytest
from commands import one_sentence, run, run_apart

from wav2patch.synths.catalogue import load_synth

PROMISES = {"the same patch twice", "A–B–A", "preset files", "crashes and hangs", "silent draws", "a killed worker"}


@pytest.mark.slow
def test_dexed_keeps_its_contract() -> None:
    done = run_apart("synths", "check", "dexed", "--renders", "40", "--json", seconds=800)
    assert done.code == 0, done.out + done.err
    told = json.loads(done.out)
    assert told["holds"]
    assert {f["name"] for f in told["findings"] if f["holds"]} >= PROMISES
    assert told["figures"]["noise_floor"] == 0
    assert told["figures"]["renders_per_second"] > 5


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["diva"], "is not installed"),
        (["missing.yaml"], "could not be read"),
        (["dexed", "--write"], "no spec file"),
    ],
)
def test_what_cannot_be_checked_gets_one_sentence(tmp_path: Path, arguments: list[str], words: str) -> None:
    done = run("synths", "check", *arguments, cwd=tmp_path)
    assert done.code == 2
    assert words in done.err
    assert one_sentence(done.err)


def test_help_tells_the_exit_codes() -> None:
    assert "exit code" in run("synths", "check", "--help").out


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tal_noisemaker", "amsynth"])
@pytest.mark.timeout(600)
def test_a_real_plugin_keeps_its_contract(tmp_path: Path, project: Path, name: str) -> None:
    if reason := load_synth(name).missing():
        pytest.skip(reason)
    spec = tmp_path / "own.yaml"
    spec.write_text((project / "src" / "wav2patch" / "synths" / "specs" / f"{name}.yaml").read_text("utf-8"), "utf-8")
    done = run_apart("synths", "check", spec, "--renders", "60", "--json", seconds=800)
    told = json.loads(done.out)
    held = {finding["name"]: finding["holds"] for finding in told["findings"]}
    assert held["the same patch twice"] is not False, told
    assert held["A–B–A"], told
    assert held["preset files"], told
    assert held["opened by the plug-in"], told
    assert held["a killed worker"], told
    # The figures went into the file that was named, and nothing else of it changed.
    figures = load_synth(str(spec)).spec.figures  # type: ignore[attr-defined]
    assert figures["noise_floor"] == told["figures"]["noise_floor"]
    assert load_synth(str(spec)).space == load_synth(name).space
