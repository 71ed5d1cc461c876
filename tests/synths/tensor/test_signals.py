"""k-sin, k-osc and FM as functions of tensors."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose

from wav2patch.metrics.log_spectral import log_spectral_distance

torch = pytest.importorskip("torch", reason="the research synths need PyTorch: pip install 'wav2patch[train]'")

from wav2patch.synths.tensor.signals.fm import fm  # noqa: E402 - needs PyTorch
from wav2patch.synths.tensor.signals.kosc import kosc  # noqa: E402
from wav2patch.synths.tensor.signals.ksin import ksin  # noqa: E402
from wav2patch.synths.tensor.signals.phase import turns  # noqa: E402

Signal = Callable[..., torch.Tensor]

SIGNALS: dict[str, tuple[Signal, int]] = {
    "ksin": (ksin, 12),
    "kosc": (kosc, 12),
    "fm_conditional": (partial(fm, algorithm="conditional"), 6),
    "fm_mixed": (partial(fm, algorithm="mixed"), 8),
    "fm_hierarchical": (partial(fm, algorithm="hierarchical"), 12),
}

# Samples 1, 2, 3, 50, 511 and 1023 of the original code (synth-permutations, commit of October 2025) in double
# precision, for parameters cos(1), cos(2), …
ORIGINAL = {
    ("ksin", True): (1.471966, -0.890430, 1.026495, 1.516758, -0.518717, 1.299249),
    ("ksin", False): (1.067673, 0.558136, 1.579309, 1.212112, -1.899250, -1.792998),
    ("kosc", True): (-0.473510, -0.554475, -0.612110, -0.363364, 0.107370, 0.126108),
    ("kosc", False): (-0.421028, -0.460798, -0.497583, -0.137951, -0.439535, -0.128343),
    ("fm_conditional", True): (0.064188, 0.151347, 0.273325, -0.247630, 0.426623, -0.182077),
    ("fm_conditional", False): (0.596631, -0.223718, -0.711116, 0.445214, 1.133674, -0.323629),
    ("fm_mixed", True): (0.573787, 0.931464, 1.027338, -0.742204, 0.041290, -0.371698),
    ("fm_mixed", False): (0.226807, 0.464243, 0.345456, 0.809448, 0.747323, 0.144515),
    ("fm_hierarchical", True): (1.093005, 1.276124, 0.854963, -0.020332, 0.250901, 1.186645),
    ("fm_hierarchical", False): (1.217142, -0.352012, 0.257182, 0.057836, -0.032723, 0.382938),
}

# Log-spectral distances in dB that the original code gives (shared reference page, section 1.1): random
# parameters, then an all-zero prediction.
ANCHORS = {
    (4, True): (12.14, 12.36),
    (8, True): (11.45, 12.25),
    (16, True): (10.61, 12.10),
    (32, True): (9.63, 11.97),
    (4, False): (12.13, 12.29),
    (8, False): (11.37, 11.53),
    (16, False): (10.49, 10.47),
    (32, False): (9.44, 9.34),
}


def draw(count: int, width: int, seed: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng([61, seed]).uniform(-1, 1, (count, width))).to(dtype)


@pytest.mark.parametrize(("name", "symmetric"), ORIGINAL)
def test_the_sound_is_the_originals(name: str, symmetric: bool) -> None:
    signal, width = SIGNALS[name]
    parameters = torch.cos(torch.arange(1, width + 1, dtype=torch.float64))[None]
    audio = signal(parameters, 1024, symmetric=symmetric)[0]
    # The original's bands are single-precision numbers wherever it renders, which late samples show.
    assert_allclose(audio[[1, 2, 3, 50, 511, 1023]], ORIGINAL[name, symmetric], atol=1e-6 if symmetric else 1e-4)


@pytest.mark.parametrize(("k", "symmetric"), ANCHORS)
def test_distances_of_k_osc_are_the_published_codes(k: int, symmetric: bool) -> None:
    parameters = draw(3072, 3 * k, k, torch.float32)
    targets = torch.cat([kosc(part, 1024, symmetric=symmetric) for part in parameters.split(256 // k)]).numpy()
    zero = kosc(torch.zeros(1, 3 * k), 1024, symmetric=symmetric, published=True).numpy()
    random = log_spectral_distance(targets, np.roll(targets, 1, axis=0)).mean()
    nothing = log_spectral_distance(targets, np.broadcast_to(zero, targets.shape)).mean()
    assert_allclose((random, nothing), ANCHORS[k, symmetric], atol=0.1)
    assert_allclose((parameters - parameters.roll(1, 0)).square().mean(), 2 / 3, atol=0.02)


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("name", SIGNALS)
def test_gradients_are_those_of_finite_differences(name: str, symmetric: bool) -> None:
    signal, width = SIGNALS[name]
    parameters = (0.95 * draw(2, width, 1)).requires_grad_()
    assert torch.autograd.gradcheck(lambda p: signal(p, 40, symmetric=symmetric), (parameters,))


@pytest.mark.parametrize("name", SIGNALS)
def test_a_batch_of_one_is_a_row_of_a_batch(name: str) -> None:
    signal, width = SIGNALS[name]
    parameters = draw(7, width, 2, torch.float32)
    batch = signal(parameters, 1024)
    for row, alone in zip(batch, parameters, strict=True):
        assert_allclose(signal(alone[None], 1024)[0], row, atol=1e-6)


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_precision_is_the_parameters(name: str, dtype: torch.dtype) -> None:
    signal, width = SIGNALS[name]
    audio = signal(draw(3, width, 3, dtype), 100)
    assert audio.dtype == dtype
    assert audio.shape == (3, 100)


def test_phases_do_not_jitter_in_single_precision() -> None:
    cycles = torch.tensor([0.0123, 0.377], dtype=torch.float32)
    late = 60 * 44100
    exact = (cycles.double()[:, None] * torch.arange(late, late + 50)).frac()
    assert_allclose(turns(cycles, 50, late), exact, atol=1e-7)
    assert (turns(cycles, 50, late, double=False) - exact).abs().max() > 1e-3


@pytest.mark.parametrize("name", SIGNALS)
def test_a_piece_is_a_part_of_the_whole(name: str) -> None:
    signal, width = SIGNALS[name]
    parameters = draw(2, width, 4)
    assert_allclose(signal(parameters, 100, start=1000), signal(parameters, 1100)[:, 1000:], atol=1e-12)


@pytest.mark.parametrize("name", ["ksin", "fm_mixed", "fm_hierarchical"])
def test_frequencies_are_the_same_at_half_the_sample_rate(name: str) -> None:
    signal, width = SIGNALS[name]
    parameters = draw(3, width, 5)
    parameters[:, : width // 2] = parameters[:, : width // 2].abs() - 1.0  # the lower half of the range
    slow = signal(parameters, 500, sample_rate=22050)
    assert_allclose(slow, signal(parameters, 1000, sample_rate=44100)[:, ::2], atol=1e-9)


def test_what_lies_above_half_the_sample_rate_is_silent() -> None:
    high = torch.tensor([[1.0, 0.9, 1.0, 1.0]], dtype=torch.float64)
    assert not ksin(high, 100, sample_rate=22050).any()
    assert ksin(high, 100).abs().max() > 0.5


def test_k_osc_morphs_from_sine_over_square_to_saw() -> None:
    hertz = 441.0
    f = 2 * (hertz - 20) / 3980 - 1
    phase = (hertz / 44100 * torch.arange(1000, dtype=torch.float64)).frac()
    shapes = {-1.0: -torch.sin(2 * torch.pi * phase), 0.0: torch.where(phase < 0.5, -1.0, 1.0), 1.0: 2 * phase - 1}
    edges = ((phase * 100).round() % 50) <= 0  # one sample at either step
    for w, shape in shapes.items():
        audio = kosc(torch.tensor([[f, 1.0, w]], dtype=torch.float64), 1000)[0]
        assert_allclose(audio[~edges], shape[~edges].to(audio.dtype), atol=1e-9)
        half = kosc(torch.tensor([[f, 0.0, w]], dtype=torch.float64), 1000)[0]
        assert_allclose(half, 0.5 * audio)


def test_k_osc_aliases_less_than_naive_waves() -> None:
    f = 2 * (3001.0 - 20) / 3980 - 1
    audio = kosc(torch.tensor([[f, 1.0, 1.0]], dtype=torch.float64), 44100)[0]
    naive = 2 * (3001.0 / 44100 * torch.arange(44100, dtype=torch.float64)).frac() - 1

    def aliases(signal: torch.Tensor) -> float:
        power = torch.fft.rfft(signal).abs().square()
        partials = [3001 * i + d for i in range(8) for d in (-1, 0, 1) if 0 <= 3001 * i + d < len(power)]
        below = power[:15000].sum() - power[[p for p in partials if p < 15000]].sum()
        return float(below / power.sum())

    assert aliases(audio) < 0.1 * aliases(naive)


def test_k_osc_clamps_what_is_out_of_range() -> None:
    parameters = 3.0 * draw(4, 12, 6)
    assert_allclose(kosc(parameters, 200), kosc(parameters.clamp(-1, 1), 200))


def test_the_correction_at_half_a_turn_is_the_only_thing_published_lacks() -> None:
    zero = torch.zeros(1, 3)
    difference = (kosc(zero, 1024, published=True) - kosc(zero, 1024)).abs()[0]
    assert difference.argmax() == 735  # 2,010 Hz: 735 · 2010 / 44100 = 33.5 turns
    assert_allclose(difference[735], 0.5, atol=1e-3)
    assert difference.sort().values[-2] < 1e-3


def test_corrected_fm_reaches_the_index_that_was_meant() -> None:
    """With the index at its end and frequencies equal, the carrier is sin(x + I sin x), I = 2 instead of 1.5."""
    parameters = torch.tensor([[0.1, 0.1, 0.1, 1.0, -1.0, 1.0]], dtype=torch.float64)
    x = torch.pi / 4 * 0.55 * torch.arange(100, dtype=torch.float64)
    for corrected, index in ((False, 1.5), (True, 2.0)):
        audio = fm(parameters, 100, algorithm="conditional", corrected=corrected)[0]
        assert_allclose(audio, torch.sin(x + index * torch.sin(x)), atol=1e-9)


def test_fm_refuses_what_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="choose from conditional, mixed, hierarchical"):
        fm(torch.zeros(1, 6), 10, algorithm="stacked")
    with pytest.raises(ValueError, match="has 8 parameters, not 6"):
        fm(torch.zeros(1, 6), 10, algorithm="mixed")
