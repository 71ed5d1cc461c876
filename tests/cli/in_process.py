"""A command as a person types it, in this process: many of them in the time that one takes to start."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from wav2patch.cli.app import main


@dataclass(frozen=True)
class Said:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str


def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str | Path) -> Said:
    """Run `wav2patch` with these words."""
    monkeypatch.setattr(sys, "argv", ["wav2patch", *map(str, words)])
    capsys.readouterr()
    try:
        main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    said = capsys.readouterr()
    return Said(code, said.out, said.err)
