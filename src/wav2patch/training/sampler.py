"""Which rows make up a batch: a pure function of epoch, number of the batch and rank.

So a run can begin at any batch, the number of loader workers changes nothing, and nothing is kept in memory, however
many rows there are. The ranks take turns: of the order of an epoch rank r of w takes the positions r, r + w, r + 2w, …
A batch of all ranks together holds the same rows for one rank of batch size 4B, two of 2B and four of B.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from wav2patch.training.permutation import Permutation

# Rows that are looked up at once: the cost of a call then weighs little.
_BLOCK = 8192

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Share:
    """One of several processes that train together.

    Attributes:
        rank: Number of this one.
        world: How many there are.

    Raises:
        ValueError: There is no such rank.
    """

    rank: int = 0
    world: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.rank < self.world:
            raise ValueError(f"there is no rank {self.rank} of {self.world}")


class BatchOrder(Protocol):
    """The batches of one rank, in order."""

    @property
    def batches(self) -> int | None:
        """Batches of an epoch; None if it never ends."""
        ...

    @property
    def marks(self) -> dict[str, int]:
        """What has to be alike for batch number i to be the same global batch."""
        ...

    def rows(self, epoch: int, batch: int) -> Rows:
        """Rows of a batch ``(n,)``."""
        ...


@dataclass(frozen=True)
class EpochOrder:
    """Epochs in which every row comes once, shuffled or in order.

    Attributes:
        size: How many rows there are.
        batch_size: Of each rank.
        seed: Of the shuffles; None for the rows in their order.
        last: What becomes of the rows left over at the end of an epoch. ``"drop"``: every batch is full, and fewer
            rows than ranks × batch size are left out, other ones in another epoch. ``"pad"``: the ranks get equally
            many rows, the last batch may be smaller, and fewer rows than ranks come twice. ``"keep"``: every row
            comes exactly once over all ranks; the last batch of a rank may be smaller, and a rank may have one batch
            less than another.
        share: This rank.

    Raises:
        ValueError: A size is out of range.
    """

    size: int
    batch_size: int
    seed: int | None = 0
    last: Literal["drop", "pad", "keep"] = "drop"
    share: Share = field(default=Share())

    def __post_init__(self) -> None:
        if self.size < 0 or self.batch_size < 1:
            raise ValueError(f"no batches of {self.batch_size} from {self.size} rows")

    @property
    def batches(self) -> int:
        """Batches of an epoch of this rank."""
        whole, over = divmod(self._mine, self.batch_size)
        return whole + (over > 0)

    @property
    def marks(self) -> dict[str, int]:
        """See `BatchOrder`."""
        seed = -1 if self.seed is None else self.seed
        return {"rows": self.size, "global_batch": self.batch_size * self.share.world, "seed": seed}

    def rows(self, epoch: int, batch: int) -> Rows:
        """Rows of a batch ``(n,)``.

        Raises:
            IndexError: An epoch has no such batch.
        """
        if not 0 <= batch < self.batches:
            raise IndexError(f"an epoch has no batch {batch}, but {self.batches}")
        together = max(1, _BLOCK // self.batch_size)
        block, number = divmod(batch, together)
        rows = _block(self, epoch, block * together * self.batch_size, together * self.batch_size)
        return rows[number * self.batch_size : (number + 1) * self.batch_size].copy()

    @property
    def _mine(self) -> int:
        """Rows of this rank in an epoch."""
        world, rank = self.share.world, self.share.rank
        if self.last == "drop":
            return self.size // (self.batch_size * world) * self.batch_size
        if self.last == "pad":
            return -(-self.size // world)
        return max(0, -(-(self.size - rank) // world))


@lru_cache(maxsize=4)
def _block(order: EpochOrder, epoch: int, start: int, count: int) -> Rows:
    mine = np.arange(start, min(start + count, order._mine), dtype=np.int64)
    positions = mine * order.share.world + order.share.rank
    # Only padding reaches beyond the end; it goes on with the beginning of the same order.
    positions %= order.size
    found = positions if order.seed is None else Permutation(order.size, order.seed, epoch)(positions)
    found.setflags(write=False)
    return found


@dataclass(frozen=True)
class EndlessOrder:
    """Rows 0, 1, 2, … of an endless list, none of them twice.

    Attributes:
        batch_size: Of each rank.
        batches: Batches of an epoch, after which the next one goes on where it ended; None for one endless epoch.
        share: This rank.

    Raises:
        ValueError: A size is out of range.
    """

    batch_size: int
    batches: int | None = None
    share: Share = field(default=Share())

    def __post_init__(self) -> None:
        if self.batch_size < 1 or (self.batches is not None and self.batches < 1):
            raise ValueError(f"no epochs of {self.batches} batches of {self.batch_size}")

    @property
    def marks(self) -> dict[str, int]:
        """See `BatchOrder`."""
        return {"global_batch": self.batch_size * self.share.world, "epoch_batches": self.batches or -1}

    def rows(self, epoch: int, batch: int) -> Rows:
        """Rows of a batch ``(n,)``; one beyond the end of an epoch is one of the next."""
        mine = (epoch * (self.batches or 0) + batch) * self.batch_size + np.arange(self.batch_size, dtype=np.int64)
        return mine * self.share.world + self.share.rank
