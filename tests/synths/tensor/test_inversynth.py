"""InverSynth's FM synth: its classes, what is canonical, and its sound."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from wav2patch.synths.tensor.inversynth import InverSynthFm
from wav2patch.synths.tensor.inversynth_space import CLASSES, canonical, inversynth_space

torch = pytest.importorskip("torch", reason="the research synths need PyTorch: pip install 'wav2patch[train]'")

from wav2patch.synths.tensor.signals.inversynth import inversynth_fm, low_pass, one_hots  # noqa: E402 - needs PyTorch

# Samples 0, 1, 10, 100, 1000 and 16000 of the original code with julius 0.2.8, with its clock at whole samples.
ORIGINAL = {
    (2, 3, 10, 4, 2, 2, 3, 2, 5): (0.010275, 0.047175, 0.508988, 0.521602, 0.272557, 0.308096),
    (1, 7, 0, 0, 0, 3, 6, 4, 9): (0.072813, 0.342091, 0.407036, 0.314756, 0.521643, -0.151654),
    (0, 11, 19, 20, 1, 0, 0, 0, 15): (0.000000, 0.579842, -0.097682, -0.829595, -0.020998, 0.146268),
}


def soft(count: int, seed: int, waves: bool = True) -> torch.Tensor:
    """Random weights; without `waves`, those of squares and saws are 0, whose edges no difference quotient survives."""
    logits = np.random.default_rng([62, seed]).normal(size=(count, sum(CLASSES)))
    groups = torch.from_numpy(logits).split(CLASSES, -1)
    weights = torch.cat([group.softmax(-1) for group in groups], -1)
    if not waves:
        weights[:, [1, 2, 67, 69, 72, 74]] = 0.0
    return weights


@pytest.mark.parametrize("patch", ORIGINAL)
def test_the_sound_is_the_originals(patch: tuple[int, ...]) -> None:
    audio = inversynth_fm(one_hots(torch.tensor([patch], dtype=torch.float64)), 16384)[0]
    assert_allclose(audio[[0, 1, 10, 100, 1000, 16000]], ORIGINAL[patch], atol=1e-6)


def test_classes_are_the_papers() -> None:
    space = inversynth_space()
    assert tuple(int(high) + 1 for high in space.high) == CLASSES
    assert sum(CLASSES) == 104
    texts = [(space.parameters[i].text(0), space.parameters[i].text(space.high[i])) for i in range(len(space))]
    assert texts == [
        ("sine", "saw"),
        ("440 Hz", "830.6 Hz"),
        ("0", "0.3"),
        ("1 Hz", "16 Hz"),
        ("sine", "saw"),
        ("none", "saw"),
        ("1 Hz", "8 Hz"),
        ("0", "1"),
        ("1000 Hz", "8192 Hz"),
    ]


def test_draws_are_canonical_and_canonical_patches_stay() -> None:
    patches = InverSynthFm().prior().sample(np.random.default_rng(63), 3000)
    assert_array_equal(canonical(patches), patches)
    wave, _, index, lfo, lfo_wave, am, am_frequency, amount, cutoff = patches.T
    assert not lfo[index == 0].any()
    assert not lfo_wave[index == 0].any()
    assert not am_frequency[am == 0].any()
    assert not amount[am == 0].any()
    assert (cutoff[wave == 0] == 15).all()
    assert_allclose([np.mean(wave == i) for i in range(3)], 1 / 3, atol=0.03)
    assert_allclose(np.mean(index == 0), 1 / 20, atol=0.015)
    assert (index == 0).any()


def test_the_peak_of_the_first_second_is_one_however_short_the_render() -> None:
    hots = one_hots(torch.from_numpy(InverSynthFm().prior().sample(np.random.default_rng(64), 20)))
    whole = inversynth_fm(hots, 16384)
    assert_allclose(whole.abs().amax(-1), 1.0)
    assert_array_equal(inversynth_fm(hots, 500), whole[:, :500])


@pytest.mark.parametrize("sample_rate", [16384, 44100])
def test_vibrato_is_as_deep_at_every_sample_rate(sample_rate: int) -> None:
    """Sine at 440 Hz, index 6 · 0.3 / 19, square LFO of 1 Hz: half a second up, half a second down."""
    hots = one_hots(torch.tensor([[0, 0, 6, 0, 1, 0, 0, 0, 15]], dtype=torch.float64))
    audio = inversynth_fm(hots, sample_rate, sample_rate=sample_rate)[0]
    deviation = 6 * 0.3 / 19 * 16384 / (2 * np.pi)
    for half, sign in ((audio[: sample_rate // 2], 1), (audio[sample_rate // 2 :], -1)):
        spectrum = torch.fft.rfft(half * torch.hann_window(len(half)), 4 * sample_rate).abs()
        assert_allclose(spectrum.argmax() / 4, 440 + sign * deviation, atol=1.0)


def test_the_filter_passes_what_is_below_and_stops_what_is_above() -> None:
    time = torch.arange(8192, dtype=torch.float64) / 16384
    tones = torch.stack([torch.sin(2 * torch.pi * hertz * time) for hertz in (500.0, 1000.0, 1600.0)])
    filtered = low_pass(tones, torch.full((3,), 1000 / 16384, dtype=torch.float64), 1000 / 16384)
    levels = filtered[:, 1000:-1000].square().mean(-1).sqrt() * 2**0.5
    assert_allclose(levels, [1.0, 0.5, 0.0], atol=0.01)
    assert_allclose(low_pass(torch.ones(1, 300), torch.tensor([0.2]), 0.1), 1.0, atol=1e-5)


def test_gradients_are_those_of_finite_differences() -> None:
    weights = soft(1, 1, waves=False).requires_grad_()
    assert torch.autograd.gradcheck(lambda w: inversynth_fm(w, 60, sample_rate=4096), (weights,), fast_mode=True)


def test_every_weight_gets_a_gradient() -> None:
    weights = one_hots(torch.tensor([[1, 3, 5, 9, 1, 1, 3, 2, 4]], dtype=torch.float64)).requires_grad_()
    target = inversynth_fm(soft(1, 2), 4000)
    (inversynth_fm(weights, 4000) - target).square().mean().backward()
    assert weights.grad is not None
    assert torch.isfinite(weights.grad).all()
    # A square carrier's edges do not move smoothly, so the numbers that move them get none; nor does the amount of 0.
    reached = [0, 2, *range(70, 83), *range(84, 104)]
    assert (weights.grad[0, reached] != 0).all()


def test_a_batch_of_one_is_a_row_of_a_batch() -> None:
    weights = soft(4, 3)
    batch = inversynth_fm(weights, 2000)
    for row, alone in zip(batch, weights, strict=True):
        assert_allclose(inversynth_fm(alone[None], 2000)[0], row, atol=1e-9)
    with torch.no_grad():
        assert_allclose(inversynth_fm(weights, 2000), batch, atol=1e-12)
