"""What holds for every encoder of the catalogue."""

from __future__ import annotations

import copy
import io
import math
import warnings
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from wav2patch.models.encoders.catalogue import ENCODERS  # noqa: E402
from wav2patch.models.layers import Leveller, averaging  # noqa: E402
from wav2patch.models.listener import Listener  # noqa: E402

SMALL: dict[str, dict[str, Any]] = {
    "spectrogram_transformer": {"layers": 2, "heads": 2},
    "cnn_1d": {"widths": (8, 12), "out": 16, "hidden": 32},
    "cnn_2d": {"widths": (8, 16, 24), "blocks": (1, 1, 1), "hidden": 32},
    "keyed_cnn": {"widths": (16, 24), "hidden": 32},
    "strided_cnn": {"widths": (8, 12, 16), "mixed": 24, "hidden": 32},
    "unet_1d": {"base": 8, "multipliers": (1, 2), "blocks": 1, "hidden": 32},
    "patch_transformer": {"inner": 16, "layers": 1, "heads": 2, "feed_forward": 16, "hidden": 32},
    "mlp": {"hidden": 32, "blocks": 2},
    "pooled": {"hidden": 32, "heads": 4},
}
SHAPES = {
    "spectrogram_transformer": [(1, 40, 57), (2, 16, 16), (1, 7, 90)],
    "cnn_1d": [(1, 513), (2, 100), (1, 3)],
    "cnn_2d": [(1, 40, 57), (2, 33, 5), (1, 128, 130), (1, 1, 1)],
    "keyed_cnn": [(1, 108, 57), (2, 20, 9), (1, 1, 1)],
    "strided_cnn": [(1, 40, 57), (2, 33, 5), (1, 1, 1)],
    "unet_1d": [(1, 40, 57), (2, 33, 5), (1, 1, 1)],
    "patch_transformer": [(1, 40, 57), (2, 33, 5)],
    "mlp": [(24,), (2, 5, 6)],
    "pooled": [(24,), (9, 16), (2, 5, 16), (1, 16)],
}
CASES = [(name, shape) for name, shapes in SHAPES.items() for shape in shapes]
ONE_EACH = [(name, shapes[0]) for name, shapes in SHAPES.items()]
MANY = [*ONE_EACH, ("pooled", (9, 16))]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def make(name: str, shape: tuple[int, ...], **settings: Any) -> nn.Module:
    torch.manual_seed(3)
    return ENCODERS[name](shape, **{"tokens": 2, "width": 8, **SMALL[name], **settings})


def features(shape: tuple[int, ...], n: int = 3, *, scale: float = 1.0) -> Tensor:
    values = np.random.default_rng([91, n, *shape]).standard_normal((n, *shape))
    return torch.from_numpy(scale * values).float()


def test_every_encoder_is_tested() -> None:
    assert set(SHAPES) == set(SMALL) == set(ENCODERS)


@pytest.mark.parametrize("tokens", [1, 5])
@pytest.mark.parametrize(("name", "shape"), CASES)
def test_tokens_of_the_width_asked_for(name: str, shape: tuple[int, ...], tokens: int) -> None:
    tokens_of = make(name, shape, tokens=tokens, width=12)(features(shape))
    assert tokens_of.shape == (3, tokens, 12)
    assert torch.isfinite(tokens_of).all()
    assert tokens_of.dtype == torch.float32


# A single number has nothing beside its level.
@pytest.mark.parametrize(
    ("name", "shape", "heard"),
    [(*case, heard) for case in CASES for heard in ("levelled", "plain") if heard == "plain" or math.prod(case[1]) > 1],
)
def test_gradients_reach_every_parameter(name: str, shape: tuple[int, ...], heard: str) -> None:
    encoder = make(name, shape, heard=heard)
    (encoder(features(shape)) ** 3).sum().backward()
    silent = [key for key, value in encoder.named_parameters() if value.grad is None or not value.grad.any()]
    assert not silent


