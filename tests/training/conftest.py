"""Small data sets with views, made once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

# Where `shard_sets` lies: pytest knows a folder only once it has collected something there.
from shard_sets import make_recipe, make_set
from small_model import cut

from wav2patch.datasets.views.view import open_view

TRAIN, VAL, TEST = range(0, 37), range(37, 44), range(44, 50)


@pytest.fixture(scope="session")
def finished_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fifty rows with audio and log-mel, and the views train, val and test; not to be changed."""
    folder = tmp_path_factory.mktemp("set")
    make_set(folder, make_recipe(rows=50))
    whole = open_view(folder)
    for name, rows in (("train", TRAIN), ("val", VAL), ("test", TEST)):
        cut(whole, folder, name, rows)
    whole.close()
    return folder


@pytest.fixture
def own_set(finished_set: Path, tmp_path: Path) -> Path:
    """A copy that may be changed."""
    return Path(shutil.copytree(finished_set, tmp_path / "set"))
