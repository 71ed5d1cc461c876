"""Anyone's Surge patch, seen through the elements that our patches have.

Seen is the scene that plays, as scene A, and an effect that ours have wherever it stands in that scene's chain. A
modulation is ours where it is one of the six of our patches: from an LFO to its own control, not deeper than ours.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from wav2patch.synths.plugins.surge_controls import CHORUS, DELAY, MODERN, REVERB2
from wav2patch.synths.plugins.surge_patch import FIRST_LFO, ROUTINGS, Routing, Setting, SurgePatch
from wav2patch.synths.plugins.surge_upgrade import INITIAL

OURS = {"fx1": CHORUS, "fx2": DELAY, "fx9": REVERB2}
"""Our effects by their slots."""

# The inserts of a scene and the global ones, in the order in which the sound passes them.
_CHAIN = {"a": (1, 2, 9, 10, 7, 8, 15, 16), "b": (3, 4, 11, 12, 7, 8, 15, 16)}
# The routings, by their numbers, in which an oscillator modulates another's frequency.
_MODULATES = {1: (), 2: (1, 2, 3), 3: (2, 3)}
_LFOS = 12
_CLOSE = 1e-5


class View:
    """Reads a patch by our own element names.

    Args:
        patch: In today's numbers.
    """

    def __init__(self, patch: SurgePatch) -> None:
        self.patch = patch
        self.scene = "b" if self.raw("scene_active") == 1 and self.raw("scenemode") == 0 else "a"
        self.effects = dict(self._effects())

    def raw(self, place: str) -> float:
        """Value of an element as the file names it."""
        entry = self.patch.settings.get(place)
        return entry.value if entry else INITIAL.get(place, 0.0)

    def _effects(self) -> Iterator[tuple[str, str]]:
        """Our slots with the file's; what the patch lacks is left out."""
        if self.raw("fx_bypass") == 0:
            for ours, kind in OURS.items():
                for slot in _CHAIN[self.scene]:
                    if self.raw(f"fx{slot}_type") == kind:
                        yield ours, f"fx{slot}"
                        break

    def setting(self, name: str) -> Setting:
        """What the file says of one of our elements."""
        place = name
        slot, _, part = name.partition("_")
        if slot == "a":
            place = f"{self.scene}_{part}"
        elif slot in OURS:
            place = f"{self.effects.get(slot, '')}_{part}"
        return self.patch.settings.get(place, Setting(INITIAL.get(name, 0.0)))

    def value(self, name: str) -> float:
        """Value of one of our elements."""
        return self.setting(name).value

    def extended(self, name: str) -> bool:
        """Whether one of our elements is set to its wider range."""
        return bool(self.setting(name).flags.get("extend_range"))

    def own(self) -> Iterator[tuple[str, Setting]]:
        """Our names and the settings of all elements of the scene that plays."""
        for place, entry in self.patch.settings.items():
            if place.startswith(f"{self.scene}_"):
                yield "a" + place[1:], entry

    def sounds(self, oscillator: int) -> bool:
        """Whether an oscillator, 1 to 3, is heard: in the mix, in a ring modulation, or by what it modulates."""
        channels = [f"o{oscillator}", *(f"ring{pair}" for pair in ("12", "23") if str(oscillator) in pair)]
        mixed = any(self.value(f"a_mute_{c}") != 1 and self.value(f"a_level_{c}") > 0 for c in channels)
        return mixed or self.value("a_fm_switch") in _MODULATES[oscillator]

    def foreign(self, name: str) -> bool:
        """Whether an element belongs to an oscillator that is not Modern, where it means something else."""
        if not (name.startswith("a_osc") and "_param" in name):
            return False
        return self.value(name.partition("_param")[0] + "_type") != MODERN

    def ours(self, target: str, routing: Routing) -> bool:
        """Whether a modulation of one of our elements is one that our patches have."""
        if target not in ROUTINGS or routing.muted or routing.index or self.foreign(target):
            return False
        source, depth = ROUTINGS[target]
        return routing.source == source and 0 < routing.depth <= depth * (1 + _CLOSE)

    def heard(self, target: str, routing: Routing) -> bool:
        """Whether a modulation does anything: not from an LFO that is at rest, nor of an oscillator that is silent."""
        lfo = routing.source - FIRST_LFO
        resting = 0 <= lfo < _LFOS and self.value(f"a_lfo{lfo}_magnitude") == 0
        silent = any(target.startswith(f"a_osc{i}_") and not self.sounds(i) for i in (1, 2, 3))
        return not (routing.muted or routing.depth == 0 or resting or silent)

    def share(self, lfo: int) -> float:
        """How deep an LFO, 0 to 5, modulates its own control, as a share of ours; 0 where it does not."""
        target = next(name for name, (source, _) in ROUTINGS.items() if source == FIRST_LFO + lfo)
        depth = max((r.depth for r in self.setting(target).routings if self.ours(target, r)), default=0.0)
        return min(depth / ROUTINGS[target][1], 1.0)

    def level(self) -> float:
        """Decibels of the volumes of the scene and of the whole; Surge cubes the scene's."""
        scene = self.value("a_volume")
        return self.raw("volume") + (60 * math.log10(scene) if scene > 1e-3 else -180.0)
