"""What every renderer promises, tried with the real Dexed and with a hostile synth."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor

import numpy as np
import pytest
from hostile import BAD_AUDIO, SOUND, Hostile, division, first_value, leave, patch
from numpy.testing import assert_array_equal

from wav2patch.notes import Note
from wav2patch.priors import draw
from wav2patch.rendering.base import Failure, Renderer, Sound
from wav2patch.rendering.choose import make_renderer
from wav2patch.rendering.inline import InlineRenderer
from wav2patch.rendering.processes import ProcessRenderer
from wav2patch.rendering.threads import ThreadRenderer
from wav2patch.synths.base import Audio, Synth
from wav2patch.synths.catalogue import load_synth

MAKERS: dict[str, Callable[[Synth], Renderer]] = {
    "inline": InlineRenderer,
    "one thread": lambda synth: ThreadRenderer(synth, 1, deadline=5.0),
    "four threads": lambda synth: ThreadRenderer(synth, 4, deadline=5.0),
    "one process": lambda synth: ProcessRenderer(synth, 1, deadline=5.0),
    "two processes": lambda synth: ProcessRenderer(synth, 2, deadline=5.0),
    "three processes": lambda synth: ProcessRenderer(synth, 3, deadline=5.0),
}


@pytest.fixture(params=MAKERS)
def make(request: pytest.FixtureRequest) -> Callable[[Synth], Renderer]:
    return MAKERS[request.param]


@pytest.fixture(params=["inline", "one thread", "four threads", "two processes"], scope="module")
def renderer(request: pytest.FixtureRequest) -> Iterator[Renderer]:
    """Of the hostile synth, shared by the tests: none may leave a mark on it."""
    renderer = MAKERS[request.param](Hostile())
    yield renderer
    renderer.close()


def test_results_come_in_the_order_of_the_patches(renderer: Renderer) -> None:
    patches = [patch("slow" if i % 3 == 0 else "render", i) for i in range(40)]
    assert renderer.map(patches, SOUND, first_value) == [float(i) for i in range(40)]


def test_renders_equal_the_synths_own_whatever_the_workers(make: Callable[[Synth], Renderer]) -> None:
    synth = load_synth("dexed")
    patches = [draw(synth.prior(), 9, i) for i in range(12)]
    renderer = make(synth)
    for values, audio in zip(patches, renderer.map(patches, SOUND, np.copy), strict=True):
        assert not isinstance(audio, Failure)
        assert_array_equal(audio, synth.render(values, SOUND.note, length=0.3, sample_rate=22050))
    renderer.close()


def test_every_patch_can_have_a_sound_of_its_own(make: Callable[[Synth], Renderer]) -> None:
    synth = load_synth("dexed")
    patches = [draw(synth.prior(), 9, i) for i in range(6)]
    sounds = [Sound(Note(48 + 3 * i, 60 + 10 * i, 0.01 * i, 0.1), 0.3 + 0.1 * (i % 2), 22050) for i in range(6)]
    renderer = make(synth)
    for values, sound, audio in zip(patches, sounds, renderer.map(patches, sounds, np.copy), strict=True):
        assert not isinstance(audio, Failure)
        assert_array_equal(audio, synth.render(values, sound.note, length=sound.length, sample_rate=22050))
    with pytest.raises(ValueError, match="6 patches do not go with 5 sounds"):
        renderer.map(patches, sounds[:-1], np.copy)
    renderer.close()


@pytest.mark.parametrize("name", ["one thread", "two processes"])
def test_closing_cuts_short_what_another_thread_waits_for(name: str) -> None:
    renderer = MAKERS[name](Hostile())
    with ThreadPoolExecutor(1) as calls:
        waiting = calls.submit(renderer.map, [patch("slow", i) for i in range(500)], SOUND, first_value)
        time.sleep(0.3)
        renderer.close()
        with pytest.raises(CancelledError):
            waiting.result(timeout=20)


def test_a_render_that_fails_costs_itself_alone(renderer: Renderer) -> None:
    results = renderer.map([patch(deed, 5) for deed in ("render", "raise") * 2], SOUND, first_value)
    assert results == [5.0, Failure("RenderError: broken on purpose")] * 2
    assert renderer.map([patch("render", 7)], SOUND, first_value) == [7.0]


@pytest.mark.parametrize("deed", BAD_AUDIO)
def test_what_is_not_the_audio_asked_for_is_a_failure(renderer: Renderer, deed: str) -> None:
    one, bad, two = renderer.map([patch("render", 1), patch(deed), patch("render", 2)], SOUND, first_value)
    assert (one, two) == (1.0, 2.0)
    assert isinstance(bad, Failure)
    assert "the render" in bad.reason


def test_what_is_done_with_a_render_may_fail_too(renderer: Renderer) -> None:
    (result,) = renderer.map([patch("render", 5)], SOUND, division)
    assert isinstance(result, Failure)
    assert "ZeroDivisionError" in result.reason


def test_an_engine_that_tries_to_exit_costs_one_render(renderer: Renderer) -> None:
    results = renderer.map([patch("sys.exit"), patch("render", 7)], SOUND, first_value)
    assert results == [Failure("SystemExit: 3"), 7.0]
    assert renderer.map([patch("render")], SOUND, leave) == [Failure("SystemExit: 3")]
    assert renderer.map([patch("render", 7)], SOUND, first_value) == [7.0]


def test_no_patches_give_no_results(renderer: Renderer) -> None:
    assert renderer.map([], SOUND, first_value) == []


def test_nothing_is_skipped_that_harmed_no_worker(renderer: Renderer) -> None:
    for _ in range(3):
        renderer.map([patch("raise"), patch("nan")], SOUND, first_value)
    assert len(renderer.skipped) == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_a_render_that_never_returns_costs_itself_alone(workers: int) -> None:
    renderer = ThreadRenderer(Hostile(), workers, deadline=0.3)
    patches = [patch("sleep" if i in (1, 4) else "render", i) for i in range(8)]
    results = renderer.map(patches, SOUND, first_value)
    assert [i for i, result in enumerate(results) if isinstance(result, Failure)] == [1, 4]
    assert renderer.map([patch("render", 3)] * 3, SOUND, first_value) == [3.0] * 3
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


@pytest.mark.parametrize("maker", [ThreadRenderer, ProcessRenderer])
def test_a_renderer_has_a_worker(maker: type) -> None:
    with pytest.raises(ValueError, match="at least one worker"):
        maker(Hostile(), 0)


@pytest.mark.parametrize(
    ("releases_gil", "may_crash", "workers", "kind"),
    [
        (True, False, 2, ThreadRenderer),
        (True, False, 1, InlineRenderer),
        (False, False, 2, ProcessRenderer),
        (False, False, 1, InlineRenderer),
        (True, True, 2, ProcessRenderer),
        (False, True, 1, ProcessRenderer),
    ],
)
def test_a_synth_gets_the_renderer_that_it_needs(releases_gil: bool, may_crash: bool, workers: int, kind: type) -> None:
    synth = Hostile()
    synth.releases_gil, synth.may_crash = releases_gil, may_crash
    renderer = make_renderer(synth, workers)
    assert isinstance(renderer, kind)
    assert renderer.workers == workers
    renderer.close()


@pytest.mark.parametrize("maker", [ThreadRenderer, ProcessRenderer])
def test_ctrl_c_leaves_nothing_in_the_queue(maker: type) -> None:
    renderer = maker(Hostile(), 1)
    patches = [patch("slow", 1)] * 200
    renderer.map(patches[:1], SOUND, first_value)
    timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        renderer.map(patches, SOUND, first_value)
    start = time.monotonic()
    assert renderer.map([patch("render", 3)], SOUND, first_value) == [3.0]
    assert time.monotonic() - start < 1.0
    renderer.close()


def test_ctrl_c_within_a_thread_leaves_nothing_in_the_queue() -> None:
    renderer = ThreadRenderer(Hostile(), 1)
    once = iter([True])

    def interrupt(audio: Audio) -> float:
        if next(once, False):
            signal.raise_signal(signal.SIGINT)
        return 0.0

    with pytest.raises(KeyboardInterrupt):
        renderer.map([patch("slow", 1)] * 200, SOUND, interrupt)
    start = time.monotonic()
    assert renderer.map([patch("render", 3)], SOUND, first_value) == [3.0]
    assert time.monotonic() - start < 1.0
    renderer.close()
