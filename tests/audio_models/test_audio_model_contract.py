"""What every audio model promises, whatever its network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="audio models need PyTorch: pip install 'wav2patch[audio-models]'")

from filling import two_sounds  # noqa: E402 - needs PyTorch

from wav2patch.audio_models.base import AudioModel, FrozenModel, Pooled, Windows  # noqa: E402
from wav2patch.audio_models.catalogue import AUDIO_MODELS  # noqa: E402

SIZES = {
    "mel128": 128, "mel128_spread": 640, "mn04": 192, "mn04_mel": 320, "mn04_clip": 192, "mn20_mel": 1072,
    "mn20_mel_clip": 1072, "passt_s": 2304, "passt_s_clip": 768,
}  # fmt: skip
IN_TIME = {"mel128": {"statistics": None}, "mn04": {"view": "time"}, "passt_s": {"view": "time"}}
SECONDS = 0.07


@pytest.fixture(params=SIZES)
def embedder(request: pytest.FixtureRequest, filled_model: Callable[..., Any]) -> FrozenModel:
    return filled_model(request.param)


@pytest.fixture(params=IN_TIME)
def in_time(request: pytest.FixtureRequest, filled_model: Callable[..., Any]) -> FrozenModel:
    return filled_model(request.param, **IN_TIME[request.param])


def sounds(model: FrozenModel, seconds: float = SECONDS) -> torch.Tensor:
    return two_sounds(round(seconds * model.sample_rate), model.sample_rate)


def test_one_vector_a_sound(embedder: FrozenModel, request: pytest.FixtureRequest) -> None:
    assert isinstance(embedder, AudioModel)
    assert embedder.size == SIZES[embedder.name] == AUDIO_MODELS[embedder.name].size
    assert not embedder.time_structured
    vectors = embedder.embed(sounds(embedder))
    assert vectors.shape == (2, embedder.size)
    assert vectors.dtype == torch.float32
    assert vectors.isfinite().all()
    assert (vectors[0] - vectors[1]).abs().max() > 0.1


def test_vectors_in_time(in_time: FrozenModel) -> None:
    assert in_time.windows is not None
    assert in_time.name.endswith("_time")
    vectors = in_time.embed(sounds(in_time))
    assert vectors.shape == (2, int(SECONDS / in_time.windows.hop) + 1, in_time.size)
    assert (vectors[:, 0] - vectors[:, -1]).abs().max() > 0.01


def test_a_batch_is_its_sounds_one_by_one(embedder: FrozenModel) -> None:
    audio = sounds(embedder)
    one_by_one = torch.cat([embedder.embed(sound[None]) for sound in audio])
    torch.testing.assert_close(embedder.embed(audio), one_by_one, rtol=1e-4, atol=1e-4)


def test_gradients_reach_the_audio_and_not_the_weights(embedder: FrozenModel) -> None:
    audio = sounds(embedder).requires_grad_(True)
    embedder.embed(audio).square().sum().backward()
    assert audio.grad is not None
    assert audio.grad.isfinite().all()
    assert (audio.grad.abs().amax(1) > 0).all()
    assert not any(weight.requires_grad for weight in embedder.parameters())


def test_silence_has_a_finite_description_and_gradient(embedder: FrozenModel) -> None:
    audio = torch.zeros(1, round(SECONDS * embedder.sample_rate), requires_grad=True)
    vectors = embedder.embed(audio)
    vectors.sum().backward()
    assert vectors.isfinite().all()
    assert audio.grad is not None
    assert audio.grad.isfinite().all()


def test_a_single_sample_is_sound_enough(embedder: FrozenModel) -> None:
    assert embedder.embed(torch.ones(1, 1)).isfinite().all()


def test_a_model_that_trains_does_not_wake_it(filled_model: Callable[..., Any]) -> None:
    embedder = filled_model("mn04")
    trained = torch.nn.ModuleList([embedder, torch.nn.Dropout()]).train()
    assert trained[1].training
    assert not any(module.training for module in embedder.modules())


@pytest.mark.filterwarnings("ignore:.*fp32_precision.*")
def test_the_programs_precision_changes_nothing_and_is_left_alone(filled_model: Callable[..., Any]) -> None:
    embedder = filled_model("mn04_mel")
    audio = sounds(embedder)
    expected = embedder.embed(audio)
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert torch.equal(embedder.embed(audio), expected)
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)


@pytest.mark.parametrize(
    "audio",
    [torch.zeros(16), torch.zeros(1, 1, 16), torch.zeros(1, 0), torch.zeros(1, 16, dtype=torch.int16)],
    ids=["no batch", "channels", "no samples", "integers"],
)
def test_other_things_than_sound_are_refused(audio: torch.Tensor, filled_model: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match=r"audio must be float \(B, samples\)"):
        filled_model("mel128").embed(audio)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gives_what_a_cpu_gives(embedder: FrozenModel) -> None:
    audio = sounds(embedder)
    expected = embedder.embed(audio)
    try:
        found = embedder.to("cuda").embed(audio.cuda()).cpu()
    finally:
        embedder.to("cpu")
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


class Counting(FrozenModel):
    name, sample_rate, size, windows = "counting", 8000, 2, Windows(0.5, 0.25)

    def describe(self, audio: torch.Tensor) -> torch.Tensor:
        return torch.arange(6.0).reshape(1, 3, 2).expand(len(audio), -1, -1)


def test_a_pooled_model_has_the_mean_and_the_maximum() -> None:
    pooled = Pooled(Counting(), ("mean", "max"))
    assert (pooled.name, pooled.size, pooled.sample_rate) == ("counting_mean_max", 4, 8000)
    assert not pooled.time_structured
    assert pooled.embed(torch.zeros(2, 10)).tolist() == [[2.0, 3.0, 4.0, 5.0]] * 2
    with pytest.raises(ValueError, match="cannot be pooled"):
        Pooled(pooled)
    with pytest.raises(ValueError, match="cannot be pooled"):
        Pooled(Counting(), "median")
