"""Does a preset file bring the sound back: read by us in a new process, and opened by the plug-in itself?"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from wav2patch.checking.finding import Finding, decibels
from wav2patch.checking.place import SOUND, Place, apart
from wav2patch.checking.sameness import NEGLIGIBLE_DB
from wav2patch.errors import UserError
from wav2patch.parameters import Patch
from wav2patch.rendering.base import Sound
from wav2patch.synths.base import Audio, RenderError, Synth
from wav2patch.synths.plugins.apart import Apart
from wav2patch.synths.plugins.host import open_host
from wav2patch.synths.plugins.locate import locate
from wav2patch.synths.plugins.player import Player
from wav2patch.synths.plugins.stored import detach
from wav2patch.synths.plugins.synth import PluginSynth

_STAGE = "preset files"
_SETTLED = 0.1
_DEADLINE = 60.0
_HALF = 0.5
_REPEATS = 6


@dataclass(frozen=True)
class Reader:
    """Reads a preset file and plays it, in whatever process it is in."""

    synth: Synth

    def play(self, path: Path, sound: Sound) -> tuple[Patch, Audio]:
        """The patch of a file, and its render.

        Raises:
            UserError: The file is no preset of the synth.
            RenderError: The engine failed.
        """
        (preset,) = self.synth.read_presets(path)
        audio = self.synth.render(preset.patch, sound.note, length=sound.length, sample_rate=sound.sample_rate)
        return preset.patch, audio


@dataclass(frozen=True)
class _Trip:
    """One round trip: which parameters changed, how far the sound is off and may be, or what went wrong."""

    changed: tuple[str, ...] = ()
    distance: float = 0.0
    limit: float = 0.0
    error: str = ""


def judge_presets(place: Place, count: int, floor: float) -> Finding:
    """Write draws of the prior to files, read each in a new process, and compare patch and audio.

    Args:
        place: Where the synth is checked.
        count: Number of files.
        floor: Distance up to which two renders of a patch may differ; a patch whose own renders differ by more may
            differ by as much.
    """
    patches, times = place.patches(count), 1 if floor == 0 else _REPEATS
    with place.renderer() as renderer:
        played = place.renders(renderer, [patch for patch in patches for _ in range(times)])
    trips: list[_Trip] = []
    with tempfile.TemporaryDirectory(prefix="wav2patch-check-") as folder:
        for i, patch in enumerate(patches):
            own = [audio for audio in played[i * times : (i + 1) * times] if audio is not None]
            if own:
                path = Path(folder) / f"{i}{place.synth.preset_suffix}"
                trips.append(_trip(place.synth, patch, own, path, floor))
            place.report(_STAGE, (i + 1) / count)
    return _judged(trips)


def _trip(synth: Synth, patch: Patch, own: Sequence[Audio], path: Path, floor: float) -> _Trip:
    try:
        synth.write_preset(patch, path, name="round trip")
        with contextlib.closing(Apart(Reader(synth), synth.title, _DEADLINE)) as new_process:
            back, sound = new_process.call("play", path, SOUND)
    except (UserError, RenderError) as error:
        return _Trip(error=str(error))
    names = synth.space.names
    changed = tuple(names[i] for i in np.flatnonzero(back != patch))
    chance = max((apart(one, other) for one, other in combinations(own, 2)), default=0.0)
    return _Trip(changed, min(apart(audio, sound) for audio in own), max(floor, chance))


def _judged(trips: Sequence[_Trip]) -> Finding:
    name = "preset files"
    if not trips:
        return Finding(name, False, "no preset file could be tried, as no draw was rendered.")
    if errors := [trip.error for trip in trips if trip.error]:
        return Finding(name, False, f"{len(errors)} of {len(trips)} did not come back: {errors[0].rstrip('.')}.")
    worst = max(trip.distance for trip in trips)
    figures = {"preset_distance_worst": worst}
    if lost := sorted({parameter for trip in trips for parameter in trip.changed}):
        return Finding(name, False, f"changed on their way through a file: {', '.join(lost[:8])}.", figures)
    told = f"{len(trips)} patches came back exactly from their files in new processes"
    if all(trip.distance <= max(trip.limit, NEGLIGIBLE_DB) for trip in trips):
        exact = "to the same samples" if worst == 0 else f"within {decibels(worst)}"
        return Finding(name, True, f"{told}, and sound the same, {exact}.", figures)
    return Finding(name, False, f"{told}, but sound different by up to {decibels(worst)}.", figures)


@dataclass(frozen=True)
class Opener:
    """Opens a preset file in the plug-in alone, as a musician's host does, and plays it."""

    synth: PluginSynth

    def play(self, path: Path, sound: Sound) -> Audio:
        """A render of what the plug-in makes of the file.

        Raises:
            UserError: The plug-in refuses the file.
        """
        spec = self.synth.spec
        plugin = locate(spec.plugin, spec.variable, self.synth.path)
        assert plugin is not None
        host = Player(spec, plugin, open_host).host
        try:
            host.write_state(_state(self.synth, path.read_bytes()))
        except ValueError as error:
            raise UserError(f"{spec.title} refuses its own preset file: {error}") from None
        # In some plug-ins the first sound after loading is the preset before; and what is drawn by chance as a plug-in
        # is made ready has to be drawn alike on both sides, as it is no part of a preset.
        host.settle(_SETTLED, sample_rate=sound.sample_rate)
        host.clear()
        host.settle(spec.setting.settle, sample_rate=sound.sample_rate)
        return spec.gain * host.play(sound.note, length=sound.length, sample_rate=sound.sample_rate)


def _state(synth: PluginSynth, content: bytes) -> bytes:
    """What the plug-in's host is to load of a preset file; a synth whose files are of another format turns them."""
    turned: Callable[[bytes], bytes] | None = getattr(synth, "plugin_state", None)
    return turned(content) if turned else detach(content, synth.preset_suffix)[0]


def judge_opened(place: Place, synth: PluginSynth, count: int, floor: float) -> Finding:
    """Open files with draws of the prior in the plug-in, and compare the sound with the renders.

    Controls that the spec neither draws nor fixes may be saved with the plug-in's state, so small differences are
    told, and only a sound that is further off than `floor` and half a decibel breaks the promise.
    """
    name = "opened by the plug-in"
    patches = place.patches(count)
    with place.renderer() as renderer:
        played = place.renders(renderer, patches)
    distances: list[float] = []
    with tempfile.TemporaryDirectory(prefix="wav2patch-check-") as folder:
        for i, (patch, audio) in enumerate(zip(patches, played, strict=True)):
            if audio is None:
                continue
            path = Path(folder) / f"{i}{synth.preset_suffix}"
            try:
                synth.write_preset(patch, path)
                with contextlib.closing(Apart(Opener(synth), synth.title, _DEADLINE)) as new_process:
                    distances.append(apart(audio, new_process.call("play", path, SOUND)))
            except (UserError, RenderError) as error:
                return Finding(name, False, f"a preset file could not be opened: {str(error).rstrip('.')}.")
    if not distances:
        return Finding(name, False, "no preset file could be tried, as no draw was rendered.")
    typical, worst = float(np.median(distances)), max(distances)
    told = f"{len(distances)} preset files sound within {decibels(typical)} of their renders (worst {decibels(worst)})"
    return Finding(name, worst <= floor + _HALF, told + ".", {"opened_median": typical, "opened_worst": worst})
