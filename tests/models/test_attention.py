"""Attention in half precision, and a layer of which few tokens are wanted."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from wav2patch.models.attention import Attention, AttentionLayer, attend  # noqa: E402


def heads(places: int, seed: int) -> torch.Tensor:
    return torch.randn(3, 2, places, 8, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float32, torch.float64])
def test_it_is_softmax_of_products(kind: torch.dtype, biased: bool) -> None:
    """The formula, in the precision that came in, with as much error as that has."""
    query, key, value = (heads(places, seed).to(kind).requires_grad_() for places, seed in ((5, 1), (7, 2), (7, 3)))
    bias = torch.linspace(-1.0, 1.0, 70).reshape(2, 5, 7).to(kind) if biased else None
    found = attend(query, key, value, bias)
    assert found.dtype == kind
    exact = [one.detach().double() for one in (query, key, value)]
    logits = exact[0] @ exact[1].mT / 8**0.5 + (0.0 if bias is None else bias.double())
    within = {torch.bfloat16: 2e-2, torch.float32: 1e-5, torch.float64: 1e-12}[kind]
    torch.testing.assert_close(found.double(), logits.softmax(-1) @ exact[2], rtol=within, atol=within)
    found.sum().backward()
    assert all(one.grad is not None and one.grad.dtype == kind for one in (query, key, value))


def test_under_autocast_it_is_nearly_what_it_is_without() -> None:
    torch.manual_seed(0)
    attention = Attention(16, 2)
    tokens = torch.randn(2, 6, 16, generator=torch.Generator().manual_seed(4))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = attention(tokens, tokens)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), attention(tokens, tokens), rtol=5e-2, atol=2e-2)


def test_tokens_that_are_not_wanted_change_nothing() -> None:
    torch.manual_seed(0)
    layer = AttentionLayer(16, 2, 24)
    tokens = torch.randn(2, 6, 16, generator=torch.Generator().manual_seed(5))
    torch.testing.assert_close(layer(tokens, 2), layer(tokens)[:, :2])
