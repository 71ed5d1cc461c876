"""Reading a plug-in's controls, which may crash or hang it: done in a process of its own."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from wav2patch.drafting.kinds import Described, asked_positions
from wav2patch.drafting.words import identifiers, left_out
from wav2patch.errors import UserError
from wav2patch.synths.base import RenderError
from wav2patch.synths.plugins.apart import Apart
from wav2patch.synths.plugins.host import Control, Host, HostError, open_host

_DEADLINE = 120.0


def read_controls(plugin: Path) -> list[Described]:
    """Every control of a plug-in with the texts that it shows.

    Raises:
        UserError: It cannot be loaded, crashes, takes two minutes or has no controls.
    """
    with contextlib.closing(Apart(Reader(plugin), plugin.name, _DEADLINE)) as apart:
        try:
            controls = apart.call("controls")
        except RenderError as error:
            raise UserError(f"{error} while its controls were read: this plug-in cannot be used.") from None
    if not controls:
        raise UserError(f"{plugin} shows no controls to its host, so there is nothing to match with.")
    return controls


@dataclass(frozen=True)
class Reader:
    """Reads the controls of a plug-in in whatever process it is in."""

    plugin: Path

    def controls(self) -> list[Described]:
        """Every control.

        Raises:
            UserError: The plug-in cannot be loaded.
        """
        try:
            host = open_host(self.plugin)
        except HostError as error:
            raise UserError(f"{error}; give the path of a VST3 or VST2 plug-in, a .vst3 bundle or an .so.") from None
        return [describe(host, control) for control in list(host.controls)]


def describe(host: Host, control: Control) -> Described:
    """A control and its texts.

    Controls that are no part of a sound are not asked: hosts may have to set a control to learn its text, and setting
    one of these might load a program.
    """
    positions = asked_positions(control.steps)
    texts = ("",) * len(positions)
    if left_out(identifiers([control.name])[0]) is None:
        texts = tuple(host.text(control.index, position) for position in positions)
    return Described(control.index, control.name, control.unit, control.default, positions, texts)
