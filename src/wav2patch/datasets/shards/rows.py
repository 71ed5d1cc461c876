"""Rows of a data set, rendered in the order of their indices: row i is a function of (seed, i)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from wav2patch.datasets.recipes.plan import Plan
from wav2patch.datasets.shards.layout import Row
from wav2patch.datasets.shards.listen import Heard, Listen, Rejected
from wav2patch.errors import UserError
from wav2patch.notes import Note
from wav2patch.parameters import Patch
from wav2patch.rendering.base import Failure, Renderer, Sound

# Renders of one call per worker: enough that what comes between two calls weighs little.
_BLOCK = 32
# Rows between the one that is due and the one rendered last; a bound for memory, as rows leave in order.
_BLOCKS_AHEAD = 4
_ATTEMPTS = 100


@dataclass(eq=False)
class _Draw:
    """Row `index` under way: the draw at hand, whether its render failed once, and what became of those before."""

    index: int
    attempt: int
    patch: Patch
    note: Note
    rejected: tuple[str, ...] = ()
    failed: bool = False


def stream(
    plan: Plan,
    indices: Iterable[int],
    renderer: Renderer,
    listen: Listen,
    failed: Callable[[str], None] = lambda reason: None,
) -> Generator[Row, None, None]:
    """Render rows.

    While the caller is busy with a row, the workers go on: two calls of `Renderer.map` are always under way. To stop
    early, close the renderer.

    Args:
        plan: What is rendered.
        indices: Of the rows, in the order in which they are wanted.
        renderer: Of the plan's synth.
        listen: What becomes of a render.
        failed: Is told why a render failed; if it does so again, another draw takes its place.

    Yields:
        Rows in the order of `indices`.

    Raises:
        UserError: So many draws of one row were rejected that nothing will come of it.
    """
    lane = _Lane(plan, iter(indices), renderer, listen, failed)
    with ThreadPoolExecutor(2, "rows") as calls:
        under_way: deque[tuple[list[_Draw], Future[list[Any]]]] = deque()
        try:
            while True:
                while len(under_way) < 2 and (block := lane.next_block()):
                    under_way.append((block, calls.submit(lane.render, block)))
                if not under_way:
                    return
                block, results = under_way.popleft()
                lane.settle(block, results.result())
                yield from lane.due()
        finally:
            calls.shutdown(wait=False, cancel_futures=True)


class _Lane:
    """The rows between being asked for and being due."""

    def __init__(
        self,
        plan: Plan,
        indices: Iterator[int],
        renderer: Renderer,
        listen: Listen,
        failed: Callable[[str], None],
    ) -> None:
        self.plan, self.renderer, self.listen, self.failed = plan, renderer, listen, failed
        self._indices = indices
        self._again: deque[_Draw] = deque()
        self._order: deque[int] = deque()
        self._done: dict[int, Row] = {}
        self._block = _BLOCK * renderer.workers

    def next_block(self) -> list[_Draw]:
        """Draws to render next: those that are due soonest, so rejected rows first."""
        block: list[_Draw] = []
        while self._again and len(block) < self._block:
            block.append(self._again.popleft())
        while len(block) < self._block and len(self._order) < self._block * _BLOCKS_AHEAD:
            index = next(self._indices, None)
            if index is None:
                break
            self._order.append(index)
            block.append(_Draw(index, 0, *self.plan.draw(index, 0)))
        return block

    def render(self, block: list[_Draw]) -> list[Any]:
        """Have a block rendered."""
        recipe = self.plan.recipe
        sounds = [Sound(draw.note, recipe.length, recipe.sample_rate) for draw in block]
        return self.renderer.map([draw.patch for draw in block], sounds, self.listen)

    def settle(self, block: list[_Draw], results: list[Heard | Rejected | Failure]) -> None:
        """Keep what was heard, and draw anew what was rejected."""
        for draw, result in zip(block, results, strict=True):
            if isinstance(result, Heard):
                self._done[draw.index] = self._row(draw, result)
            else:
                self._again.append(self._redraw(draw, result))

    def due(self) -> Iterator[Row]:
        """Rows whose turn has come."""
        while self._order and self._order[0] in self._done:
            yield self._done.pop(self._order.popleft())

    def _row(self, draw: _Draw, heard: Heard) -> Row:
        note = draw.note
        return Row(
            draw.index,
            draw.attempt,
            self.plan.synth.space.encode(draw.patch),
            (note.pitch, note.velocity, note.onset, note.duration),
            heard.loudness,
            heard.clips,
            draw.rejected,
        )

    def _redraw(self, draw: _Draw, result: Rejected | Failure) -> _Draw:
        reason = "failed" if isinstance(result, Failure) else result.reason
        if isinstance(result, Failure):
            self.failed(result.reason)
            # What failed for a reason outside of it, such as a worker that was killed, must not change the row.
            if not draw.failed:
                return replace(draw, failed=True)
        rejected = (*draw.rejected, reason)
        if len(rejected) >= _ATTEMPTS:
            raise UserError(_nothing_comes(draw, rejected, result, self.plan.recipe.gate))
        attempt = draw.attempt + 1
        return _Draw(draw.index, attempt, *self.plan.draw(draw.index, attempt), rejected)


def _nothing_comes(draw: _Draw, rejected: tuple[str, ...], last: Rejected | Failure, gate: float | None) -> str:
    counts: Mapping[str, int] = {reason: rejected.count(reason) for reason in sorted(set(rejected))}
    listed = ", ".join(f"{count} × {reason}" for reason, count in counts.items())
    cure = f"the last one failed so: {last.reason}" if isinstance(last, Failure) else f"the gate is {gate} LUFS"
    return f"row {draw.index} was drawn {len(rejected)} times and rejected every time ({listed}); {cure}."
