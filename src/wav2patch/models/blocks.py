"""Which columns of an encoding may be exchanged for which, by the symmetries of a layout."""

from __future__ import annotations

from collections.abc import Sequence

from wav2patch.models.layout import Layout

Blocks = tuple[tuple[int, ...], ...]
"""Interchangeable blocks: k of them, c columns each; column j of one means what column j of another means."""

Order = tuple[int, ...]


def interchangeable(layout: Layout) -> tuple[Blocks, ...]:
    """The groups of interchangeable blocks that the symmetries make, such as the oscillators of k-osc.

    Columns that move together under every symmetry belong to one block. Columns that nothing moves are in none.
    """
    orbits = _orbits(layout.symmetries, layout.width)
    groups: list[list[list[int]]] = []
    for orbit in orbits:
        for group in groups:
            if aligned := _aligned(group[0], orbit, layout.symmetries):
                group.append(aligned)
                break
        else:
            groups.append([orbit])
    return tuple(tuple(zip(*group, strict=True)) for group in groups)


def fixed_columns(layout: Layout) -> tuple[int, ...]:
    """The columns that no symmetry moves."""
    return tuple(i for i in range(layout.width) if all(order[i] == i for order in layout.symmetries))


def _orbits(symmetries: Sequence[Order], width: int) -> list[list[int]]:
    """Sets of columns that symmetries turn into each other, two or more in each, in order."""
    seen: set[int] = set()
    found = []
    for first in range(width):
        orbit, fresh = {first}, [first]
        while fresh:
            column = fresh.pop()
            reached = {order[column] for order in symmetries} - orbit
            orbit |= reached
            fresh += reached
        if first not in seen and len(orbit) > 1:
            found.append(sorted(orbit))
        seen |= orbit
    return found


def _aligned(reference: list[int], orbit: list[int], symmetries: Sequence[Order]) -> list[int] | None:
    """The orbit in an order in which every symmetry moves its columns as it moves the reference's; None without one."""
    if len(reference) != len(orbit):
        return None
    for candidate in orbit:
        if partners := _followed(reference[0], candidate, symmetries):
            return [partners[column] for column in reference]
    return None


def _followed(first: int, partner: int, symmetries: Sequence[Order]) -> dict[int, int] | None:
    partners, fresh = {first: partner}, [first]
    while fresh:
        column = fresh.pop()
        for order in symmetries:
            here, there = order[column], order[partners[column]]
            if here not in partners:
                partners[here] = there
                fresh.append(here)
            elif partners[here] != there:
                return None
    return partners if len(set(partners.values())) == len(partners) else None
