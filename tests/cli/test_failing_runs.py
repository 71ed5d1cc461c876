"""What goes wrong in training and with what it made: one sentence each, and nothing half-written."""

from __future__ import annotations

import resource
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import real_sets
import torch
from commands import Said, one_sentence, run
from test_train import TOY
from tiny_checkpoints import FLOW, REGRESSION, write_checkpoint

from wav2patch.configs.composing import compose_settings
from wav2patch.training.run import fit
from wav2patch.training.saving import ENTRY

Say = Callable[..., Said]

TINY = TOY[1:]
PLAIN = tuple(one for one in TINY if not one.startswith(("inverter", "data.val_rows")))


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory, sound: Path) -> Path:
    """A sound, a data set of Dexed, checkpoints of other synths, and one of another space of k-osc."""
    folder = tmp_path_factory.mktemp("things")
    shutil.copy(sound, folder / "bell.wav")
    real_sets.make_real_set(folder / "set", count=6, features=())
    real_sets.cut_view(folder / "set", extents=real_sets.CUT[:1])
    write_checkpoint(folder / "ksin.ckpt", "ksin_4", REGRESSION)
    run = fit(compose_settings(["experiment=kosc/mse", *TINY, f"out={folder / 'runs'}", "data.k=8", "name=eight"]))
    run.last.rename(folder / "eight.ckpt")
    shutil.rmtree(folder / "runs")
    write_checkpoint(folder / "dexed.ckpt", "dexed", FLOW, note="given", length=0.5)
    checkpoint = torch.load(write_checkpoint(folder / "kosc.ckpt", "kosc_4", REGRESSION), weights_only=True)
    checkpoint[ENTRY]["record"]["space"] = "f" * 16
    torch.save(checkpoint, folder / "old.ckpt")
    return folder


@pytest.fixture
def wav2patch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, things: Path) -> Say:
    monkeypatch.chdir(shutil.copytree(things, tmp_path / "here"))
    return run


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("train", "experiment=vital/regression", *TINY, "data.folder=set"),
            "set is a data set of dexed, not of vital",
        ),
        (
            ("train", "experiment=kosc/mse", *TINY, "resume=eight.ckpt"),
            "of a model with another synth (kosc_8, and now kosc_4)",
        ),
        (("evaluate", "ckpt=old.ckpt", "data=kosc_4", "rows=2"), "another parameter space of kosc_4"),
        (
            ("evaluate", "ckpt=ksin.ckpt", "data=kosc_4", "rows=2"),
            "proposes patches of ksin_4, and kosc_4 is of kosc_4",
        ),
        (("evaluate", "ckpt=kosc.ckpt", "data=set/train.h5", "rows=2"), "proposes patches of kosc_4"),
        (("predict", "old.ckpt", "ckpt=old.ckpt"), "another parameter space of kosc_4"),
    ],
)
def test_what_does_not_belong_together_is_told_before_anything_is_written(
    wav2patch: Say, words: tuple[str, ...], said: str
) -> None:
    before = {*Path().rglob("*")}
    answer = wav2patch(*words)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err
    assert one_sentence(answer.err), answer.err
    assert {one.name for one in {*Path().rglob("*")} - before if one.is_file()} <= {"config.yaml"}


def test_a_loss_that_is_no_number_ends_the_run(wav2patch: Say) -> None:
    wild = ("module.learning_rate=1e30", "trainer.gradient_clip=null", "trainer.max_steps=20")
    answer = wav2patch("train", "experiment=kosc/mse", *TINY, *wild)
    assert (answer.code, answer.out) == (2, "")
    assert "no finite number any more at step" in answer.err
    assert one_sentence(answer.err), answer.err
    for path in Path("runs").rglob("*.ckpt"):
        assert all(bool(torch.isfinite(v).all()) for v in torch.load(path, weights_only=True)["state_dict"].values())


@pytest.fixture
def small_disk(wav2patch: Say) -> Iterator[None]:
    """No file may be larger than this; Linux says the same of a disk that is full, with another number."""
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.usefixtures("small_disk")
@pytest.mark.parametrize(
    ("words", "file"),
    [
        (("train", "experiment=kosc/mse", *TINY), "best.ckpt"),
        (
            ("train", "experiment=dexed/nearest", *PLAIN, "data.folder=set", "data.workers=0", "data.standardize=true"),
            "standard.npz",
        ),
        (("evaluate", "ckpt=kosc.ckpt", "data=kosc_4", "rows=40"), "evaluation.json"),
        (("predict", "bell.wav", "ckpt=dexed.ckpt", "note=C4"), "target.wav"),
    ],
    ids=["train", "statistics", "evaluate", "predict"],
)
def test_a_full_disk_leaves_nothing_half_written(wav2patch: Say, words: tuple[str, ...], file: str) -> None:
    answer = wav2patch(*words)
    assert (answer.code, answer.out) == (2, "")
    assert f"/{file} could not be written: File too large" in answer.err
    assert one_sentence(answer.err), answer.err
    assert not [*Path().rglob(".*")]
    assert not [*Path().rglob(file)]
