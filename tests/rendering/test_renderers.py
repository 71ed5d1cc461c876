"""What every renderer promises, tried with the real Dexed and with a hostile synth."""

import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from wav2patch.notes import Note
from wav2patch.parameters import Discrete, ParameterSpace, Patch
from wav2patch.priors import Prior, UniformPrior, draw
from wav2patch.rendering.base import Failure, Renderer, Sound
from wav2patch.rendering.choose import make_renderer
from wav2patch.rendering.inline import InlineRenderer
from wav2patch.rendering.threads import ThreadRenderer
from wav2patch.synths.base import Audio, Preset, RenderError, Synth
from wav2patch.synths.catalogue import load_synth

SOUND = Sound(Note(60, 100, 0.0, 0.2), 0.3, 22050)
MAKERS: dict[str, Callable[[Synth], Renderer]] = {
    "inline": InlineRenderer,
    "one thread": lambda synth: ThreadRenderer(synth, 1, deadline=5.0),
    "four threads": lambda synth: ThreadRenderer(synth, 4, deadline=5.0),
}


@pytest.fixture(params=MAKERS)
def make(request: pytest.FixtureRequest) -> Callable[[Synth], Renderer]:
    return MAKERS[request.param]


class Hostile:
    """Does what its one parameter says: 0 renders, 1 raises, 2 sleeps past every deadline, 3 renders slowly."""

    name = title = "hostile"
    preset_suffix = ".hostile"
    bank_name = None
    releases_gil = True
    may_crash = False
    noise_floor = 0.0
    space = ParameterSpace((Discrete("deed", 0, 3), Discrete("value", 0, 99)))

    def __init__(self) -> None:
        self.release = threading.Event()

    def missing(self) -> None:
        return None

    def versions(self) -> dict[str, str]:
        return {}

    def prior(self) -> Prior:
        return UniformPrior(self.space)

    def render(self, patch: Patch, note: Note, *, length: float, sample_rate: int) -> Audio:
        if patch[0] == 1:
            raise RenderError("broken on purpose")
        if patch[0] == 2:
            self.release.wait(30)
        if patch[0] == 3:
            time.sleep(0.02)
        return np.full((1, 4), patch[1], dtype=np.float32)

    def write_preset(self, patch: Patch, path: Path, *, name: str = "") -> None:
        raise NotImplementedError

    def write_bank(self, patches: list[Patch], path: Path, names: list[str]) -> None:
        raise NotImplementedError

    def read_presets(self, path: Path) -> list[Preset]:
        raise NotImplementedError

    def loading_instructions(self) -> list[str]:
        return []


def first_value(audio: Audio) -> float:
    return float(audio[0, 0])


def test_results_come_in_the_order_of_the_patches(make: Callable[[Synth], Renderer]) -> None:
    renderer = make(Hostile())
    patches = [np.array([3.0 if i % 3 == 0 else 0.0, float(i)]) for i in range(40)]
    assert renderer.map(patches, SOUND, first_value) == [float(i) for i in range(40)]
    renderer.close()


def test_renders_equal_the_synths_own_whatever_the_workers(make: Callable[[Synth], Renderer]) -> None:
    synth = load_synth("dexed")
    patches = [draw(synth.prior(), 9, i) for i in range(12)]
    renderer = make(synth)
    for patch, audio in zip(patches, renderer.map(patches, SOUND, np.copy), strict=True):
        assert not isinstance(audio, Failure)
        assert_array_equal(audio, synth.render(patch, SOUND.note, length=0.3, sample_rate=22050))
    renderer.close()


def test_a_render_that_fails_costs_itself_alone(make: Callable[[Synth], Renderer]) -> None:
    renderer = make(Hostile())
    results = renderer.map([np.array([deed, 5.0]) for deed in (0, 1, 0, 1, 0)], SOUND, first_value)
    assert [r for r in results if not isinstance(r, Failure)] == [5.0, 5.0, 5.0]
    assert [r.reason for r in results if isinstance(r, Failure)] == ["RenderError: broken on purpose"] * 2
    assert renderer.map([np.array([0.0, 7.0])], SOUND, first_value) == [7.0]
    renderer.close()


def test_what_is_done_with_a_render_may_fail_too(make: Callable[[Synth], Renderer]) -> None:
    renderer = make(Hostile())
    (result,) = renderer.map([np.array([0.0, 5.0])], SOUND, lambda audio: 1 / 0)
    assert isinstance(result, Failure)
    assert "ZeroDivisionError" in result.reason
    renderer.close()


def test_an_engine_that_tries_to_exit_costs_one_render(make: Callable[[Synth], Renderer]) -> None:
    renderer = make(Hostile())
    (result,) = renderer.map([np.array([0.0, 5.0])], SOUND, lambda audio: sys.exit(3))
    assert isinstance(result, Failure)
    assert renderer.map([np.array([0.0, 7.0])], SOUND, first_value) == [7.0]
    renderer.close()


def test_no_patches_give_no_results(make: Callable[[Synth], Renderer]) -> None:
    renderer = make(Hostile())
    assert renderer.map([], SOUND, first_value) == []
    renderer.close()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_render_that_never_returns_costs_itself_alone(workers: int) -> None:
    synth = Hostile()
    renderer = ThreadRenderer(synth, workers, deadline=0.3)
    patches = [np.array([2.0 if i in (1, 4) else 0.0, float(i)]) for i in range(8)]
    results = renderer.map(patches, SOUND, first_value)
    assert [i for i, result in enumerate(results) if isinstance(result, Failure)] == [1, 4]
    assert renderer.map([np.array([0.0, 3.0])] * 3, SOUND, first_value) == [3.0] * 3
    synth.release.set()
    renderer.close()


def test_threads_end_when_the_renderer_is_closed() -> None:
    before = set(threading.enumerate())
    renderer = ThreadRenderer(Hostile(), 3)
    started = [thread for thread in threading.enumerate() if thread not in before]
    assert len(started) == 3
    renderer.close()
    for thread in started:
        thread.join(5)
    assert not any(thread.is_alive() for thread in started)


def test_a_renderer_has_a_worker() -> None:
    with pytest.raises(ValueError, match="at least one worker"):
        ThreadRenderer(Hostile(), 0)


def test_engines_that_hold_the_lock_render_in_line() -> None:
    synth = Hostile()
    assert isinstance(make_renderer(synth, 2), ThreadRenderer)
    synth.releases_gil = False
    assert isinstance(make_renderer(synth, 2), InlineRenderer)


def test_ctrl_c_leaves_nothing_in_the_queue() -> None:
    synth = Hostile()
    renderer = ThreadRenderer(synth, 1)
    patches = [np.array([3.0, 1.0])] * 200

    once = iter([True])

    def interrupt(audio: Audio) -> float:
        if next(once, False):
            signal.raise_signal(signal.SIGINT)
        return 0.0

    with pytest.raises(KeyboardInterrupt):
        renderer.map(patches, SOUND, interrupt)
    start = time.monotonic()
    assert renderer.map([np.array([0.0, 3.0])], SOUND, first_value) == [3.0]
    assert time.monotonic() - start < 1.0
    renderer.close()
