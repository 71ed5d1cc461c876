"""`wav2patch synths inspect`: a plug-in in, the spec to match with out."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wav2patch.errors import UserError

if TYPE_CHECKING:
    from wav2patch.drafting.draft import Draft


def command(
    plugin: Annotated[str, typer.Argument(help="A .vst3, .so or .dll, or the name of one in a plug-in folder.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="SPEC.yaml", help=r"\[default: named after the plug-in]")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Half the renders; switches are not looked for.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a spec that is there already.")] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Renders side by side.  \\[default: one a core]")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Another seed listens to other patches.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Draft the spec of a plug-in: all that it takes to match sounds with it.

    The plug-in is loaded in worker processes, without a window. Every control is moved and listened to: what can be
    heard becomes a parameter. Then come switches, blocks, symmetries, and a prior whose draws are seldom silent.
    A plug-in of 100 controls takes two or three minutes.

    Examples:
      wav2patch synths inspect Obxd

      wav2patch synths inspect ~/.vst3/Vex.vst3 -o vex.yaml --quick
    """
    from wav2patch.cli.console import print_json, printable
    from wav2patch.cli.stages import stage_progress
    from wav2patch.drafting.draft import QUICK, THOROUGH
    from wav2patch.drafting.inspect import find_plugin, inspect
    from wav2patch.drafting.words import identifiers
    from wav2patch.synths.plugins.spec_file import save_spec

    path, _ = find_plugin(plugin)
    target = output or Path(f"{identifiers([path.stem])[0]}.yaml")
    if target.suffix != ".yaml":
        raise UserError(f"a spec is a .yaml file, so that `match --synth` can tell it from a name; not {target}.")
    if target.exists() and not force:
        raise UserError(f"{target} exists: give another file with -o, or replace it with --force.")
    with stage_progress(path.name) as report:
        drafted = inspect(plugin, report, effort=QUICK if quick else THOROUGH, workers=workers, seed=seed)
    save_spec(drafted.spec, target)
    if as_json:
        print_json({"spec": printable(target), **_dictionary(drafted)})
    else:
        _summarise(drafted, target)


def _dictionary(drafted: Draft) -> dict[str, object]:
    spec = drafted.spec
    return {
        "name": spec.name,
        "controls": drafted.controls,
        "parameters": len(spec.knobs),
        "left_out": dict(drafted.excluded),
        "unheard": list(drafted.unheard),
        "steps_by_ear": list(drafted.by_ear),
        "blocks": len(spec.blocks),
        "symmetries": [symmetry.name for symmetry in spec.symmetries],
        "noise_floor": spec.figures["noise_floor"],
        "leak": drafted.habits.leak,
        "silent_share": drafted.drawing.silent,
        "strength": drafted.drawing.strength,
        "gain": spec.gain,
        "renders": drafted.renders,
        "failures": list(drafted.failures),
    }


def _summarise(drafted: Draft, target: Path) -> None:
    from wav2patch.cli.console import out, printable

    spec, floor = drafted.spec, float(drafted.spec.figures["noise_floor"])
    out().print(f"{printable(spec.title)}: {drafted.controls} controls, {len(spec.knobs)} of them audible parameters")
    by_ear = f", {len(drafted.by_ear)} of them switches found by listening" if drafted.by_ear else ""
    stepped = sum(bool(knob.positions) for knob in spec.knobs)
    out().print(
        f"  • {stepped} with steps{by_ear}; {len(spec.blocks)} blocks, {len(spec.symmetries)} proved symmetries"
    )
    told = f"differ by up to {floor:.2f} dB" if floor else "give the same sound"
    out().print(f"  • two renders of a patch {told}; {drafted.drawing.silent:.1%} of the prior's draws are silent")
    if drafted.failures:
        out().print(f"  • {len(drafted.failures)} of {drafted.renders} renders failed, each at no other cost")
    out().print(f"  • what was left out, and why, stands in the notes of {printable(target)}")
    out().print(f"wav2patch match SOUND --synth {printable(shlex.quote(str(target)))}")
