"""Decoding that a gradient goes through: legal patches forwards, every parameter backwards."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor  # noqa: E402

from wav2patch.models.layout import space_layout  # noqa: E402
from wav2patch.models.preset_encoders.catalogue import PUBLISHED, make_preset_encoder  # noqa: E402
from wav2patch.models.soft_decoding import SoftDecoding  # noqa: E402
from wav2patch.synths.catalogue import load_synth  # noqa: E402

SYNTHS = ["dexed", "vital", "inversynth_fm", "kosc_4"]
SMALL: dict[str, dict[str, Any]] = {
    "gru_oh": {"states": 16},
    "tfm": {"width": 16, "layers": 1, "heads": 2, "hidden": 16},
}

FORGETS = {("vital", "gru_oh")}
"""Over so many columns nothing comes back from the middle of a GRU in single precision, neither forwards."""


def outputs(width: int, n: int = 3) -> Tensor:
    return torch.randn(n, width, generator=torch.Generator().manual_seed(width))


@pytest.mark.parametrize("name", SYNTHS)
def test_hard_patches_are_those_that_the_space_decodes_to(name: str) -> None:
    space = load_synth(name).space
    vectors = SoftDecoding(space_layout(space))(outputs(space.width))
    encoded = (vectors.numpy() + 1) / 2
    np.testing.assert_allclose(space.encode(space.decode(encoded)), encoded, atol=1e-5)


@pytest.mark.parametrize("hard", [True, False])
@pytest.mark.parametrize("name", SYNTHS)
def test_every_parameter_learns_through_every_preset_encoder(name: str, hard: bool) -> None:
    """The gradient of an embedding reaches all outputs; where a choice is among two or more, all of its logits."""
    layout = space_layout(load_synth(name).space)
    decode = SoftDecoding(layout, hard=hard)
    for spec in [one for one in PUBLISHED if (name, one) not in FORGETS]:
        torch.manual_seed(0)
        encoder = make_preset_encoder({"name": spec, **SMALL.get(spec, {"hidden": 16})}, layout, 9).eval()
        given = outputs(layout.width).requires_grad_()
        (encoder(decode(given)) * torch.linspace(-1.0, 1.0, 9)).sum().backward()
        assert given.grad is not None
        reached = given.grad.abs().amax(dim=0) > 0
        real = torch.tensor([width > 1 or kind != "categorical" for kind, width in _columns(layout)])
        assert reached[real].all(), spec


@pytest.mark.parametrize("name", SYNTHS)
def test_soft_patches_end_where_hard_ones_are(name: str) -> None:
    """The surer the outputs, the nearer are both."""
    layout = space_layout(load_synth(name).space)
    sure = 60.0 * outputs(layout.width)
    soft, hard = SoftDecoding(layout, hard=False)(sure), SoftDecoding(layout)(sure)
    assert (soft - hard).abs().median() < 1e-4
    colder = SoftDecoding(layout, hard=False, temperature=0.01)(sure)
    chosen = [column for i in layout.of_kind("categorical") for column in range(*layout.columns[i].indices(10**6))]
    torch.testing.assert_close(colder[:, chosen], hard[:, chosen], rtol=0, atol=1e-4)


def test_the_way_back_is_that_of_the_soft_patch() -> None:
    layout = space_layout(load_synth("inversynth_fm").space)
    found = []
    for hard in (True, False):
        given = outputs(layout.width).requires_grad_()
        (SoftDecoding(layout, hard=hard)(given) * torch.linspace(-1.0, 1.0, layout.width)).sum().backward()
        found.append(given.grad)
    torch.testing.assert_close(found[0], found[1])


def test_a_temperature_is_positive() -> None:
    with pytest.raises(ValueError, match="temperature is a positive number, not 0"):
        SoftDecoding(space_layout(load_synth("kosc_4").space), temperature=0)


def _columns(layout: Any) -> list[tuple[str, int]]:
    return [(kind, width) for kind, width in zip(layout.kinds, layout.widths, strict=True) for _ in range(width)]
