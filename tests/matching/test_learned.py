"""Trained models in the matcher."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from tiny_models import remembering, tiny_trained
from voices import simple_voice

from wav2patch.audio.files import write_wav
from wav2patch.audio.target import Target
from wav2patch.errors import UserError
from wav2patch.matching import match as matching
from wav2patch.matching.learned import LearnedProposer, shipped_proposers
from wav2patch.matching.match import match
from wav2patch.matching.store import as_dictionary
from wav2patch.priors import draw
from wav2patch.synths.base import Synth
from wav2patch.synths.catalogue import load_synth
from wav2patch.training.export import export

ROWS = 40


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory, dexed: Synth, simple_target: Target) -> Path:
    """A model that remembers the target's patch among others; the folder is named as those that come along."""
    patches = np.stack([*(draw(dexed.prior(), 8, i) for i in range(ROWS - 1)), simple_voice(dexed)])
    folder = tmp_path_factory.mktemp("models") / "dexed"
    export(remembering(dexed, patches, simple_target.note), folder)
    return folder


@pytest.fixture(scope="module")
def chancy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that proposes by chance, and was told nothing worth knowing."""
    folder = tmp_path_factory.mktemp("models") / "chancy"
    export(tiny_trained("classification"), folder)
    return folder


def test_the_patch_that_a_model_knows_is_the_first(known: Path, dexed: Synth, simple_target: Target) -> None:
    proposed = list(LearnedProposer(known, dexed).propose(simple_target, np.random.default_rng([0])))
    np.testing.assert_array_equal(proposed[0], dexed.space.snap(simple_voice(dexed)))
    assert len(proposed) == ROWS
    assert len({patch.tobytes() for patch in proposed}) == ROWS


def test_a_model_gives_the_search_its_start(known: Path, dexed: Synth, simple_target: Target) -> None:
    without = match(simple_target, dexed, renders=64, candidates=1, proposers=[])
    found = match(simple_target, dexed, renders=64, candidates=1, proposers=[known])
    assert found.best.distance < 0.01 < without.best.distance
    assert found.improvements[0].renders <= 64
    assert found.best.origin == "model dexed"
    # Half of the least retrieval; the other half is the prior's.
    assert found.rendered == {"model dexed": 32, "prior": 32}
    told = as_dictionary(found)
    assert told["models"] == {"model dexed": LearnedProposer(known, dexed).digest}
    assert told["candidates"][0]["origin"] == "model dexed"
    assert as_dictionary(without)["models"] == {}


def test_a_model_of_chance_goes_on_with_ever_new_patches(chancy: Path, dexed: Synth, simple_target: Target) -> None:
    def first(count: int, seed: int) -> list[bytes]:
        proposed = LearnedProposer(chancy, dexed).propose(simple_target, np.random.default_rng([seed]))
        return [patch.tobytes() for patch in islice(proposed, count)]

    patches = first(70, 1)
    assert len({*patches}) == 70
    assert first(70, 1) == patches
    # The likeliest does not depend on chance.
    assert first(2, 2)[0] == patches[0]
    assert first(2, 2)[1] != patches[1]


def test_the_same_seed_gives_the_same_match(chancy: Path, dexed: Synth, simple_target: Target) -> None:
    options = {"renders": 300, "candidates": 2, "proposers": [chancy], "seed": 4}
    one, other = match(simple_target, dexed, workers=1, **options), match(simple_target, dexed, workers=2, **options)
    assert [c.distance for c in one.candidates] == [c.distance for c in other.candidates]
    assert one.rendered == other.rendered
    assert one.rendered["model chancy"] >= 32


def test_a_shipped_model_proposes_unless_it_is_told_not_to(
    known: Path, dexed: Synth, simple_target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "shipped_proposers", lambda synth: shipped_proposers(synth, known.parent))
    assert "model dexed" in match(simple_target, dexed, renders=70, candidates=1).rendered
    assert "model dexed" not in match(simple_target, dexed, renders=70, candidates=1, proposers=[]).rendered


def test_several_models_of_a_synth_take_turns(known: Path, dexed: Synth, tmp_path: Path) -> None:
    for name in ("dexed", "dexed-other", "dexedlike"):
        shutil.copytree(known, tmp_path / name)
    assert [one.name for one in shipped_proposers(dexed, tmp_path)] == ["model dexed", "model dexed-other"]


def test_a_shipped_model_of_another_space_or_synth_is_left_out(known: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [one.name for one in shipped_proposers(load_synth("dexed"), known.parent)] == ["model dexed"]
    assert shipped_proposers(load_synth("vital"), known.parent) == []
    kosc = load_synth("kosc_4")
    monkeypatch.setattr(type(kosc), "name", "dexed", raising=False)
    assert shipped_proposers(kosc, known.parent) == []


def test_a_model_of_another_synth_is_one_sentence(known: Path) -> None:
    with pytest.raises(UserError, match=r"proposes patches of dexed, not of vital"):
        LearnedProposer(known, load_synth("vital"))


def test_two_models_of_one_name_are_refused(known: Path, dexed: Synth, simple_target: Target) -> None:
    with pytest.raises(UserError, match="same name"):
        match(simple_target, dexed, renders=10, proposers=[known, known])


def test_a_model_that_is_not_there_is_one_sentence(dexed: Synth, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no model"):
        LearnedProposer(tmp_path / "nowhere", dexed)


_WITHOUT_TORCH = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "lightning", "onnx", "safetensors", "h5py", "hydra"):
            raise ImportError(name)

sys.meta_path.insert(0, Absent())
from wav2patch.cli.app import main
main()
"""


@pytest.mark.slow
@pytest.mark.parametrize("command", ["match", "predict"])
def test_the_core_install_uses_models(tmp_path: Path, known: Path, simple_target: Target, command: str) -> None:
    write_wav(tmp_path / "sound.wav", simple_target.audio, simple_target.sample_rate)
    words = {
        "match": ["--renders", "64", "--note", "60", "--hold", "0.4", "--proposer", str(known), "--out", "out"],
        "predict": ["note=60", "hold=0.4", f"ckpt={known}", "out=out"],
    }[command]
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_TORCH, command, "sound.wav", *words, "--json"],
        capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    if command == "match":
        (found,) = told["matches"]
        assert found["candidates"][0]["origin"] == "model dexed"
        assert found["candidates"][0]["distance"] < 0.5
    else:
        assert told["predictions"][0]["predictions"][0]["distance"] < 0.5
