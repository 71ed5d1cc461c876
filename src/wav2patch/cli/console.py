"""What the commands share in talking to a person: messages, tables, progress, JSON."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


def fail(sentence: str) -> None:
    """One sentence about what went wrong, on standard error."""
    print(f"error: {' '.join(sentence.split())}", file=sys.stderr)


def print_json(content: Any) -> None:
    """One JSON object on standard output."""
    print(json.dumps(content, ensure_ascii=False))


def out() -> Console:
    """Where results go."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True)


def progress_console() -> Console:
    """Where progress goes: standard error, so that results can be piped."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)
