"""`wav2patch data info`: what is this?"""

from __future__ import annotations

from typing import Annotated, Any

import typer


def command(
    place: Annotated[str, typer.Argument(metavar="PATH", help="A data set, view, shard or file of statistics.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Say what a data set, view, shard or file of statistics holds, without reading its rows.

    Of a large set a few shards are opened, and the others are taken to be alike; of a remote one none is.

    Examples:
      wav2patch data info dexed-100k

      wav2patch data info s3://bucket/set/train.h5 --json
    """
    from wav2patch.cli.console import print_json
    from wav2patch.datasets.info import inspect

    facts = inspect(place)
    if as_json:
        print_json(facts)
    else:
        _print(facts)


def _print(facts: dict[str, Any]) -> None:
    from rich.table import Table

    from wav2patch.cli.console import out, printable

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, words in _lines(facts):
        table.add_row(name, printable(words))
    console = out()
    console.print(f"{printable(facts['address'])}: a {facts['kind']}", style="bold")
    console.print(table)


def _lines(facts: dict[str, Any]) -> list[tuple[str, str]]:
    lines = [*_rows(facts), *_recipe(facts), *_disk(facts)]
    lines += [(name, ", ".join(facts[name])) for name in ("views", "statistics") if facts.get(name)]
    lines += (
        [("cut", ", ".join(f"{name}: {value}" for name, value in facts["cut"].items()))] if facts.get("cut") else []
    )
    return lines


def _rows(facts: dict[str, Any]) -> list[tuple[str, str]]:
    if "rows" not in facts:
        return []
    lines = [("rows", f"{facts['rows']:,}" + (f", from {facts['first']:,} on" if "first" in facts else ""))]
    if facts.get("missing_shards"):
        missing = facts["missing_shards"]
        listed = ", ".join(missing[:8]) + (", …" if len(missing) > 8 else "")
        lines.append(("missing", f"shards {listed}; {facts['rows_there']:,} rows are there"))
    if "shards" in facts:
        lines.append(("shards", f"{facts['shards']:,}, of {facts['shard_rows']:,} rows at most"))
    return lines


def _recipe(facts: dict[str, Any]) -> list[tuple[str, str]]:
    if "synth" not in facts:
        return []
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    features = [
        f"{name} ({' × '.join(map(str, shape)) if shape else 'unknown to this version'})"
        for name, shape in facts["features"].items()
    ]
    channels = {1: "mono", 2: "stereo"}.get(facts["channels"], f"{facts['channels']} channels")
    return [
        ("synth", f"{facts['synth']}, {facts['parameters']} numbers a patch ({versions})"),
        ("prior", facts["prior"]),
        ("notes", facts["notes"]),
        ("seed", str(facts["seed"])),
        ("clips", f"{facts['length']:g} s, {facts['sample_rate']} Hz, {channels}, stored as {facts['audio']}"),
        ("gate", "none" if facts["gate"] is None else f"{facts['gate']:g} LUFS"),
        ("features", ", ".join(features) or "none"),
        ("made by", f"wav2patch {facts['package']}"),
    ]


def _disk(facts: dict[str, Any]) -> list[tuple[str, str]]:
    if "file_bytes" not in facts:
        return []
    rows = facts.get("rows_there", facts["rows"])
    each = f", {facts['file_bytes'] / rows / 1e3:.1f} kB a row" if rows else ""
    lines = [("size", f"{facts['file_bytes'] / 1e6:,.1f} MB{each}")]
    if not facts["shards_opened"]:
        return [*lines, ("", "no shard was opened: they lie elsewhere and would have to be fetched")]
    shares = [
        f"{name} {size / 1e6:,.1f} MB (1/{facts['compression'][name]:g})"
        for name, size in facts["bytes_of_fields"].items()
        if size >= 0.01 * facts["file_bytes"]
    ]
    lines.append(("", ", ".join(shares)))
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(facts["rejected"].items()))
    lines.append(("rejected", f"{facts['rejected_share']:.1%} of the draws" + (f": {reasons}" if reasons else "")))
    if not facts["all_opened"]:
        lines.append(("", f"sizes of fields and rejections are those of {facts['shards_opened']} shards"))
    return lines
