"""Discrete parameters as a choice among the values of their grid, in what a network gives."""

from __future__ import annotations

from dataclasses import replace

from wav2patch.models.layout import Kind, Layout


def gridded(layout: Layout, most_values: int) -> Layout:
    """What a network answers for a layout: of each discrete parameter one column for each value.

    A discrete parameter of `most_values` or fewer values becomes a categorical one of the same name and size. One that
    a symmetry exchanges for a parameter of another kind or size stays as it is, and so does everything else.

    Args:
        layout: Columns of the vectors.
        most_values: Of a parameter that gets a column a value; 0 changes nothing.

    Returns:
        The same layout where nothing changes.
    """
    chosen = _chosen(layout, most_values)
    if not chosen:
        return layout
    kinds: tuple[Kind, ...] = tuple("categorical" if i in chosen else kind for i, kind in enumerate(layout.kinds))
    wider = replace(layout, kinds=kinds, symmetries=())
    columns = spans(layout, wider)
    symmetries = tuple(
        tuple(place for source in order for place in range(columns[source].start, columns[source].stop))
        for order in layout.symmetries
    )
    return replace(wider, symmetries=symmetries)


def spans(layout: Layout, outputs: Layout) -> tuple[slice, ...]:
    """Where the answer for each column of a layout lies in an output layout, that of `gridded` or the same."""
    found = []
    for mine, theirs in zip(layout.columns, outputs.columns, strict=True):
        count = mine.stop - mine.start
        own = (theirs.stop - theirs.start) // count
        found += [slice(theirs.start + i * own, theirs.start + (i + 1) * own) for i in range(count)]
    return tuple(found)


def _chosen(layout: Layout, most_values: int) -> set[int]:
    owners = [i for i, width in enumerate(layout.widths) for _ in range(width)]
    chosen = {i for i in layout.of_kind("discrete") if layout.sizes[i] <= most_values}
    # Leaving one out may take others along, from symmetry to symmetry.
    while True:
        apart = {
            one
            for order in layout.symmetries
            for here, there in zip(owners, (owners[source] for source in order), strict=True)
            if layout.sizes[here] != layout.sizes[there] or (here in chosen) != (there in chosen)
            for one in (here, there)
        }
        if not apart & chosen:
            return chosen
        chosen -= apart
