"""`wav2patch evaluate`: a whole run, and one sentence for each mistake."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import real_sets
import shard_sets
import yaml
from commands import Said, one_sentence, run
from tiny_checkpoints import FLOW, REGRESSION, write_checkpoint

from wav2patch.training.reading_settings import plain_settings, read_settings

Say = Callable[..., Said]
FILES = ["table.md", "table.csv", "table.tex", "parameters.csv", "evaluation.json", "patches.npz", "boxes.png"]


@pytest.fixture(scope="module")
def dexed_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return real_sets.make_real_set(tmp_path_factory.mktemp("real") / "set")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_checkpoint(folder / "dexed" / "checkpoints" / "last.ckpt", "dexed", FLOW, note="given", length=0.5)
    write_checkpoint(folder / "kosc.ckpt", "kosc_4", REGRESSION)
    return folder


@pytest.fixture
def wav2patch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, models: Path) -> Say:
    monkeypatch.chdir(tmp_path)
    return lambda *words: run("evaluate", *words)


def test_rows_that_a_model_was_trained_on_are_told(
    wav2patch: Say, dexed_set: Path, models: Path, tmp_path: Path
) -> None:
    real_sets.cut_view(dexed_set)
    run = tmp_path / "data.batch_size=8,data.k=4"  # as runs are called by themselves
    shutil.copytree(models / "dexed", run)
    settings = plain_settings(read_settings({"data": {"folder": str(dexed_set)}}))
    (run / "config.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    checkpoint = run / "checkpoints" / "last.ckpt"
    said = wav2patch(f"ckpt={checkpoint}", f"data={dexed_set}", "rows=3", "out=found", "sounds=0", "workers=1")
    assert said.code == 0, said.err
    assert "was trained on 1 of these 3 rows" in said.err


def test_dexed_is_rendered_and_measured_by_the_panel(wav2patch: Say, dexed_set: Path, models: Path) -> None:
    checkpoint = models / "dexed" / "checkpoints" / "last.ckpt"
    said = wav2patch(
        f"ckpt={checkpoint}", f"data={dexed_set}", "rows=3", "best_of=2", "out=found", "sounds=1", "workers=1"
    )
    assert said.code == 0, said.err
    assert "dexed: 3 rows of" in said.out
    assert "noise floor" in said.out
    assert "mss (dB) ↓" in said.out
    out = Path("found")
    assert sorted(path.name for path in out.iterdir()) == sorted([*FILES, "row-000000"])
    content = json.loads((out / "evaluation.json").read_text())
    assert list(content["methods"]) == ["noise floor", "prior mean", "random", "dexed"]
    assert [item["row"] for item in content["items"]] == [0, 1, 2]
    assert content["methods"]["dexed"]["proposals"] == 6
    names = sorted(path.name for path in (out / "row-000000").iterdir())
    assert names == sorted([
        "dexed.wav", "picture.png", "prior_mean.wav", "random.wav", "target.wav", "noise_floor.wav"
    ])  # fmt: skip


def test_research_synths_need_no_data_set(wav2patch: Say, models: Path) -> None:
    words = (f"ckpt={models / 'kosc.ckpt'}", "data=kosc_4", "rows=12", "sounds=1", "out=found", "--json")
    said = wav2patch(*words)
    assert said.code == 0, said.err
    content = json.loads(said.out)
    assert list(content["methods"]) == ["noise floor", "prior mean", "random", "kosc"]
    assert content["methods"]["noise floor"]["metrics"]["signal_lsd"]["mean"] == 0
    assert content["methods"]["random"]["metrics"]["signal_lsd"]["mean"] > 8
    assert all(Path(path).exists() for path in content["files"])
    again = json.loads(wav2patch(*words[:2], "rows=12", "sounds=0", "out=again", "--json").out)
    assert again["methods"] == content["methods"]
    assert not list(Path("again").glob("row-*"))


def test_mistakes_are_told_in_a_sentence(wav2patch: Say, dexed_set: Path, models: Path, tmp_path: Path) -> None:
    shard_sets.make_set(tmp_path / "other", shard_sets.make_recipe())
    shard_sets.make_set(tmp_path / "silent", shard_sets.make_recipe(audio="none"))
    (tmp_path / "torn.ckpt").write_bytes(b"PK\x03\x04 torn")
    kosc = f"ckpt={models / 'kosc.ckpt'}"
    mistakes = {
        (kosc, "data=other"): "kosc.ckpt proposes patches of kosc_4, and other is of ksin_4",
        (kosc, f"data={dexed_set}"): "proposes patches of kosc_4",
        ("ckpt=gone.ckpt", "data=kosc_4"): "there is no gone.ckpt",
        ("ckpt=torn.ckpt", "data=kosc_4"): "torn.ckpt is no checkpoint, or a damaged one",
        ("data=kosc_4", "rows=0"): "rows is 1 or more, not 0",
        ("data=kosc_4", "best_of=0"): "best_of is 1 or more",
        ("data=kosc_5",): "kosc_5",
        ("data=silent",): "no sounds to compare with",
        ("rows=5",): "data=… has to be given",
        ("data=kosc_4", "rows=3", "out=torn.ckpt/here"): "cannot be written to",
    }
    for words, sentence in mistakes.items():
        said = wav2patch(*words)
        assert said.code == 2, words
        assert one_sentence(said.err), said.err
        assert sentence in said.err
        assert not said.out
    assert not Path("evaluation").exists()


def test_help_lists_the_settings(wav2patch: Say) -> None:
    said = wav2patch("--help")
    assert said.code == 0
    for key in ("data=…", "ckpt=", "rows=1000", "best_of=1", "out=evaluation", "seed=0"):
        assert key in said.out
