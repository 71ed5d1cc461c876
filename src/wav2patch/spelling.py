"""Numbers and options in words that a person types and a manifest keeps: ``strength=0.1``."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from wav2patch.errors import UserError


def spell(value: float) -> str:
    """The shortest text that reads back as the same number: 60, 0.1, 1e-05."""
    return repr(float(value)).removesuffix(".0")


def read_number(text: str) -> float | None:
    """The finite number that a text is, None for any other text."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in text else None


def read_options(texts: Iterable[str], allowed: Iterable[str], owner: str) -> Mapping[str, str]:
    """The values of ``name=value`` texts by their names.

    Args:
        texts: One option each.
        allowed: Names that there are.
        owner: What the options belong to, as an error calls it.

    Raises:
        UserError: A text is no option, a name is unknown, or one is given twice.
    """
    known, options = tuple(allowed), {}
    listed = f"its options are {', '.join(f'{name}=…' for name in known)}" if known else "it takes no options"
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or name not in known:
            raise UserError(f"{owner} takes no {text.strip()!r}: {listed}.")
        if name in options:
            raise UserError(f"{owner} takes {name} once, not twice.")
        options[name] = value
    return options
