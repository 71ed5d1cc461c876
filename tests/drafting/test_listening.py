"""What is found by rendering: audible controls, steps, symmetries, habits, a prior."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from conftest import silent_report
from wav2patch.drafting import habits as habits_module
from wav2patch.drafting.audible import Found, find_audible, find_bases
from wav2patch.drafting.bench import Bench, Maker
from wav2patch.drafting.chance import MOST_SILENT, find_drawing, find_gain
from wav2patch.drafting.grouping import find_blocks
from wav2patch.drafting.habits import find_habits
from wav2patch.drafting.hearing import Ear, apart
from wav2patch.drafting.raw import Raw, scatter
from wav2patch.drafting.steps import find_steps
from wav2patch.drafting.symmetries import find_symmetries
from wav2patch.errors import UserError
from wav2patch.parameters import Continuous
from wav2patch.priors import IndependentPrior
from wav2patch.synths.plugins.spec import PluginSpec, Setting

Place = Callable[..., Bench]
AUDIBLE = {"osc1_wave", "osc2_wave", "osc1_level", "osc2_level", "sub", "cutoff", "mode", "gate"}


def heard_on(raw: Raw, bench: Bench, *, random: bool = False) -> dict[int, Found]:
    bases = find_bases(raw.spec.space, bench, 0, 8 if random else 3, random=random)
    return find_audible(raw.spec.space, bench, bases, random=random)


def test_the_raw_spec_leaves_out_what_is_no_part_of_a_sound(raw: Raw) -> None:
    assert set(raw.spec.space.names) == AUDIBLE | {"control_8"}
    assert set(raw.excluded) == {"program", "volume", "unused_3", "glide"}
    assert [fixed.host_name for fixed in raw.spec.fixed] == ["Volume", "Glide"]


@pytest.mark.parametrize("habits", [(), ("random",)])
def test_what_can_be_heard_is_found(raw: Raw, place: Place, habits: tuple[str, ...]) -> None:
    found = heard_on(raw, place(raw.spec, habits), random=bool(habits))
    assert {raw.spec.space.names[i] for i in found} == AUDIBLE


def test_a_plugin_without_sound_is_refused(raw: Raw, place: Place) -> None:
    mute = replace(raw.spec, gain=0.0)
    with pytest.raises(UserError, match="made a sound"):
        find_bases(mute.space, place(mute), 0, 3, random=False)


def test_steps_are_found_by_listening(raw: Raw, place: Place) -> None:
    bench, space = place(raw.spec), raw.spec.space
    found = heard_on(raw, bench)
    smooth = [item for i, item in found.items() if isinstance(space.parameters[i], Continuous)]
    steps = {space.names[i]: stretches for i, stretches in find_steps(bench, smooth).items()}
    assert set(steps) == {"sub", "mode", "gate"}
    assert steps["sub"] == [(0.0, 0.0), (1 / 64, 1.0)]
    (opened, closed) = steps["gate"]
    assert opened[1] < 0.75 <= closed[0] <= 0.75 + 1 / 64
    assert len(steps["mode"]) == 4


def test_a_swap_is_proved_or_not_declared(raw: Raw, place: Place) -> None:
    blocks = find_blocks(raw.spec.space.parameters)
    (swap,) = find_symmetries(raw.spec.space, blocks, place(raw.spec), 0, random=False)
    assert set(swap.targets) == {"osc1_wave", "osc1_level", "osc2_wave", "osc2_level"}
    assert not find_symmetries(raw.spec.space, blocks, place(raw.spec, ("lopsided",)), 0, random=False)


def test_blocks_that_are_never_heard_give_no_symmetry(raw: Raw, place: Place) -> None:
    mute = replace(raw.spec, gain=0.0)
    assert not find_symmetries(mute.space, find_blocks(mute.space.parameters), place(mute), 0, random=False)


@pytest.mark.parametrize(
    ("habits", "setting"), [((), Setting()), (("stuck",), Setting(reload=True)), (("random",), Setting())]
)
def test_habits(
    raw: Raw, maker: Callable[..., Maker], monkeypatch: pytest.MonkeyPatch, habits: tuple[str, ...], setting: Setting
) -> None:
    monkeypatch.setattr(habits_module, "TREATMENTS", (Setting(), Setting(reload=True)))
    found = find_habits(raw.spec, maker(*habits), silent_report, 0, pairs=2)
    assert found.setting == setting
    assert (found.chance > 0.05) == ("random" in habits)
    assert found.leak <= 0.05 or "random" in habits


def silent_share(spec: PluginSpec, prior: IndependentPrior) -> float:
    gate = prior.sample(np.random.default_rng(5), 2000)[:, spec.space.index("gate")]
    return float(np.mean(gate >= 0.75))


def test_the_prior_is_adventurous_and_seldom_silent(raw: Raw, place: Place) -> None:
    space = raw.spec.space
    everything = IndependentPrior(space, {})
    assert silent_share(raw.spec, everything) > 4 * MOST_SILENT
    found = find_drawing(space, place(raw.spec), 0, 60)
    prior = IndependentPrior(space, found.marginals)
    assert silent_share(raw.spec, prior) < MOST_SILENT
    # The gate alone had to be held back.
    assert found.strength >= 0.6
    drawn = prior.sample(np.random.default_rng(6), 400)
    assert np.mean(drawn[:, space.index("cutoff")] != space.default[space.index("cutoff")]) > 0.5


def test_gain_brings_draws_to_minus_thirteen_without_clipping(raw: Raw, place: Place) -> None:
    bench = place(raw.spec)
    heard = [h for h in bench.hear(list(scatter(raw.spec.space, 0.3, np.random.default_rng(1), 20))) if h]
    gain = find_gain(heard)
    sounding = [h for h in heard if h.level > -55]
    median = float(np.median([h.loudness for h in sounding])) + 20 * np.log10(gain)
    tall = gain * float(np.quantile([h.peak for h in sounding], 0.9))
    assert median == pytest.approx(-13, abs=0.1) or tall == pytest.approx(0.98, abs=0.01)
    assert median < -12.9
    assert tall < 1


def test_distances_are_symmetric_and_zero_for_the_same() -> None:
    generator, ear = np.random.default_rng(3), Ear(22050)
    one, other = (ear(generator.normal(size=(2, 4000)).astype(np.float32)) for _ in range(2))
    assert apart(one, one) == 0
    assert apart(one, other) == pytest.approx(apart(other, one), rel=1e-6)
    assert apart(one, other) > 0.1
