"""Surge XT itself: skipped where WAV2PATCH_SURGE_XT does not point to it.

Chance is turned off here (noise, drift, random LFOs), so that all of it holds bit for bit.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from wav2patch.notes import Note
from wav2patch.parameters import Patch
from wav2patch.priors import draw
from wav2patch.structure import Activity, Condition, Either
from wav2patch.synths.base import Audio
from wav2patch.synths.plugins import vstpreset
from wav2patch.synths.plugins.pedalboard import PedalboardHost
from wav2patch.synths.plugins.surge import SurgeXT, to_vstpreset
from wav2patch.synths.plugins.surge_controls import element, names
from wav2patch.synths.plugins.surge_host import SurgeHost
from wav2patch.synths.plugins.surge_patch import from_fxp, parse_chunk

NOTE, LENGTH = Note(60, 100, 0.0, 0.3), 0.4
SYNTHS = {size: SurgeXT(size) for size in ("simple", "full")}
QUIET = {"a_noise_volume": 0.0, "a_osc_drift": 0.0, "a_noise_mute": 1.0}
SMOOTH_LFOS = 4


@pytest.fixture(params=sorted(SYNTHS))
def surge(request: pytest.FixtureRequest) -> SurgeXT:
    synth = SYNTHS[request.param]
    if reason := synth.missing():
        pytest.skip(reason)
    return synth


def play(synth: SurgeXT, patch: Patch, note: Note = NOTE) -> Audio:
    return synth.render(patch, note, length=LENGTH, sample_rate=44100)


def without_chance(synth: SurgeXT, patch: Patch) -> Patch:
    patch, space = patch.copy(), synth.space
    for name in space.names:
        i = space.index(name)
        if re.fullmatch(r"a_lfo_\d_type", name):
            patch[i] %= SMOOTH_LFOS
        elif name == "a_amp_eg_attack":
            # Or most draws are silent in so short a note.
            patch[i] *= 0.3
        patch[i] = QUIET.get(name, patch[i])
    return space.snap(patch)


def draws(synth: SurgeXT, count: int, seed: int) -> Sequence[Patch]:
    return [without_chance(synth, draw(synth.prior(), seed, i)) for i in range(count)]


def test_nothing_of_a_hundred_other_patches_is_left(surge: SurgeXT) -> None:
    patches = draws(surge, 50, 51)
    before = [play(surge, patch) for patch in patches]
    for patch, audio in zip(reversed(patches), reversed(before), strict=True):
        play(surge, patches[0], Note(36, 127, 0.0, 5.0))
        assert_array_equal(play(surge, patch), audio)


def test_the_mixes_of_effects_leave_no_tails() -> None:
    synth = SYNTHS["full"]
    if reason := synth.missing():
        pytest.skip(reason)
    quiet, wet = draws(synth, 2, 52)
    for i in (1, 2, 3):
        wet[synth.space.index(f"fx_a{i}_output_mix")] = 1.0
    before = play(synth, quiet)
    for _ in range(3):
        play(synth, wet)
        assert_array_equal(play(synth, quiet), before)


def test_a_preset_opened_in_a_fresh_plug_in_plays_the_same_samples(surge: SurgeXT, tmp_path: Path) -> None:
    path = surge._located()
    assert path is not None
    host = SurgeHost(path)
    for i, patch in enumerate(draws(surge, 5, 53)):
        surge.write_preset(patch, tmp_path / f"{i}.fxp", name="opened")
        host.clear()
        host.write_state(to_vstpreset(from_fxp((tmp_path / f"{i}.fxp").read_bytes())))
        # As long as for our renders: from the load on, the effects' own modulation runs.
        host.settle(surge.spec.setting.settle, sample_rate=44100)
        played = host.play(NOTE, length=LENGTH, sample_rate=44100)
        expected = play(surge, patch)
        assert np.abs(expected).max() > 0
        assert_array_equal(surge.spec.gain * played, expected)
        # What the plug-in saves is what we wrote, in its own newer format.
        saved = to_vstpreset(_component(host.read_state()))
        (tmp_path / "saved.vstpreset").write_bytes(saved)
        (back,) = surge.read_presets(tmp_path / "saved.vstpreset")
        assert_array_equal(back.patch, patch)
        assert back.dropped == ()


def _component(state: bytes) -> bytes:
    chunk = vstpreset.from_bytes(state).chunk(b"Comp")
    assert chunk is not None
    return chunk


def test_every_knob_is_the_control_of_its_index(surge: SurgeXT) -> None:
    """Set in the host by its index, it changes the element that we take it for, to the value that we take it to."""
    surge.render(surge.space.default, NOTE, length=0.1, sample_rate=44100)
    host = surge._loaded().host
    assert isinstance(host, PedalboardHost)
    smooth = [k for k, continuous in zip(surge.spec.knobs, surge.space.is_continuous, strict=True) if continuous]
    wanted = {k.index: k.parameter.low + 0.37 * (k.parameter.high - k.parameter.low) for k in smooth}
    PedalboardHost.set(host, wanted)
    host.settle(0.05, sample_rate=44100)
    found = parse_chunk(_component(host.read_state())).settings
    for index, value in wanted.items():
        name = names()[index]
        assert found[name].value == pytest.approx(element(name).value(value), abs=2e-4), name


def broken(synth: SurgeXT, patch: Patch, activity: Activity, generator: np.random.Generator) -> Patch:
    """The patch with one condition of every alternative broken."""
    patch, space = patch.copy(), synth.space
    for alternative in activity.alternatives:
        chosen = alternative[int(generator.integers(len(alternative)))]
        for condition in chosen.conditions if isinstance(chosen, Either) else (chosen,):
            patch[space.index(condition.parameter)] = breaking(synth, condition, generator)
    return patch


def breaking(synth: SurgeXT, condition: Condition, generator: np.random.Generator) -> float:
    i = synth.space.index(condition.parameter)
    if condition.unless:
        return condition.unless[0]
    if not condition.values:
        return float(synth.space.low[i])
    others = set(range(int(synth.space.low[i]), int(synth.space.high[i]) + 1)) - set(map(int, condition.values))
    return float(generator.choice(sorted(others)))


def test_what_is_inactive_changes_no_sample(surge: SurgeXT) -> None:
    generator, space = np.random.default_rng([54]), surge.space
    for patch in draws(surge, 2, 54):
        for activity in surge.space.activities:
            still = broken(surge, patch, activity, generator)
            places = [i for i in space.indices(activity.parameters) if not space.active(still)[i]]
            assert places
            changed = still.copy()
            anew = space.low + generator.random(len(space)) * (space.high - space.low)
            changed[places] = space.snap(anew)[places]
            assert_array_equal(play(surge, changed), play(surge, still), err_msg=str(activity.parameters))


def test_swapped_oscillators_play_the_same(surge: SurgeXT) -> None:
    for symmetry in surge.space.symmetries:
        for patch in draws(surge, 3, 55):
            for condition in symmetry.when:
                patch[surge.space.index(condition.parameter)] = condition.values[0]
            one, other = play(surge, patch), play(surge, surge.space.permute(patch, symmetry))
            # Surge adds the third oscillator, the second and the first, in this order.
            exact = "2 and 3" in symmetry.name
            assert np.abs(one - other).max() <= (0.0 if exact else 2e-5 * np.abs(one).max())


def test_free_oscillators_start_anywhere() -> None:
    free = SurgeXT("simple", free_running=True)
    if reason := free.missing():
        pytest.skip(reason)
    patch = without_chance(free, free.space.default)
    assert not np.array_equal(play(free, patch), play(free, patch))
