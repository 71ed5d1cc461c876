"""`wav2patch parameters table`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from commands import Said, one_sentence, run

Say = Callable[..., Said]


@pytest.fixture
def table() -> Say:
    return lambda *words: run("parameters", "table", *words)


def test_a_space_is_printed_as_markdown() -> None:
    done = run("parameters", "table", "dexed")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0] == "| parameter | kind | range | unit | default | heard where |"
    assert len(lines) == 2 + 145
    assert "| transpose | discrete | -24 … +24 | semitones | 0 |  |" in lines


def test_a_space_is_written_as_latex(table: Say, tmp_path: Path) -> None:
    said = table("kosc_4", "--format", "latex", "-o", tmp_path / "k.tex")
    assert (said.code, said.err) == (0, "")
    assert "12 parameters" in said.out
    text = (tmp_path / "k.tex").read_text()
    assert text.count(r"\\") == 13
    assert r"frequency\_1 & continuous" in text


def test_mistakes_are_told(table: Say, tmp_path: Path) -> None:
    said = table("nothing")
    assert said.code == 2
    assert one_sentence(said.err)
    assert table("dexed", "--format", "html").code == 2
    (tmp_path / "file").write_text("")
    assert one_sentence(table("dexed", "-o", tmp_path / "file" / "x.md").err)
