import numpy as np
import pytest

from wav2patch.datasets.recipes.recipe import column_names
from wav2patch.datasets.statistics.parameter_axes import (
    BINS,
    axes_of_names,
    axes_of_space,
    count_parameters,
    split_counts,
)
from wav2patch.datasets.statistics.scales import LOUDNESS, PEAK, PITCH, VELOCITY, Scale, peak_decibels
from wav2patch.parameters import Categorical, Continuous, Discrete, ParameterSpace
from wav2patch.synths.catalogue import load_synth

SPACE = ParameterSpace(
    (
        Continuous("cutoff", 20.0, 220.0, 100.0, "Hz"),
        Categorical("wave", ("sine", "saw", "a=b")),
        Discrete("coarse", -3, 4),
        Discrete("fine", 0, 1000),
        Categorical("only", ("one",)),
        Continuous("mix"),
    )
)


def patches(count: int) -> np.ndarray:
    rng = np.random.default_rng([5, count])
    return SPACE.snap(rng.uniform(SPACE.low, SPACE.high, size=(count, len(SPACE))))


def test_every_value_is_counted_in_its_bin() -> None:
    drawn, axes = patches(500), axes_of_space(SPACE)
    counts = split_counts(axes, count_parameters(axes, SPACE.encode(drawn)))
    for one, counted, column in zip(axes, counts, drawn.T, strict=True):
        width = one.high - one.low or 1.0
        edges = np.arange(one.low - 0.5, one.high + 1) if one.by_step else one.low + width * np.arange(BINS + 1) / BINS
        if one.name == "fine":
            edges = np.array([float(one.label(i).split()[0]) for i in range(BINS)] + [1001.0]) - 0.5
            assert one.label(0) == "0 to 20"
            assert one.label(BINS - 1) == "981 to 1e+03"
        # A value that lies on an edge may go either way.
        np.testing.assert_allclose(counted.cumsum(), np.histogram(column, edges)[0].cumsum(), atol=1)
        assert counted.sum() == 500
        assert len(counted) == one.bins
    np.testing.assert_array_equal(counts[1], np.bincount(drawn[:, 1].astype(int), minlength=3))
    np.testing.assert_array_equal(counts[2], np.bincount(drawn[:, 2].astype(int) + 3, minlength=8))


def test_bins_say_what_they_count() -> None:
    cutoff, wave, coarse, fine, *_ = axes_of_space(SPACE)
    assert cutoff.label(0) == "20 to 24 Hz"
    assert wave.label(2) == "a=b"
    assert coarse.label(0) == "-3"
    assert not fine.by_step


@pytest.mark.parametrize("name", ["dexed", "vital", "ksin_4", "surge_xt_full"])
def test_names_alone_tell_choices_apart(name: str) -> None:
    space = load_synth(name).space
    known, guessed = axes_of_space(space), axes_of_names(column_names(space))
    assert [(one.name, one.columns, one.choices) for one in guessed] == [
        (one.name, one.columns, one.choices) for one in known
    ]


def test_names_alone_keep_apart_choices_of_one_and_numbers_side_by_side() -> None:
    guessed = axes_of_names(column_names(SPACE))
    assert [(one.name, one.columns.start, one.columns.stop) for one in guessed] == [
        (one.name, one.columns.start, one.columns.stop) for one in axes_of_space(SPACE)
    ]


@pytest.mark.parametrize("scale", [LOUDNESS, PEAK, PITCH, VELOCITY], ids=lambda one: one.name)
def test_nothing_falls_off_a_scale(scale: Scale) -> None:
    values = np.random.default_rng(8).normal(scale=100, size=1000)
    values[:3] = -np.inf, np.inf, np.nan
    counts = scale.count(values)
    assert counts.sum() == 1000
    assert counts[0] == (values <= scale.low).sum()
    assert counts[-1] == (values > scale.high).sum() + 1


def test_keys_and_silence_have_bins_of_their_own() -> None:
    assert PITCH.count(np.array([0.0, 60.0, 127.0])).nonzero()[0].tolist() == [1, 61, 128]
    assert LOUDNESS.count(np.array([-70.0, -69.99, -55.0, -54.9])).nonzero()[0].tolist() == [0, 1, 15, 16]
    assert PEAK.count(np.array([-np.inf, 0.0, 0.01]))[[0, 96, 97]].tolist() == [1, 1, 1]


def test_quantiles_are_within_a_bin() -> None:
    values = np.random.default_rng(9).normal(-20, 8, size=5000)
    counts = LOUDNESS.count(values)
    for share in (0.05, 0.5, 0.95):
        assert 0 <= LOUDNESS.quantile(counts, share) - np.quantile(values, share) <= 1.0


def test_peaks_are_those_of_the_samples() -> None:
    clips = np.random.default_rng(4).normal(scale=0.3, size=(6, 2, 50)).astype(np.float16)
    clips[1] = 0
    clips[2, 1, 7] = -1.5
    clips[3, 0, 3], clips[4, 1, 0] = np.nan, -np.inf
    peaks = peak_decibels(clips)
    assert np.isneginf(peaks[1])
    assert peaks[2] == pytest.approx(20 * np.log10(1.5))
    assert np.isnan(peaks[[3, 4]]).all()
    np.testing.assert_allclose(peaks[[0, 5]], 20 * np.log10(np.abs(clips[[0, 5]].astype(float)).max(axis=(1, 2))))
