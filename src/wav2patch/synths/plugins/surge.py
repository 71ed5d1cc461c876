"""Surge XT: rendered from patches of its own format, which are written and read here without the plug-in.

Every render loads a whole patch. That stops all voices, rebuilds the effects, and brings the modulation along, which no
control of the plug-in can set; and the numbers of types mean the same in every version of Surge, where a host's
normalised values do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from wav2patch.errors import UserError
from wav2patch.files import write_bytes
from wav2patch.parameters import Patch
from wav2patch.synths.base import Preset
from wav2patch.synths.plugins import fxp, vstpreset
from wav2patch.synths.plugins.host import Host
from wav2patch.synths.plugins.spec import PluginSpec
from wav2patch.synths.plugins.spec_file import load_spec
from wav2patch.synths.plugins.surge_controls import element, names
from wav2patch.synths.plugins.surge_patch import SurgePatchError, chunk, from_fxp, parse_chunk, to_fxp
from wav2patch.synths.plugins.surge_preset import to_preset
from wav2patch.synths.plugins.synth import PluginSynth

SPECS = Path(__file__).parent.parent / "specs"
CLASS_ID = b"ABCDEF019182FAEB566D624153675854"

_COMPONENT = b"Comp"
_FREE = "_free"


class SurgeXT(PluginSynth):
    """Surge XT with one of the parameter spaces of Hayes et al. (ISMIR 2025).

    Args:
        size: ``"simple"`` with 89 parameters or ``"full"`` with 162.
        free_running: Whether oscillators start at any phase and drift from anywhere, as in the paper; else they start
            alike at every note, and a patch without noise always gives the same audio.
        path: Of the plug-in, for one that is elsewhere than its spec says.
    """

    def __init__(self, size: str = "simple", *, free_running: bool = False, path: Path | str | None = None) -> None:
        spec = load_spec(SPECS / f"surge_xt_{size}.yaml")
        super().__init__(_running_freely(spec) if free_running else spec, path, open_surge)

    @property
    def preset_suffix(self) -> str:
        """Of the files in Surge's patch browser."""
        return fxp.SUFFIX

    def missing(self) -> str | None:
        """Where the plug-in was looked for in vain, and where it comes from."""
        reason = super().missing()
        return reason and f"{reason.rstrip('.')}; it is free, at surge-synthesizer.github.io."

    def write_preset(self, patch: Patch, path: Path | str, *, name: str = "wav2patch") -> None:
        """Write an ``.fxp`` file, as Surge's patch browser keeps them."""
        self.space.validate(patch)
        write_bytes(Path(path), to_fxp(patch_of(self._controls(patch), name), name))

    def read_presets(self, path: Path | str) -> list[Preset]:
        """The patch of an ``.fxp`` or ``.vstpreset`` file, by whomever; what our space lacks is told."""
        path = Path(path)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise UserError(f"{path} could not be read: {error.strerror or error}.") from error
        try:
            preset = to_preset(parse_chunk(_component(content)), self.spec)
        except SurgePatchError as error:
            raise UserError(f"{path} holds no patch of Surge XT: {error}.") from None
        return [preset if preset.name else replace(preset, name=path.stem)]

    def plugin_state(self, content: bytes) -> bytes:
        """The content of one of our preset files as the plug-in's host takes it, a ``.vstpreset``.

        Raises:
            ValueError: It is no patch of Surge XT.
        """
        return to_vstpreset(_component(content))

    def _controls(self, patch: Patch) -> dict[int, float]:
        fixed = {fixed.index: fixed.value for fixed in self.spec.fixed}
        pairs = zip(self.spec.knobs, np.asarray(patch, dtype=np.float64).tolist(), strict=True)
        return fixed | {knob.index: knob.normalised(value) for knob, value in pairs}


def open_surge(path: Path) -> Host:
    """Load Surge XT as a host that sets controls by loading patches."""
    from wav2patch.synths.plugins.surge_host import SurgeHost  # noqa: PLC0415 - brings pedalboard along

    return SurgeHost(path)


def patch_of(values: Mapping[int, float], name: str) -> bytes:
    """A patch of Surge's from normalised values by the controls' places."""
    elements = {names()[index]: element(names()[index]).value(value) for index, value in values.items()}
    return chunk(elements, name=name, random_drift=elements.get("a_osc1_retrigger") == 0)


def to_vstpreset(patch: bytes) -> bytes:
    """A patch as the content of a ``.vstpreset`` file."""
    return vstpreset.to_bytes(vstpreset.VstPreset(CLASS_ID, ((_COMPONENT, patch),)))


def _component(content: bytes) -> bytes:
    """The patch in a file's content."""
    if content[:4] != b"VST3":
        return from_fxp(content)
    try:
        preset = vstpreset.from_bytes(content)
    except vstpreset.VstPresetError as error:
        raise SurgePatchError(str(error)) from None
    patch = preset.chunk(_COMPONENT)
    if preset.class_id.upper() != CLASS_ID or patch is None:
        raise SurgePatchError("it is for another plug-in")
    return patch


def _running_freely(spec: PluginSpec) -> PluginSpec:
    retrigger = {i for i, name in enumerate(names()) if name.startswith("a_osc") and name.endswith("_retrigger")}
    fixed = tuple(replace(f, value=0.0) if f.index in retrigger else f for f in spec.fixed)
    return replace(spec, name=spec.name + _FREE, title=f"{spec.title}, oscillators free", fixed=fixed)
