"""From anyone's Surge patch to ours: what a spec covers of it, and a phrase for everything that it does not."""

from __future__ import annotations

import math
from collections.abc import Iterator

from wav2patch.parameters import Categorical, Patch
from wav2patch.synths.base import Preset
from wav2patch.synths.plugins.spec import Knob, PluginSpec, on_grid
from wav2patch.synths.plugins.surge_controls import EFFECT_SLOTS, MODERN, element, names
from wav2patch.synths.plugins.surge_names import CHOICES, EFFECTS, OSCILLATORS, SCENE_MODES, called, phrase
from wav2patch.synths.plugins.surge_patch import SurgePatch
from wav2patch.synths.plugins.surge_upgrade import INITIAL, upgrade
from wav2patch.synths.plugins.surge_view import OURS, View

# Never heard on a single note, or told in another place.
_SILENT = {
    *("a_ktrkroot", "a_pbrange_up", "a_pbrange_dn", "a_polymode", "a_portamento", "a_vca_velsense", "a_volume"),
    *(f"a_osc{i}_{part}" for i in (1, 2, 3) for part in ("type", "retrigger")),
    *(f"a_send_fx_{i}" for i in (1, 2, 3, 4)),
}
_CHANNELS = {f"a_{part}_{channel}" for part in ("level", "route") for channel in ("ring12", "ring23", "noise")}
_LOUDNESS = "a_vca_level"
_OPEN_FILTER = {"type": 1.0, "cutoff": 70.0, "resonance": 0.0, "envmod": 0.0}
_SAME_LEVEL = 0.5
_CLOSE, _SAME = 1e-5, 1e-3
# Surge's name for the subtype 0 of old patches' band-pass, in its newer versions.
_LEGACY_CLEAN = 4


def to_preset(patch: SurgePatch, spec: PluginSpec) -> Preset:
    """Our patch and what it lacks.

    Args:
        patch: Of any version of Surge.
        spec: Of one of our Surge synths.
    """
    reading = _Reading(View(upgrade(patch)), spec)
    return Preset(patch.name, reading.patch, tuple(dict.fromkeys(reading.dropped())))


