"""What all commands share."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from commands import one_sentence, run_apart

COMMANDS = [[], ["match"], ["render"], ["compare"], ["synths", "list"], ["prior", "fit"]]
DATA = [["data", command] for command in ("generate", "subset", "stats", "verify", "info")]


@pytest.mark.parametrize(
    "command", [[], ["match"], ["render"], ["compare"], ["synths", "list"], ["prior", "fit"], *DATA]
)
def test_every_command_explains_itself(command: list[str]) -> None:
    done = run_apart(*command, "--help")
    assert done.code == 0
    assert "Usage" in done.out


def test_help_waits_for_no_heavy_import() -> None:
    code = (
        "import sys; sys.argv = ['wav2patch', '--help']\n"
        "from wav2patch.cli.app import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = ('numpy', 'scipy', 'matplotlib', 'dexed', 'onnxruntime')\n"
        "print('HEAVY', [module for module in heavy if module in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "HEAVY []" in done.stdout


def test_errors_of_ours_are_told_apart(tmp_path: Path) -> None:
    code = (
        "import sys; from wav2patch.cli import app, match\n"
        "app.app.registered_commands[0].callback = lambda: 1 / 0\n"
        "sys.argv = ['wav2patch', 'match']; app.main()\n"
    )
    environment = {key: value for key, value in os.environ.items() if key != "WAV2PATCH_DEBUG"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 1
    assert one_sentence(done.stderr)
    assert "ZeroDivisionError" in done.stderr


def test_data_sets_without_hdf5_say_what_to_install() -> None:
    code = (
        "import sys; sys.modules['h5py'] = None\n"
        "sys.argv = ['wav2patch', 'data', 'info', 'somewhere']\n"
        "from wav2patch.cli.app import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert one_sentence(done.stderr)
    assert "pip install 'wav2patch[data]'" in done.stderr
