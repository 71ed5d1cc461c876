"""The feature that docs/features.md adds is one."""

from __future__ import annotations

import re
import sys
from types import ModuleType

import numpy as np
from feature_sounds import chord

from wav2patch.features.catalogue import FEATURES, Entry, load_feature


def test_the_example_keeps_the_contract(project, monkeypatch):
    page = (project / "docs" / "features.md").read_text(encoding="utf-8")
    code = next(block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "class Envelope" in block)
    module = ModuleType("wav2patch.features.envelope")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(code, module.__dict__)
    monkeypatch.setattr(
        "wav2patch.features.catalogue.FEATURES", {**FEATURES, "envelope": Entry("envelope", "Envelope")}
    )

    feature, sound = load_feature("envelope:hop=0.02"), chord(0.5, 44100, 2)
    values = feature(sound, 44100)
    assert feature.name == "envelope:hop=0.02"
    assert values.shape == feature.shape(2, sound.shape[1], 44100)
    assert values.dtype == np.float32
    np.testing.assert_allclose(feature(10 * sound, 44100), values + 20, atol=1e-3)
    np.testing.assert_allclose(feature(0 * sound, 44100), -100, atol=1e-4)


def test_every_feature_is_on_the_page(project):
    page = (project / "docs" / "features.md").read_text(encoding="utf-8")
    for name, entry in FEATURES.items():
        settings = next(line for line in page.splitlines() if line.startswith(f"| `{name}` | `"))
        written = [setting.split("=")[0] for setting in re.findall(r"`([a-z_]+=[^`]*)`", settings)]
        values = [setting.split("=")[1] for setting in re.findall(r"`([a-z_]+=[^`]*)`", settings)]
        feature = entry()
        assert written == list(feature.__dict__)
        assert [float(value) for value in values] == list(feature.__dict__.values())
