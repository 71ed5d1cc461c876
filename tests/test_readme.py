"""The README's commands and Python, run as a reader would, with smaller budgets."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from commands import run

from wav2patch.priors import draw
from wav2patch.synths.base import Synth

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def commands(text: str) -> list[str]:
    # What is marked as a console's needs a plug-in or a file of the reader's own.
    fences = re.findall(r"^```(\w*)\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    blocks = [text.replace("\\\n", "") for language, text in fences if not language]
    lines = [line.split(" #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("wav2patch ")]


def section(title: str) -> str:
    (text,) = re.findall(rf"^## {title}\n(.*?)(?=^## )", README, flags=re.DOTALL | re.MULTILINE)
    return text


STEPS = ("data.batch_size=4", "trainer.max_steps=2", "trainer.val_every=1", "callbacks.audio=0", "data.workers=0")
SMALL = ("inverter.width=8", "inverter.encoder.widths=[4,4]", "inverter.encoder.blocks=1", "module.warmup_steps=0")


def quick_training(words: list[str]) -> list[str]:
    """With tiny networks; those of k-osc have the paper's sizes, but few rows."""
    if "-m" in words:
        return [*words, *STEPS, "data.val_rows=4", "inverter.encoder.widths=[4]", "inverter.encoder.hidden=16"]
    trials = ["trials=2"] if words[0] == "hpo" else []
    field = "inverter.field={name: mlp, width: 8, blocks: 1}"
    return [*words, *trials, *STEPS, *SMALL, field]


def quick(command: str) -> list[str]:
    words = shlex.split(command)
    if words[1:3] == ["data", "generate"]:
        return [*("count=20" if word.startswith("count=") else word for word in words[1:]), "length=0.5"]
    if words[1] in ("train", "hpo"):
        return quick_training(words[1:])
    if words[1] == "evaluate":
        return [*words[1:], "rows=2"]
    if words[1] != "match":
        return words[1:]
    for option in ("--budget", "--renders"):
        if option in words:
            del words[words.index(option) : words.index(option) + 2]
    # Seconds too, as what comes after the search takes them: on Vital, hundreds of renders.
    return [*words[1:], "--renders", "70", "--budget", "5s"]


@pytest.fixture
def folder(tmp_path: Path, dexed: Synth) -> Path:
    shutil.copytree(Path(__file__).parent.parent / "examples", tmp_path / "examples")
    patches = [draw(dexed.prior(), 12, i) for i in range(8)]
    dexed.write_bank(patches, tmp_path / "my-banks" / "mine.syx", [f"V{i}" for i in range(8)])
    return tmp_path


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("title", ["For musicians", "For researchers"])
def test_the_commands_run_one_after_the_other(title: str, folder: Path) -> None:
    found = commands(section(title))
    assert len(found) >= 10
    for command in found:
        said = run(*quick(command), cwd=folder)
        assert said.code == 0, f"{command}\n{said.err}"
    if title == "For musicians":
        for name in ("report.html", "candidate_1.syx", "candidate_2.syx", "bank.syx", "target.wav", "match.json"):
            assert (folder / "matches" / "slap_bass_e1" / name).exists()


def test_no_command_of_the_readme_is_left_out() -> None:
    assert commands(README) == [*commands(section("For musicians")), *commands(section("For researchers"))]


def test_the_python_runs(folder: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (folder / "matches" / "piano" / "candidate_1.syx").exists()


def test_the_makefile_has_the_two_commands_at_the_top() -> None:
    first = README.split("```")[1]
    makefile = (Path(__file__).parent.parent / "Makefile").read_text()
    for target in re.findall(r"make (\w+)", first):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE)
    assert (Path(__file__).parent.parent / re.findall(r"SOUND \?= (\S+)", makefile)[0]).exists()


def test_the_files_that_the_readme_links_to_exist() -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (Path(__file__).parent.parent / link).exists(), link
