"""`wav2patch hpo`, as it is typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import numpy as np
import optuna
import pytest
import torch
import yaml
from commands import Said, one_sentence, run
from test_train import TOY

from wav2patch.configs.composing import compose_settings
from wav2patch.configs.experiments import published_ranges
from wav2patch.errors import UserError
from wav2patch.models.layout import space_layout
from wav2patch.models.preset_encoders.catalogue import PUBLISHED, make_preset_encoder
from wav2patch.synths.catalogue import load_synth
from wav2patch.training.search import (
    Pruner,
    Sampler,
    Search,
    make_pruner,
    make_sampler,
    open_study,
    table,
    trial_seed,
)
from wav2patch.training.search_space import Dimension, nested, overrides, parse_dimension

RANGES = ("module.learning_rate=log(1e-4,1e-2)", "inverter.blocks=int(1,3)", "inverter.width=choice(8,16)")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def search(*words: str) -> Said:
    return run("hpo", *TOY, *RANGES, *words)


def trials(said: Said) -> list[dict[str, Any]]:
    assert said.code == 0, said.err
    return json.loads(said.out)["trials"]


@pytest.mark.parametrize("sampler", ["tpe", "qmc", "sobol_tpe"])
def test_a_search_that_was_stopped_goes_on_as_if_it_had_not(sampler: str) -> None:
    common = (f"sampler={sampler}", "startup=1", "pruner=none", "--json")
    whole = trials(search(*common, "trials=3", "study=whole.db"))
    begun = trials(search(*common, "trials=2", "study=parts.db"))
    ended = trials(search(*common, "trials=3", "study=parts.db"))
    assert [len(one) for one in (whole, begun, ended)] == [3, 2, 3]
    assert ended == whole
    assert len({str(one["settings"]) for one in whole}) == 3
    assert trials(search(*common, "trials=3", "study=parts.db")) == whole


def test_the_best_settings_are_shown_and_kept() -> None:
    said = search("trials=2", "study=s.db", "--json")
    told = json.loads(said.out)
    values = [one["value"] for one in told["trials"]]
    best = told["trials"][values.index(min(values))]["settings"]
    assert told["best"] == best
    shown = search("trials=2", "study=s.db")
    assert "best: " in shown.out
    assert f"inverter.blocks={best['inverter.blocks']}" in shown.out
    kept = yaml.safe_load(Path("s.best.yaml").read_text())
    assert kept["experiment"] == "kosc/mse"
    assert (kept["inverter"]["blocks"], kept["inverter"]["width"]) == (best["inverter.blocks"], best["inverter.width"])
    config = yaml.safe_load(run("train", "settings=s.best.yaml", "--cfg", "job").out)
    assert config["module"]["learning_rate"] == best["module.learning_rate"]
    trial = yaml.safe_load(Path("runs/hpo/s/kosc/mse/trial-0001/config.yaml").read_text())
    assert trial["seed"] == trial_seed(0, 1) != trial_seed(0, 0)
    free = {name: trial["data"][name] for name in ("kind", "val_rows")}
    assert {**config["data"], **free} == trial["data"]
    assert config["inverter"]["encoder"] == trial["inverter"]["encoder"]


def test_trials_that_promise_little_end_early(monkeypatch: pytest.MonkeyPatch) -> None:
    from wav2patch.training import search as module

    class Strict:
        def prune(self, study: Any, trial: Any) -> bool:
            return trial.number > 0

    monkeypatch.setattr(module, "make_pruner", lambda wanted: Strict())
    found = trials(search("trials=2", "study=p.db", "--json"))
    assert [one["state"] for one in found] == ["complete", "pruned"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["experiment=kosc/mse"], "nothing is to be searched"),
        (["experiment=kosc/mse", "module.learning_rat=log(1e-5,1)"], "is module.learning_rate meant?"),
        (["experiment=kosc/mse", "module.learning_rate=log(0,1)"], "log takes numbers above 0"),
        (["experiment=kosc/mse", "inverter.width=int(9,1)"], "two numbers, the lower first"),
        (["experiment=kosc/mse", "inverter.width=int(1,2.5)"], "whole numbers"),
        (["experiment=kosc/mse", "inverter.width=choice(8,)"], "empty choice"),
        (
            ["experiment=kosc/mse", "inverter.width=int(1,2)", "sampler=best"],
            "sampler is tpe, qmc, sobol_tpe or",
        ),
        (["experiment=kosc/mse", "inverter.width=int(1,2)", "pruner=best"], "pruner is none, median, asha"),
        (["experiment=kosc/mse", "inverter.width=int(1,2)", "trials=0"], "trials is 1 or more"),
        (["experiment=kosc/mse", "inverter.width=int(1,2)", "direction=up"], "direction is minimize or maximize"),
        (["experiment=kosc/mse", "ranges=known"], "ranges is none or published"),
        (["experiment=kosc/mse", "ranges=published"], "no ranges were published for kosc/mse"),
        (["experiment=kosc/mse", "module.beta.0=float(0,1)"], "there is no setting 'module.beta'"),
        (["experiment=kosc/mze", "inverter.width=int(1,2)"], "is kosc/mse meant?"),
        (["experiment=kosc/mse", "inverter.width=int(1,2)", "study=text.db"], "text.db cannot be used as a study"),
        ([*TOY, "inverter.blocks=int(1,2)", "metric=val/nix"], "no figure 'val/nix'"),
    ],
)
def test_mistakes_are_told_in_a_sentence(words: list[str], said: str) -> None:
    Path("text.db").write_text("this is no database, and longer than a header of one would be, so that it is read")
    answer = run("hpo", *words)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err
    assert one_sentence(answer.err)


def test_another_search_in_the_same_file_is_refused() -> None:
    assert search("trials=1", "study=s.db").code == 0
    other = run("hpo", *TOY, "inverter.blocks=int(1,2)", "study=s.db")
    assert other.code == 2
    assert "is a study with another space" in other.err
    longer = search("trials=1", "study=s.db", "trainer.max_steps=9", "out=elsewhere")
    assert longer.code == 0
    other = search("study=s.db", "data.seed=3")
    assert other.code == 2
    assert "is a study with other settings" in other.err


@pytest.mark.parametrize("sampler", get_args(Sampler))
@pytest.mark.parametrize("pruner", get_args(Pruner))
def test_every_sampler_goes_with_every_pruner(sampler: Any, pruner: Any, elsewhere: Path) -> None:
    wanted = Search(elsewhere / "s.db", (Dimension("x", "float", (0.0, 1.0)),), sampler=sampler, pruner=pruner)
    study = optuna.create_study(sampler=make_sampler(wanted, 0), pruner=make_pruner(wanted))
    trial = study.ask()
    trial.report(1.0, 10)
    assert 0.0 <= trial.suggest_float("x", 0.0, 1.0) <= 1.0
    assert trial.should_prune() in (True, False)


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_published_ranges_are_settings_of_their_experiment(name: str) -> None:
    experiment = f"dexed_proxy/{name}"
    if name not in ("gru_oh", "rn_oh"):  # nobody searched these
        space = [parse_dimension(word) for word in published_ranges(experiment)]
        assert len({one.path for one in space}) == len(space) >= 6
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
        settings = compose_settings([f"experiment={experiment}", *overrides(space, study.ask())])
        assert 0.85 <= settings.module.betas[1] <= 0.999
        assert settings.module.eps < 1e-4
        layout = space_layout(load_synth("dexed").space)
        assert make_preset_encoder(settings.inverter["preset_encoder"], layout, 4)(torch.zeros(2, layout.width)).shape
    else:
        with pytest.raises(UserError, match="no ranges were published"):
            published_ranges(experiment)


def test_sobol_comes_first_then_a_tpe_that_looks_at_settings_together(elsewhere: Path) -> None:
    space = (Dimension("x", "float", (0.0, 1.0)), Dimension("y", "choice", (1, 2, 3, 4)))
    wanted = Search(elsewhere / "s.db", space, sampler="sobol_tpe", startup=8, direction="maximize")
    study = open_study(wanted)
    for number in range(20):
        study.sampler = make_sampler(wanted, number)
        trial = study.ask()
        x, y = trial.suggest_float("x", 0.0, 1.0), trial.suggest_categorical("y", (1, 2, 3, 4))
        study.tell(trial, float(-((x - 0.7) ** 2) - abs(y - 3)))
    found = [(one.params["x"], one.params["y"]) for one in study.trials]
    # The first of a sequence is drawn, as nothing is known of the space yet; the others fill it evenly.
    assert {int(x * 4) for x, _ in found[1:8]} == {0, 1, 2, 3}
    assert len({y for _, y in found[:8]}) > 1
    later = [abs(x - 0.7) for x, _ in found[12:]]
    assert np.mean(later) < np.mean([abs(x - 0.7) for x, _ in found[:8]])
    assert table(study)[0].value == study.best_value == max(one.value or -9 for one in study.trials)


def test_places_of_a_list_make_a_list() -> None:
    space = [parse_dimension(word) for word in ("a.b.0=float(0.5,0.6)", "a.b.1=float(0.8,0.9)", "a.c=int(1,2)")]
    told = overrides(space, optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1)).ask())
    assert [one.partition("=")[0] for one in told] == ["a.b", "a.c"]
    low, high = map(float, told[0].partition("=")[2].strip("[]").split(","))
    assert 0.5 <= low <= 0.6 < 0.8 <= high <= 0.9
    assert nested({"a.b.0": 1, "a.b.1": 2, "a.c": 3}) == {"a": {"b": [1, 2], "c": 3}}


def test_ranges_are_read() -> None:
    assert parse_dimension("a.b=log(1e-5,1e-2)") == Dimension("a.b", "log", (1e-5, 1e-2))
    assert parse_dimension("a=logint(1,64)") == Dimension("a", "logint", (1, 64))
    assert parse_dimension("a=choice(8, 0.5, none, true, null)").values == (8, 0.5, "none", True, None)
    assert nested({"a.b": 1, "a.c": 2, "d": 3}) == {"a": {"b": 1, "c": 2}, "d": 3}
    with pytest.raises(UserError, match="is no range"):
        parse_dimension("a=normal(0,1)")
