"""A small data set of Dexed, rendered once, and rows of it."""

from __future__ import annotations

from pathlib import Path

import pytest

# Where `real_sets` lies: pytest knows a folder only once it has collected something there.
import real_sets

from wav2patch.datasets.views.view import open_view
from wav2patch.evaluation.rows import TensorRows, ViewRows
from wav2patch.synths.catalogue import load_synth
from wav2patch.synths.tensor.synth import TensorSynth


@pytest.fixture(scope="session")
def dexed_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve rows of half a second and a view of six of them; not to be changed."""
    folder = real_sets.make_real_set(tmp_path_factory.mktemp("evaluated") / "set")
    real_sets.cut_view(folder, "test")
    return folder


@pytest.fixture(scope="session")
def dexed_rows(dexed_set: Path) -> ViewRows:
    return ViewRows(open_view(dexed_set / "test.h5"), 4)


@pytest.fixture
def kosc_rows() -> TensorRows:
    synth = load_synth("kosc_4")
    assert isinstance(synth, TensorSynth)
    return TensorRows(synth, 40)
