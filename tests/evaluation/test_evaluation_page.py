"""docs/evaluation.md says what is so: its Python runs, and its names are those of the tables."""

from __future__ import annotations

import re
from pathlib import Path

from tiny_checkpoints import REGRESSION, write_checkpoint

from wav2patch.evaluation.baselines import MEAN, RANDOM, TRUTH
from wav2patch.evaluation.columns import PANEL_COLUMNS, parameter_columns
from wav2patch.synths.catalogue import load_synth


def test_the_snippet_runs(project: Path, dexed_set: Path, tmp_path: Path) -> None:
    page = (project / "docs" / "evaluation.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    checkpoint = write_checkpoint(tmp_path / "best.ckpt", "dexed", REGRESSION, length=0.5)
    for shown, real in (
        ("dexed-100k/test.h5", str(dexed_set / "test.h5")),
        ("best.ckpt", str(checkpoint)),
        ("1000", "2"),
        ("processes=True", "workers=1"),
    ):
        assert shown in code
        code = code.replace(shown, real)
    exec(compile(code, "docs/evaluation.md", "exec"), {"folder": tmp_path / "out"})
    assert "| best |" in (tmp_path / "out" / "table.md").read_text(encoding="utf-8")


def test_every_name_of_a_table_is_explained(project: Path) -> None:
    page = (project / "docs" / "evaluation.md").read_text(encoding="utf-8")
    labels = [one.label for one in (*PANEL_COLUMNS, *parameter_columns(load_synth("dexed").space, blocks=True))]
    for name in (TRUTH, MEAN, RANDOM, *(label for label in labels if not label.startswith("audible "))):
        assert f"`{name}`" in page, name
