"""`wav2patch match`: what it writes and says."""

import json
import shutil
from pathlib import Path

import pytest
from commands import Said, run, run_apart
from dexed import Patch as DexedPatch
from numpy.testing import assert_array_equal

from wav2patch.priors import draw
from wav2patch.synths.base import Synth
from wav2patch.synths.dexed import Dexed

FILES = ["bank.syx", "candidate_1.syx", "candidate_1.wav", "candidate_2.syx", "candidate_2.wav", "match.json"]
FILES += ["report.html", "target.wav"]


@pytest.fixture(scope="module")
def matched(tmp_path_factory: pytest.TempPathFactory, sound: Path) -> tuple[Path, Said]:
    folder = tmp_path_factory.mktemp("out")
    done = run_apart("match", sound, "--renders", 150, "--candidates", 2, "--out", folder, "--note", "E4", "--seed", 5)
    return folder / "a bell", done


def test_match_writes_everything_and_says_where(matched: tuple[Path, Said]) -> None:
    folder, done = matched
    assert done.code == 0, done.err
    assert sorted(path.name for path in folder.iterdir()) == FILES
    assert "report.html" in done.out
    assert "candidate_1.syx" in done.out
    assert "E4" in done.out


def test_a_candidates_preset_renders_its_audio_bit_for_bit(matched: tuple[Path, Said], tmp_path: Path) -> None:
    folder, _ = matched
    told = json.loads((folder / "match.json").read_text())
    note = told["note"]
    for candidate in told["candidates"]:
        output = tmp_path / candidate["audio"]
        options = ["--note", note["pitch"], "--velocity", note["velocity"], "--hold", note["duration"]]
        done = run("render", folder / candidate["preset"], *options, "--length", told["length"], "-o", output)
        assert done.code == 0, done.err
        assert output.read_bytes() == (folder / candidate["audio"]).read_bytes()


def test_the_bank_opens_in_dexed_py(matched: tuple[Path, Said]) -> None:
    folder, _ = matched
    voices = DexedPatch.load_bank(str(folder / "bank.syx"))
    for i, voice in enumerate(voices[:2], start=1):
        (single,) = Dexed().read_presets(folder / f"candidate_{i}.syx")
        assert voice.name.strip() == single.name
        banked = Dexed().read_presets(folder / "bank.syx")[i - 1]
        assert_array_equal(banked.patch, single.patch)


def test_match_json_tells_the_whole_story(matched: tuple[Path, Said]) -> None:
    folder, _ = matched
    told = json.loads((folder / "match.json").read_text())
    assert told["note"]["pitch"] == 64
    assert told["seed"] == 5
    assert told["spent"]["renders"] == told["budget"]["renders"] == 150
    assert told["noise_floor"] == 0.0
    assert told["versions"]["wav2patch"]
    distances = [candidate["distance"] for candidate in told["candidates"]]
    assert told["improvements"][-1]["distance"] <= min(distances)
    assert sum(told["spent"]["rendered"].values()) == 150
    assert len(told["candidates"][0]["patch"]) == 145
    assert set(told["candidates"][0]["panel"]) >= {"mss", "wmfcc", "sot", "rms", "lsd", "mfcc", "loudness", "f0"}


def numbers(folder: Path) -> list[object]:
    told = json.loads((folder / "match.json").read_text())
    return [told["candidates"], told["improvements"], told["influences"], told["target"]["loudness_lufs"]]


@pytest.mark.parametrize("workers", [1, 3])
def test_the_same_match_twice_whatever_the_workers(
    matched: tuple[Path, Said], sound: Path, tmp_path: Path, workers: int
) -> None:
    options = ["--renders", 150, "--candidates", 2, "--note", "E4", "--seed", 5, "--workers", workers]
    assert run("match", sound, *options, "--out", tmp_path).code == 0
    assert numbers(tmp_path / "a bell") == numbers(matched[0])
    for name in ("candidate_1.syx", "candidate_1.wav", "candidate_2.syx", "bank.syx", "target.wav"):
        assert (tmp_path / "a bell" / name).read_bytes() == (matched[0] / name).read_bytes()


def test_json_is_one_object_and_nothing_else(sound: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / sound.name
    other.parent.mkdir()
    shutil.copy(sound, other)
    done = run("match", sound, other, sound, "--renders", 70, "--out", tmp_path, "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert [match["synth"] for match in told["matches"]] == ["dexed", "dexed"]
    assert [Path(match["folder"]).name for match in told["matches"]] == ["a bell.wav", "a bell.wav-2"]
    assert done.out.count("\n") == 1


def test_fewer_candidates_the_next_time_leave_no_old_ones_behind(sound: Path, tmp_path: Path) -> None:
    run("match", sound, "--renders", 100, "--candidates", 3, "--out", tmp_path)
    (tmp_path / "a bell" / "my notes.txt").write_text("kept")
    run("match", sound, "--renders", 100, "--candidates", 1, "--out", tmp_path)
    names = {path.name for path in (tmp_path / "a bell").iterdir()}
    assert names == {
        "bank.syx",
        "candidate_1.syx",
        "candidate_1.wav",
        "match.json",
        "report.html",
        "target.wav",
        "my notes.txt",
    }
    run("match", sound, "--synth", "vital", "--renders", 20, "--budget", "2s", "--candidates", 1, "--out", tmp_path)
    others = {path.name for path in (tmp_path / "a bell").iterdir()}
    assert others == names - {"bank.syx", "candidate_1.syx"} | {"candidate_1.vital"}


def test_own_presets_are_tried_and_found(sound: Path, tmp_path: Path, dexed: Synth) -> None:
    folder = tmp_path / "mine"
    dexed.write_preset(draw(dexed.prior(), 404, 2), folder / "sub" / "the one.SYX", name="THE ONE")
    (folder / "readme.txt").write_text("not a preset")
    (folder / "broken.syx").write_text("not one either")
    done = run(
        "match", sound, "--renders", 80, "--presets", folder, "--note", 64, "--hold", 0.3, "--out", tmp_path, "--json"
    )
    assert done.code == 0, done.err
    best = json.loads(done.out)["matches"][0]["candidates"][0]
    assert best["origin"] == "presets"
    assert best["distance"] < 0.5


@pytest.mark.parametrize(
    "name", ["kick [red]final.wav", "-dash.wav", "new\nline.wav", "a$b`c'd\".wav", "ünï.wav", "\udce9.wav"]
)
def test_hostile_names_are_matched_and_printed(sound: Path, tmp_path: Path, name: str) -> None:
    try:
        shutil.copy(sound, tmp_path / name)
    except (OSError, UnicodeEncodeError):
        pytest.skip("this file system refuses the name")
    # A process gets the bytes of what Unicode cannot spell, and its console them back.
    type_in = run if name.isprintable() else run_apart
    done = type_in("match", "--renders", 66, "--candidates", 1, "--out", tmp_path / "o", "--", tmp_path / name)
    assert done.code == 0, done.err
    (folder,) = (tmp_path / "o").iterdir()
    assert (folder / "report.html").exists()
    assert (folder / "candidate_1.syx").exists()
    if name.isprintable():
        assert f"{name}: " in done.out
