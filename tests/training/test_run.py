"""Runs: where they lie, how they go on, what is refused."""

from __future__ import annotations

import csv
import dataclasses
import errno
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from real_sets import cut_view, make_real_set

from wav2patch.errors import UserError
from wav2patch.training.plain_errors import in_one_sentence
from wav2patch.training.reading_settings import every_setting, plain_settings, read_settings
from wav2patch.training.run import fit
from wav2patch.training.settings import RunSettings

TINY = {"kind": "regression", "width": 8, "hidden": 8, "blocks": 1}
CNN = {"name": "cnn_1d", "widths": [4, 4], "out": 8, "hidden": 8}


def settings(tmp_path: Path, **changes: Any) -> RunSettings:
    values: dict[str, Any] = {
        "out": str(tmp_path / "runs"),
        "note": "none",
        "inverter": {**TINY, "encoder": CNN},
        "data": {"synth": "ksin", "k": 4, "feature": "spectrum", "batch_size": 4, "val_rows": 6, "epoch_batches": 5},
        "trainer": {"max_steps": 8, "val_every": 3, "log_every": 1, "accelerator": "cpu", "checkpoint_every": 2},
        "logging": {"tensorboard": False},
        "callbacks": {"parameter_errors": 0},
    }
    for name, value in changes.items():
        values[name] = {**values.get(name, {}), **value} if isinstance(value, dict) else value
    return read_settings(values)


def weights(checkpoint: Path) -> dict[str, torch.Tensor]:
    return torch.load(checkpoint, weights_only=True)["state_dict"]


def steps(folder: Path) -> list[int]:
    with (folder / "metrics.csv").open() as file:
        return [int(row["step"]) for row in csv.DictReader(file)]


def test_a_run_that_stopped_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    fixed = {"schedule": "constant"}
    whole = fit(settings(tmp_path, name="whole", module=fixed))
    assert (whole.state, whole.steps) == ("trained", 8)
    assert fit(settings(tmp_path, name="halves", module=fixed, trainer={"max_steps": 4})).steps == 4
    halves = fit(settings(tmp_path, name="halves", module=fixed))
    assert (halves.state, halves.steps) == ("resumed", 8)
    for name, value in weights(whole.last).items():
        assert torch.equal(weights(halves.last)[name], value)
    assert steps(whole.folder) == steps(halves.folder) == list(range(8))


def test_a_run_that_stopped_at_a_validation_numbers_its_steps_on(tmp_path: Path) -> None:
    rhythm = {"val_every": 4, "checkpoint_every": 4}
    fit(settings(tmp_path, trainer={**rhythm, "max_steps": 4}))
    assert steps(fit(settings(tmp_path, trainer=rhythm)).folder) == list(range(8))


def test_mixed_precision_clips_gradients(tmp_path: Path) -> None:
    found = fit(settings(tmp_path, trainer={"precision": "bf16-mixed", "gradient_clip": 0.5}))
    assert (found.state, found.steps) == ("trained", 8)


@pytest.mark.parametrize("what", ["folder", "text", "weights"])
def test_what_no_run_can_go_on_from_is_told(tmp_path: Path, what: str) -> None:
    place = tmp_path / "x.ckpt"
    if what == "folder":
        place.mkdir()
    elif what == "text":
        place.write_text("no checkpoint")
    else:
        content = torch.load(fit(settings(tmp_path, trainer={"max_steps": 1})).last, weights_only=True)
        torch.save({name: value for name, value in content.items() if name != "loops"}, place)
    with pytest.raises(UserError, match=r"x\.ckpt"):
        fit(settings(tmp_path, name="other", resume=str(place)))


def test_a_finished_run_is_left_alone_unless_it_is_to_begin_anew(tmp_path: Path) -> None:
    first = fit(settings(tmp_path))
    written = first.last.stat().st_mtime_ns
    again = fit(settings(tmp_path))
    assert (again.state, again.metrics, again.last.stat().st_mtime_ns) == ("finished before", first.metrics, written)
    anew = fit(settings(tmp_path, resume="none"))
    assert anew.state == "trained"
    assert anew.last.stat().st_mtime_ns > written


