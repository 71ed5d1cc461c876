"""`wav2patch synths check`: proof that a synth keeps its contract."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from wav2patch.checking.finding import Verdict
    from wav2patch.synths.base import Synth

_MARKS = {True: "✓", False: "✗", None: "•"}


def command(
    synth: Annotated[str, typer.Argument(help="A name of `wav2patch synths list`, or a spec file.")],
    renders: Annotated[int, typer.Option(min=20, help="Draws of the prior to render.")] = 200,
    write: Annotated[
        bool | None,
        typer.Option("--write/--no-write", help="Write the figures into the spec.  \\[default: into your own specs]"),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the draws.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Prove what a synth promises, and measure the rest.

    Promised is: a patch always sounds the same, whatever was played before; preset files bring it back; few draws of
    the prior are silent; no render takes others with it; memory stays flat. Measured are the noise floor in every
    metric, levels and speed. For a plug-in they go into the `figures` of its spec file.

    The exit code is 0 where all promises hold and 1 where one is broken.

    Examples:
      wav2patch synths check dexed

      wav2patch synths check obxd.yaml --renders 500
    """
    from wav2patch.checking.check import check
    from wav2patch.cli.console import print_json
    from wav2patch.cli.stages import stage_progress
    from wav2patch.synths.catalogue import load_synth

    engine = load_synth(synth)
    target = _spec_file(synth, engine, write)
    with stage_progress(engine.title) as report:
        verdict = check(engine, report, renders=renders, seed=seed)
    if target is not None:
        _write(target, verdict, engine)
    if as_json:
        print_json(_dictionary(verdict))
    else:
        _print(verdict, engine, target)
    if not verdict.holds:
        raise typer.Exit(1)


def _spec_file(name: str, engine: Synth, write: bool | None) -> Path | None:
    """Where the figures go: a spec file that was named itself, or with --write the one that comes with the package."""
    from wav2patch.errors import UserError
    from wav2patch.synths.plugins.synth import PluginSynth

    own = Path(name) if name.endswith((".yaml", ".yml")) else None
    if write is False or (write is None and own is None):
        return None
    if own is not None:
        return own
    import wav2patch.synths

    shipped = Path(wav2patch.synths.__path__[0]) / "specs" / f"{engine.name}.yaml"
    if not isinstance(engine, PluginSynth) or not shipped.is_file():
        raise UserError(f"{name} has no spec file that figures could be written to: leave --write out.")
    return shipped


def _write(target: Path, verdict: Verdict, engine: Synth) -> None:
    from wav2patch.synths.plugins.spec_file import load_spec, save_figures

    made_with = ", ".join(f"{name} {version}" for name, version in engine.versions().items())
    kept = load_spec(target).figures
    save_figures(target, {**kept, **verdict.figures, "made_with": made_with})


def _dictionary(verdict: Verdict) -> dict[str, object]:
    findings = [{"name": f.name, "holds": f.holds, "sentence": f.sentence} for f in verdict.findings]
    return {"synth": verdict.synth, "holds": verdict.holds, "findings": findings, "figures": verdict.figures}


def _print(verdict: Verdict, engine: Synth, target: Path | None) -> None:
    from rich.table import Table

    from wav2patch.cli.console import out, printable

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in verdict.findings:
        table.add_row(_MARKS[finding.holds], finding.name, printable(finding.sentence))
    out().print(table)
    broken = [finding.name for finding in verdict.findings if finding.holds is False]
    ending = f"breaks its contract: {', '.join(broken)}" if broken else "keeps its contract"
    out().print(f"{printable(engine.title)} {ending}")
    if target is not None:
        out().print(f"figures → {printable(target)}")
