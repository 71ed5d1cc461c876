"""What every synth of the catalogue promises."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import combinations, product
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from wav2patch.audio.channels import to_mono
from wav2patch.errors import UserError
from wav2patch.metrics.objective import Objective
from wav2patch.notes import Note
from wav2patch.parameters import ParameterSpace, Patch
from wav2patch.priors import draw
from wav2patch.structure import Condition
from wav2patch.synths.base import Audio, Synth
from wav2patch.synths.catalogue import load_synth
from wav2patch.synths.plugins.synth import PluginSynth

NOTE = Note(60, 100, 0.0, 0.4)
FLOORS = 3.0
"""How many noise floors apart two renders of one sound may be: the floor is what is usual, not the most."""
PAPERS_PRIORS = ("surge_xt_full", "surge_xt_simple")


def play(synth: Synth, patch: Patch, note: Note = NOTE, length: float = 0.6, sample_rate: int = 44100) -> Audio:
    return synth.render(patch, note, length=length, sample_rate=sample_rate)


def same(synth: Synth, one: Audio, other: Callable[[], Audio]) -> bool:
    """Whether a render is the sound that `other` renders, bit for bit or as far as the synth's chance lets one tell.

    That is within the noise floor on record or, for a patch of much chance, within what its own renders differ by.
    """
    if synth.noise_floor == 0.0:
        return np.array_equal(one, other())
    others = [other()]
    if distance(one, others[0]) <= FLOORS * synth.noise_floor:
        return True
    others += [other() for _ in range(7)]
    chance = max(distance(first, second) for first, second in combinations(others, 2))
    return min(distance(one, another) for another in others) <= chance


def distance(one: Audio, other: Audio) -> float:
    return float(Objective(to_mono(one), 44100)(to_mono(other)))


def some(synth: Synth, count: int) -> int:
    """How many draws a property is tried on: `count`, or an eighth of it where a render takes over a millisecond."""
    return count if render_seconds(synth.name) < 0.001 else max(count // 8, 2)


@cache
def render_seconds(name: str) -> float:
    synth, taken = load_synth(name), []
    for _ in range(5):
        start = time.perf_counter()
        play(synth, synth.space.default)
        taken.append(time.perf_counter() - start)
    return min(taken)


def draws(synth: Synth, count: int, seed: int = 31) -> Patch:
    return np.stack([draw(synth.prior(), seed, i) for i in range(count)])


def test_encoding_is_exact_for_draws_and_for_the_default(synth: Synth) -> None:
    patches = np.concatenate([draws(synth, 100), synth.space.default[None]])
    encoded = synth.space.encode(patches)
    assert ((encoded >= 0) & (encoded <= 1)).all()
    assert_array_equal(synth.space.decode(encoded), patches)


def test_few_draws_of_the_prior_are_silent(synth: Synth) -> None:
    # As many as an engine of 10 ms a render plays in two seconds.
    count = 200 if render_seconds(synth.name) < 0.01 else 80
    levels = [float(np.sqrt(np.square(play(synth, patch)).mean())) for patch in draws(synth, count)]
    assert np.mean(np.array(levels) < 10 ** (-55 / 20)) < most_silent(synth)


def most_silent(synth: Synth) -> float:
    """5%, but the uniform priors that are a paper's own keep their silent draws, on record in the spec."""
    if synth.name in PAPERS_PRIORS:
        # On record with a longer note: this one ends before slow attacks are heard.
        return cast(PluginSynth, synth).spec.most_silent + 0.15
    return 0.05


@pytest.mark.parametrize("sample_rate", [22050, 44100, 48000])
@pytest.mark.parametrize("length", [0.1, 0.37, 1.0])
def test_a_render_has_the_length_that_was_asked_for(synth: Synth, sample_rate: int, length: float) -> None:
    audio = play(synth, synth.space.default, length=length, sample_rate=sample_rate)
    assert audio.dtype == np.float32
    assert audio.ndim == 2
    assert audio.shape[1] == round(length * sample_rate)
    assert np.isfinite(audio).all()
    assert np.abs(audio).max() > 0.01


def test_a_patch_always_sounds_the_same(synth: Synth) -> None:
    for patch in draws(synth, 20):
        assert same(synth, play(synth, patch), partial(play, synth, patch))


def test_nothing_leaks_from_one_render_to_the_next(synth: Synth) -> None:
    patches = draws(synth, 20)
    for first, second in zip(patches[::2], patches[1::2], strict=True):
        before = play(synth, first)
        play(synth, second, Note(36, 127, 0.0, 0.1))
        after = play(synth, first)
        if synth.noise_floor == 0.0:
            assert_array_equal(after, before)
        assert same(synth, after, partial(play, synth, first))


def test_a_later_onset_delays_the_same_sound(synth: Synth) -> None:
    patch = draws(synth, 1)[0]
    late = play(synth, patch, Note(60, 100, 0.25, 0.4), length=0.85)
    shift = round(0.25 * 44100)
    assert not late[:, :shift].any()
    assert same(synth, late[:, shift:], partial(play, synth, patch, length=0.6))


def test_an_onset_after_the_end_is_silence(synth: Synth) -> None:
    assert not play(synth, synth.space.default, Note(60, 100, 2.0, 1.0), length=0.5).any()


def with_parts_turned_down(synth: Synth, patch: Patch, generator: np.random.Generator) -> Patch:
    """Conditions are only met at the ends of ranges, where draws of a prior seldom are; and every choice has a turn."""
    space = synth.space
    low = (generator.random(len(space)) < 0.25) & ~space.is_categorical
    chosen = np.floor(space.low + generator.random(len(space)) * (space.high - space.low + 1))
    anew = space.is_categorical & (generator.random(len(space)) < 0.5)
    return np.where(low, space.low, np.where(anew, chosen, patch))


