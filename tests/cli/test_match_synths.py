"""`wav2patch match` on several synths, and on top of a preset."""

import json
from pathlib import Path

import pytest
from commands import one_sentence, run

from wav2patch.synths.catalogue import load_synth

# Seconds too, as what comes after the search takes them: on Vital, hundreds of renders.
QUICK = ("--renders", 66, "--budget", "5s", "--candidates", 1)


@pytest.fixture(scope="module")
def matched(tmp_path_factory: pytest.TempPathFactory, sound: Path) -> Path:
    folder = tmp_path_factory.mktemp("several")
    done = run("match", sound, "--synth", "dexed, vital", *QUICK, "--out", folder)
    assert done.code == 0, done.err
    assert "comes closest" in done.out
    return folder / "a bell"


def test_each_synth_gets_a_folder_and_the_sound_a_ranking(matched: Path) -> None:
    assert (matched / "dexed" / "candidate_1.syx").exists()
    assert (matched / "vital" / "candidate_1.vital").exists()
    told = json.loads((matched / "synths.json").read_text())
    distances = [row["distance"] for row in told["synths"]]
    assert distances == sorted(distances)
    assert {row["synth"] for row in told["synths"]} == {"dexed", "vital"}
    for row in told["synths"]:
        for kind in ("preset", "match", "report"):
            assert (matched / row[kind]).exists()
    page = (matched / "report.html").read_text()
    assert "Vital" in page
    assert "dexed/report.html" in page


def test_a_candidates_preset_renders_its_audio_bit_for_bit(matched: Path, tmp_path: Path) -> None:
    told = json.loads((matched / "vital" / "match.json").read_text())
    note, output = told["note"], tmp_path / "again.wav"
    options = ("--synth", "vital", "--note", note["pitch"], "--hold", note["duration"], "--length", told["length"])
    done = run("render", matched / "vital" / "candidate_1.vital", *options, "-o", output)
    assert done.code == 0, done.err
    assert output.read_bytes() == (matched / "vital" / "candidate_1.wav").read_bytes()


def test_a_match_keeps_what_its_base_has(sound: Path, tmp_path: Path) -> None:
    vital = load_synth("vital")
    vital.write_preset(vital.space.default, tmp_path / "mine.vital", name="mine")
    document = json.loads((tmp_path / "mine.vital").read_text())
    document["macro1"] = "Growl"
    document["settings"]["wavetables"][0]["name"] = "My own table"
    (tmp_path / "mine.vital").write_text(json.dumps(document))
    options = ("--synth", "vital", "--base", tmp_path / "mine.vital", *QUICK)
    done = run("match", sound, *options, "--out", tmp_path)
    assert done.code == 0, done.err
    found = json.loads((tmp_path / "a bell" / "candidate_1.vital").read_text())
    assert found["macro1"] == "Growl"
    assert found["settings"]["wavetables"][0]["name"] == "My own table"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--synth", "dexed", "--base", "x.vital"), "cannot start from a base preset"),
        (("--synth", "dexed,vital", "--base", "x.vital"), "belongs to one synth"),
        (("--synth", "vital", "--base", "missing.vital"), "missing.vital"),
        (("--synth", "dexed,minimoog"), "no synth called 'minimoog'"),
        (("--synth", "nothing.yaml"), "nothing.yaml"),
        (("--synth", "diva"), "WAV2PATCH_DIVA"),
    ],
)
def test_what_cannot_be_is_one_sentence(sound: Path, tmp_path: Path, options: tuple[str, ...], words: str) -> None:
    done = run("match", sound, *options, "--renders", 20, "--out", tmp_path, cwd=tmp_path)
    assert done.code == 2
    assert one_sentence(done.err), done.err
    assert words in done.err
