"""Runs that begin from what others have learnt, alone and in chains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from wav2patch.configs.chains import run_chains
from wav2patch.configs.composing import compose_settings
from wav2patch.configs.experiments import chains_of
from wav2patch.errors import UserError
from wav2patch.training.beginning import first_learner
from wav2patch.training.reading_settings import read_settings
from wav2patch.training.run import RunResult, fit, make_run
from wav2patch.training.saving import load_trained
from wav2patch.training.settings import RunSettings

UNET = {"base": 8, "multipliers": [1, 2], "blocks": 1}
TRANSFORMER = {"width": 16, "layers": 1, "heads": 2, "hidden": 16}
SOUNDS = {"synth": "ksin", "k": 4, "samples": 1024, "feature": "stft:size=64:hop=32", "batch_size": 4, "val_rows": 8}


def settings(place: Path, inverter: dict[str, Any], **changes: Any) -> RunSettings:
    values: dict[str, Any] = {
        "out": str(place), "note": "none", "inverter": inverter, "data": SOUNDS,
        "trainer": {"max_steps": 3, "val_every": 3, "log_every": 1, "accelerator": "cpu"},
        "logging": {"tensorboard": False}, "callbacks": {"parameter_errors": 4},
    }  # fmt: skip
    return read_settings({**values, **changes})


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    return fit(settings(tmp_path_factory.mktemp("unet"), {"kind": "masked_unet", **UNET}))


def regression(encoder: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "regression", "width": 8, "hidden": 8, "blocks": 1, "encoder": encoder}


def kept(checkpoint: Path) -> dict[str, torch.Tensor]:
    return torch.load(checkpoint, weights_only=True)["state_dict"]


def test_pretraining_is_a_run_with_its_figures(pretrained: RunResult) -> None:
    assert (pretrained.state, pretrained.steps) == ("trained", 3)
    assert {"val/spec_l1", "val/mean_l1", "val/between_l1"} <= pretrained.metrics.keys()
    with pytest.raises(UserError, match=r"proposes no patches: train a method that begins with init="):
        load_trained(pretrained.last)


def test_an_encoder_begins_from_what_was_pretrained(pretrained: RunResult, tmp_path: Path) -> None:
    wanted = settings(tmp_path, regression({"name": "unet_1d", **UNET, "hidden": 8}), init=str(pretrained.last))
    run = make_run(wanted)
    without: Any = first_learner(run.record, wanted.seed)
    run.data.close()
    begun: Any = run.inverter
    there = kept(pretrained.last)
    for name, value in begun.listener.encoder.network.state_dict().items():
        assert torch.equal(value, there[f"inverter.network.encoder.{name}"])
    assert not torch.equal(begun.listener.encoder.network.stem.weight, without.listener.encoder.network.stem.weight)
    for name, value in begun.head.state_dict().items():
        assert torch.equal(value, without.head.state_dict()[name])
    assert fit(wanted).steps == 3


def test_what_counts_batches_begins_anew(tmp_path: Path) -> None:
    vae = {
        "kind": "vae_flow",
        "encoder": {"name": "cnn_1d", "widths": [4, 4], "out": 8, "hidden": 8},
        "width": 16,
        "hidden": 16,
        "decoder_width": 8,
        "latent_layers": 2,
        "regression_layers": 2,
    }
    trained = fit(settings(tmp_path / "first", vae, data={**SOUNDS, "feature": "spectrum"}))
    state = kept(trained.last)
    assert int(state["inverter.steps"]) == 3
    wanted = settings(tmp_path / "second", vae, data={**SOUNDS, "feature": "spectrum"}, init=str(trained.last))
    run = make_run(wanted)
    run.data.close()
    begun = run.inverter.state_dict()
    assert int(begun.pop("steps")) == 0
    assert all(torch.equal(value, state[f"inverter.{name}"]) for name, value in begun.items())


def test_a_frozen_encoder_stays_as_it_was(pretrained: RunResult, tmp_path: Path) -> None:
    encoder = {"name": "unet_1d", **UNET, "hidden": 8, "frozen": True}
    result = fit(settings(tmp_path, regression(encoder), init=str(pretrained.last)))
    there, here = kept(pretrained.last), kept(result.last)
    prefix = "inverter.listener.encoder.network."
    names = [name for name in here if name.startswith(prefix)]
    assert names
    for name in names:
        assert torch.equal(here[name], there[f"inverter.network.encoder.{name.removeprefix(prefix)}"])


def test_a_transformer_goes_from_stage_to_stage_and_to_an_encoder(tmp_path: Path) -> None:
    inverter = {"kind": "masked_transformer", **TRANSFORMER, "decoder_layers": 1, "keys": 8}
    before, last = None, Path()
    for stage in ("contrastive", "decoder", "full"):
        result = fit(settings(tmp_path, {**inverter, "stage": stage}, init=before, name=stage))
        if stage == "decoder":
            network = [name for name in kept(result.last) if name.startswith("inverter.network.")]
            assert all(torch.equal(kept(result.last)[name], kept(last)[name]) for name in network)
        before, last = str(result.last), result.last
    inner = {"inner": 16, "layers": 1, "heads": 2, "feed_forward": 16, "hidden": 8}
    assert fit(settings(tmp_path, regression({"name": "patch_transformer", **inner}), init=before)).steps == 3


@pytest.mark.parametrize(
    ("inverter", "words"),
    [
        ({"kind": "masked_unet", **UNET, "base": 16}, "of other sizes or names"),
        (regression({"name": "unet_1d", **UNET, "base": 16, "hidden": 8}), "of other sizes or names"),
        (regression({"name": "mlp", "hidden": 8}), "of which nothing fits into this regression"),
    ],
)
def test_what_does_not_fit_is_told(pretrained: RunResult, inverter: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=words):
        make_run(settings(tmp_path, inverter, init=str(pretrained.last)))


@pytest.mark.parametrize("what", ["nothing", "text"])
def test_what_is_no_checkpoint_is_told(what: str, tmp_path: Path) -> None:
    path = tmp_path / "x.ckpt"
    if what == "text":
        path.write_text("words")
    with pytest.raises(UserError, match="no checkpoint"):
        make_run(settings(tmp_path, {"kind": "masked_unet", **UNET}, init=str(path)))


def test_a_chain_begins_each_run_from_the_one_before(tmp_path: Path) -> None:
    told: list[RunSettings] = []
    run_chains(["experiment=pretrain/all", f"out={tmp_path}", "seed=3"], lambda one, words: told.append(one))
    assert [one.experiment for one in told] == [
        *("pretrain/unet", "pretrain/unet_whole"),
        *("pretrain/contrastive", "pretrain/decoder", "pretrain/full"),
    ]
    assert {one.name for one in told} == {"seed=3"}
    assert {one.seed for one in told} == {3}
    assert [one.init for one in told] == [
        None,
        f"{tmp_path}/pretrain/unet/seed=3/checkpoints/last.ckpt",
        None,
        f"{tmp_path}/pretrain/contrastive/seed=3/checkpoints/last.ckpt",
        f"{tmp_path}/pretrain/decoder/seed=3/checkpoints/last.ckpt",
    ]


def test_a_chain_runs_and_goes_on(tmp_path: Path) -> None:
    words = [
        *("experiment=pretrain/all", f"out={tmp_path}", "name=mine", "data.synth=ksin", "data.k=4", "data.samples=512"),
        *("data.feature=stft:size=64:hop=32", "data.batch_size=4", "data.val_rows=8", "trainer.accelerator=cpu"),
        *("trainer.max_steps=2", "trainer.val_every=2", "logging.tensorboard=false"),
    ]
    small = {"masked_unet": UNET, "masked_transformer": {**TRANSFORMER, "decoder_layers": 1, "keys": 8}}

    def job(one: RunSettings, _: list[str]) -> RunResult:
        import dataclasses

        return fit(dataclasses.replace(one, inverter={**one.inverter, **small[one.inverter["kind"]]}))

    first, again = run_chains(words, job), run_chains(words, job)
    assert first is not None
    assert again is not None
    assert [(one.state, one.steps) for one in first] == [("trained", 2)] * 5
    assert [one.state for one in again] == ["finished before"] * 5


def test_only_chains_are_chained() -> None:
    assert run_chains(["experiment=kosc/mse"], lambda one, words: None) is None
    assert chains_of("pretrain/unet") == chains_of("kosc/all") == chains_of("pretrain") == []
    with pytest.raises(UserError, match="give init to one of them"):
        run_chains(["experiment=pretrain/all", "init=x.ckpt"], lambda one, words: None)
    assert compose_settings(["experiment=pretrain/unet_whole"]).inverter["share"] == 0
