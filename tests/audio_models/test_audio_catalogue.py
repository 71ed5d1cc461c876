"""Names of audio models."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from wav2patch.audio_models.catalogue import AUDIO_MODELS, load_audio_model
from wav2patch.errors import UserError


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UserError, match=r"there is no audio model called 'mn05': choose from mel128, .*clap"):
        load_audio_model("mn05")


@pytest.mark.parametrize("name", [name for name, entry in AUDIO_MODELS.items() if not entry.built_in])
def test_a_model_without_weights_says_how_to_get_them(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch", reason="audio models need PyTorch: pip install 'wav2patch[audio-models]'")
    monkeypatch.delenv("WAV2PATCH_MODELS", raising=False)
    with pytest.raises(
        UserError, match=rf"^{name.removesuffix('_max')} needs the weights .*https://.*WAV2PATCH_MODELS\.$"
    ):
        load_audio_model(name)


@pytest.mark.parametrize("name", [name for name, entry in AUDIO_MODELS.items() if entry.built_in])
def test_a_built_in_model_takes_no_weights(name: str) -> None:
    pytest.importorskip("torch", reason="audio models need PyTorch: pip install 'wav2patch[audio-models]'")
    assert load_audio_model(name).name == name
    with pytest.raises(UserError, match="is built in and takes no weights"):
        load_audio_model(name, weights="x.pt")


def test_the_names_are_known_without_pytorch() -> None:
    program = "import sys, wav2patch.audio_models.catalogue; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_page_shows_how_to_add_one(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="audio models need PyTorch: pip install 'wav2patch[audio-models]'")
    page = Path(__file__).parents[2] / "docs" / "audio_models.md"
    program = page.read_text(encoding="utf-8").split("## Adding one")[1].split("```python\n")[1].split("```")[0]
    names: dict[str, Any] = {}
    exec(compile(program, str(page), "exec", dont_inherit=True), names)
    torch.save(names["Network"]().state_dict(), tmp_path / "tiny.pt")
    model = names["Tiny"](weights=tmp_path)
    assert model.embed(torch.zeros(2, 1000)).shape == (2, model.size)


def test_the_page_lists_every_model() -> None:
    page = (Path(__file__).parents[2] / "docs" / "audio_models.md").read_text(encoding="utf-8")
    assert [name for name in AUDIO_MODELS if f"`{name}`" not in page] == []
