"""The audio model that needs no weights."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="audio models need PyTorch: pip install 'wav2patch[audio-models]'")

from filling import two_sounds  # noqa: E402 - needs PyTorch

from wav2patch.audio_models.mel_statistics import DEVIATION, FLOOR_DB, MEAN, MelStatistics  # noqa: E402


@pytest.mark.parametrize("sample_rate", [8000, 16000, 32000, 44100, 48000, 96000])
def test_any_sample_rate_hears_the_same_tone(sample_rate: int) -> None:
    model = MelStatistics(sample_rate=sample_rate, statistics=None)
    tone = torch.sin(2 * np.pi * 1000 * torch.arange(sample_rate, dtype=torch.float64) / sample_rate)[None].float()
    frames = model.embed(tone)
    assert model.windows is not None
    assert model.windows.length == pytest.approx(0.046, rel=0.4)
    loudest = int(frames.mean((0, 1)).argmax())
    top = min(16000.0, sample_rate / 2)
    edges = np.linspace(np.log1p(20 / 700), np.log1p(top / 700), 130)
    heard = 700 * np.expm1(edges[loudest + 1])
    assert heard == pytest.approx(1000, rel=0.04)


def test_silence_lies_on_the_floor() -> None:
    silent = MelStatistics().embed(torch.zeros(1, 44100))
    torch.testing.assert_close(silent, torch.full((1, 128), (FLOOR_DB - MEAN) / DEVIATION))


def test_ten_decibels_more_are_ten_decibels_more() -> None:
    audio = two_sounds(44100, 44100)[1:]
    gained = MelStatistics().embed(audio * 10 ** (10 / 20)) - MelStatistics().embed(audio)
    # The lowest bands are narrower than the bins' spacing: some hear nothing at all.
    assert float(gained.median()) == pytest.approx(10 / DEVIATION, abs=1e-4)


def test_statistics_are_numpys() -> None:
    audio = two_sounds(22050, 44100)
    frames = MelStatistics(statistics=None).embed(audio).numpy()
    found = MelStatistics(statistics=("mean", "std", 10, 90)).embed(audio).numpy()
    expected = [frames.mean(1), frames.std(1), np.percentile(frames, 10, axis=1), np.percentile(frames, 90, axis=1)]
    np.testing.assert_allclose(found, np.concatenate(expected, axis=1), rtol=1e-4, atol=1e-4)


def test_other_settings_have_other_names() -> None:
    assert MelStatistics().name == "mel128"
    assert MelStatistics(sample_rate=48000, statistics=None).name == "mel128_48000_time"


@pytest.mark.parametrize(
    "options", [{"statistics": ()}, {"statistics": ("median",)}, {"statistics": (101,)}, {"sample_rate": 0}]
)
def test_unknown_settings_are_refused(options: dict) -> None:
    with pytest.raises(ValueError, match=r"statistics are|too low"):
        MelStatistics(**options)