@pytest.mark.parametrize("velocity", [1, 100, 127])
@pytest.mark.parametrize("pitch", [36, 60, 90])
def test_what_is_declared_inactive_cannot_be_heard(synth: Synth, pitch: int, velocity: int) -> None:
    generator, space = np.random.default_rng([5, pitch, velocity]), synth.space
    for patch in draws(synth, some(synth, 120), seed=32):
        patch = with_parts_turned_down(synth, patch, generator)
        other = np.floor(space.low + generator.random(len(space)) * (space.high - space.low + 1))
        changed = np.where(space.active(patch), patch, space.snap(other))
        note = Note(pitch, velocity, 0.0, 0.4)
        assert same(synth, play(synth, changed, note), partial(play, synth, patch, note))


def test_what_is_declared_active_can_often_be_heard(synth: Synth) -> None:
    space, heard = synth.space, []
    # As many parameters of a slow engine, each on fewer patches.
    every = 8 // some(synth, 8)
    for n, patch in enumerate(draws(synth, 8, seed=33)):
        base, again = play(synth, patch), play(synth, patch)
        for i in np.flatnonzero(space.active(patch))[n % every :: every]:
            changed = patch.copy()
            changed[i] = space.low[i] if patch[i] == space.high[i] else space.high[i]
            heard.append(differs(play(synth, changed), base, again))
    # Not all: one short note never reaches the later stages of an envelope, and plays one key only; and chance hides
    # the finer changes.
    assert np.mean(heard) > (0.45 if synth.noise_floor == 0.0 else 0.3)


def differs(audio: Audio, base: Audio, again: Audio) -> bool:
    """Whether a render differs from that of another patch, by more than this one's two renders from each other."""
    if np.array_equal(base, again):
        return not np.array_equal(audio, base)
    return distance(audio, base) > 1.5 * distance(again, base)


def test_symmetries_leave_the_sound_unchanged(synth: Synth) -> None:
    patches = draws(synth, 2, seed=34)
    for symmetry in synth.space.symmetries:
        choices = [[(c.parameter, value) for value in fitting_values(synth.space, c)] for c in symmetry.when]
        for values in product(*choices):
            for patch in patches:
                fitting = patch.copy()
                for name, value in values:
                    fitting[synth.space.index(name)] = value
                permuted = synth.space.permute(fitting, symmetry)
                assert not np.array_equal(permuted, fitting)
                assert same(synth, play(synth, permuted, length=0.2), partial(play, synth, fitting, length=0.2))


def fitting_values(space: ParameterSpace, condition: Condition) -> list[float]:
    """Values of a parameter for which a condition holds: all that it names, or the highest not ruled out."""
    high = float(space.high[space.index(condition.parameter)])
    return list(condition.values) or [next(high - i for i in range(1000) if high - i not in condition.unless)]


def test_a_preset_file_brings_the_patch_back(synth: Synth, tmp_path: Path) -> None:
    for i, patch in enumerate(draws(synth, 20)):
        path = tmp_path / f"{i}{synth.preset_suffix}"
        synth.write_preset(patch, path, name="round trip")
        (back,) = synth.read_presets(path)
        assert back.name == "round trip"
        assert not back.dropped
        assert_array_equal(back.patch, patch)


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Callable[[str, Path, Path], None]]:
    """Plays a preset of a synth in another process, which knows nothing of this one, to a file."""
    code = (
        "import sys, pathlib, numpy as np\n"
        "from wav2patch import load_synth, Note\n"
        "for line in sys.stdin:\n"
        "    name, path, audio = line.rstrip().split(chr(9))\n"
        "    synth = load_synth(name)\n"
        "    (preset,) = synth.read_presets(pathlib.Path(path))\n"
        "    note = Note(60, 100, 0.0, 0.4)\n"
        "    np.save(audio, synth.render(preset.patch, note, length=0.6, sample_rate=44100))\n"
        "    print('played', flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdin is not None
        assert run.stdout is not None
        reader, writer = run.stdout, run.stdin

        def play_there(*words: str | Path) -> None:
            writer.write("\t".join(map(str, words)) + "\n")
            writer.flush()
            # What a plug-in prints of its own comes before.
            assert "played\n" in iter(reader.readline, "")

        yield play_there


def test_a_preset_file_sounds_the_same_in_a_new_process(
    synth: Synth, elsewhere: Callable[[str, Path, Path], None], tmp_path: Path
) -> None:
    patch = draws(synth, 1, seed=35)[0]
    preset, audio = tmp_path / f"p{synth.preset_suffix}", tmp_path / "audio.npy"
    synth.write_preset(patch, preset)
    elsewhere(synth.name, preset, audio)
    assert same(synth, np.load(audio), partial(play, synth, patch))


def test_a_bad_value_is_refused_with_its_name(synth: Synth) -> None:
    patch = synth.space.default.copy()
    patch[3] = 1e6
    with pytest.raises(UserError, match=synth.space.names[3]):
        play(synth, patch)


@pytest.mark.parametrize("content", [b"", b"hello", b"\xf0\x43\x00\x09", bytes(5000)])
def test_a_file_that_is_no_preset_is_refused(synth: Synth, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / f"bad{synth.preset_suffix}"
    path.write_bytes(content)
    with pytest.raises(UserError, match="holds no"):
        synth.read_presets(path)
    with pytest.raises(UserError, match="could not be read"):
        synth.read_presets(tmp_path / "missing")
