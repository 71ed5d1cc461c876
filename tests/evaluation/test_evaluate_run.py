"""Evaluations from rows to figures: on Dexed with the panel, on k-osc in batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from wav2patch.audio.channels import to_mono
from wav2patch.audio.pitch import find_pitch
from wav2patch.evaluation.baselines import MEAN, RANDOM, TRUTH, baselines
from wav2patch.evaluation.columns import PANEL_COLUMNS
from wav2patch.evaluation.results import Evaluation
from wav2patch.evaluation.rows import Row, TensorRows, ViewRows
from wav2patch.evaluation.run import evaluate
from wav2patch.metrics.log_spectral import log_spectral_distance
from wav2patch.metrics.objective import distance
from wav2patch.metrics.panel import PANEL
from wav2patch.metrics.panel import evaluate as evaluate_panel
from wav2patch.notes import Note
from wav2patch.rendering.inline import InlineRenderer
from wav2patch.synths.base import Synth
from wav2patch.synths.catalogue import load_synth
from wav2patch.weights.proposals import Proposals


class Jitter:
    """Finds the truth but for a little noise: the last proposal is the truth itself."""

    def __init__(self, synth: Synth, note: Note | None = None) -> None:
        self.space, self.note = synth.space, note

    def __call__(self, rows: Sequence[Row], n: int, seed: int) -> list[Proposals]:
        return [self._propose(row, n, seed) for row in rows]

    def _propose(self, row: Row, n: int, seed: int) -> Proposals:
        rng = np.random.default_rng([seed, row.index, 9])
        low, high = self.space.low, self.space.high
        patches = self.space.snap(row.patch + 0.3 * (high - low) * rng.normal(size=(n, len(low))))
        patches[-1] = row.patch
        return Proposals(patches, None if self.note is None else (self.note,) * n)


class Breaking:
    """A synth that fails on some patches."""

    def __init__(self, synth: Synth, broken: Sequence[bytes]) -> None:
        self._synth, self._broken = synth, set(broken)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._synth, name)

    def render(self, patch: Any, note: Note, *, length: float, sample_rate: int) -> Any:
        if np.asarray(patch).tobytes() in self._broken:
            raise RuntimeError("the engine stumbled")
        return self._synth.render(patch, note, length=length, sample_rate=sample_rate)


def run_dexed(rows: ViewRows, **options: Any) -> Evaluation:
    methods = {**baselines(rows.prior, 0), "jitter": Jitter(rows.synth)}
    return evaluate(methods, rows, InlineRenderer(rows.synth), **options)


@pytest.fixture(scope="module")
def single(dexed_rows: ViewRows) -> Evaluation:
    """One proposal for each row."""
    return run_dexed(dexed_rows)


@pytest.fixture(scope="module")
def double(dexed_rows: ViewRows) -> Evaluation:
    """The best of two."""
    return run_dexed(dexed_rows, best_of=2)


def test_the_panel_is_that_of_compare(dexed_rows: ViewRows, single: Evaluation) -> None:
    found = single
    row = dexed_rows.read([2])[0]
    patch = found.methods[RANDOM].patches[2]
    render = dexed_rows.synth.render(patch, row.note, length=row.length, sample_rate=row.sample_rate)
    pitches = [find_pitch(to_mono(one), row.sample_rate).frequency for one in (row.audio, render)]
    expected = evaluate_panel(row.audio, render, row.sample_rate, target_f0=pitches[0], prediction_f0=pitches[1])
    for metric in PANEL:
        value = expected[metric.name]
        assert_allclose(found.methods[RANDOM].values[metric.name][2], np.nan if value is None else value)
    assert_allclose(
        found.methods[RANDOM].values["distance"][2],
        distance(to_mono(row.audio), to_mono(render)[None], row.sample_rate)[0],
    )


def test_the_truth_is_the_noise_floor_and_everything_else_is_further_away(single: Evaluation) -> None:
    found = single
    means = {name: found.mean(name, PANEL_COLUMNS[0]).value for name in found.methods}
    # Targets are stored in half precision.
    assert means[TRUTH] < 0.05 < 1.0 < min(means[MEAN], means[RANDOM])
    assert (found.methods[TRUTH].values["mse"] == 0).all()
    assert (found.methods[TRUTH].values["choices"] == 1).all()
    # With one proposal the jittering method's only one is the truth.
    assert means["jitter"] == means[TRUTH]


def test_the_best_of_several_is_kept(single: Evaluation, double: Evaluation) -> None:
    found = double
    assert np.array_equal(found.methods["jitter"].patches, found.truth)
    assert found.methods["jitter"].tried == 8
    assert found.methods[MEAN].tried == found.methods[TRUTH].tried == 4
    assert found.mean(RANDOM, found.columns[0]).value < single.mean(RANDOM, found.columns[0]).value


def test_values_of_a_row_do_not_depend_on_the_others(
    dexed_rows: ViewRows, double: Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wav2patch.evaluation.score.PanelScorer.batch", 3)
    parted = run_dexed(dexed_rows, best_of=2)
    assert double.items() == parted.items()


def test_failures_are_counted_and_named(dexed_rows: ViewRows) -> None:
    rows = dexed_rows.read(range(4))
    engine = Breaking(dexed_rows.synth, [rows[1].patch.tobytes()])
    methods = {"truth": baselines(dexed_rows.prior, 0)[TRUTH], "jitter": Jitter(dexed_rows.synth)}
    found = evaluate(methods, dexed_rows, InlineRenderer(engine), best_of=2)  # type: ignore[arg-type]
    assert found.methods["truth"].failures == {1: "RuntimeError: the engine stumbled"}
    assert found.mean("truth", found.columns[0]).count == 3
    assert found.mean("truth", found.columns[-1]).count == 4
    # Of two proposals, the one that can be rendered is kept.
    assert (found.methods["jitter"].failures, found.methods["jitter"].broken) == ({}, 1)
    item = found.items()[1]["methods"]["truth"]
    assert item["failure"] == "RuntimeError: the engine stumbled"
    assert item["mss"] is None
    assert item["mse"] == 0.0


def test_a_predicted_note_is_played(dexed_rows: ViewRows) -> None:
    note = Note(100, 20, 0.2, 0.1)
    found = evaluate({"other": Jitter(dexed_rows.synth, note)}, dexed_rows, InlineRenderer(dexed_rows.synth))
    assert found.methods["other"].notes == (note,) * 4
    assert found.mean("other", PANEL_COLUMNS[0]).value > 1.0


def test_k_osc_is_measured_by_the_papers_distance(kosc_rows: TensorRows) -> None:
    found = evaluate({**baselines(kosc_rows.prior, 0), "jitter": Jitter(kosc_rows.synth)}, kosc_rows, best_of=2)
    names = [column.name for column in found.columns]
    assert names == ["signal_lsd", "mse", "mae", "chamfer", "assignment", "audible_mse", "audible_mae"]
    targets = np.stack([row.audio[0] for row in kosc_rows.read(range(40))])
    signals = kosc_rows.synth.render_batch(found.methods[RANDOM].patches).numpy()
    assert_allclose(found.methods[RANDOM].values["signal_lsd"], log_spectral_distance(targets, signals))
    assert (found.methods["jitter"].values["signal_lsd"] == 0).all()
    assert (found.methods[TRUTH].values["signal_lsd"] == 0).all()


@pytest.mark.parametrize(("k", "expected"), [(4, 12.14), (16, 10.61)])
def test_random_parameters_have_the_published_distance(k: int, expected: float) -> None:
    synth: Any = load_synth(f"kosc_{k}")
    rows = TensorRows(synth, 1024)
    found = evaluate({"random": baselines(rows.prior, 0)[RANDOM]}, rows)
    estimate = found.mean("random", found.columns[0])
    assert abs(estimate.value - expected) < 0.15
    assert_allclose(found.mean("random", found.columns[1]).value, 2 / 3, atol=0.03)


def test_exchanged_oscillators_are_told_from_wrong_ones(kosc_rows: TensorRows) -> None:
    def exchanged(rows: Sequence[Row], n: int, seed: int) -> list[Proposals]:
        order = np.array([1, 0, 3, 2])
        return [Proposals(row.patch.reshape(3, 4)[:, order].reshape(1, 12)) for row in rows]

    found = evaluate({"exchanged": exchanged}, kosc_rows).methods["exchanged"].values
    assert found["mse"].mean() > 0.3
    assert_allclose(found["assignment"], 0, atol=1e-6)
    assert_allclose(found["chamfer"], 0, atol=1e-6)
    assert found["signal_lsd"].max() < 0.2


def test_signals_that_are_not_finite_are_failures(kosc_rows: TensorRows, monkeypatch: pytest.MonkeyPatch) -> None:
    render = kosc_rows.synth.render_batch

    def sometimes(patches: Any, *rest: Any, **named: Any) -> Any:
        signals = render(patches, *rest, **named)
        signals[5, 3] = float("nan")
        return signals

    methods = {"truth": baselines(kosc_rows.prior, 0)[TRUTH]}
    targets = kosc_rows.read(range(40))
    monkeypatch.setattr(kosc_rows, "read", lambda numbers: targets)
    monkeypatch.setattr(kosc_rows.synth, "render_batch", sometimes)
    found = evaluate(methods, kosc_rows)
    assert found.methods["truth"].failures == {5: "the signal holds values that are not finite numbers"}
    assert found.mean("truth", found.columns[0]).count == 39


def test_what_cannot_be_evaluated_is_refused(dexed_rows: ViewRows) -> None:
    with pytest.raises(ValueError, match="at least one row and one proposal"):
        evaluate({}, dexed_rows, InlineRenderer(dexed_rows.synth), best_of=0)
    with pytest.raises(ValueError, match="dexed is not rendered in batches"):
        evaluate({}, dexed_rows)
