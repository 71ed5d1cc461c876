"""How interchangeable blocks are related: which pairs of them the symmetries turn into which."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from wav2patch.models.blocks import Blocks, interchangeable
from wav2patch.models.layout import Layout

Matrix = tuple[tuple[int, ...], ...]


def block_relations(layout: Layout) -> Matrix | None:
    """The number of the relation of every two blocks, in the order of `interchangeable`, group by group.

    Two pairs of blocks are in one relation if some product of symmetries turns the one into the other (an orbital of
    the group). A field whose attention depends on relations alone still commutes with the symmetries, and need not
    commute with more than those: in FM, two stacks may be exchanged, but not their modulators alone.

    Returns:
        A square matrix, or None where relations tell nothing: all blocks of each group may be exchanged freely.
    """
    groups = interchangeable(layout)
    blocks = [block for group in groups for block in group]
    moves = [_moved(blocks, symmetry) for symmetry in layout.symmetries]
    relations = _orbitals(len(blocks), moves)
    return relations if _count(relations) > _count(_free(groups)) else None


class Relations(nn.Module):
    """A learnt bias of attention logits for each head and relation.

    Args:
        relations: Of blocks; see `block_relations`.
        others: Tokens that follow the blocks; they get no bias, as they have weights of their own anyway.
        heads: Of the attention.
    """

    numbers: Tensor

    def __init__(self, relations: Matrix, others: int, heads: int) -> None:
        super().__init__()
        self.others = others
        self.register_buffer("numbers", torch.tensor(relations), persistent=False)
        self.bias = nn.Parameter(torch.zeros(heads, _count(relations)))

    def forward(self) -> Tensor:
        """``(heads, tokens, tokens)``."""
        return nn.functional.pad(self.bias[:, self.numbers], (0, self.others, 0, self.others))


def _moved(blocks: list[tuple[int, ...]], symmetry: tuple[int, ...]) -> list[int]:
    """The block that a symmetry brings to the place of each block."""
    owner = {block[0]: i for i, block in enumerate(blocks)}
    return [owner[symmetry[block[0]]] for block in blocks]


def _orbitals(count: int, moves: list[list[int]]) -> Matrix:
    numbers: dict[tuple[int, int], int] = {}
    pairs = [(a, b) for a in range(count) for b in range(count)]
    for number, pair in enumerate(pairs):
        fresh = [] if pair in numbers else [pair]
        while fresh:
            a, b = fresh.pop()
            if (a, b) not in numbers:
                numbers[a, b] = number
                fresh += [(move[a], move[b]) for move in moves]
    known = {number: i for i, number in enumerate(sorted(set(numbers.values())))}
    return tuple(tuple(known[numbers[a, b]] for b in range(count)) for a in range(count))


def _free(groups: tuple[Blocks, ...]) -> Matrix:
    """Relations where any two blocks of a group may be exchanged: the same block, another one, one of another group."""
    owners = [i for i, group in enumerate(groups) for _ in group]
    names = [[(a, b, i == j) for j, b in enumerate(owners)] for i, a in enumerate(owners)]
    known = {name: i for i, name in enumerate(dict.fromkeys(name for row in names for name in row))}
    return tuple(tuple(known[name] for name in row) for row in names)


def _count(relations: Matrix) -> int:
    return len({number for row in relations for number in row})
