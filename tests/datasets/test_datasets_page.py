"""The commands and the Python of docs/datasets.md, one after the other, on a smaller set."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

from commands import run

PAGE = (Path(__file__).parents[2] / "docs" / "datasets.md").read_text(encoding="utf-8")


SMALLER = (("count=100k", "count=50"), (":20k", ":10"), (":50k", ":20"))


def blocks() -> list[tuple[str, str]]:
    """Languages and texts, in the order of the page."""
    return re.findall(r"^```(console|python)\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)


def commands(text: str) -> list[list[str]]:
    for large, small in SMALLER:
        text = text.replace(large, small)
    typed = [shlex.split(line.split(" #")[0]) for line in text.splitlines()]
    return [words[1:] for words in typed if words[0] == "wav2patch"]


def test_the_page_runs_from_top_to_bottom(tmp_path: Path) -> None:
    ran = 0
    for language, text in blocks():
        if language == "python":
            ran += 1
            done = subprocess.run(
                [sys.executable, "-c", text], cwd=tmp_path, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{text}\n{done.stderr}"
            continue
        for words in commands(text):
            ran += 1
            said = run(*words, cwd=tmp_path)
            assert said.code == 0, f"{words}\n{said.err}"
    assert ran >= 9
