"""Cuts: which rows of a data set a view is to have, in the words of a user."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from wav2patch.datasets.recipes.recipe import Recipe
from wav2patch.datasets.views.row_runs import Runs
from wav2patch.errors import UserError

_AMOUNT = re.compile(r"(?P<number>\d+(\.\d+)?)(?P<unit>[%kKmM]?)")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_UNITS = {"": 1, "k": 1_000, "m": 1_000_000}
_RANGES = re.compile(r"(\d+(-\d+)?)(,\d+(-\d+)?)*")
_KNOWN = "a share such as 80%, a count such as 50k, rest, shards:0-9, rows:0-999, or a view such as train or train:20k"


@dataclass(frozen=True)
class Amount:
    """A number of rows, or a share of them."""

    number: Fraction
    share: bool

    def of(self, rows: int) -> Fraction:
        """How many rows of so many this is; a share may end in the middle of one."""
        return self.number * rows if self.share else self.number


@dataclass(frozen=True)
class Cut:
    """Rows that a view is to have.

    Attributes:
        name: Of the view.
        words: As the user gave them.
        amount: How many; None for all that there are.
        view: The view that they are taken from, by name or address; None for rows that no other view has.
        shards: Or the shards that they are taken from, by number.
        rows: Or which rows, by number in the set.
    """

    name: str
    words: str
    amount: Amount | None = None
    view: str | None = None
    shards: tuple[range, ...] = ()
    rows: tuple[range, ...] = ()

    @property
    def fixed(self) -> bool:
        """Whether it says itself which rows it has."""
        return bool(self.view or self.shards or self.rows)


def parse_cut(name: str, words: str) -> Cut:
    """Read what was said about a view.

    Args:
        name: Of the view.
        words: ``80%``, ``50k``, ``rest``, ``shards:0-9,12``, ``rows:0-999``, ``train``, ``train:20k``,
            ``cuts/50k/train.h5:10%``.

    Raises:
        UserError: It cannot be understood.
    """
    if not _NAME.fullmatch(name):
        raise UserError(f"a view is called by letters, digits, - and _, such as train, not {name!r}.")
    text = words.strip()
    if text == "rest":
        return Cut(name, text)
    if (amount := _amount(text)) is not None:
        return Cut(name, text, amount)
    source, _, rest = text.rpartition(":")
    if source in ("shards", "rows"):
        if not _RANGES.fullmatch(rest):
            raise UserError(f"{name}={words} names no {source}: expected numbers such as {source}:0-9,12.")
        ranges = tuple(_range(part) for part in rest.split(","))
        return Cut(name, text, shards=ranges) if source == "shards" else Cut(name, text, rows=ranges)
    if source and (amount := _amount(rest)) is not None:
        return Cut(name, text, amount, view=source)
    if _NAME.fullmatch(text) or text.endswith(".h5"):
        return Cut(name, text, view=text)
    raise UserError(f"{name}={words} cannot be understood: expected {_KNOWN}.")


def allocate(
    cuts: Sequence[Cut], recipe: Recipe, taken: Mapping[str, Runs], rows_of_view: Callable[[str], Runs]
) -> dict[str, Runs]:
    """Find the rows of every cut; no two have one in common.

    What says itself which rows it has gets those; the others get the rows that are left, in order.

    Args:
        cuts: What is wanted.
        recipe: Of the data set.
        taken: Rows of views that are there and stay, by name.
        rows_of_view: Gives the rows of a view by its name or address.

    Raises:
        UserError: They share rows, or do not fit.
    """
    fixed = {cut.name: _fixed(cut, recipe, rows_of_view) for cut in cuts if cut.fixed}
    used = dict(taken)
    for name, rows in fixed.items():
        for other, theirs in used.items():
            if common := rows & theirs:
                raise UserError(
                    f"{name} and {other} would share {len(common)} rows, such as row {common.runs[0].start}: "
                    "views that lie in one folder have no row in common."
                )
        used[name] = rows
    free = Runs((range(recipe.count),))
    for rows in used.values():
        free -= rows
    shared = _share_out([cut for cut in cuts if not cut.fixed], free, recipe)
    allocated = fixed | shared
    if empty := [cut for cut in cuts if not allocated[cut.name]]:
        raise UserError(f"{empty[0].name}={empty[0].words} would have no rows.")
    return {cut.name: allocated[cut.name] for cut in cuts}


def _share_out(cuts: Sequence[Cut], free: Runs, recipe: Recipe) -> dict[str, Runs]:
    rests = [cut.name for cut in cuts if cut.amount is None]
    if len(rests) > 1:
        raise UserError(f"{' and '.join(rests)} cannot both have the rest.")
    available, wanted, ends = len(free), Fraction(0), []
    for cut in cuts:
        before = wanted
        # Shares are rounded where they end, so that those that make 100% take every row.
        wanted += cut.amount.of(recipe.count) if cut.amount else 0
        ends.append((cut, round(before), round(wanted)))
    if round(wanted) > available:
        names = ", ".join(f"{cut.name}={cut.words}" for cut in cuts)
        raise UserError(
            f"{names} want {round(wanted)} rows, but {available} of the set's {recipe.count} are free: ask for fewer."
        )
    shared: dict[str, Runs] = {}
    for cut, start, stop in ends:
        # The rest comes last, wherever it was named.
        if cut.amount is not None:
            shared[cut.name] = free.head(stop) - free.head(start)
    for name in rests:
        shared[name] = free - free.head(round(wanted))
    return shared


def _fixed(cut: Cut, recipe: Recipe, rows_of_view: Callable[[str], Runs]) -> Runs:
    if cut.view:
        rows = rows_of_view(cut.view)
        if cut.amount is None:
            return rows
        wanted = round(cut.amount.of(len(rows)))
        if wanted > len(rows):
            raise UserError(f"{cut.name}={cut.words} wants more rows than the {len(rows)} that {cut.view} has.")
        return rows.head(wanted)
    _check_ranges(cut, cut.shards, "shards", recipe.shards)
    _check_ranges(cut, cut.rows, "rows", recipe.count)
    return Runs.of([*cut.rows, *(recipe.rows_of(shard) for shards in cut.shards for shard in shards)])


def _check_ranges(cut: Cut, ranges: Sequence[range], what: str, count: int) -> None:
    for numbers in ranges:
        if numbers.stop > count:
            raise UserError(f"{cut.name}={cut.words} goes too far: the set has {what} 0 to {count - 1}.")


def _amount(text: str) -> Amount | None:
    found = _AMOUNT.fullmatch(text)
    if found is None:
        return None
    number, unit = Fraction(found["number"]), found["unit"].lower()
    if unit == "%":
        if number > 100:
            raise UserError(f"a share is 100% at most, not {text}.")
        return Amount(number / 100, share=True)
    rows = number * _UNITS[unit]
    if rows.denominator != 1:
        raise UserError(f"a count is a whole number of rows, not {text}.")
    return Amount(rows, share=False)


def _range(text: str) -> range:
    first, _, last = text.partition("-")
    numbers = range(int(first), int(last or first) + 1)
    if not numbers:
        raise UserError(f"{text} counts backwards: write the smaller number first.")
    return numbers
