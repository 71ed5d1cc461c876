from __future__ import annotations

from pathlib import Path

import pytest

from wav2patch.synths.base import Synth
from wav2patch.synths.catalogue import SYNTHS, load_synth


@pytest.fixture(params=sorted(SYNTHS))
def synth(request: pytest.FixtureRequest) -> Synth:
    """Every synth of the catalogue: a contract that holds for one has to hold for all."""
    engine = load_synth(request.param)
    if reason := engine.missing():
        pytest.skip(reason)
    return engine


@pytest.fixture(scope="session")
def dexed() -> Synth:
    return load_synth("dexed")


@pytest.fixture(scope="session")
def project() -> Path:
    return Path(__file__).parent.parent
