from __future__ import annotations

import os
import signal

# Tests run on every core already; set before NumPy and PyTorch are imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from hypothesis import settings

from in_worker import InWorker
from wav2patch.synths.base import Synth
from wav2patch.synths.catalogue import SYNTHS, load_synth


def pytest_configure() -> None:
    # Of hypothesis. A busy machine is no fault of what is tested.
    settings.register_profile("untimed", deadline=None)
    settings.load_profile("untimed")
    # A shell's background job inherits that Ctrl-C is ignored; the tests of Ctrl-C and what they start must not.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(params=sorted(SYNTHS), scope="module")
def synth(request: pytest.FixtureRequest) -> Iterator[Synth]:
    """Every synth of the catalogue: a contract that holds for one has to hold for all."""
    engine = load_synth(request.param)
    if reason := engine.missing():
        pytest.skip(reason)
    if not engine.may_crash:
        yield engine
        return
    isolated = InWorker(engine)
    yield cast(Synth, isolated)
    isolated.close()


@pytest.fixture(scope="session")
def dexed() -> Synth:
    return load_synth("dexed")


@pytest.fixture(scope="session")
def project() -> Path:
    return Path(__file__).parent.parent
