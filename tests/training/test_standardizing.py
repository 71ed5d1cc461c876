"""What is standardised of a data set: what is heard, by the set's statistics or by measuring; nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from real_sets import cut_view, make_real_set

from wav2patch.datasets.statistics.files import save_statistics
from wav2patch.datasets.statistics.measure import measure
from wav2patch.datasets.views.view import open_view
from wav2patch.training.making import make_data, standardize
from wav2patch.training.reading_settings import read_settings

LEVEL = "log_mel_level:hop=0.02"


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set with statistics of an embedding and of amplitudes, and with audio."""
    folder = make_real_set(tmp_path_factory.mktemp("sets") / "set", features=("mel128", "stft"))
    view = open_view(cut_view(folder))
    save_statistics(measure(view, workers=1), view, None)
    return folder


@pytest.mark.parametrize(
    ("settings", "standardized", "kept"),
    [
        ({"feature": LEVEL}, [LEVEL], True),
        ({"feature": LEVEL, "embedding": "mel128"}, [LEVEL], True),
        ({"feature": LEVEL, "embedding": "mel128", "standardize": False}, [], False),
        ({"feature": "mel128"}, ["mel128"], False),
        ({"feature": "mel128", "embedding": "mel128"}, [], False),
        ({"feature": "stft"}, [], False),
        ({"feature": "stft", "standardize": True}, ["stft"], False),
        ({"feature": "stft", "embedding": "mel128"}, [], False),
    ],
)
def test_what_is_heard_is_standardised_and_nothing_else(
    measured: Path, tmp_path: Path, settings: dict[str, Any], standardized: list[str], kept: bool
) -> None:
    wanted = read_settings({"data": {"folder": str(measured), "workers": 0, "batch_size": 2, **settings}}).data
    data: Any = make_data(wanted)
    standardize(data, wanted, tmp_path / "standard.npz")
    assert list(data.finish().standards) == standardized
    assert (tmp_path / "standard.npz").exists() == kept
    data.close()
