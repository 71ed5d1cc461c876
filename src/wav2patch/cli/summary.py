"""What `wav2patch match` says when it is done."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wav2patch.cli.console import out, printable

if TYPE_CHECKING:
    from wav2patch.matching.result import Match


def summarise(found: Match, folder: Path) -> None:
    """The candidates of one match."""
    from rich.table import Table

    from wav2patch.matching.candidates import pitch_is_right
    from wav2patch.matching.store import preset_path
    from wav2patch.notes import pitch_name

    console, note = out(), found.sound.note
    pitch = f"{pitch_name(note.pitch)}" if found.target.frequency else f"{pitch_name(note.pitch)} (no pitch heard)"
    name = printable(Path(found.target.source).name)
    console.print(f"{name}: {pitch}, held {note.duration:.2f} s, on {found.synth.title}", style="bold")
    for remark in found.target.remarks:
        console.print(f"  • {remark}")
    table = Table(box=None, pad_edge=False, show_edge=False)
    for column in ("distance", "pitch", "preset"):
        # A path that is cut short is of no use to anybody.
        table.add_column(column, overflow="fold")
    for candidate in found.candidates:
        cents = candidate.panel.get("f0")
        heard = "–" if cents is None else f"{round(cents):+d} cents"
        wrong = "" if pitch_is_right(found.target.frequency, candidate.frequency) else " (out of tune: put back)"
        table.add_row(f"{candidate.distance:.2f} dB", heard + wrong, printable(preset_path(found, candidate, folder)))
    console.print(table)
    early = ", stopped by you" if found.stopped else ""
    presets = f", {found.rendered['presets']} of them your presets" if found.rendered.get("presets") else ""
    models = sum(found.rendered.get(name, 0) for name in found.models)
    learned = f", {models} of them proposed by {', '.join(found.models)}" if models else ""
    console.print(f"{found.renders} renders{presets}{learned} in {found.seconds:.0f} s{early}.")
    console.print(f"Listen and compare: {printable(folder / 'report.html')}")


def summarise_ranking(matches: Sequence[Match], page: Path) -> None:
    """The synths that a sound was matched on, closest first."""
    from rich.table import Table

    from wav2patch.matching.candidates import pitch_is_right
    from wav2patch.matching.ranking import closest_first

    console, ordered = out(), closest_first(matches)
    name = printable(Path(ordered[0].target.source).name)
    console.print(f"{name}: {ordered[0].synth.title} comes closest", style="bold")
    table = Table(box=None, pad_edge=False, show_edge=False)
    for column in ("distance", "synth", ""):
        table.add_column(column)
    for match in ordered:
        in_tune = pitch_is_right(match.target.frequency, match.best.frequency)
        table.add_row(f"{match.best.distance:.2f} dB", match.synth.title, "" if in_tune else "out of tune: put back")
    console.print(table)
    console.print(f"Listen and compare: {printable(page)}")