def test_hours_are_those_of_a_call_so_that_the_same_command_goes_on(tmp_path: Path) -> None:
    limited = settings(tmp_path, trainer={"max_hours": 1e-9, "max_steps": 3})
    assert [(one.state, one.steps) for one in (fit(limited) for _ in range(3))] == [
        ("stopped", 1),
        ("stopped", 2),
        ("resumed", 3),
    ]


def test_another_run_in_the_same_place_is_refused(tmp_path: Path) -> None:
    fit(settings(tmp_path, trainer={"max_steps": 1}))
    with pytest.raises(UserError, match=r"holds a run with data\.k=4, not 8: give this one another name"):
        fit(settings(tmp_path, data={"k": 8}))


def test_a_run_of_a_version_with_fewer_settings_goes_on(tmp_path: Path) -> None:
    first = fit(settings(tmp_path, trainer={"max_steps": 1}))
    config = first.folder / "config.yaml"
    written = yaml.safe_load(config.read_text())
    del written["data"]["degrade"]
    config.write_text(yaml.safe_dump(written))
    assert fit(settings(tmp_path, trainer={"max_steps": 2})).state == "resumed"


def test_a_run_goes_on_from_another_s_checkpoint(tmp_path: Path) -> None:
    first = fit(settings(tmp_path, name="first", trainer={"max_steps": 3}))
    other = fit(settings(tmp_path, name="other", resume=str(first.last), trainer={"max_steps": 5}))
    assert (other.state, other.steps) == ("resumed", 5)
    with pytest.raises(UserError, match=r"no checkpoint nowhere\.ckpt"):
        fit(settings(tmp_path, name="third", resume="nowhere.ckpt"))


def test_a_run_that_ended_early_goes_on_with_more_patience(tmp_path: Path) -> None:
    still = {"module": {"learning_rate": 1e-12, "schedule": "constant"}}
    impatient = fit(settings(tmp_path, name="one", **still, trainer={"val_every": 1, "patience": 1, "max_steps": 20}))
    assert (impatient.state, impatient.steps < 20) == ("trained", True)
    again = fit(settings(tmp_path, name="one", **still, trainer={"val_every": 1, "patience": 1, "max_steps": 30}))
    assert (again.state, again.steps) == ("finished before", impatient.steps)
    patient = fit(settings(tmp_path, name="one", **still, trainer={"val_every": 1, "patience": 99, "max_steps": 20}))
    assert (patient.state, patient.steps) == ("resumed", 20)


def test_what_is_remembered_is_degraded_as_what_is_trained_on(tmp_path: Path) -> None:
    runs = [
        settings(tmp_path, name="clean"), settings(tmp_path, name="again"),
        settings(tmp_path, name="rough", data={"degrade": 1.0}),
    ]  # fmt: skip
    found = [fit(dataclasses.replace(one, inverter={"kind": "nearest_neighbour"})) for one in runs]
    keys = [weights(one.last)["inverter.memory.keys"] for one in found]
    assert torch.equal(keys[0], keys[1])
    assert keys[0].shape == keys[2].shape
    assert not torch.equal(keys[0], keys[2])


def test_another_monitor_finds_a_best_checkpoint_of_its_own(tmp_path: Path) -> None:
    classes = {"inverter": {"kind": "classification", "encoder": CNN}}
    first = fit(settings(tmp_path, name="one", **classes, trainer={"monitor": "val/accuracy", "max_steps": 4}))
    assert first.best is not None
    before = first.best.read_bytes()
    second = fit(settings(tmp_path, name="one", **classes, trainer={"monitor": "val/loss", "max_steps": 8}))
    assert second.best is not None
    assert second.best.read_bytes() != before


