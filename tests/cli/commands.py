"""A command as a person types it, of which only what comes out is looked at."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from wav2patch.cli.app import main


@dataclass(frozen=True)
class Said:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str


def run(*words: object, cwd: Path | None = None) -> Said:
    """In this process: many in the time that a new one takes to import what it needs."""
    typed = ["wav2patch", *map(str, words)]
    out, err = _stream("strict"), _stream("backslashreplace")
    before, sys.argv = sys.argv, [*typed]
    try:
        with contextlib.chdir(cwd or "."), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = _ended()
        assert sys.argv == typed
    finally:
        sys.argv = before
    return Said(code, _text(out), _text(err))


def run_apart(*words: object, cwd: Path | None = None, seconds: float = 120.0) -> Said:
    """In a process of its own, as a person does."""
    command = [sys.executable, "-m", "wav2patch", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=seconds, check=False)
    return Said(done.returncode, done.stdout, done.stderr)


def one_sentence(text: str) -> bool:
    return bool(re.fullmatch(r"error: [^\n]{10,400}[.!?]\n", text)) and "Traceback" not in text


def _ended() -> int:
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _stream(errors: str) -> io.TextIOWrapper:
    """As those of a process: what cannot be written there is an error on one, and spelt out on the other."""
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors=errors, write_through=True)


def _text(stream: io.TextIOWrapper) -> str:
    content = stream.buffer
    assert isinstance(content, io.BytesIO)
    return content.getvalue().decode("utf-8")
