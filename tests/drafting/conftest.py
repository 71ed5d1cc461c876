from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest
from toy_plugin import ToyHost

from wav2patch.drafting.bench import Bench, Maker
from wav2patch.drafting.kinds import Described
from wav2patch.drafting.raw import Raw, raw_spec
from wav2patch.drafting.reading import describe
from wav2patch.notes import Note
from wav2patch.rendering.base import Renderer, Sound
from wav2patch.rendering.inline import InlineRenderer
from wav2patch.synths.plugins.spec import PluginSpec
from wav2patch.synths.plugins.synth import PluginSynth

SHORT = Sound(Note(60, 100, 0.0, 0.15), 0.2, 22050)


def silent_report(stage: str, part: float) -> None:
    assert stage
    assert 0 <= part <= 1


@pytest.fixture(scope="session")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plugins") / "Toy.vst3"
    path.touch()
    return path


@pytest.fixture(scope="session")
def controls(plugin: Path) -> list[Described]:
    host = ToyHost(plugin)
    return [describe(host, control) for control in host.controls]


@pytest.fixture(scope="session")
def raw(plugin: Path, controls: list[Described]) -> Raw:
    return raw_spec(plugin, str(plugin), controls)


MakeMaker = Callable[..., Maker]


@pytest.fixture(scope="session")
def maker(plugin: Path) -> MakeMaker:
    def with_habits(*habits: str) -> Maker:
        def make(spec: PluginSpec, workers: int | None) -> Renderer:
            return InlineRenderer(PluginSynth(spec, plugin, partial(ToyHost, habits=habits)))

        return make

    return with_habits


@pytest.fixture(scope="session")
def place(maker: MakeMaker) -> Callable[..., Bench]:
    def on(spec: PluginSpec, habits: Sequence[str] = (), sound: Sound = SHORT) -> Bench:
        return Bench(maker(*habits)(spec, None), silent_report, sound)

    return on
