"""The commands and the Python of docs/datasets.md, one after the other, on a smaller set."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "datasets.md").read_text(encoding="utf-8")


def steps() -> list[list[str]]:
    """What to run, in the order of the page."""
    found = []
    for language, text in re.findall(r"^```(console|python)\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE):
        if language == "python":
            found.append([sys.executable, "-c", text])
            continue
        for line in text.splitlines():
            words = shlex.split(line.split(" #")[0])
            if words[0] == "wav2patch":
                small = [re.sub(r"count=100k", "count=100", word) for word in words[1:]]
                found.append([sys.executable, "-m", "wav2patch", *(re.sub(r":[25]0k", ":20", word) for word in small)])
    return found


def test_the_page_runs_from_top_to_bottom(tmp_path: Path) -> None:
    found = steps()
    assert len(found) >= 9
    for step in found:
        done = subprocess.run(step, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=200)
        assert done.returncode == 0, f"{step[-1]}\n{done.stderr}"