def test_a_run_that_begins_anew_keeps_no_figures_of_the_one_before(tmp_path: Path) -> None:
    changes = {"callbacks": {"parameter_errors": 2}, "logging": {"tensorboard": True}}
    folder = fit(settings(tmp_path, name="one", **changes)).folder
    errors = (folder / "parameter_errors.csv").read_text()
    assert fit(settings(tmp_path, name="one", resume="none", **changes)).state == "trained"
    assert (folder / "parameter_errors.csv").read_text() == errors
    assert len(list((folder / "tensorboard").glob("events*"))) == 1


@pytest.mark.parametrize(("name", "value"), [("batch_size", 0), ("seed", -1), ("val_rows", -1), ("held", -1)])
def test_numbers_out_of_range_are_told(tmp_path: Path, name: str, value: int) -> None:
    with pytest.raises(UserError, match=rf"data\.{name} is \d or more, not {value}"):
        fit(settings(tmp_path, data={name: value}))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"note": "given"}, "plays no notes: give note=none"),
        ({"data": {"synth": None}}, r"data\.synth=… has to be given"),
        ({"data": {"feature": "nix"}}, "no feature called 'nix'"),
        ({"inverter": {"widht": 3}}, "no setting 'widht'"),
        ({"trainer": {"precision": "99"}}, "Lightning cannot train like that"),
        ({"data": {"kind": "clips"}}, r"data\.folder=… has to be given"),
        ({"trainer": {"monitor": "val/nix", "patience": 1}}, "no figure 'val/nix' .*: choose from val/loss"),
        ({"module": {"learning_rate": 1e30, "schedule": "constant"}, "trainer": {"gradient_clip": None}}, "no finite"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        fit(settings(tmp_path, **changes))
    assert "\n" not in str(caught.value)


def test_a_data_set_has_to_be_what_settings_say(tmp_path: Path) -> None:
    folder = make_real_set(tmp_path / "set", features=())
    cut_view(folder)
    of_set = {"k": None, "folder": str(folder), "feature": "log_mel_level:hop=0.02", "workers": 0, "synth": None}
    cnn = {"encoder": {"name": "cnn_2d", "widths": [4, 4, 4, 4], "blocks": [1, 1, 1, 1], "hidden": 8}}
    common: dict[str, Any] = {"note": "given", "inverter": cnn}
    with pytest.raises(UserError, match="a data set of dexed, not of vital"):
        fit(settings(tmp_path, **common, data={**of_set, "synth": "vital"}))
    with pytest.raises(UserError, match=r"notes in .* are 'wide .*', not 'paper'"):
        fit(settings(tmp_path, **common, data={**of_set, "notes": "paper"}))
    with pytest.raises(UserError, match="cannot be predicted, only those of paper"):
        fit(settings(tmp_path, **{**common, "note": "predicted"}, data=of_set))
    result = fit(settings(tmp_path, **common, data=of_set, trainer={"max_steps": 2}))
    assert result.best is None
    assert "train/loss" in result.metrics


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "x.ckpt"), r"x\.ckpt could not be written: No space left"),
        (MemoryError(), r"data\.batch_size smaller"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), "memory was not enough"),
    ],
)
def test_a_machine_that_is_too_small_says_so(error: Exception, said: str) -> None:
    with pytest.raises(UserError, match=said), in_one_sentence():
        raise error


@pytest.mark.parametrize("error", [OSError(errno.ENOENT, "gone"), RuntimeError("a bug"), ValueError("a bug")])
def test_other_errors_stay_what_they_are(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, in_one_sentence():
        raise error
    assert caught.value is error


def test_settings_survive_as_plain_values(tmp_path: Path) -> None:
    chosen = settings(tmp_path, module={"betas": [0.8, 0.9], "ema": "1e-1"}, trainer={"max_steps": "2k"})
    assert (chosen.trainer.max_steps, chosen.module.ema) == (2000, 0.1)
    assert read_settings(plain_settings(chosen)) == chosen
    assert all(explanation and path for path, explanation, _ in every_setting())
