"""The commands as a person types them: in a new process, looking only at what comes out."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from dexed import Patch as DexedPatch
from numpy.testing import assert_array_equal

from wav2patch.audio.files import read_audio, write_wav
from wav2patch.notes import Note
from wav2patch.priors import draw
from wav2patch.synths.base import Synth
from wav2patch.synths.dexed import Dexed

FILES = ["bank.syx", "candidate_1.syx", "candidate_1.wav", "candidate_2.syx", "candidate_2.wav", "match.json"]
FILES += ["report.html", "target.wav"]


def run(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "wav2patch", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=120, check=False)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory, dexed: Synth) -> Path:
    path = tmp_path_factory.mktemp("sounds") / "a bell.wav"
    patch = draw(dexed.prior(), 404, 2)
    write_wav(path, dexed.render(patch, Note(64, 100, 0.0, 0.3), length=0.5, sample_rate=44100), 44100)
    return path


@pytest.fixture(scope="module")
def matched(tmp_path_factory: pytest.TempPathFactory, sound: Path) -> tuple[Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("out")
    done = run("match", sound, "--renders", 150, "--candidates", 2, "--out", folder, "--note", "E4", "--seed", 5)
    return folder / "a bell", done


def test_match_writes_everything_and_says_where(matched: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, done = matched
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in folder.iterdir()) == FILES
    assert "report.html" in done.stdout
    assert "candidate_1.syx" in done.stdout
    assert "E4" in done.stdout


def test_a_candidates_preset_renders_its_audio_bit_for_bit(
    matched: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    folder, _ = matched
    told = json.loads((folder / "match.json").read_text())
    note = told["note"]
    for candidate in told["candidates"]:
        output = tmp_path / candidate["audio"]
        options = ["--note", note["pitch"], "--velocity", note["velocity"], "--hold", note["duration"]]
        done = run("render", folder / candidate["preset"], *options, "--length", told["length"], "-o", output)
        assert done.returncode == 0, done.stderr
        assert output.read_bytes() == (folder / candidate["audio"]).read_bytes()


def test_the_bank_opens_in_dexed_py(matched: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, _ = matched
    voices = DexedPatch.load_bank(str(folder / "bank.syx"))
    for i, voice in enumerate(voices[:2], start=1):
        (single,) = Dexed().read_presets(folder / f"candidate_{i}.syx")
        assert voice.name.strip() == single.name
        banked = Dexed().read_presets(folder / "bank.syx")[i - 1]
        assert_array_equal(banked.patch, single.patch)


def test_match_json_tells_the_whole_story(matched: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
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
    matched: tuple[Path, subprocess.CompletedProcess[str]], sound: Path, tmp_path: Path, workers: int
) -> None:
    options = ["--renders", 150, "--candidates", 2, "--note", "E4", "--seed", 5, "--workers", workers]
    assert run("match", sound, *options, "--out", tmp_path).returncode == 0
    assert numbers(tmp_path / "a bell") == numbers(matched[0])
    for name in ("candidate_1.syx", "candidate_1.wav", "candidate_2.syx", "bank.syx", "target.wav"):
        assert (tmp_path / "a bell" / name).read_bytes() == (matched[0] / name).read_bytes()


def test_json_is_one_object_and_nothing_else(sound: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / sound.name
    other.parent.mkdir()
    shutil.copy(sound, other)
    done = run("match", sound, other, sound, "--renders", 70, "--out", tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [match["synth"] for match in told["matches"]] == ["dexed", "dexed"]
    assert [Path(match["folder"]).name for match in told["matches"]] == ["a bell.wav", "a bell.wav-2"]
    assert done.stdout.count("\n") == 1


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


def test_own_presets_are_tried_and_found(sound: Path, tmp_path: Path, dexed: Synth) -> None:
    folder = tmp_path / "mine"
    dexed.write_preset(draw(dexed.prior(), 404, 2), folder / "sub" / "the one.SYX", name="THE ONE")
    (folder / "readme.txt").write_text("not a preset")
    (folder / "broken.syx").write_text("not one either")
    done = run(
        "match", sound, "--renders", 80, "--presets", folder, "--note", 64, "--hold", 0.3, "--out", tmp_path, "--json"
    )
    assert done.returncode == 0, done.stderr
    best = json.loads(done.stdout)["matches"][0]["candidates"][0]
    assert best["origin"] == "presets"
    assert best["distance"] < 0.5


def test_ctrl_c_keeps_the_best_so_far(sound: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "wav2patch", "match", str(sound), "--budget", "10m", "--out", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(6)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "stopped by you" in output
    told = json.loads((tmp_path / "a bell" / "match.json").read_text())
    assert told["stopped"] is True
    assert (tmp_path / "a bell" / "report.html").exists()


def test_a_second_ctrl_c_does_not_spoil_the_writing(sound: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "wav2patch", "match", str(sound), str(tmp_path / "next.wav")]
    shutil.copy(sound, tmp_path / "next.wav")
    process = subprocess.Popen(
        [*command, "--budget", "10m", "--out", str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    time.sleep(6)
    for _ in range(3):
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert (tmp_path / "a bell" / "match.json").exists()
    assert not (tmp_path / "next").exists()


@pytest.mark.parametrize(
    "name", ["kick [red]final.wav", "-dash.wav", "new\nline.wav", "a$b`c'd\".wav", "ünï.wav", "\udce9.wav"]
)
def test_hostile_names_are_matched_and_printed(sound: Path, tmp_path: Path, name: str) -> None:
    try:
        shutil.copy(sound, tmp_path / name)
    except (OSError, UnicodeEncodeError):
        pytest.skip("this file system refuses the name")
    done = run("match", "--renders", 66, "--candidates", 1, "--out", tmp_path / "o", "--", tmp_path / name)
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "o").iterdir()
    assert (folder / "report.html").exists()
    assert (folder / "candidate_1.syx").exists()
    if name.isprintable():
        assert f"{name}: " in done.stdout


@pytest.mark.parametrize("voice", ["E[/]PIANO", "[red]", "\x01\x02"])
def test_hostile_voice_names_are_printed(tmp_path: Path, dexed: Synth, voice: str) -> None:
    dexed.write_preset(dexed.space.default, tmp_path / "v.syx", name=voice)
    assert run("render", tmp_path / "v.syx").returncode == 0


def test_an_output_folder_that_cannot_be_is_noticed_before_the_search(sound: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    start = time.monotonic()
    done = run("match", sound, "--budget", "10m", "--out", tmp_path / "file")
    assert done.returncode == 2
    assert one_sentence(done.stderr)
    assert time.monotonic() - start < 30


def test_a_kill_leaves_no_half_written_file(sound: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "wav2patch", "match", str(sound), "--renders", "80", "--out", str(tmp_path)]
    for delay in (1.5, 2.2, 2.8, 3.4):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        process.kill()
        process.wait()
        for path in tmp_path.rglob("*"):
            if path.is_file() and not path.name.startswith("."):
                assert_whole(path)


def assert_whole(path: Path) -> None:
    if path.suffix == ".wav":
        read_audio(path)
    elif path.suffix == ".syx":
        assert len(path.read_bytes()) in (163, 4104)
    elif path.suffix == ".json":
        json.loads(path.read_text())
    elif path.suffix == ".html":
        assert path.read_text().rstrip().endswith("</html>")


def test_a_full_disk_is_one_sentence(sound: Path, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")

    def small_files_only() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))

    command = [sys.executable, "-m", "wav2patch", "match", str(sound), "--renders", "70", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=small_files_only, timeout=60, check=False)
    assert done.returncode == 2
    assert one_sentence(done.stderr)
    assert "could not be written" in done.stderr
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.suffix for path in left} == {".syx"}
    for path in left:
        assert_whole(path)


def one_sentence(text: str) -> bool:
    return bool(re.fullmatch(r"error: [^\n]{10,300}[.!]\n", text)) and "Traceback" not in text


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
    assert done.returncode == 2
    assert done.stdout == ""
    assert one_sentence(done.stderr), done.stderr
    assert not (tmp_path / "out").exists()


def test_one_bad_sound_does_not_stop_the_others(sound: Path, tmp_path: Path) -> None:
    done = run("match", tmp_path / "missing.wav", sound, "--renders", 70, "--out", tmp_path)
    assert done.returncode == 2
    assert one_sentence(done.stderr)
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
    assert done.returncode == 2
    assert words in done.stderr
    assert one_sentence(done.stderr)


def test_compare_shows_the_panel(sound: Path, tmp_path: Path) -> None:
    quieter = tmp_path / "quieter.wav"
    audio, rate = read_audio(sound)
    write_wav(quieter, 0.5 * audio, rate)
    done = run("compare", sound, quieter, "--json")
    metrics = json.loads(done.stdout)["metrics"]
    assert metrics["loudness"] == pytest.approx(-6.02, abs=0.1)
    assert metrics["mss"] == pytest.approx(0.0, abs=0.2)
    table = run("compare", sound, sound)
    assert table.returncode == 0
    assert all(name in table.stdout for name in ("mss", "wmfcc", "sot", "rms", "lsd", "loudness", "f0"))


def test_compare_takes_what_can_be_compared(sound: Path, tmp_path: Path) -> None:
    audio, _ = read_audio(sound)
    write_wav(tmp_path / "three.wav", np.repeat(audio, 3, axis=0), 44100)
    write_wav(tmp_path / "two.wav", np.repeat(audio, 2, axis=0), 44100)
    write_wav(tmp_path / "slow.wav", audio, 2000)
    mixed = run("compare", tmp_path / "two.wav", tmp_path / "three.wav", "--json")
    assert json.loads(mixed.stdout)["metrics"]["mss"] == pytest.approx(0.0, abs=1e-3)
    slow = run("compare", sound, tmp_path / "slow.wav")
    assert slow.returncode == 2
    assert one_sentence(slow.stderr)


def test_render_takes_a_voice_of_a_bank(tmp_path: Path, dexed: Synth) -> None:
    patches = [draw(dexed.prior(), 8, i) for i in range(3)]
    dexed.write_bank(patches, tmp_path / "bank.syx", ["A", "B", "C"])
    done = run("render", "bank.syx", "--voice", 2, "--note", "C3", "--hold", 0.2, "--length", 0.4, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    audio, rate = read_audio(tmp_path / "bank_C3.wav")
    expected = dexed.render(patches[1], Note(48, 100, 0.0, 0.2), length=0.4, sample_rate=44100)
    assert rate == 44100
    assert_array_equal(audio, expected)
    assert one_sentence(run("render", "bank.syx", "--voice", 33, cwd=tmp_path).stderr)
    assert one_sentence(run("render", "nothing.syx", cwd=tmp_path).stderr)


def test_synths_list(synth: Synth) -> None:
    assert synth.name in run("synths", "list").stdout
    listed = json.loads(run("synths", "list", "--json").stdout)["synths"]
    assert {
        "name": synth.name,
        "title": synth.title,
        "parameters": len(synth.space),
        "presets": synth.preset_suffix,
    } in listed


def test_a_prior_fitted_to_own_banks_serves_a_match(sound: Path, tmp_path: Path, dexed: Synth) -> None:
    patches = [draw(dexed.prior(), 9, i) for i in range(32)]
    dexed.write_bank(patches, tmp_path / "banks" / "one.syx", [str(i) for i in range(32)])
    fitted = run("prior", "fit", "banks", "-o", "mine.npz", cwd=tmp_path)
    assert fitted.returncode == 0, fitted.stderr
    assert "32 presets" in fitted.stdout
    done = run("match", sound, "--prior", "mine.npz", "--renders", 80, "--out", tmp_path, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert one_sentence(run("prior", "fit", "nowhere", cwd=tmp_path).stderr)


@pytest.mark.parametrize("command", [[], ["match"], ["render"], ["compare"], ["synths", "list"], ["prior", "fit"]])
def test_every_command_explains_itself(command: list[str]) -> None:
    done = run(*command, "--help")
    assert done.returncode == 0
    assert "Usage" in done.stdout


def test_help_waits_for_no_heavy_import() -> None:
    code = (
        "import sys; sys.argv = ['wav2patch', '--help']\n"
        "from wav2patch.cli.app import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = ('numpy', 'scipy', 'matplotlib', 'dexed', 'onnxruntime')\n"
        "print('HEAVY', [module for module in heavy if module in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "HEAVY []" in done.stdout


def test_errors_of_ours_are_told_apart(tmp_path: Path) -> None:
    code = (
        "import sys; from wav2patch.cli import app, match\n"
        "app.app.registered_commands[0].callback = lambda: 1 / 0\n"
        "sys.argv = ['wav2patch', 'match']; app.main()\n"
    )
    environment = {key: value for key, value in os.environ.items() if key != "WAV2PATCH_DEBUG"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 1
    assert one_sentence(done.stderr)
    assert "ZeroDivisionError" in done.stderr
