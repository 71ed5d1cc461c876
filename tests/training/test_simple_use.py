"""The Python of docs/training.md, as it stands there, on a tiny set of Dexed; and that its commands compose."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
from real_sets import cut_view, make_real_set

from wav2patch.audio.files import write_wav
from wav2patch.configs.chains import run_chains
from wav2patch.configs.composing import compose_settings

PAGE = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")


def python() -> str:
    (found,) = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
    return found


def train_commands() -> list[list[str]]:
    blocks = re.findall(r"^```console\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    words = [shlex.split(line, comments=True) for line in lines]
    return [line[2:] for line in words if line[:2] == ["wav2patch", "train"] and "settings=mse.best.yaml" not in line]


def grid() -> list[str]:
    """The settings of the fork's grid, a row of the table each."""
    rows = PAGE.partition("| its name | here |\n|---|---|\n")[2].partition("\n\n")[0].splitlines()
    return [re.sub(r".*?\| `(?=[a-z]+[.=])|`.*", "", row.partition("|")[2]) for row in rows]


def test_the_python_of_the_page_trains_in_fifteen_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = make_real_set(tmp_path / "dexed-100k", features=())
    cut_view(folder)
    cut_view(folder, "val")
    import numpy as np

    write_wav(tmp_path / "sound.wav", np.zeros((1, 22_050), dtype=np.float32), 44_100)
    code = python()
    assert len([line for line in code.splitlines() if line and "import" not in line]) <= 15
    small = {
        '"max_steps": 20_000': '"max_steps": 3, "val_every": 3, "accelerator": "cpu"',
        '"folder": "dexed-100k"': '"folder": "dexed-100k", "batch_size": 4, "workers": 0',
        '"width": 256': '"width": 16',
        '"cnn_2d"': '{"name": "cnn_2d", "widths": [4, 4, 4, 4], "blocks": [1, 1, 1, 1]}',
        '"parameter_transformer"': '{"name": "parameter_transformer", "layers": 1}',
    }
    for before, after in small.items():
        assert code.count(before) == 1
        code = code.replace(before, after)
    shown: list[object] = []
    exec(code, {"print": shown.append, "__name__": "snippet"})
    assert getattr(shown[0], "shape", None) == (8, 145)
    assert (tmp_path / "runs/own/run/checkpoints/best.ckpt").exists()
    shutil.rmtree(tmp_path / "runs")


@pytest.mark.parametrize("words", train_commands(), ids=" ".join)
def test_the_commands_of_the_page_compose(words: list[str]) -> None:
    first = [re.sub(r"=([^{},]*),[^{}]*$", r"=\1", word) for word in words if word != "-m"]
    several = run_chains(first, lambda settings, _: settings)
    for settings in [compose_settings(first)] if several is None else several:
        assert settings.inverter["kind"]


@pytest.mark.parametrize("words", [row for row in grid() if "=" in row])
def test_the_fork_s_grid_composes(words: str) -> None:
    settings = compose_settings(["experiment=surge_simple/flow", *words.split()])
    assert settings.inverter["field"]["name"] == "assigned_transformer"