@pytest.mark.parametrize(("name", "shape"), CASES)
def test_every_number_is_heard_about_as_well(name: str, shape: tuple[int, ...]) -> None:
    encoder = make(name, shape, heard="plain").double()
    sounds = features(shape, 8).double().requires_grad_()
    readings = torch.from_numpy(np.random.default_rng([92]).standard_normal((4, 8, 2, 8)))
    tokens = encoder(sounds)
    reached = torch.zeros(shape, dtype=torch.float64)
    for reading in readings:
        (slope,) = torch.autograd.grad((reading * tokens).sum(), sounds, retain_graph=True)
        reached += slope.square().mean(dim=0)
    # A band or a frame that is heard only by way of a normalisation is far below the others.
    assert reached.min() > 1e-3 * reached.median()
    for axis in range(1, len(shape)):
        others = tuple(i for i in range(len(shape)) if i != axis)
        line = reached.mean(dim=others)
        assert line.min() > 0.02 * line.median()


@pytest.mark.parametrize(("name", "shape"), MANY)
def test_a_row_does_not_depend_on_its_batch(name: str, shape: tuple[int, ...]) -> None:
    encoder, sounds = make(name, shape), features(shape, 5)
    together = encoder(sounds)
    for i in range(5):
        torch.testing.assert_close(encoder(sounds[i : i + 1])[0], together[i], atol=1e-5, rtol=1e-5)
    assert (together[0] - together[1]).abs().max() > 1e-2


@pytest.mark.parametrize(("name", "shape"), MANY)
def test_training_and_evaluation_are_the_same(name: str, shape: tuple[int, ...]) -> None:
    encoder, sounds = make(name, shape), features(shape)
    assert torch.equal(encoder.train()(sounds), encoder.eval()(sounds))
    assert torch.equal(encoder.train()(sounds), encoder(sounds))


@pytest.mark.parametrize(("name", "shape"), MANY)
def test_double_precision(name: str, shape: tuple[int, ...]) -> None:
    encoder, sounds = make(name, shape), features(shape)
    exact = copy.deepcopy(encoder).double()(sounds.double())
    assert exact.dtype == torch.float64
    torch.testing.assert_close(encoder(sounds).double(), exact, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("name", "shape"), MANY)
def test_the_state_makes_another_one_equal(name: str, shape: tuple[int, ...]) -> None:
    encoder, sounds = make(name, shape), features(shape)
    file = io.BytesIO()
    torch.save(encoder.state_dict(), file)
    file.seek(0)
    torch.manual_seed(8)
    other = ENCODERS[name](shape, tokens=2, width=8, **SMALL[name])
    assert not torch.equal(other(sounds), encoder(sounds))
    other.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(other(sounds), encoder(sounds))


@pytest.mark.parametrize("scale", [1e-3, 1.0, 60.0])
@pytest.mark.parametrize(("name", "shape"), MANY)
def test_any_scale_is_heard(name: str, shape: tuple[int, ...], scale: float) -> None:
    encoder, sounds = make(name, shape), features(shape, 6)
    tokens = encoder(scale * sounds)
    assert 0.2 < tokens.std() < 4.0
    assert tokens.std(dim=0).mean() > 0.1
    # The level itself comes through.
    assert (encoder(2.0 * scale * sounds) - tokens).abs().max() > 1e-3


@pytest.mark.parametrize(("name", "shape"), MANY)
def test_silence_is_finite_with_its_gradients(name: str, shape: tuple[int, ...]) -> None:
    encoder, silence = make(name, shape), torch.zeros(2, *shape)
    tokens = encoder(silence)
    tokens.square().sum().backward()
    assert torch.isfinite(tokens).all()
    assert all(torch.isfinite(value.grad).all() for value in encoder.parameters() if value.grad is not None)


