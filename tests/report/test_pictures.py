import io
import re

import numpy as np
import pytest
import soundfile
from matplotlib.image import imread

from wav2patch.report import pictures
from wav2patch.report.embed import flac
from wav2patch.report.traits import traits

RATE = 44100
TIME = np.arange(RATE) / RATE


def _sine(frequency: float, level: float = 0.5) -> np.ndarray:
    return (level * np.sin(2 * np.pi * frequency * TIME)).astype(np.float32)


def _pixels(png: bytes) -> np.ndarray:
    return imread(io.BytesIO(png))[..., :3].sum(axis=-1)


@pytest.mark.parametrize("frequency", [55.0, 440.0, 7000.0])
def test_a_sine_is_a_line_at_its_frequency(frequency: float) -> None:
    brightness = _pixels(pictures.spectrogram_png(_sine(frequency), RATE, size=(50, 180))).mean(axis=1)
    place = 1 - (np.argmax(brightness) + 0.5) / 180
    assert pictures.LOWEST * (pictures.HIGHEST / pictures.LOWEST) ** place == pytest.approx(frequency, rel=0.06)


def test_sounds_share_scales_when_asked_to() -> None:
    reference = pictures.loudest(_sine(440.0), RATE)
    loud = _pixels(pictures.spectrogram_png(_sine(440.0), RATE, reference=reference)).max()
    quiet = _pixels(pictures.spectrogram_png(_sine(440.0, 0.01), RATE, reference=reference)).max()
    assert loud > 1.5 * quiet


def test_length_leaves_room_at_the_end() -> None:
    columns = _pixels(pictures.spectrogram_png(_sine(440.0), RATE, length=2.0, size=(100, 60))).max(axis=0)
    assert columns[:45].min() > 4 * columns[60:].max()
    path = pictures.waveform_svg(_sine(440.0), RATE, title="a", length=2.0, columns=100)
    heights = _upper_edge(path)
    assert max(heights[60:]) - min(heights[60:]) == 0
    assert min(heights[:45]) < 5


def test_waveforms_share_a_peak_and_show_both_channels() -> None:
    heights = _upper_edge(pictures.waveform_svg(np.stack([0 * TIME, _sine(440.0)]), RATE, title="a", peak=1.0))
    assert min(heights) == pytest.approx(25, abs=1)


@pytest.mark.parametrize("samples", [1, 50, 900])
def test_tiny_and_silent_sounds_have_pictures(samples: int) -> None:
    silence = np.zeros((1, samples), np.float32)
    assert pictures.waveform_svg(silence, RATE, title="nothing").startswith("<svg")
    assert _pixels(pictures.spectrogram_png(silence, RATE, reference=1.0)).size > 0
    assert traits(silence, RATE).silent


@pytest.mark.parametrize("rate", [8000, 22050, 96000])
def test_other_sample_rates(rate: int) -> None:
    noise = 0.1 * np.random.default_rng([1, rate]).standard_normal((2, rate // 4))
    assert np.isfinite(_pixels(pictures.spectrogram_png(noise, rate))).all()
    assert traits(noise, rate).frequencies[-1] < rate / 2


def test_traits_follow_the_sound() -> None:
    fading, held = traits(_sine(440.0) * np.exp(-8 * TIME), RATE), traits(_sine(440.0), RATE)
    assert fading.ring == pytest.approx(np.log(10**1.5) / 8, abs=0.05)
    assert held.ring > 0.95
    rising = traits(_sine(440.0) * np.minimum(TIME / 0.5, 1), RATE)
    assert rising.attack > held.attack + 0.15
    assert traits(_sine(880.0), RATE).brightness - held.brightness == pytest.approx(1.0, abs=0.15)


def test_flac_keeps_16_bits_and_clips_beyond_full_scale() -> None:
    audio = np.random.default_rng([2, 0]).uniform(-1, 1, (2, 5000))
    decoded, rate = soundfile.read(io.BytesIO(flac(audio, 48000)), always_2d=True)
    assert rate == 48000
    assert np.abs(decoded.T - audio).max() < 1 / 32768 + 0.5 / 32767
    loud, _ = soundfile.read(io.BytesIO(flac(4 * audio, 48000)), always_2d=True)
    assert np.sign(loud.T[np.abs(audio) > 0.3]).tolist() == np.sign(audio[np.abs(audio) > 0.3]).tolist()


def _upper_edge(svg: str) -> list[float]:
    path = re.search(r' d="M([^"]*)Z"', svg)
    assert path is not None
    points = [tuple(float(n) for n in point.split()) for point in path.group(1).split("L")]
    return [y for _, y in points[: len(points) // 2]]
