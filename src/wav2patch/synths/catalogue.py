"""The synths that wav2patch knows, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

from wav2patch.errors import UserError
from wav2patch.synths.base import Synth


@dataclass(frozen=True)
class Entry:
    """Where a synth is made: a callable of a module that is imported when the synth is asked for.

    Attributes:
        module: Below `wav2patch.synths`.
        maker: Name of the callable.
        options: What it is called with.
        research: Whether it is for experiments alone, and plays no notes.
        base: Whether it can start from a preset of the user's and keep what its space does not cover.
    """

    module: str
    maker: str
    options: Mapping[str, Any] = field(default_factory=dict)
    research: bool = False
    base: bool = False

    def __call__(self, **options: Any) -> Synth:
        """Make the synth."""
        maker: Callable[..., Synth] = getattr(import_module(f"wav2patch.synths.{self.module}"), self.maker)
        return maker(**self.options, **options)


def _research() -> dict[str, Entry]:
    """The research synths by their names, in all variants that the papers have."""
    entries = {"inversynth_fm": Entry("tensor.inversynth", "InverSynthFm", research=True)}
    variants: dict[str, dict[str, bool]] = {"": {}, "_asymmetric": {"symmetric": False}, "_shifted": {"shifted": True}}
    for suffix, options in variants.items():
        for k in (1, 4, 8, 16, 32):
            for name, maker in (("ksin", "KSin"), ("kosc", "KOsc")):
                entries[f"{name}_{k}{suffix}"] = Entry("tensor.oscillators", maker, {"k": k, **options}, True)
        for name in ("conditional", "mixed", "hierarchical"):
            entries[f"fm_{name}{suffix}"] = Entry("tensor.fm", "Fm", {"algorithm": name, **options}, True)
    return entries


RESEARCH: MappingProxyType[str, Entry] = MappingProxyType(_research())
"""All research synths. `SYNTHS` lists some of them; the others differ from those in a number, and load as well."""

_LISTED = (
    *("ksin_16", "ksin_16_asymmetric", "ksin_16_shifted"),
    *("kosc_4", "kosc_4_asymmetric", "kosc_16", "kosc_16_asymmetric"),
    *("fm_conditional", "fm_mixed", "fm_hierarchical", "fm_hierarchical_asymmetric"),
    "inversynth_fm",
)

_SPECS = Path(__file__).parent / "specs"


def _plugins() -> dict[str, Entry]:
    """The plug-ins that have a spec, by its file's name; no spec is read for that."""
    paths = sorted(_SPECS.glob("*.yaml"))
    return {path.stem: Entry("plugins.synth", "PluginSynth", {"spec": path}) for path in paths}


_SURGE = {f"surge_xt_{size}": Entry("plugins.surge", "SurgeXT", {"size": size}) for size in ("simple", "full")}
FREE_RUNNING: MappingProxyType[str, Entry] = MappingProxyType(
    {f"{name}_free": Entry(e.module, e.maker, {**e.options, "free_running": True}) for name, e in _SURGE.items()}
)
"""Synths of `SYNTHS` with oscillators that start at any phase, as their papers have them; they load as well."""

SYNTHS: MappingProxyType[str, Entry] = MappingProxyType(
    {
        "dexed": Entry("dexed", "Dexed"),
        "vital": Entry("vital.synth", "Vital", base=True),
        **_plugins(),
        **_SURGE,
        **{name: RESEARCH[name] for name in _LISTED},
    }
)


def load_synth(name: str, *, base: Path | str | None = None) -> Synth:
    """The synth of this name, or of a plug-in's spec file: a path that ends in ``.yaml``.

    It may still lack what it renders with, such as a plug-in; its `missing` tells.

    Args:
        name: Of the synth, or the path of a spec.
        base: A preset file of the synth, on top of which patches are played: what the space does not cover is kept.

    Raises:
        UserError: There is none, and the sentence lists those that exist; the spec is wrong; or this synth takes no
            base.
    """
    entry = _entry(name)
    if base is None:
        return entry()
    if not entry.base:
        able = ", ".join(other for other, listed in SYNTHS.items() if listed.base)
        raise UserError(f"{name} cannot start from a base preset; these can: {able}.")
    return entry(base=base)


def _entry(name: str) -> Entry:
    if Path(name).suffix in (".yaml", ".yml"):
        return Entry("plugins.synth", "PluginSynth", {"spec": Path(name)})
    entry = SYNTHS.get(name) or RESEARCH.get(name) or FREE_RUNNING.get(name)
    if entry is None:
        known = ", ".join(instruments())
        raise UserError(f"there is no synth called {name!r}: choose from {known}, or see `wav2patch synths list`.")
    return entry


def instruments() -> list[str]:
    """Names of the synths that a musician would play, ready on this machine or not."""
    return sorted(name for name, entry in SYNTHS.items() if not entry.research)
