"""Our networks beside the authors' own: keys, shapes, and what they give with the same weights.

The facts in keys/ and reference/ came from the authors' programs (fschmid56/EfficientAT, kkoutini/passt_hear21,
pcmbs/synth-proxy) with the weights of `filled` and the sounds of `two_sounds`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="audio models need PyTorch: pip install 'wav2patch[audio-models]'")

from filling import two_sounds  # noqa: E402 - needs PyTorch
from model_files import keys, reference  # noqa: E402

from wav2patch.audio_models.mobilenet import MobileNet  # noqa: E402
from wav2patch.audio_models.passt import PatchoutTransformer  # noqa: E402

NETWORKS: dict[str, Callable[[], torch.nn.Module]] = {
    "mn04": lambda: MobileNet(0.4),
    "mn20": lambda: MobileNet(2.0),
    "passt_s": PatchoutTransformer,
}
VIEWS = [
    ("mel128", "mean", {}),
    *((name, view, {"view": view}) for name in ("mn04_mel", "mn20_mel", "passt_s") for view in ("time", "clip")),
]


@pytest.mark.parametrize("name", NETWORKS)
def test_keys_and_shapes_are_the_published_checkpoints(name: str) -> None:
    with torch.device("meta"):
        network = NETWORKS[name]()
    assert {key: list(tensor.shape) for key, tensor in network.state_dict().items()} == keys(name)


@pytest.mark.parametrize(("name", "view", "options"), VIEWS, ids=[f"{name}-{view}" for name, view, _ in VIEWS])
def test_the_same_weights_give_what_the_authors_program_gives(
    name: str, view: str, options: dict[str, Any], filled_model: Callable[..., Any]
) -> None:
    facts = reference(name.removesuffix("_mel"))
    found = filled_model(name, **options).embed(two_sounds(facts["samples"], facts["sample_rate"]))
    if facts[view]["frames"] is not None:
        found = found[:, facts[view]["frames"]]
    expected = torch.tensor(facts[view]["values"])
    found = found[..., :: facts[view]["stride"]].reshape(expected.shape)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=2e-5 * facts[view]["scale"])


@pytest.mark.parametrize("name", ["mn04_mel", "passt_s"])
def test_windows_go_through_the_network_by_themselves(name: str, filled_model: Callable[..., Any]) -> None:
    """The mean is that of the windows, and how many go together does not matter."""
    mean = filled_model(name)
    audio = two_sounds(2000, mean.sample_rate)
    vectors = filled_model(name, view="time", together=1).embed(audio)
    torch.testing.assert_close(mean.embed(audio), vectors.mean(1), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("seconds", [10.0, 10.1])
def test_a_long_clip_goes_in_parts(seconds: float, filled_model: Callable[..., Any]) -> None:
    clip = filled_model("mn04", view="clip")
    vectors = clip.embed(two_sounds(round(seconds * clip.sample_rate), clip.sample_rate))
    assert vectors.shape == (2, 192)
    assert vectors.isfinite().all()


@pytest.mark.parametrize(
    ("name", "options"), [("mn04", {"view": "x"}), ("mn04", {"width": "mn99"}), ("passt_s", {"checkpoint": "x"})]
)
def test_unknown_options_are_refused(name: str, options: dict[str, str], filled_model: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match=r"has no (width|view|checkpoint)"):
        filled_model(name, **options)
