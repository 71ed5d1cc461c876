"""The kinds of priors that data sets are drawn from, by the words for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from inspect import signature
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wav2patch.errors import UserError
from wav2patch.priors import (
    CopulaPrior,
    CrossoverPrior,
    MutationPrior,
    PresetPrior,
    Prior,
    UniformPrior,
    load_prior,
)
from wav2patch.spelling import read_number, read_options, spell
from wav2patch.synths.base import Synth
from wav2patch.synths.collections import read_collection

Content = Mapping[str, NDArray[Any]]
Numbers = Mapping[str, float]


@dataclass(frozen=True)
class Source:
    """What a kind of prior is made from, beside the synth.

    Attributes:
        holds: Names of the arrays.
        read: From the user's file or folder: the arrays by those names, and a remark for the user, if any.
    """

    holds: tuple[str, ...]
    read: Callable[[Synth, Path], tuple[Content, str | None]]


@dataclass(frozen=True)
class Kind:
    """A kind of prior.

    Attributes:
        about: What it draws, in a few words.
        make: From the synth, the source's arrays (none where there is no source) and the options.
        source: What the path leads to, None where the kind takes no path.
        options: Their names and defaults; every one is a number from 0 to 1.
    """

    about: str
    make: Callable[[Synth, Content, Numbers], Prior]
    source: Source | None = None
    options: Numbers = field(default_factory=dict)

    def read_options(self, texts: tuple[str, ...], owner: str) -> Numbers:
        """All options: those of ``name=value`` texts, and the others at their defaults.

        Raises:
            UserError: An option is unknown or out of its range.
        """
        given = read_options(texts, self.options, owner)
        return {name: _share(name, given[name]) if name in given else value for name, value in self.options.items()}


def _share(name: str, text: str) -> float:
    value = read_number(text)
    if value is None or not 0 <= value <= 1:
        raise UserError(f"{name} is a number from 0 to 1, not {text!r}.")
    return value


def spell_options(options: Numbers) -> tuple[str, ...]:
    """Options as texts, such as ``strength=0.1``."""
    return tuple(f"{name}={spell(value)}" for name, value in options.items())


def find_kind(name: str, hint: str = "") -> Kind:
    """The kind of this name.

    Args:
        name: As in the words.
        hint: What else may be wrong where there is none, a clause.

    Raises:
        UserError: There is none, and the sentence lists those that exist.
    """
    if name not in KINDS:
        known = ", ".join(f"{known}:PATH" if kind.source else known for known, kind in KINDS.items())
        raise UserError(f"there is no prior called {name!r}: choose from {known}{hint and f'; {hint}'}.")
    return KINDS[name]


def _published(synth: Synth, content: Content, options: Numbers) -> Prior:
    # A plug-in's method is there for every spec; only some specs have rules of a paper.
    rules = getattr(getattr(synth, "spec", None), "published", True)
    if "published" not in signature(synth.prior).parameters or not rules:
        raise UserError(f"{synth.title} has no published prior beside its own: write synth instead of published.")
    make: Callable[..., Prior] = synth.prior
    return make(published=True)


def _read_presets(synth: Synth, path: Path) -> tuple[Content, str | None]:
    collection = read_collection(synth, path)
    return {"patches": collection.patches}, collection.remark


def _presets(synth: Synth, content: Content, options: Numbers) -> PresetPrior:
    return PresetPrior(synth.space, content["patches"])


def _crossovers(synth: Synth, content: Content, options: Numbers) -> Prior:
    children = CrossoverPrior(_presets(synth, content, options))
    mutated = options["strength"] > 0 or options["redraw"] > 0
    return MutationPrior(children, **options) if mutated else children


def _read_fitted(synth: Synth, path: Path) -> tuple[Content, None]:
    fitted = load_prior(synth.space, path)
    count = np.array(fitted.count, dtype=np.int64)
    return {"quantiles": fitted.quantiles, "correlation": fitted.correlation, "count": count}, None


def _fitted(synth: Synth, content: Content, options: Numbers) -> CopulaPrior:
    return CopulaPrior(synth.space, content["quantiles"], content["correlation"], int(content["count"]))


_PRESETS = Source(("patches",), _read_presets)
_MUTATED: MappingProxyType[str, float] = MappingProxyType(
    {option.name: option.default for option in fields(MutationPrior) if isinstance(option.default, float)}
)
_UNMUTATED = MappingProxyType({**_MUTATED, "strength": 0.0, "redraw": 0.0})

KINDS: MappingProxyType[str, Kind] = MappingProxyType(
    {
        "synth": Kind("the synth's own prior", lambda synth, content, options: synth.prior()),
        "published": Kind("the rules of the paper that the space is from", _published),
        "uniform": Kind("all values equally likely", lambda synth, content, options: UniformPrior(synth.space)),
        "fitted": Kind(
            "the statistics of presets, as `wav2patch prior fit` wrote them",
            _fitted,
            Source(("quantiles", "correlation", "count"), _read_fitted),
        ),
        "presets": Kind("the presets of a file or folder", _presets, _PRESETS),
        "mutations": Kind(
            "such presets, a little changed",
            lambda synth, content, options: MutationPrior(_presets(synth, content, options), **options),
            _PRESETS,
            _MUTATED,
        ),
        "crossovers": Kind("children of two such presets", _crossovers, _PRESETS, _UNMUTATED),
    }
)
"""All kinds. A new one is a line here, with its class in a file of `wav2patch.priors`."""
