"""Spec files: a plug-in's parameter space and habits as YAML that a person edits.

One parameter a line; its kind shows in what it has: ``choices`` make it categorical, ``integers`` discrete, and
without either it is continuous::

    name: tal_noisemaker
    title: TAL-NoiseMaker
    plugin: [TAL-NoiseMaker.vst3]
    variable: WAV2PATCH_TAL_NOISEMAKER
    gain: 0.5
    setting: {first: [filter_type], settle: 0.05}
    parameters:
      cutoff: {index: 3, host: Cutoff, default: 0.9, draw: {low: 0.2, constant: 1.0, probability: 0.3}}
      filter_type: {index: 2, host: Filtertype, choices: [LP, HP, BP], positions: [0.0, 0.5, 1.0], default: LP}
      octave: {index: 30, host: Transpose, integers: [-1, 1], draw: {weights: [1, 4, 1]}}
    published:
      cutoff: {}
    fixed:
      - {index: 1, host: Volume, value: 0.8}
    blocks:
      filter: {kind: filter, parameters: [cutoff, filter_type]}
    activities:
      - {parameters: [sub_shape], when: [[sub_level]]}
      - {parameters: [lfo_rate], when: [[lfo_amount, {lfo_target: [Cutoff, Pitch]}], [{lfo_sync: {unless: [Off]}}]]}
    symmetries:
      - {name: swap the oscillators, takes: {osc1_level: osc2_level, osc2_level: osc1_level}}

``draw`` is a parameter's rule in the default prior, which is to be heard and mostly in tune. Where the parameters come
from a paper that draws them in another way, ``published`` holds its rules, of those parameters that differ; ``{}`` is
uniform.

Left out are: positions that are spread evenly from 0 to 1, defaults and ranges at 0 and 1, and empty parts. An
activity lists alternatives, each a list of conditions that hold together: a name (above its lowest value),
``{name: [values]}``, ``{name: {unless: [values]}}`` or ``{any: [conditions]}``. Values of categorical parameters
are written as the text of the choice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from wav2patch.errors import UserError
from wav2patch.files import write_text
from wav2patch.synths.plugins.spec import PluginSpec
from wav2patch.synths.plugins.spec_fields import SpecProblem
from wav2patch.synths.plugins.spec_reader import spec_from
from wav2patch.synths.plugins.spec_writer import figures_text, spec_text
from wav2patch.synths.plugins.yaml_text import YamlError, parse

_FIGURES = re.compile(r"^figures:[^\n]*\n?(?:\n*[ \t-][^\n]*\n?)*", re.MULTILINE)


def load_spec(path: Path | str) -> PluginSpec:
    """Read a spec file.

    Defaults and constants of continuous parameters are moved to the nearest value that an encoding holds exactly.

    Raises:
        UserError: The file is missing, is not YAML, or an entry is wrong; names the file and the parameter.
    """
    path = Path(path)
    try:
        return spec_from(parse(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not a text file"
        raise UserError(f"{path} could not be read: {reason}.") from None
    except (YamlError, SpecProblem) as error:
        raise UserError(f"{path.name}: {error}.") from None


def save_spec(spec: PluginSpec, path: Path | str) -> None:
    """Write a spec file, whole or not at all; `load_spec` gives the same spec back.

    Comments of a file that is replaced are lost; `save_figures` keeps them.

    Raises:
        ValueError: Something of the spec has no place in a file, such as two blocks of one name.
        UserError: The file cannot be written.
    """
    text = spec_text(spec)
    try:
        same = spec_from(parse(text)) == spec
    except SpecProblem as problem:
        raise ValueError(f"the spec {spec.name!r} is wrong: {problem}") from None
    if not same:
        raise ValueError(f"the spec {spec.name!r} would not come back from its file as it is")
    write_text(Path(path), text)


def save_figures(path: Path | str, figures: Mapping[str, float | str]) -> None:
    """Replace the figures of a spec file and leave all else, comments too, as it is.

    Raises:
        UserError: The file is missing or wrong, or cannot be written.
    """
    path = Path(path)
    load_spec(path)
    text = path.read_text("utf-8")
    fresh = figures_text(figures)
    found = _FIGURES.search(text)
    before, after = (text[: found.start()], text[found.end() :]) if found else (text.rstrip("\n") + "\n", "")
    write_text(path, before + fresh + after)


def names_in(folder: Path) -> Sequence[str]:
    """Names of the specs in a folder, by their files' names: none is read."""
    return sorted(file.stem for file in folder.glob("*.yaml"))