class _Reading:
    def __init__(self, view: View, spec: PluginSpec) -> None:
        self._view, self._spec = view, spec
        self._knobs = {names()[knob.index]: knob for knob in spec.knobs}
        self._fixed = {names()[f.index]: element(names()[f.index]).value(f.value) for f in spec.fixed}
        self._lost: dict[int, str] = {}
        values = [self._value(i, name, knob) for i, (name, knob) in enumerate(self._knobs.items())]
        self.patch: Patch = spec.space.snap(values)

    def _value(self, place: int, name: str, knob: Knob) -> float:
        """The parameter's value; notes under its place in the patch what of the file's value it loses."""
        slot = name.partition("_")[0]
        if slot in OURS and slot not in self._view.effects:
            return knob.parameter.low if knob.parameter.name.endswith("_output_mix") else knob.parameter.default
        if self._view.foreign(name):
            return knob.parameter.default
        value, entry = self._plain(name), element(name)
        normalised = entry.normalised(value)
        if isinstance(knob.parameter, Categorical):
            nearest = knob.value(normalised)
            if abs(entry.value(knob.normalised(nearest)) - value) > _SAME:
                self._lost[place] = f"{phrase(knob.parameter.label)} {_choice(name, value)}"
            return nearest
        low, high = knob.parameter.low, knob.parameter.high
        if not low - _CLOSE <= normalised <= high + _CLOSE:
            self._lost[place] = f"{phrase(knob.parameter.label)} beyond our range"
        elif name in _EXTENDED and self._view.extended(name):
            self._lost[place] = f"{phrase(knob.parameter.label)}'s extended range"
        return on_grid(knob.parameter, min(max(normalised, low), high))

    def _plain(self, name: str) -> float:
        """The file's value, with what other controls of the file add to it."""
        view = self._view
        value = view.value(name)
        if name.endswith("_magnitude"):
            return value * view.share(int(name.removeprefix("a_lfo").removesuffix("_magnitude")))
        if name == "a_lowcut" and view.setting(name).flags.get("deactivated"):
            return element(name).low
        if name.startswith("a_filter") and view.value(name.rpartition("_")[0] + "_type") == 0:
            return _OPEN_FILTER.get(name.rpartition("_")[2], value)
        if name.startswith("a_osc") and name.endswith("_octave"):
            return value + view.value("a_octave") + self._octaves(name.replace("octave", "pitch"))
        if name.startswith("a_osc") and name.endswith("_pitch") and view.extended(name):
            return 12 * (value - self._octaves(name))
        return value + self._louder() if name == _LOUDNESS else value

    def _octaves(self, name: str) -> float:
        """Whole octaves in an extended pitch, which has octaves for semitones; 0 where they cannot go elsewhere."""
        apart = name.replace("pitch", "octave") in self._knobs and self._view.extended(name)
        return float(round(self._view.value(name))) if apart else 0.0

    def _louder(self) -> float:
        """Decibels by which the file's volumes are above ours."""
        ours = self._fixed["volume"] + 60 * math.log10(INITIAL["a_volume"])
        return self._view.level() - ours

    def dropped(self) -> Iterator[str]:
        """Phrases for what the values leave out."""
        active = self._spec.space.active(self.patch)
        yield from self._scenes()
        yield from self._oscillators()
        yield from (text for place, text in self._lost.items() if active[place])
        yield from self._effects()
        yield from self._modulations()
        yield from self._others()

    def _scenes(self) -> Iterator[str]:
        if mode := int(self._view.raw("scenemode")):
            yield f"scene B (scene mode {called(SCENE_MODES, mode)})"

    def _oscillators(self) -> Iterator[str]:
        for i in (1, 2, 3):
            kind = int(self._view.value(f"a_osc{i}_type"))
            if kind != MODERN and self._view.sounds(i):
                yield f"oscillator {i}'s type {called(OSCILLATORS, kind)}"

    def _effects(self) -> Iterator[str]:
        if self._view.raw("fx_bypass"):
            return
        kept = set(self._view.effects.values()) if any(name.startswith("fx") for name in self._knobs) else set()
        for slot in range(1, EFFECT_SLOTS + 1):
            kind = int(self._view.raw(f"fx{slot}_type"))
            if kind and f"fx{slot}" not in kept:
                yield f"effect {called(EFFECTS, kind)}"

    def _modulations(self) -> Iterator[str]:
        everywhere = [(place, s) for place, s in self._view.patch.settings.items() if place[:2] not in ("a_", "b_")]
        lost = sum(
            self._view.heard(name, routing) and not self._view.ours(name, routing)
            for name, setting in [*self._view.own(), *everywhere]
            for routing in setting.routings
        )
        if lost:
            yield f"{lost} modulation{'s' * (lost > 1)}"

    def _others(self) -> Iterator[str]:
        """Controls that our patches hold at one value, and this one at another."""
        if _LOUDNESS not in self._knobs and abs(self._louder() + self._view.value(_LOUDNESS)) > _SAME_LEVEL:
            yield "volume"
        for name, setting in self._view.own():
            differs = abs(setting.value - self._held(name, setting.value)) > _SAME
            if differs and name not in self._knobs and self._matters(name):
                yield phrase(name)

    def _held(self, name: str, value: float) -> float:
        """What our patches hold a control at."""
        legacy = name.endswith("_subtype") and value == _LEGACY_CLEAN
        return value if legacy else self._fixed.get(name, INITIAL.get(name, 0.0))

    def _matters(self, name: str) -> bool:
        """Whether a control that is no parameter of ours can be heard in this patch."""
        view = self._view
        if name in _SILENT or view.foreign(name) or name == _LOUDNESS:
            return False
        if name == "a_octave":
            return "a_osc1_octave" not in self._knobs
        if name.startswith("a_filter"):
            return view.value(name.rpartition("_")[0] + "_type") != 0
        if name.startswith("a_lfo"):
            number = int(name.removeprefix("a_lfo").partition("_")[0])
            return f"a_lfo{number}_magnitude" in self._knobs and view.share(number) > 0
        if name.partition("_")[2].partition("_")[0] in ("level", "route") and name.endswith(
            ("ring12", "ring23", "noise")
        ):
            return view.value(f"a_mute_{name.rpartition('_')[2]}") != 1
        for i in (1, 2, 3):
            if name.startswith(f"a_osc{i}_") or name == f"a_route_o{i}":
                return view.sounds(i)
            if name == f"a_mute_o{i}":
                return view.value(f"a_level_o{i}") > 0
        return True


# Others that carry the flag do so by chance, left from another type.
_EXTENDED = {f"a_osc{i}_param5" for i in (1, 2, 3)} | {
    *("a_feedback", "a_ws_drive", "a_filter1_cutoff", "a_filter2_cutoff", "fx2_p2", "fx2_p3", "fx2_p7"),
    *(f"a_lfo{i}_{part}" for i in range(6) for part in ("magnitude", "phase")),
}


def _choice(name: str, value: float) -> str:
    """A type by its name, another value as a number."""
    for ending, listed in CHOICES.items():
        if name.endswith(ending):
            return called(listed, int(value))
    return f"{value:g}"
