"""Priors in words that a manifest can hold, with what they need from the user's files.

The words of a manifest are **canonical**: all options are written out, and a digest stands for every path. The arrays
of a description hold what was read from the user's files, as ``DIGEST/name``, so that the data set goes on growing on
a machine that never had those.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wav2patch.datasets.recipes.prior_grammar import QUOTING, Term, parse, unparse
from wav2patch.datasets.recipes.prior_kinds import Content, Kind, Source, find_kind, spell_options
from wav2patch.errors import UserError
from wav2patch.priors import MixturePrior, Prior
from wav2patch.synths.base import Synth

Arrays = Mapping[str, NDArray[Any]]

_DIGEST = re.compile("[0-9a-f]{16}")


@dataclass(frozen=True, eq=False)
class PriorDescription:
    """A prior that can be written down and built anywhere.

    Attributes:
        words: Canonical.
        arrays: What was read from the user's files, by ``DIGEST/name``; none for most priors.
        remarks: Sentences for whoever described it, such as files that were passed over.
    """

    words: str
    arrays: Arrays = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    def to_npz(self) -> bytes:
        """The arrays as an ``.npz`` file, on one machine always the same bytes; no pickles."""
        content = io.BytesIO()
        np.savez_compressed(content, allow_pickle=False, **dict(sorted(self.arrays.items())))
        return content.getvalue()

    @classmethod
    def from_npz(cls, words: str, content: bytes, name: str = "prior.npz") -> PriorDescription:
        """Words with the arrays that `to_npz` wrote; `build_prior` checks that they belong together.

        Raises:
            UserError: The content is none of ours, or damaged; it is called by `name`.
        """
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                return cls(words, {key: arrays[key] for key in arrays.files})
        except Exception as error:
            raise UserError(f"{name} is not what a data set's prior is kept in, or it is damaged.") from error


def describe_prior(words: str, synth: Synth, arrays: Arrays | None = None) -> PriorDescription:
    """Read the user's files that words name; see `prior_grammar` for the words and `prior_kinds.KINDS` for the kinds.

    Args:
        words: Such as ``synth`` or ``0.5 synth + 0.5 mutations:~/dx7(strength=0.05)``.
        synth: Whose patches are drawn.
        arrays: Of an earlier description; a digest of theirs may stand in place of a path.

    Raises:
        UserError: The words have another form, name a kind, an option or a file that does not exist, or the file is
            of another synth.
    """
    reader = _Reader(synth, arrays or {})
    parsed = parse(words)
    for term in parsed:
        find_kind(term.kind, QUOTING if len(parsed) > 1 else "")
    terms = tuple(reader.canonical(term) for term in parsed)
    description = PriorDescription(unparse(terms), reader.arrays, tuple(reader.remarks))
    build_prior(description, synth)
    return description


def build_prior(description: PriorDescription, synth: Synth) -> Prior:
    """The prior of a description, from nothing else.

    Raises:
        UserError: Its arrays are missing, changed or of another synth, or the synth has no such prior.
    """
    terms = parse(description.words)
    priors = tuple(_build(term, synth, description.arrays) for term in terms)
    return MixturePrior(priors, tuple(term.weight for term in terms)) if len(terms) > 1 else priors[0]


class _Reader:
    """Makes terms canonical, reading every file once."""

    def __init__(self, synth: Synth, given: Arrays) -> None:
        self._synth = synth
        self._given = given
        self._read: dict[tuple[Source, str], str] = {}
        self.arrays: dict[str, NDArray[Any]] = {}
        self.remarks: list[str] = []

    def canonical(self, term: Term) -> Term:
        kind = find_kind(term.kind)
        options = spell_options(kind.read_options(term.options, term.kind))
        if kind.source is None:
            if term.path is not None:
                raise UserError(f"{term.kind} takes no path: write it without :{term.path}.")
            return Term(term.kind, None, options, term.weight)
        if not term.path:
            raise UserError(f"{term.kind} is made from a file or folder of yours: write {term.kind}:PATH.")
        known = self._read.get((kind.source, term.path)) or self._digest(kind.source, term.path)
        self._read[kind.source, term.path] = known
        return Term(term.kind, known, options, term.weight)

    def _digest(self, source: Source, path: str) -> str:
        """Of what a path leads to, whose arrays are added to ours."""
        content = _held(self._given, path) if _DIGEST.fullmatch(path) else {}
        digest = path
        if not content:
            read, remark = source.read(self._synth, _existing(path))
            content = {**read, "space": np.array(self._synth.space.digest)}
            digest = content_digest(content)
            self.remarks += [remark] if remark else []
        self.arrays |= {f"{digest}/{name}": array for name, array in content.items()}
        return digest


def _existing(path: str) -> Path:
    # Those of pathlib raise for users that do not exist, and for names that are too long.
    expanded = os.path.expanduser(path)
    if os.path.exists(expanded):
        return Path(expanded)
    hint = "" if re.search(r"[\s+()\"]", path) is None else f" (options are written (strength=0.1), and {QUOTING})"
    raise UserError(f"there is no file or folder {path}{hint}.")


def content_digest(content: Content) -> str:
    """Sixteen hexadecimal digits that stand for arrays and their names, on any machine."""
    digest = hashlib.sha256()
    for name, array in sorted(content.items()):
        little = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
        digest.update(f"{name} {little.dtype.str} {array.shape}\n".encode())
        digest.update(little.tobytes())
    return digest.hexdigest()[:16]


def _held(arrays: Arrays, digest: str) -> Content:
    """The arrays that a digest stands for, by their own names."""
    prefix = f"{digest}/"
    return {key.removeprefix(prefix): array for key, array in arrays.items() if key.startswith(prefix)}


def _build(term: Term, synth: Synth, arrays: Arrays) -> Prior:
    kind = find_kind(term.kind)
    options = kind.read_options(term.options, term.kind)
    content = {} if kind.source is None else _checked(term, kind, synth, arrays)
    try:
        return kind.make(synth, content, options)
    except (ValueError, TypeError, KeyError, np.linalg.LinAlgError) as error:
        raise UserError(f"{term.kind}:{term.path} is damaged: its content makes no prior of {synth.title}.") from error


def _checked(term: Term, kind: Kind, synth: Synth, arrays: Arrays) -> Content:
    label = f"{term.kind}:{term.path}"
    content = _held(arrays, term.path or "")
    if not content:
        raise UserError(f"the content of {label} is missing: the file prior.npz belongs to the data set.")
    if content_digest(content) != term.path:
        raise UserError(f"the content of {label} was changed or is damaged: bring back the prior.npz of the data set.")
    if str(content.get("space")) != synth.space.digest:
        raise UserError(f"{label} belongs to another synth: its parameters are not those of {synth.title}.")
    if kind.source is None or not set(kind.source.holds) <= content.keys():
        raise UserError(f"{label} does not hold what {term.kind} is made from.")
    return content
