from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from wav2patch.errors import UserError
from wav2patch.synths import catalogue
from wav2patch.synths.catalogue import SYNTHS, load_synth
from wav2patch.synths.plugins.spec_file import load_spec, names_in, save_spec

SPECS = Path(catalogue.__file__).parent / "specs"


@pytest.mark.parametrize("name", names_in(SPECS))
def test_a_shipped_spec_is_whole(name: str, tmp_path: Path) -> None:
    spec = load_spec(SPECS / f"{name}.yaml")
    assert spec.name == name
    assert name in SYNTHS
    assert load_synth(name).name == name
    assert (spec.space.decode(spec.space.encode(spec.space.default)) == spec.space.default).all()
    assert len(spec.prior.sample(np.random.default_rng(0), 3)) == 3
    save_spec(spec, tmp_path / "again.yaml")
    assert load_spec(tmp_path / "again.yaml") == spec


def test_a_spec_is_loaded_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "toy.yaml"
    path.write_text("name: toy\ntitle: Toy\nplugin: [No such toy.vst3]\nparameters:\n  tone: {index: 3}\n")
    synth = load_synth(str(path))
    assert (synth.name, len(synth.space), synth.preset_suffix) == ("toy", 1, ".vstpreset")
    assert synth.missing() is not None
    with pytest.raises(UserError, match="could not be read"):
        load_synth(str(tmp_path / "gone.yaml"))


def test_an_unknown_name_is_told_the_known_ones() -> None:
    with pytest.raises(UserError, match=r"no synth called 'moog': choose from .*dexed"):
        load_synth("moog")


def test_names_cost_nothing() -> None:
    code = (
        "import sys; from wav2patch.synths.catalogue import SYNTHS; assert 'dexed' in SYNTHS\n"
        "print([m for m in ('yaml', 'pedalboard', 'pedalboard_native', 'dawdreamer', 'vita') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_spaces_need_no_host() -> None:
    code = (
        "import sys; from wav2patch.synths.catalogue import SYNTHS, load_synth\n"
        "for name, entry in SYNTHS.items():\n"
        "    if entry.module.startswith('plugins'): s = load_synth(name); len(s.space), s.preset_suffix, s.missing()\n"
        "print([m for m in ('pedalboard', 'pedalboard_native', 'dawdreamer') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
