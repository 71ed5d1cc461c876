from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

try:
    import torch  # noqa: F401
except ImportError:
    # Each of these is about one network, and imports PyTorch at once.
    collect_ignore = ["test_audiomae.py", "test_clap.py", "test_openl3.py"]


@pytest.fixture(scope="session")
def weights_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("weights")


@pytest.fixture(scope="session")
def filled_model(weights_folder: Path) -> Callable[..., Any]:
    """A maker of audio models with filled weights: a name of the catalogue, and options."""
    pytest.importorskip("torch", reason="audio models need PyTorch: pip install 'wav2patch[audio-models]'")
    import model_files

    from wav2patch.audio_models import weights

    @lru_cache(maxsize=4)
    def make(name: str, **options: Any) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            # Filled weights are not the published ones.
            patch.setattr(weights, "verify", lambda path, _: weights.Provenance(path, "", False))
            return model_files.model(name, weights_folder, **options)

    return make
