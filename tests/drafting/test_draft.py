from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from conftest import silent_report
from wav2patch.drafting import bench
from wav2patch.drafting.bench import Maker
from wav2patch.drafting.draft import Draft, Effort, draft
from wav2patch.drafting.inspect import find_plugin
from wav2patch.drafting.kinds import Described
from wav2patch.errors import UserError
from wav2patch.notes import Note
from wav2patch.parameters import Categorical
from wav2patch.rendering.base import Sound
from wav2patch.synths.plugins.spec_file import load_spec, save_spec


@pytest.fixture(scope="module")
def drafted(plugin: Path, controls: list[Described], maker: Callable[..., Maker]) -> Draft:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(bench, "SOUND", Sound(Note(60, 100, 0.0, 0.15), 0.2, 22050))
        effort = Effort(bases=3, draws=40, pairs=1)
        return draft(plugin, str(plugin), controls, maker(), silent_report, effort=effort)


def test_a_draft_has_what_can_be_heard_as_what_it_is(drafted: Draft) -> None:
    parameters = {p.name: p for p in drafted.spec.space.parameters}
    assert set(parameters) == {
        *("osc1_wave", "osc2_wave", "osc1_level", "osc2_level", "sub", "cutoff", "mode", "gate"),
    }
    assert parameters["osc1_wave"] == Categorical("osc1_wave", ("Sine", "Square", "Saw"), 0, "Osc1 Wave")
    assert parameters["sub"] == Categorical("sub", ("Off", "On"), 0, "Sub")
    assert len(parameters["mode"].choices) == 4  # type: ignore[union-attr]
    assert drafted.unheard == ("control_8",)
    assert set(drafted.by_ear) == {"sub", "mode", "gate"}
    assert len(drafted.spec.symmetries) == 1
    assert not drafted.failures


def test_choices_are_set_first(drafted: Draft) -> None:
    assert len(drafted.spec.setting.first) == 3


def test_a_draft_survives_its_file(drafted: Draft, tmp_path: Path) -> None:
    save_spec(drafted.spec, tmp_path / "toy.yaml")
    assert load_spec(tmp_path / "toy.yaml") == drafted.spec
    notes = drafted.spec.notes
    assert "control_8" in notes
    assert "volume" in notes


def test_draws_of_a_draft_are_of_its_space(drafted: Draft) -> None:
    patches = drafted.spec.prior.sample(np.random.default_rng(2), 50)
    drafted.spec.space.validate(patches)
    assert len(np.unique(patches, axis=0)) > 40


def test_a_plugin_is_found_by_path_or_by_name(plugin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_plugin(str(plugin)) == (plugin.resolve(), str(plugin.resolve()))
    monkeypatch.setenv("VST3_PATH", str(plugin.parent))
    assert find_plugin("Toy") == (plugin.resolve(), "Toy.vst3")
    with pytest.raises(UserError, match="no plug-in Nowhere"):
        find_plugin("Nowhere")
