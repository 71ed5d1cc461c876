"""`wav2patch train`, as it is typed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from commands import one_sentence, run

TOY = (
    *("experiment=kosc/mse", "trainer.max_steps=2", "trainer.val_every=2", "trainer.accelerator=cpu"),
    *("data.batch_size=4", "data.val_rows=6", "callbacks.parameter_errors=0", "logging.tensorboard=false"),
    *("inverter.width=8", "inverter.hidden=8", "inverter.blocks=1"),
    *("inverter.encoder={name: cnn_1d, widths: [4, 4], out: 8, hidden: 8}",),
)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_run_lies_in_its_folder_and_is_not_made_twice(elsewhere: Path) -> None:
    said = run("train", *TOY, "data.k=8", "name=toy")
    assert (said.code, said.out) == (0, "")
    assert "2 steps, trained in" in said.err
    folder = elsewhere / "runs/kosc/mse/toy"
    assert {one.name for one in folder.iterdir()} == {"checkpoints", "config.yaml", "metrics.csv", "result.json"}
    assert [one.name for one in elsewhere.iterdir()] == ["runs"]
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert (config["data"]["k"], config["data"]["kind"], config["symmetries_of"]) == (8, "tensor", "kosc_8")
    again = run("train", *TOY, "data.k=8", "name=toy", "--json")
    assert json.loads(again.out)["state"] == "finished before"
    more = run("train", *TOY, "data.k=8", "name=toy", "trainer.max_steps=3", "--json")
    assert (json.loads(more.out)["state"], json.loads(more.out)["steps"]) == ("resumed", 3)


def test_a_sweep_runs_every_combination(elsewhere: Path) -> None:
    words = ("train", "-m", *TOY, "experiment=kosc/mse,kosc/chamfer", "seed=0,1", "out=swept", "--json")
    said = run(*words)
    runs = json.loads(said.out)["runs"]
    assert said.code == 0
    assert len({one["folder"] for one in runs}) == 4
    assert all(Path(one["last"]).exists() and one["steps"] == 2 for one in runs)
    assert sorted({Path(one["folder"]).parent.as_posix() for one in runs}) == ["swept/kosc/chamfer", "swept/kosc/mse"]
    # Hydra notes what was swept, and nothing is written anywhere else.
    assert {one.name for one in elsewhere.iterdir()} == {"swept"}
    from hydra.core.global_hydra import GlobalHydra

    assert not GlobalHydra.instance().is_initialized()
    again = run(*words)
    assert {one["state"] for one in json.loads(again.out)["runs"]} == {"finished before"}


def test_the_settings_of_all_runs_of_a_chain_are_shown() -> None:
    said = run("train", "experiment=pretrain/all", "data.synth=dexed", "--cfg", "job")
    assert said.code == 0, said.err
    runs = list(yaml.safe_load_all(said.out))
    assert [one["experiment"] for one in runs] == [
        *("pretrain/unet", "pretrain/unet_whole", "pretrain/contrastive", "pretrain/decoder", "pretrain/full")
    ]
    assert runs[1]["init"] == "runs/pretrain/unet/data.synth=dexed/checkpoints/last.ckpt"


def test_settings_come_from_a_file_too() -> None:
    Path("mine.yaml").write_text("experiment: kosc/chamfer\ndata: {k: 16}\nmodule: {learning_rate: 3.0e-4}\n")
    said = run("train", "settings=mine.yaml", "data.symmetric=false", "--cfg", "job")
    config = yaml.safe_load(said.out)
    assert (config["experiment"], config["data"]["k"], config["data"]["symmetric"]) == ("kosc/chamfer", 16, False)
    assert (config["module"]["learning_rate"], config["trainer"]["max_steps"]) == (3e-4, 400_000)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["experiment=kosc/msse"], "there is no experiment 'kosc/msse': is kosc/mse meant?"),
        (["experiment=kos/x"], "choose from kosc/flow_equivariant, "),
        (["experiment=zzz"], "choose from kosc/…, ksin/…, "),
        (["experiment=kosc/mse", "trainer.max_stepz=3"], "is trainer.max_steps meant?"),
        (["experiment=kosc/mse", "learning_rate=3"], "is module.learning_rate meant?"),
        (["experiment=kosc/mse", "trainer.max_steps=many"], "trainer.max_steps is a whole number, not 'many'"),
        (["experiment=kosc/mse", "module.ema=yes"], "module.ema is a number"),
        (["experiment=kosc/mse", "note=maybe"], "note is given or predicted or none, not 'maybe'"),
        (["experiment=kosc/mse", "module=3"], "module is a group of settings"),
        (["experiment=kosc/mse", "seed=1,2"], "-m runs each of them"),
        (["experiment=kosc/mse", "data.synth=${nix}"], "Interpolation key 'nix' not found"),
        (["experiment=kosc/mse", "fast"], "settings are given as key=value"),
        (["experiment=kosc/mse", "settings=nix.yaml"], "nix.yaml holds no settings"),
        (["experiment=kosc/mse", "--cfg", "all"], "--cfg is job, not all"),
        (["experiment=kosc/mse", "data.k=5"], "there is no synth called 'kosc_5'"),
        (["experiment=kosc/mse", "inverter.loss=hinge"], "there is no loss called 'hinge'"),
        (["-m", "experiment=kosc/mse", "data.k=5,6"], "there is no synth called 'kosc_5'"),
        (["experiment=dexed/flow", "data.folder=nix"], "there is no view nix/train.h5"),
        (["experiment=kosc/mse", "+data.nix=3"], "there is no setting 'data.nix'"),
    ],
)
def test_mistakes_are_told_in_a_sentence(words: list[str], said: str) -> None:
    answer = run("train", *words)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err
    assert one_sentence(answer.err)


def test_texts_need_no_second_quotes() -> None:
    from wav2patch.configs.composing import compose_settings, run_name

    words = ["experiment=dexed/flow", "data.notes=wide latest=0.1 longest=0.3", "data.feature=log_mel:hop=0.01"]
    settings = compose_settings([*words, "data.prior=0.5 synth + 0.5 mutations:~/a b's"])
    assert settings.data.notes == "wide latest=0.1 longest=0.3"
    assert settings.data.feature == "log_mel:hop=0.01"
    assert settings.data.prior == "0.5 synth + 0.5 mutations:~/a b's"
    assert run_name(["experiment=a/b", "trainer.max_steps=3", "out=x"]) == "default"
    assert run_name(["++seed=1", "data.k=8"]) == run_name(["data.k=8", "seed=1"]) == "data.k=8,seed=1"
    assert len(run_name([f"data.folder={'x' * 300}"])) == 80


def test_help_teaches_and_waits_for_nothing(elsewhere: Path) -> None:
    code = (
        "import sys; sys.argv = ['wav2patch', 'train', '--help']\n"
        "from wav2patch.cli.app import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'hydra', 'lightning', 'numpy', 'optuna'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    for word in ("kosc/…", "surge_simple/…", "flow_equivariant", "trainer.max_steps=50000", "module.ema=null"):
        assert word in done.stdout
