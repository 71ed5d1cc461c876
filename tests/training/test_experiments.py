"""Every experiment composes, and makes a model; toy sizes stand in for its own."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest
import torch
from real_sets import cut_view, make_real_set
from small_runs import shrunk

from wav2patch.configs.composing import compose_settings
from wav2patch.configs.experiments import experiment_names, load_families
from wav2patch.synths.catalogue import load_synth
from wav2patch.training.beginning import first_learner
from wav2patch.training.making import Facts, data_facts, data_kind, make_data, make_record
from wav2patch.training.run import fit
from wav2patch.training.run_folder import flattened
from wav2patch.training.saving import load_trained
from wav2patch.training.settings import RunSettings


@functools.cache
def composed(name: str) -> RunSettings:
    return compose_settings([f"experiment={name}"])


@pytest.fixture(scope="module")
def dexed_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_real_set(tmp_path_factory.mktemp("dexed"), notes="paper", features=())
    cut_view(folder)
    cut_view(folder, "val")
    return folder


@pytest.mark.parametrize("name", experiment_names())
def test_every_experiment_makes_a_model(name: str) -> None:
    settings = shrunk(composed(name))
    assert settings.experiment == name
    space = load_synth(settings.data.synth_name).space
    kind = data_kind(settings.data)
    facts = Facts(settings.data.synth_name, space.digest, "paper length=0.5", 44_100, 0.5, 1)
    if kind == "tensor":
        facts = data_facts(make_data(settings.data), settings.data)
    record = make_record(settings, facts)
    inverter = first_learner(record, 0)
    assert inverter.kind == settings.inverter["kind"]
    assert inverter.layout.width == space.width + 3 * (settings.note == "predicted")
    assert inverter.tells_note == (settings.note == "given")


def test_experiments_are_what_the_papers_have() -> None:
    assert len(experiment_names()) == 3 * 8 + 2 * 7 + 2 * 6 + 2 * 8 + 2 * 5 + 2 * 3 + 5
    kosc = composed("kosc/flow_assigned")
    assert (kosc.trainer.max_steps, kosc.data.batch_size, kosc.module.schedule) == (400_000, 1024, "constant")
    surge = composed("surge_simple/flow")
    assert (surge.trainer.max_steps, surge.note, surge.data.notes, surge.data.feature) == (
        *(1_000_000, "predicted", "paper"),
        "log_mel",
    )
    assert composed("dexed/flow").note == "given"
    proxy = composed("dexed_proxy/tfm")
    assert (proxy.trainer.max_steps, proxy.data.batch_size, proxy.module.learning_rate) == (600_000, 512, 1e-3)
    assert (proxy.module.hold_steps, proxy.module.cycles, proxy.module.betas) == (7500, (1.0, 2.0), (0.9, 0.987))
    assert (proxy.note, proxy.data.notes, proxy.data.standardize) == ("none", "C4", False)


def test_broken_symmetry_leaves_the_symmetric_belief() -> None:
    settings = compose_settings(["experiment=kosc/flow_equivariant", "data.k=8", "data.symmetric=false"])
    assert (settings.data.synth_name, settings.symmetries_of) == ("kosc_8_asymmetric", "kosc_8")
    small = shrunk(settings)
    record = make_record(small, data_facts(make_data(small.data), small.data))
    assert len(record.layout().symmetries) > 0
    tokens = compose_settings(["experiment=kosc/flow_assigned", "data.k=8"]).inverter["field"]["parameter_tokens"]
    assert tokens == 8


@pytest.mark.parametrize("name", ["kosc/flow_equivariant", "kosc/flow_assigned", "kosc/chamfer"])
def test_research_trains(name: str, tmp_path: Path) -> None:
    result = fit(shrunk(composed(name), out=str(tmp_path), data={"symmetric": False}))
    assert result.steps == 3
    assert result.metrics["val/loss"] > 0
    trained = load_trained(result.last)
    assert trained.record.synth == "kosc_4_asymmetric"


@pytest.mark.parametrize(
    ("name", "standardized"), [("dexed/flow", False), ("dexed/nearest", False), ("dexed/vae_flow", True)]
)
def test_instruments_train_on_a_data_set(dexed_set: Path, name: str, standardized: bool, tmp_path: Path) -> None:
    result = fit(shrunk(composed(name), out=str(tmp_path), data={"folder": str(dexed_set)}))
    trained = load_trained(result.last)
    assert (trained.standard is not None) == standardized
    assert (result.folder / "standard.npz").exists() == standardized
    audio = torch.zeros(1, 22_050).numpy()
    from wav2patch.notes import Note

    found = trained.propose(audio, 44_100, Note(60, 100, 0.0, 0.3), 2, torch.Generator().manual_seed(0))
    assert found.patches.shape == (2, len(trained.synth.space.names))


def test_the_paper_s_protocol_predicts_notes(dexed_set: Path, tmp_path: Path) -> None:
    of_dexed = {"folder": str(dexed_set), "synth": "dexed"}
    result = fit(shrunk(composed("surge_simple/regression"), out=str(tmp_path), data=of_dexed))
    assert load_trained(result.last).record.note == "predicted"


def test_families_share_what_they_can() -> None:
    for family in load_families():
        for method, settings in family.methods.items():
            assert "kind" in settings["inverter"], method
            assert not flattened(settings).keys() & flattened(family.base).keys() - {
                *("inverter.encoder.name", "inverter.width", "module.learning_rate", "module.ema"),
                *("data.standardize", "data.batch_size", "inverter.ramp"),
            }
