"""A plug-in as a synth: what a spec says, rendered by the real plug-in."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from wav2patch.errors import UserError
from wav2patch.files import write_bytes
from wav2patch.notes import Note
from wav2patch.parameters import ParameterSpace, Patch
from wav2patch.priors import Prior
from wav2patch.synths.base import Audio, Preset, RenderError, from_onset
from wav2patch.synths.plugins.apart import Apart
from wav2patch.synths.plugins.dawdreamer import unavailable
from wav2patch.synths.plugins.host import PRESET_SUFFIXES, HostError, HostMaker, host_for, open_host, plugin_format
from wav2patch.synths.plugins.locate import locate, why_missing
from wav2patch.synths.plugins.player import Player
from wav2patch.synths.plugins.private import FOLDER_VARIABLE
from wav2patch.synths.plugins.spec import PluginSpec
from wav2patch.synths.plugins.spec_file import load_spec
from wav2patch.synths.plugins.stored import Stored, StoredError, attach, detach, given_name

DEADLINE = 60.0
"""Seconds that a plug-in may take to be loaded and to give or take its state."""

# Two values of a control that differ by less are the same to a musician.
_SAME = 1e-3


class PluginSynth:
    """A plug-in that a spec describes.

    The plug-in is loaded in the process that renders, as it renders first. A plug-in may crash, so the program's own
    process asks another one for the content of preset files.

    Args:
        spec: The spec, or the path of its file.
        path: Of the plug-in, for one that is elsewhere than its spec says.
        host: ``"pedalboard"`` or ``"dawdreamer"``, or what loads the plug-in; the one that fits its format by default.

    Raises:
        UserError: The spec's file is missing or wrong.
    """

    bank_name = None
    releases_gil = False
    may_crash = True

    def __init__(
        self, spec: PluginSpec | Path | str, path: Path | str | None = None, host: str | HostMaker | None = None
    ) -> None:
        self.spec = spec if isinstance(spec, PluginSpec) else load_spec(spec)
        self.path = path
        self._host = host
        self._player: Player | None = None
        self._apart: Apart | None = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_player": None, "_apart": None}

    @property
    def name(self) -> str:
        """Of the spec."""
        return self.spec.name

    @property
    def title(self) -> str:
        """Of the spec."""
        return self.spec.title

    @property
    def space(self) -> ParameterSpace:
        """The knobs of the spec."""
        return self.spec.space

    @property
    def preset_suffix(self) -> str:
        """By the format of the plug-in that is installed, or of the one that the spec prefers."""
        return PRESET_SUFFIXES[plugin_format(self._located() or self.spec.plugin[0])]

    @property
    def noise_floor(self) -> float:
        """As `synths check` measured it."""
        return float(self.spec.figures.get("noise_floor", 0.0))

    @property
    def max_tasks(self) -> int | None:
        """Renders after which a worker process should be replaced, as the plug-in leaks memory; None for never."""
        return self.spec.setting.lifetime or None

    def missing(self) -> str | None:
        """Where the plug-in was looked for in vain, or which host is not installed, and what to do."""
        path = self._located()
        if path is None:
            return why_missing(self.spec.plugin, self.spec.variable, self.path)
        return unavailable() if self._host in (None, "dawdreamer") and host_for(path) == "dawdreamer" else None

    def versions(self) -> Mapping[str, str]:
        """The host's version, and the plug-in by the SHA-256 of its file: what plug-ins say of themselves varies."""
        path = self._located()
        if path is None:
            return {}
        host = self._host if isinstance(self._host, str) else host_for(path)
        return {host: metadata.version(host), self.title: f"sha256 {_digest(path)}"}

    def prior(self, published: bool = False) -> Prior:
        """The spec's rules for every knob, or those of the paper that its parameters are from.

        Args:
            published: Whether the paper's rules are meant, where the spec has some that differ.
        """
        return self.spec.published_prior if published else self.spec.prior

    def prepare(self) -> None:
        """Load the plug-in now.

        Raises:
            UserError: It is missing, cannot be loaded, or is another version than the spec's.
        """
        self._loaded()

    def render(self, patch: Patch, note: Note, *, length: float, sample_rate: int) -> Audio:
        """Render one note; float32 ``(2, samples)``. See `Synth.render`."""
        self.space.validate(patch)
        values, gain = np.asarray(patch, dtype=np.float64), self.spec.gain
        return from_onset(
            lambda count: gain * self._play(values, note, count, sample_rate), 2, note, length, sample_rate
        )

    def _play(self, patch: Patch, note: Note, samples: int, sample_rate: int) -> Audio:
        player = self._loaded()
        try:
            return player.play(patch, note, samples, sample_rate)
        except Exception as error:
            # Whatever state it is in now: the next render gets a fresh one.
            self._player = None
            if isinstance(error, RenderError):
                raise
            raise RenderError(f"{self.title} failed: {type(error).__name__}: {error}") from error

    def write_preset(self, patch: Patch, path: Path | str, *, name: str = "wav2patch") -> None:
        """Write a preset file of the plug-in's format, with the plug-in's state and the patch itself.

        Raises:
            UserError: A value of the patch is out of range, or the file cannot be written.
            RenderError: The plug-in crashed or gave no state.
        """
        self.space.validate(patch)
        patch = np.asarray(patch, dtype=np.float64)
        state, controls = self._ask("state_of", patch)
        stored = Stored(name, self.name, self.space.digest, self.space.named(patch), controls)
        write_bytes(Path(path), attach(state, stored, self.preset_suffix))

    def write_bank(self, patches: Sequence[Patch], path: Path | str, names: Sequence[str]) -> None:
        """Plug-ins have no format for several presets in a file."""
        raise NotImplementedError(f"{self.title} has no banks")

    def read_presets(self, path: Path | str) -> list[Preset]:
        """The preset of a file: exactly, if we wrote it, else as the plug-in tells it after loading."""
        path = Path(path)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise UserError(f"{path} could not be read: {error.strerror or error}.") from error
        try:
            state, stored = detach(content, self.preset_suffix)
            return [self._stored_preset(stored) if stored else self._foreign_preset(state, path)]
        except (StoredError, ValueError) as error:
            raise UserError(f"{path} holds no preset of {self.title}: {error}.") from None

    def read_controls(self, state: bytes) -> Mapping[int, float] | None:
        """Normalised values of controls, by their places, that a preset of another program sets.

        A synth that can read its preset files without the plug-in does so in a method of its own in place of this one.

        Args:
            state: Content of the file.

        Returns:
            The values; controls left out are as in a freshly loaded plug-in. None where the plug-in loads the preset
            and does not tell its values.

        Raises:
            ValueError: It is no preset of this plug-in.
        """
        try:
            return self._ask("loaded_controls", state)
        except RenderError as error:
            raise ValueError(str(error)) from None

    def loading_instructions(self) -> Sequence[str]:
        """As the spec has them."""
        if self.spec.instructions:
            return list(self.spec.instructions)
        return [f"In your host, open {self.title} and load the {self.preset_suffix} file in the plug-in's preset menu."]

    def state_of(self, patch: Patch) -> tuple[bytes, dict[int, float]]:
        """The plug-in's state for a patch ``(P,)``, and what its controls were set to, in this process."""
        player = self._loaded()
        return player.state(patch), player.values(patch)

    def loaded_controls(self, state: bytes) -> Mapping[int, float] | None:
        """See `read_controls`, in this process."""
        return self._loaded().loaded(state)

    def freshly_loaded(self) -> tuple[dict[int, float], dict[int, str]]:
        """Values and names of the controls, by their places, as the plug-in is loaded, in this process."""
        player = self._loaded()
        return dict(player.base), dict(player.names)

    def _ask(self, method: str, *arguments: Any) -> Any:
        """Call a method of this synth where a crash costs nothing but the call: in a worker here, else apart."""
        if FOLDER_VARIABLE in os.environ:
            return getattr(self, method)(*arguments)
        if reason := self.missing():
            raise UserError(reason)
        self._apart = self._apart or Apart(self, self.title, DEADLINE)
        return self._apart.call(method, *arguments)

    def _loaded(self) -> Player:
        if self._player is None:
            path = self._located()
            if path is None:
                raise UserError(self.missing() or "")
            maker = self._host if callable(self._host) else partial(open_host, host=self._host)
            try:
                self._player = Player(self.spec, path, maker)
            except HostError as error:
                raise UserError(f"{error}: install {self.title} anew, or give the path of another copy.") from None
        return self._player

    def _located(self) -> Path | None:
        return locate(self.spec.plugin, self.spec.variable, self.path)

    def _stored_preset(self, stored: Stored) -> Preset:
        if stored.synth == self.name and stored.space == self.space.digest:
            return Preset(stored.name, self.space.from_named(stored.patch))
        # Of another spec of the same plug-in, perhaps: the controls are the plug-in's own in both.
        return self._from_controls(stored.name, stored.controls)

    def _foreign_preset(self, state: bytes, path: Path) -> Preset:
        controls = self.read_controls(state)
        if controls is None:
            raise UserError(
                f"{path} was loaded by {self.title}, which does not tell the values it has then: give a file that "
                "wav2patch wrote, or set the knobs by hand."
            )
        return self._from_controls(given_name(state, self.preset_suffix) or path.stem, controls)

    def _from_controls(self, name: str, controls: Mapping[int, float]) -> Preset:
        """A preset from the controls of the plug-in; what the space does not cover is told."""
        base, names = self._ask("freshly_loaded")
        wanted = {knob.index: (knob, controls.get(knob.index, base[knob.index])) for knob in self.spec.knobs}
        patch = np.array([knob.value(value) for knob, value in wanted.values()])
        expected = base | {fixed.index: fixed.value for fixed in self.spec.fixed}
        expected |= {index: knob.normalised(knob.value(value)) for index, (knob, value) in wanted.items()}
        dropped = tuple(
            f"{names.get(index) or f'control {index}'} at {value:.3g} instead of {expected[index]:.3g}"
            for index, value in sorted(controls.items())
            if index in expected and abs(value - expected[index]) > _SAME
        )
        return Preset(name, self.space.snap(patch), dropped)


def _digest(path: Path) -> str:
    """Of the largest file of a bundle, its binary."""
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    largest = max(files, key=lambda file: file.stat().st_size)
    with largest.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:16]
