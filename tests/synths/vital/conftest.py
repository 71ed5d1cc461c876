from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def subnormal_numbers() -> Iterator[None]:
    """Vital's engine, where it plays in the tests' own process, leaves it without the smallest numbers."""
    yield
    import torch

    torch.set_flush_denormal(False)
