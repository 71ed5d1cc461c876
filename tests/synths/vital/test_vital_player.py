"""Engines that have never played, and what happens when one fails."""

import os
import pickle
import signal
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from wav2patch.notes import Note
from wav2patch.priors import UniformPrior, draw
from wav2patch.synths.base import Audio, RenderError
from wav2patch.synths.vital import synth as synth_module
from wav2patch.synths.vital.player import CAN_FORK, Player
from wav2patch.synths.vital.synth import Vital

NOTE = Note(60, 100, 0.0, 0.1)


def play(synth: Vital, index: int, length: float = 0.15) -> Audio:
    patch = draw(UniformPrior(synth.space), 7, index)
    return synth.render(patch, NOTE, length=length, sample_rate=44100)


def current(synth: Vital) -> Player:
    return synth._players.player


def test_any_patch_at_all_sounds_the_same_after_any_other() -> None:
    synth = Vital()
    first = [play(synth, i) for i in range(12)]
    for i in reversed(range(12)):
        assert_array_equal(play(synth, i), first[i])


def test_threads_have_engines_of_their_own() -> None:
    synth = Vital()
    alone = [play(synth, i) for i in range(8)]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda i: play(synth, i), range(8)))
    for one, other in zip(alone, together, strict=True):
        assert_array_equal(one, other)


def test_a_longer_render_begins_as_a_shorter_one() -> None:
    synth = Vital()
    assert_array_equal(play(synth, 3, 0.4)[:, : round(0.15 * 44100)], play(synth, 3))


def test_a_pickled_synth_plays_the_same() -> None:
    synth = Vital()
    before = play(synth, 2)
    assert_array_equal(play(pickle.loads(pickle.dumps(synth)), 2), before)


def test_the_shortest_note_is_released() -> None:
    synth = Vital()
    patch = synth.space.from_named({"env_1_release": 0.3})
    audio = synth.render(patch, Note(60, 100, 0.0, 1e-6), length=0.3, sample_rate=44100)
    assert np.abs(audio[:, -2000:]).max() < 1e-4 < np.abs(audio).max()


@pytest.mark.skipif(not CAN_FORK, reason="helper processes are forked on Linux only")
class TestHelper:
    def test_a_preset_that_the_engine_refuses_costs_one_render(self, monkeypatch: pytest.MonkeyPatch) -> None:
        synth = Vital()
        before = play(synth, 1)
        with monkeypatch.context() as patched:
            patched.setattr(synth_module, "VERSION", "100000.0.0")
            with pytest.raises(RenderError, match="failed on this patch"):
                play(synth, 1)
        assert_array_equal(play(synth, 1), before)

    def test_a_killed_helper_costs_one_render(self) -> None:
        synth = Vital()
        before = play(synth, 1)
        os.kill(current(synth)._process.pid, signal.SIGKILL)
        with pytest.raises(RenderError, match="helper process ended"):
            play(synth, 1)
        assert_array_equal(play(synth, 1), before)

    def test_an_abandoned_helper_ends(self) -> None:
        synth = Vital()
        play(synth, 0)
        process = current(synth)._process
        del synth
        assert process.poll() is not None

    def test_without_forks_the_sound_is_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
        synth = Vital()
        forked = [play(synth, i) for i in range(3)]
        monkeypatch.setattr(synth_module, "CAN_FORK", False)
        for i in range(3):
            assert_array_equal(play(synth, i), forked[i])
