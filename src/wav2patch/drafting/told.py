"""What a drafted spec says to people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wav2patch.synths.plugins.host import PRESET_SUFFIXES, plugin_format

if TYPE_CHECKING:
    from wav2patch.drafting.draft import Draft

_LOADING = {
    ".vstpreset": "Load the .vstpreset file through the menu for presets of your host",
    ".fxp": "Load the .fxp file through the menu for presets of your host",
}


def instructions(plugin: Path, title: str) -> tuple[str, ...]:
    """How to open a preset file in the plug-in, a step a line."""
    suffix = PRESET_SUFFIXES[plugin_format(plugin)]
    return f"Open {title} on a track of your host.", f"{_LOADING.get(suffix, f'Load the {suffix} file')}."


def notes(draft: Draft) -> str:
    """What was found out and what was left out, for whoever edits the spec."""
    parameters = len(draft.spec.knobs)
    lines = [
        f"Drafted by `wav2patch synths inspect` from {draft.controls} controls with {draft.renders} renders: "
        f"{parameters} parameters can be heard.",
        _chance(draft),
    ]
    if draft.excluded:
        reasons: dict[str, list[str]] = {}
        for name, reason in draft.excluded.items():
            reasons.setdefault(reason, []).append(name)
        lines += [f"Left out, as it {reason}: {', '.join(names)}." for reason, names in reasons.items()]
    if draft.unheard:
        lines.append(f"Left out, as no render betrayed it: {', '.join(draft.unheard)}.")
    if draft.by_ear:
        lines.append(f"Steps found by listening, with no names known: {', '.join(draft.by_ear)}.")
    return "\n".join(lines)


def _chance(draft: Draft) -> str:
    habits = draft.habits
    chance = f"two renders of a patch differ by up to {habits.chance:.2g} dB" if habits.chance > 1e-6 else ""
    leak = f"a render changes by {habits.leak:.2g} dB after another patch" if habits.leak > 1e-6 else ""
    found = "; ".join(part for part in (chance, leak) if part)
    return f"Habits: {found}." if found else "Habits: a patch always gives the same samples."
