"""A proxy from its settings to the install without PyTorch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_models import LENGTH, SAMPLE_RATE, tiny_record

from wav2patch.errors import UserError
from wav2patch.models.inverters.catalogue import make_inverter
from wav2patch.synths.catalogue import load_synth
from wav2patch.training.export import export
from wav2patch.training.reading_settings import read_settings
from wav2patch.training.run import fit, make_run
from wav2patch.training.saving import Trained, load_trained
from wav2patch.training.shown_draws import show_draws
from wav2patch.weights.model import OnnxModel

SETTINGS = {"kind": "proxy", "preset_encoder": {"name": "highway", "hidden": 8, "blocks": 2}, "draws": 30}


@pytest.mark.slow
def test_it_chooses_the_same_without_pytorch(tmp_path: Path) -> None:
    synth = load_synth("dexed")
    record = tiny_record(SETTINGS, synth, note="none", feature="mel128", shape=(128,))
    torch.manual_seed(0)
    proxy = make_inverter(record.inverter, record.layout(), record.shape, note=False).eval()
    show_draws(proxy, record, synth)
    export(Trained(proxy, record, None, synth, Path("here")), tmp_path / "model")
    without = OnnxModel(tmp_path / "model")
    heard = np.random.default_rng([9, 9]).normal(size=128).astype(np.float32)
    wanted = proxy.propose(torch.from_numpy(heard), 12).numpy()
    found = without.propose(heard, None, 12, np.random.default_rng(0))
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    assert without.count == 30


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"note": "given"}, "a proxy is of one note"),
        ({"data": {"feature": "log_mel"}}, "values"),
    ],
)
def test_what_a_proxy_cannot_learn_is_told(changes: dict[str, object], words: str, tmp_path: Path) -> None:
    data = {"synth": "dexed", "feature": "mel128", "notes": "C4", "length": LENGTH, "sample_rate": SAMPLE_RATE}
    values = {"out": str(tmp_path), "note": "none", "inverter": SETTINGS, **changes}
    values["data"] = {**data, **changes.get("data", {}), "standardize": False}  # pyright: ignore[reportGeneralTypeIssues]
    with pytest.raises(UserError, match=words):
        make_run(read_settings(values))


def test_an_estimator_hears_by_a_proxy_that_was_trained_before(tmp_path: Path) -> None:
    data = {
        **{"synth": "dexed", "notes": "C4", "length": LENGTH, "sample_rate": SAMPLE_RATE, "standardize": False},
        **{"batch_size": 4, "val_rows": 4, "workers": 1},
    }
    reads = SETTINGS["preset_encoder"]
    estimator = {
        **{"kind": "estimator", "width": 8, "hidden": 8, "proxy": reads, "perceptual_weights": [0, 10]},
        "encoder": {"name": "mlp", "hidden": 8, "blocks": 1},
    }
    common = {
        "out": str(tmp_path), "note": "none", "logging": {"tensorboard": False},
        "trainer": {"max_steps": 2, "val_every": 2, "accelerator": "cpu"}, "callbacks": {"parameter_errors": 4},
    }  # fmt: skip
    proxy = fit(read_settings({**common, "name": "proxy", "inverter": SETTINGS, "data": {**data, "feature": "mel128"}}))
    hears = {**data, "feature": "log_mel_level:bands=16:hop=0.1", "embedding": "mel128"}
    wanted = {**common, "name": "estimator", "inverter": estimator, "data": hears}
    found = fit(read_settings({**wanted, "init": str(proxy.last)}))
    assert {"val/parameters", "val/perceptual"} <= found.metrics.keys()
    there, here = (torch.load(one.last, weights_only=True)["state_dict"] for one in (proxy, found))
    for name, value in there.items():
        if name.startswith("inverter.presets."):
            assert torch.equal(here[name.replace("presets", "proxy")], value)
    assert load_trained(found.last).inverter.kind == "estimator"
    with pytest.raises(UserError, match="takes a trained proxy"):
        fit(read_settings({**wanted, "name": "without"}))