@pytest.mark.parametrize(("name", "shape"), MANY)
def test_runs_without_pytorch(name: str, shape: tuple[int, ...]) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    encoder = make(name, shape).eval()
    with warnings.catch_warnings():
        # The exporter's own use of what Python and PyTorch deprecate.
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            encoder,
            (features(shape, 2),),
            dynamo=True,
            input_names=["features"],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            verbose=False,
        )
    file = io.BytesIO()
    program.save(file)
    session = onnxruntime.InferenceSession(file.getvalue(), providers=["CPUExecutionProvider"])
    for n in (1, 2, 5):
        sounds = features(shape, n)
        (found,) = session.run(None, {"features": sounds.numpy()})
        np.testing.assert_allclose(found, encoder(sounds).detach().numpy(), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "shape", "settings", "sentence"),
    [
        ("cnn_1d", (24,), {}, r"it takes features \(channels, bins\), not of shape \(24,\)"),
        ("cnn_2d", (1, 24), {}, r"it takes features \(channels, bands, frames\), not of shape \(1, 24\)"),
        ("spectrogram_transformer", (1, 24), {}, r"it takes features \(channels, bands, frames\)"),
        ("spectrogram_transformer", (1, 24, 24), {"stride": 20}, "the stride is 1 to 16"),
        ("cnn_1d", (1, 24), {"norm": "layer"}, "norm is group or batch, not 'layer'"),
        ("cnn_2d", (1, 24, 24), {"blocks": (1,)}, "a number of blocks for each of 3 widths, not 1"),
        ("pooled", (24,), {"hidden": 30}, "hidden is a multiple of heads, and 30 is none of 4"),
        ("keyed_cnn", (1, 24), {}, r"it takes features \(channels, bands, frames\), not of shape \(1, 24\)"),
        ("keyed_cnn", (1, 24, 24), {"per_octave": 18}, "per_octave is a multiple of 12, and 18 is none"),
        ("keyed_cnn", (1, 24, 24), {"below": -1}, "numbers of semitones from 0"),
        ("mlp", (24,), {"heard": "loud"}, "heard is levelled or plain, not 'loud'"),
    ],
)
def test_what_cannot_be_made_is_told(
    name: str, shape: tuple[int, ...], settings: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        make(name, shape, **settings)


def test_patches_of_the_paper_are_520() -> None:
    encoder = make("spectrogram_transformer", (2, 128, 401))
    embedded = encoder.embed(torch.zeros(1, 2, 128, 401))
    assert embedded.shape == (1, 520, 8)
    # Only the patches of the last row of patches hold the two highest bands, and only the last column the last frame.
    top, last = torch.zeros(2, 128, 401), torch.zeros(2, 128, 401)
    top[:, 126:], last[:, :, 400] = 1.0, 1.0
    changed = [(encoder.embed(one[None]) - embedded)[0].abs().amax(dim=1) > 1e-6 for one in (top, last)]
    assert changed[0].view(13, 40).any(dim=1).tolist() == [False] * 12 + [True]
    assert changed[1].view(13, 40).any(dim=0).tolist() == [False] * 39 + [True]


@pytest.mark.parametrize(
    ("name", "shape", "settings", "millions"),
    [
        # Measured on the reference's models; its transformer had 480 patches, and the 40 positions more are 0.02.
        (
            "spectrogram_transformer",
            (2, 128, 401),
            {"tokens": 8, "width": 512, "hidden": 512, "heard": "plain"},
            13.42,
        ),
        ("cnn_1d", (1, 513), {"norm": "batch", "heard": "plain"}, 2.755),
        ("cnn_1d", (1, 513), {}, 2.755),
    ],
)
def test_sizes_of_the_paper(name: str, shape: tuple[int, ...], settings: dict[str, Any], millions: float) -> None:
    with torch.device("meta"):
        encoder = ENCODERS[name](shape, **settings)
    assert sum(value.numel() for value in encoder.parameters()) / 1e6 == pytest.approx(millions, abs=0.01)


def test_the_papers_normalisation_runs_in_batches() -> None:
    encoder = make("cnn_1d", (1, 100), norm="batch", heard="plain")
    sounds = features((1, 100), 8)
    alone = encoder.eval()(sounds[:1])
    torch.testing.assert_close(alone[0], encoder(sounds)[0], atol=1e-5, rtol=1e-5)
    assert not torch.allclose(encoder.train()(sounds)[0], alone[0], atol=1e-3)


@pytest.mark.parametrize("center", [True, False])
def test_levelled_features_are_told_what_they_were(center: bool) -> None:
    values = 7.0 + 3.0 * features((2, 50), 4, scale=2.0).double()
    even, told = Leveller("levelled", 2, center=center)(values)
    assert even.shape == values.shape
    torch.testing.assert_close(even.square().mean(dim=(1, 2)), torch.ones(4).double(), atol=1e-6, rtol=0)
    size = told[:, -1].exp()[:, None, None]
    mean = told[:, 0].sinh()[:, None, None] if center else 0.0
    torch.testing.assert_close(even * size + mean, values)
    same, nothing = Leveller("plain", 2)(values)
    assert same is values
    assert nothing.shape == (4, 0)


@pytest.mark.parametrize(("places", "slots"), [(8, 4), (7, 3), (5, 5), (1, 1), (401, 8)])
def test_averages_of_slots(places: int, slots: int) -> None:
    weights = averaging(places, slots).double()
    torch.testing.assert_close(weights.sum(dim=0), torch.ones(slots).double())
    # Every place counts as much as any other, and slots lie where they should.
    torch.testing.assert_close(weights.sum(dim=1), torch.full((places,), slots / places).double())
    middles = (torch.arange(places) + 0.5).double() @ weights
    torch.testing.assert_close(
        middles, ((torch.arange(slots) + 0.5) * places / slots).double(), atol=places / slots, rtol=0
    )
    if places % slots == 0:
        values = features((1, places)).double()
        torch.testing.assert_close(values @ weights, nn.functional.adaptive_avg_pool1d(values, slots))


@pytest.mark.parametrize("per_octave", [12, 24])
def test_a_sound_played_on_another_key_is_heard_alike(per_octave: int) -> None:
    encoder = make("keyed_cnn", (1, 9 * per_octave, 21), per_octave=per_octave, heard="plain")
    # Nothing but the moved bands is to be heard.
    with torch.no_grad():
        encoder.stem.weight[:, : 9 * per_octave] = 0.0
    up = 7 * per_octave // 12
    sound = torch.full((1, 1, 9 * per_octave, 21), -1.0)
    sound[:, :, 2 * per_octave : 6 * per_octave] = features((1, 4 * per_octave, 21), 1).clamp(min=-1.0)
    higher = sound.roll(up, dims=2)
    keys = torch.tensor([52.0, 59.0])
    low, high = encoder(sound, keys[:1]), encoder(higher, keys[1:])
    torch.testing.assert_close(low, high)
    assert (encoder(higher, keys[:1]) - low).abs().max() > 1e-2


def test_listeners_tell_the_key_to_an_encoder_that_hears_it() -> None:
    encoder = make("keyed_cnn", (1, 108, 21))
    listener = Listener(encoder, 8, note=True)
    assert listener.note is not None
    torch.nn.init.zeros_(listener.note[-1].weight)
    torch.nn.init.zeros_(listener.note[-1].bias)
    sounds, keys = features((1, 108, 21), 2), torch.tensor([40.0, 71.0])
    notes = torch.stack([keys, *torch.ones(3, 2)], dim=1)
    torch.testing.assert_close(listener(sounds, notes), encoder(sounds, keys))
    torch.testing.assert_close(Listener(encoder, 8, note=False)(sounds), encoder(sounds))
