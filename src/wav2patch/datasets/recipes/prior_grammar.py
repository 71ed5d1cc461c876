"""The grammar of priors in words: ``0.5 synth + 0.3 mutations:~/dx7(strength=0.05) + 0.2 uniform``.

A mixture is terms joined by a plus sign with spaces around it; a term is ``[weight ]kind[:path][(option=value, …)]``.
A path goes on to the next such plus sign, the options or the end, so spaces, dots, parentheses and other plus signs in
it need no care. One that holds a plus sign with spaces around it, ends in something like ``(a=1)`` or begins with a
quote goes in double quotes, where ``""`` stands for one of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from wav2patch.errors import UserError
from wav2patch.spelling import read_number, spell

_OPTIONS = r"\s*\((?P<options>[^()=]*=[^()]*)\)"
_TERM = re.compile(
    r"\s*(?:(?P<weight>[-+]?[.\d]\S*)\s+)?(?P<kind>[a-z_]+)\s*"
    rf"(?::(?P<path>\s*\"(?:[^\"]|\"\")*\"|(?!\s*\").*?))?(?:{_OPTIONS})?(?:\s+(?P<more>\+)(?=\s)|\s*\Z)",
    re.DOTALL,
)
_PLAIN = re.compile(r"(?![\s\"])(?:(?!\s\+|\+\s).)+(?<![\s+])", re.DOTALL)
_FORM = "priors are written as in “0.5 synth + 0.3 mutations:~/presets(strength=0.05) + 0.2 uniform”"

QUOTING = 'a path that holds a plus sign between spaces or ends in (…=…) goes in double quotes, as in presets:"~/a + b"'
"""How to write the paths that `parse` would misread, for errors."""


@dataclass(frozen=True)
class Term:
    """One prior of a mixture.

    Attributes:
        kind: The word for it.
        path: What it is made from, None where it names nothing.
        options: Texts such as ``strength=0.1``.
        weight: Above 0.
    """

    kind: str
    path: str | None = None
    options: tuple[str, ...] = ()
    weight: float = 1.0


def parse(words: str) -> tuple[Term, ...]:
    """The terms of a mixture, one at least.

    Raises:
        UserError: The words have another form.
    """
    terms: list[Term] = []
    place, more = 0, True
    while more:
        found = _TERM.match(words, place)
        if found is None:
            raise UserError(f"{(words[place:].strip() or words)!r} is no prior: {_FORM}; {QUOTING}.")
        terms.append(Term(found["kind"], _path(found["path"]), _texts(found["options"]), _weight(found["weight"])))
        place, more = found.end(), bool(found["more"])
    return tuple(terms)


def _path(text: str | None) -> str | None:
    path = None if text is None else text.strip()
    return path[1:-1].replace('""', '"') if path and path[0] == '"' else path


def _texts(written: str | None) -> tuple[str, ...]:
    return tuple(text.strip() for text in written.split(",")) if written else ()


def _weight(text: str | None) -> float:
    value = 1.0 if text is None else read_number(text)
    if value is None or value <= 0:
        raise UserError(f"the weight of a prior is a number above 0, not {text!r}.")
    return value


def unparse(terms: tuple[Term, ...]) -> str:
    """The words that `parse` reads as these terms; the weight of a prior by itself is left out."""
    return " + ".join(f"{spell(term.weight)} {_spelled(term)}" if len(terms) > 1 else _spelled(term) for term in terms)


def _spelled(term: Term) -> str:
    path = "" if term.path is None else f":{quoted(term.path)}"
    return f"{term.kind}{path}" + (f"({', '.join(term.options)})" if term.options else "")


def quoted(path: str) -> str:
    """A path as `parse` takes it, in double quotes if it has to be."""
    plain = _PLAIN.fullmatch(path) and not re.search(rf"{_OPTIONS}\Z", path)
    return path if plain else '"' + path.replace('"', '""') + '"'
