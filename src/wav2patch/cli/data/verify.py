"""`wav2patch data verify`: is a data set what it ought to be?"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from wav2patch.datasets.verifying.verify import Thoroughness, Verdict


@dataclasses.dataclass(frozen=True)
class Verifying:
    """Settings of `wav2patch data verify`."""

    quick: Annotated[bool, "Opens every shard and reads its small fields only: clips=none rerender=0."] = False
    clips: Annotated[str, "Clips to read in full and to measure again: all, none, or a number drawn by chance."] = "all"
    rerender: Annotated[int, "Rows, drawn by chance, to render again."] = 20
    seed: Annotated[int, "Of that chance."] = 0
    workers: Annotated[int | None, "Processes; one a core by default, where there is work enough for them."] = None


def command(
    place: Annotated[
        str, typer.Argument(metavar="SET_OR_VIEW", help="The folder of a data set, or a view such as train.h5.")
    ],
    settings: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE…]", help="Settings; the table below has all.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, with all bad files.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but what is wrong.")] = False,
) -> None:
    """Find out whether every row is there, whole, audible, and what its seed gives.

    Of all rows: the shards open and belong to the set; parameters and notes can be played; loudness is above the gate.
    Of clips that are read: every sample and feature passes its checksum and is finite, loudness and features are
    those of the clip (embeddings of audio models are not made again), and drawing from (seed, index, attempt) gives
    the same parameters and note. Of rows that are rendered again: the same bits, or where the synth leaves something
    to chance, within its noise floor.

    Exit codes: 0 all is well; 1 wav2patch failed; 2 there is no such set, or it cannot be rendered here; 3 files are
    missing or damaged; 4 rows are whole but not what their recipe gives; 130 stopped by Ctrl-C.

    Examples:
      wav2patch data verify dexed-100k

      wav2patch data verify dexed-100k/train.h5 quick=yes --quiet

      wav2patch data verify dexed-100k clips=2000 rerender=100 --json
    """
    from wav2patch.cli.console import fail, print_json
    from wav2patch.cli.data.progress import row_progress
    from wav2patch.cli.keys import read_keys
    from wav2patch.datasets.verifying.verify import DAMAGED, verify
    from wav2patch.datasets.views.places import DamageError, open_whole

    wanted = _thoroughness(read_keys(Verifying, settings or []))
    try:
        view = open_whole(place)
    except DamageError as error:
        if as_json:
            print_json(
                {"address": place, "good": False, "code": DAMAGED, "files": [{"file": place, "what": str(error)}]}
            )
        fail(str(error))
        raise typer.Exit(DAMAGED) from None
    with row_progress(not quiet) as report:
        verdict = verify(view, wanted, report)
    if as_json:
        print_json(_as_json(verdict))
    elif not quiet:
        _print(verdict)
    if verdict.sentence:
        fail(verdict.sentence)
    raise typer.Exit(verdict.code)


def _thoroughness(wanted: Verifying) -> Thoroughness:
    from wav2patch.datasets.verifying.verify import Thoroughness
    from wav2patch.errors import UserError

    if wanted.workers is not None and wanted.workers < 1:
        raise UserError(f"workers is 1 or more, not {wanted.workers}.")
    if min(wanted.rerender, wanted.seed) < 0:
        raise UserError("rerender and seed are 0 or more.")
    if wanted.quick:
        return Thoroughness(0, 0, wanted.seed, wanted.workers)
    return Thoroughness(_clips(wanted.clips), wanted.rerender, wanted.seed, wanted.workers)


def _clips(text: str) -> int | None:
    from wav2patch.errors import UserError

    if text in ("all", "none"):
        return None if text == "all" else 0
    if not text.isdecimal():
        raise UserError(f"clips is all, none or a number, not {text!r}.")
    return int(text)


def _as_json(verdict: Verdict) -> dict[str, Any]:
    findings = [dataclasses.asdict(finding) for finding in verdict.findings]
    return {
        "address": verdict.address,
        "good": not verdict.code,
        "code": verdict.code,
        "rows": verdict.rows,
        "shards": verdict.shards,
        "findings": findings,
        "files": [dataclasses.asdict(file) for file in verdict.files],
        "seconds": round(verdict.seconds, 3),
    }


def _print(verdict: Verdict) -> None:
    from rich.table import Table

    from wav2patch.cli.console import out, printable

    table = Table(box=None, pad_edge=False, show_header=False)
    for finding in verdict.findings:
        mark = {True: "✓", False: "✗", None: "·"}[finding.holds]
        table.add_row(mark, finding.name, printable(finding.sentence))
    console = out()
    console.print(table)
    console.print(f"{printable(verdict.address)}: {verdict.rows / verdict.seconds:.0f} rows/s", style="bold")
