"""A Ray cluster of one machine behaves as the other renderers do."""

from collections.abc import Iterator
from importlib import import_module

import numpy as np
import pytest
from hostile import SOUND, Hostile, environment, first_value, patch
from numpy.testing import assert_array_equal

from wav2patch.errors import UserError
from wav2patch.priors import draw
from wav2patch.rendering.base import Failure
from wav2patch.rendering.choose import make_renderer
from wav2patch.rendering.cluster import RayRenderer
from wav2patch.synths.catalogue import load_synth

pytest.importorskip("ray", reason="Ray is an extra: pip install 'wav2patch[ray]'")

# Ray leaves its log files open and a signal handler behind.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(scope="module")
def renderer() -> Iterator[RayRenderer]:
    renderer = make_renderer(Hostile(), 2, deadline=2.0, cluster="local")
    assert isinstance(renderer, RayRenderer)
    yield renderer
    renderer.close()
    import_module("ray").shutdown()


def test_a_crash_a_hang_and_a_nan_lose_one_render_each(renderer: RayRenderer) -> None:
    deeds = ["render"] * 20
    deeds[3], deeds[9], deeds[12], deeds[15] = "kill", "deadlock", "nan", "raise"
    results = renderer.map([patch(deed, i) for i, deed in enumerate(deeds)], SOUND, first_value)
    assert [i for i, result in enumerate(results) if isinstance(result, Failure)] == [3, 9, 12, 15]
    assert [result for result in results if not isinstance(result, Failure)] == [
        i for i in range(20) if i not in (3, 9, 12, 15)
    ]
    assert "2 s" in results[9].reason  # type: ignore[union-attr]


def test_a_patch_that_takes_two_workers_along_is_skipped(renderer: RayRenderer) -> None:
    bad, good = patch("exit", 9), patch("render", 4)
    for _ in range(2):
        renderer.map([bad], SOUND, first_value)
    skipped, rendered = renderer.map([bad, good], SOUND, first_value)
    assert isinstance(skipped, Failure)
    assert "skipped" in skipped.reason
    assert rendered == 4.0
    assert list(renderer.skipped[-1].patch) == list(bad)


def test_actors_have_one_thread_a_folder_and_no_display(renderer: RayRenderer) -> None:
    (variables,) = renderer.map([patch("render")], SOUND, environment)
    assert not isinstance(variables, Failure)
    assert "DISPLAY" not in variables
    assert variables["OMP_NUM_THREADS"] == variables["OPENBLAS_NUM_THREADS"] == "1"
    assert variables["WAV2PATCH_WORKER_FOLDER"]


def test_renders_equal_the_synths_own_on_a_cluster_that_is_shared(renderer: RayRenderer) -> None:
    synth = load_synth("dexed")
    patches = [draw(synth.prior(), 9, i) for i in range(8)]
    second = RayRenderer(synth, 1)
    try:
        for values, audio in zip(patches, second.map(patches, SOUND, np.copy), strict=True):
            assert_array_equal(audio, synth.render(values, SOUND.note, length=0.3, sample_rate=22050))
    finally:
        second.close()
    assert renderer.map([patch("render", 7)], SOUND, first_value) == [7.0]


def test_a_cluster_that_is_not_there_is_named(renderer: RayRenderer, monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with pytest.raises(UserError, match=r"no Ray cluster at 127\.0\.0\.1:1"):
        make_renderer(Hostile(), 1, cluster="127.0.0.1:1")
