"""Symmetries: blocks of one kind that may be exchanged without a change in sound, proved by rendering."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from wav2patch.drafting.audible import SLIGHTEST_DB
from wav2patch.drafting.bench import Bench, is_silent
from wav2patch.drafting.hearing import Heard, apart, spread
from wav2patch.drafting.raw import scatter
from wav2patch.parameters import ParameterSpace, Patch
from wav2patch.structure import Block, Symmetry

TRIALS = 6
ENOUGH = 3
_STAGE = "proving symmetries"


def find_symmetries(
    space: ParameterSpace, blocks: Sequence[Block], place: Bench, seed: int, *, random: bool
) -> tuple[Symmetry, ...]:
    """Swaps of two blocks of one kind after which several patches sound as before, and which are not idle.

    A swap is proved on patches in which copying one block over the other can be heard, as in all else a swap would
    prove nothing; so blocks that never matter give no symmetry.
    """
    pairs = _pairs(blocks)
    proved = []
    for i, (one, other) in enumerate(pairs):
        swap = Symmetry(
            f"swap {one.name} and {other.name}",
            (*one.parameters, *other.parameters),
            (*other.parameters, *one.parameters),
        )
        copy = Symmetry("copy", one.parameters, other.parameters)
        patches = list(scatter(space, 0.7, np.random.default_rng([seed, 3, i]), TRIALS))
        if _holds([_trial(space, patch, swap, copy) for patch in patches], place, 3 if random else 1):
            proved.append(swap)
        place.tell(_STAGE, (i + 1) / len(pairs))
    return tuple(proved)


def _pairs(blocks: Sequence[Block]) -> list[tuple[Block, Block]]:
    kinds: dict[str, list[Block]] = defaultdict(list)
    for block in blocks:
        kinds[block.kind].append(block)
    # Neighbours are enough: of exchanges of neighbours all others are made.
    return [pair for family in kinds.values() for pair in pairwise(family)]


def _trial(space: ParameterSpace, patch: Patch, swap: Symmetry, copy: Symmetry) -> tuple[Patch, Patch, Patch]:
    copied = patch.copy()
    copied[space.indices(copy.targets)] = patch[space.indices(copy.sources)]
    return patch, space.permute(patch, swap), copied


def _holds(trials: Sequence[tuple[Patch, Patch, Patch]], place: Bench, repeats: int) -> bool:
    patches = [p for original, swapped, copied in trials for p in [*[original] * repeats, swapped, copied]]
    heard = place.hear(patches)
    width = repeats + 2
    verdicts = [_verdict(heard[i : i + repeats], *heard[i + repeats : i + width]) for i in range(0, len(heard), width)]
    return False not in verdicts and verdicts.count(True) >= ENOUGH


def _verdict(originals: Sequence[Heard | None], swapped: Heard | None, copied: Heard | None) -> bool | None:
    """Whether one patch speaks for a swap; None where it says nothing, as the blocks cannot be heard in it."""
    known = [heard for heard in originals if heard is not None]
    if not known or swapped is None or copied is None or is_silent(known[0]):
        return None
    threshold = max(SLIGHTEST_DB, 1.3 * spread(known))
    if min(apart(heard, swapped) for heard in known) > threshold:
        return False
    return True if min(apart(heard, copied) for heard in known) > threshold else None
