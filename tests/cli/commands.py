"""The commands as a person types them: in a new process, looking only at what comes out."""

import re
import subprocess
import sys
from pathlib import Path


def run(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "wav2patch", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=120, check=False)


def one_sentence(text: str) -> bool:
    return bool(re.fullmatch(r"error: [^\n]{10,400}[.!?]\n", text)) and "Traceback" not in text
