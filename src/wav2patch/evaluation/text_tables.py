"""Tables as Markdown, LaTeX and CSV: a head and rows of cells that are text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

Cells = Sequence[str]

_LATEX = {
    **{letter: f"\\{letter}" for letter in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "−": "$-$",
    "↓": r"$\downarrow$",
    "↑": r"$\uparrow$",
    "≥": r"$\geq$",
    "…": r"\dots{}",
    "–": "--",
    "|": "$|$",
    "<": "$<$",
    ">": "$>$",
    "°": r"$^\circ$",
    "µ": r"$\mu$",
    "×": r"$\times$",
}


def markdown(head: Cells, rows: Iterable[Cells], *, numbers: int = 0) -> str:
    """A Markdown table.

    Args:
        head: Of the columns.
        rows: Their cells.
        numbers: From which column on cells are flush right; 0 for none.
    """
    rules = ["---:" if numbers and place >= numbers else "---" for place in range(len(head))]
    lines = [[_markdown(cell) for cell in head], rules, *([_markdown(cell) for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def latex(head: Cells, rows: Iterable[Cells], *, numbers: int = 0, long: bool = False) -> str:
    """A LaTeX table for the package booktabs.

    Args:
        head: Of the columns.
        rows: Their cells.
        numbers: From which column on cells are flush right; 0 for none.
        long: Whether it may go over pages, by the package longtable.
    """
    places = "".join("r" if numbers and place >= numbers else "l" for place in range(len(head)))
    kind = "longtable" if long else "tabular"
    lines = [f"\\begin{{{kind}}}{{{places}}}", "\\toprule", _latex_line(head), "\\midrule"]
    lines += ["\\endhead"] if long else []
    lines += [*map(_latex_line, rows), "\\bottomrule", f"\\end{{{kind}}}"]
    return "\n".join(lines) + "\n"


def comma_separated(head: Cells, rows: Iterable[Cells]) -> str:
    """A CSV file, as any spreadsheet opens it."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([head, *rows])
    return text.getvalue()


def _markdown(cell: str) -> str:
    return " ".join(cell.split()).replace("\\", "\\\\").replace("|", "\\|")


def _latex_line(cells: Cells) -> str:
    return " & ".join("".join(_LATEX.get(letter, letter) for letter in cell) for cell in cells) + r" \\"
