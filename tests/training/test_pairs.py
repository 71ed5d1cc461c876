"""Every method on every synth: trained, stopped and gone on with, evaluated, and asked for the patch of a sound."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import real_sets
import torch
from small_runs import shrunk

from wav2patch.audio.files import write_wav
from wav2patch.configs.composing import compose_settings
from wav2patch.configs.experiments import load_families
from wav2patch.datasets.views.view import open_view
from wav2patch.datasets.views.view_file import Extent
from wav2patch.evaluation.baselines import TRUTH, Propose, baselines
from wav2patch.evaluation.prediction import hear, load_model, predict
from wav2patch.evaluation.rows import Rows, TensorRows, ViewRows
from wav2patch.evaluation.run import evaluate
from wav2patch.evaluation.trained import load_methods
from wav2patch.models.noise import Noise
from wav2patch.rendering.base import Renderer
from wav2patch.rendering.choose import make_renderer
from wav2patch.synths.catalogue import load_synth
from wav2patch.synths.tensor.synth import TensorSynth
from wav2patch.training.beginning import first_learner
from wav2patch.training.examples import Translation
from wav2patch.training.making import finished, make_data, standardize
from wav2patch.training.run import RunResult, fit
from wav2patch.training.saving import Trained, load_trained
from wav2patch.training.settings import DataSettings, RunSettings

torch.set_num_threads(1)

HALF, STEPS, VALIDATED, LOGGED, BATCH = 25, 50, 20, 5, 12
CLIPS = {"length": 0.3, "gate": "-50", "notes": "wide latest=0.05 longest=0.2"}
RIVALS = {"vae_flow": "vae_flow", "classification": "classification", "nearest": "nearest_neighbour"}
"""Methods that the research experiments do not have, as the papers do not; they work there all the same."""


METHODS = {task: [*family.methods] for family in load_families() for task in family.tasks}


@dataclass(frozen=True)
class Subject:
    """What methods are tried on.

    Attributes:
        task: The experiments'.
        words: Which synth it is, where the task leaves that open.
        methods: Other ones than the task's.
        clips: How many sounds the data set has; 0 for research synths, which are rendered while training.
        wishes: What else is to be said about the data set.
    """

    task: str
    words: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    clips: int = 0
    wishes: Mapping[str, Any] = field(default_factory=dict)

    def settings(self, method: str) -> RunSettings:
        known = method in METHODS[self.task]
        settings = compose_settings([f"experiment={self.task}/{method if known else 'mse'}", *self.words])
        if known:
            return settings
        inverter = {"kind": RIVALS[method], **({} if method == "nearest" else {"encoder": {"name": "cnn_1d"}})}
        return dataclasses.replace(settings, inverter=inverter)


FOUND = {"notes": "paper"}
SUBJECTS = {
    "kosc_4": Subject("kosc", methods=(*METHODS["kosc"], *RIVALS)),
    # Those that believe in the symmetry, which is broken.
    "kosc_4_asymmetric": Subject("kosc", ("data.symmetric=false",), ("flow_equivariant", "chamfer", "sorted")),
    "ksin_4": Subject("ksin", ("data.k=4",)),
    # Without symmetries, so that the losses that exchange blocks are refused.
    "fm_conditional": Subject("fm", ("data.synth=fm_conditional",), ("flow_equivariant", "mse")),
    "fm_mixed": Subject("fm", ("data.synth=fm_mixed",), ("flow_assigned", "assignment")),
    "fm_hierarchical": Subject("fm"),
    "inversynth_fm": Subject("inversynth_fm", ("data.samples=2048",)),
    "dexed": Subject("dexed", clips=48),
    "vital": Subject("vital", clips=24),
    "dexed, proxies": Subject("dexed_proxy", methods=("mlp_oh", "hn_ptgru", "tfm"), clips=48, wishes={"notes": "C4"}),
    "vital, proxies": Subject("vital_proxy", methods=("hn_oh",), clips=24, wishes={"notes": "C4"}),
    "dexed, heard by a proxy": Subject("dexed_estimator", methods=("parameters",), clips=24, wishes={"notes": "C4"}),
    "surge_xt_simple": Subject("surge_simple", clips=24, wishes=FOUND),
    # Surge's protocol, for machines that lack the plug-in.
    "dexed, notes found": Subject("surge_simple", ("data.synth=dexed",), clips=24, wishes=FOUND),
}
PAIRS = [(name, method) for name, one in SUBJECTS.items() for method in one.methods or METHODS[one.task]]


@dataclass(frozen=True)
class Bench:
    """A subject that is ready.

    Attributes:
        subject: Which one.
        folder: Of its data set, if it has one.
        rows: What is evaluated on.
        others: The methods that need no training.
        renderer: Of its synth, where it is not rendered in batches.
        sound: The first row as a file.
    """

    subject: Subject
    folder: str | None
    rows: Rows
    others: Mapping[str, Propose]
    renderer: Renderer | None
    sound: Path


@pytest.fixture(scope="module")
def benches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Bench]]:
    """Sets up a subject by its name, each one once."""
    with contextlib.ExitStack() as stack:
        yield functools.cache(lambda name: set_up(SUBJECTS[name], tmp_path_factory.mktemp("pairs"), stack))


def set_up(subject: Subject, place: Path, stack: contextlib.ExitStack) -> Bench:
    data = subject.settings(METHODS[subject.task][0]).data
    synth = load_synth(data.synth_name)
    if reason := synth.missing():
        pytest.skip(reason)
    renderer, rows = None, TensorRows(synth, 6) if isinstance(synth, TensorSynth) else None
    if rows is None:
        view = stack.enter_context(contextlib.closing(open_view(make_view(place, subject, data))))
        renderer, rows = stack.enter_context(contextlib.closing(make_renderer(synth, 1))), ViewRows(view, 2)
    first = rows.read([0])[0]
    write_wav(place / "sound.wav", first.audio, first.sample_rate)
    folder = None if renderer is None else str(place)
    return Bench(subject, folder, rows, baselines(rows.prior, 0), renderer, place / "sound.wav")


def make_view(folder: Path, subject: Subject, data: DataSettings) -> Path:
    """All sounds of a new data set."""
    count = subject.clips
    wishes = {**CLIPS, "synth": data.synth, "features": data.features, "count": count, "shard_rows": count}
    real_sets.make_real_set(folder, **{**wishes, **subject.wishes})
    return real_sets.cut_view(folder, "train", (Extent("shards/shard-000000.h5", 0, count),))


@pytest.mark.parametrize(("name", "method"), PAIRS, ids=[f"{name}-{method}" for name, method in PAIRS])
def test_it_trains_goes_on_evaluates_and_predicts(
    benches: Callable[[str], Bench], name: str, method: str, tmp_path: Path
) -> None:
    bench = benches(name)
    run = train(bench, method, tmp_path)
    measure(bench, run)
    ask(bench, run, tmp_path)


def train(bench: Bench, method: str, place: Path) -> RunResult:
    """In two halves; the second one goes on where the first one stopped."""
    settings = bench.subject.settings(method)
    changes: dict[str, Any] = {
        "out": str(place), "name": "mine",
        "data": {"batch_size": BATCH, "val_rows": 2 * BATCH, "folder": bench.folder, "val": "train"},
        "module": {"learning_rate": 5e-3, "schedule": "constant", "warmup_steps": 0},
        "callbacks": {"parameter_errors": 0, "pictures": False},
    }  # fmt: skip
    often = {"val_every": VALIDATED, "log_every": LOGGED}
    first, second = (fit(shrunk(settings, **changes, trainer={"max_steps": n, **often})) for n in (HALF, STEPS))
    trained = load_trained(second.last)
    if not trained.inverter.trainable:
        assert (first.state, second.state) == ("trained", "finished before")
        return second
    assert (first.state, first.steps, second.state, second.steps) == ("trained", HALF, "resumed", STEPS)
    assert [load_trained(path).steps in at for path, at in checkpoints(second).items()] == [True, True]
    with (second.folder / "metrics.csv").open() as file:
        assert [int(line["step"]) for line in csv.DictReader(file)] == list(range(LOGGED - 1, STEPS, LOGGED))
    before, after = losses(shrunk(settings, **changes), trained, second.folder)
    assert after < 0.99 * before
    return second


def checkpoints(run: RunResult) -> dict[Path, tuple[int, ...]]:
    """With the steps that they can be of."""
    assert run.best is not None
    return {run.last: (STEPS,), run.best: (VALIDATED, 2 * VALIDATED)}


def losses(settings: RunSettings, trained: Trained, folder: Path) -> list[float]:
    """Of the untrained and the trained model, on the same rows of those that the run validates on, with one noise."""
    data = make_data(settings.data)
    standardize(data, settings.data, folder / "standard.npz")
    data.setup("fit")
    batch = finished(data, next(iter(data.val_dataloader())))
    data.close()
    examples, noise = Translation(trained.record)(batch), Noise(0, 0, batch["index"])
    models = first_learner(trained.record, settings.seed).eval(), trained.inverter
    with torch.no_grad():
        return [float(one.loss(examples, noise)["loss"]) for one in models]


def measure(bench: Bench, run: RunResult) -> None:
    """Beside the baselines; the truth is nearest, and every metric says something."""
    methods = {**bench.others, **load_methods([str(run.last)], bench.rows)}
    found = evaluate(methods, bench.rows, bench.renderer)
    assert [*found.methods] == [*bench.others, "mine"]
    assert not any(one.failures for one in found.methods.values())
    for column in found.columns:
        # Not every sound has a pitch.
        assert np.isfinite(found.methods["mine"].values[column.name]).all() or column.name == "f0"
    distance = {name: found.mean(name, found.chosen_by).value for name in found.methods}
    if bench.folder and not load_trained(run.last).inverter.trainable:
        # It has seen these rows.
        assert distance["mine"] == distance[TRUTH]
    else:
        assert distance[TRUTH] < 0.1 * distance["mine"]


def ask(bench: Bench, run: RunResult, place: Path) -> None:
    """For the patch of a sound; the preset holds it, and the audio is its own."""
    loaded = load_model(run.last)
    assert isinstance(loaded.model, Trained)
    # With its engine running already, as each takes a second to start.
    loaded = dataclasses.replace(loaded, model=dataclasses.replace(loaded.model, synth=bench.rows.synth))
    found = predict(loaded, hear(bench.sound, loaded.model.record), n=2, seed=1)
    for one in found.predicted:
        assert one.failure is None
        assert one.audio is not None
        assert one.audio.shape[1] == round(loaded.model.record.length * 44_100)
        assert one.distance is not None
        assert np.isfinite(one.distance)
        path = place / f"preset{found.synth.preset_suffix}"
        found.synth.write_preset(one.patch, path, name="mine")
        np.testing.assert_array_equal(found.synth.read_presets(path)[0].patch, one.patch)
