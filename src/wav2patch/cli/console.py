"""What the commands share in talking to a person: messages, tables, progress, JSON."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


def fail(sentence: str) -> None:
    """One sentence about what went wrong, on standard error."""
    print(f"error: {printable(' '.join(sentence.split()))}", file=sys.stderr)


def note_aside(sentence: str) -> None:
    """One sentence that is worth knowing and no error, on standard error."""
    print(printable(" ".join(sentence.split())), file=sys.stderr)


def printable(text: object) -> str:
    """Text that any terminal and any table takes: bytes that are no UTF-8 and control characters are replaced."""
    readable = os.fsencode(str(text)).decode("utf-8", "replace")
    return "".join(character if character.isprintable() else "�" for character in readable)


def print_json(content: Any) -> None:
    """One JSON object on standard output."""
    print(json.dumps(content, ensure_ascii=False))


def out() -> Console:
    """Where results go."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True, markup=False, emoji=False)


def progress_console() -> Console:
    """Where progress goes: standard error, so that results can be piped."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, markup=False, emoji=False)
