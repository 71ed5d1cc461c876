"""Generation: the shards of a data set that are not there yet, rendered and written."""

from __future__ import annotations

import contextlib
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType

from wav2patch.datasets.recipes.plan import Plan
from wav2patch.datasets.recipes.recipe import MANIFEST, Recipe, read_manifest, shard_name
from wav2patch.datasets.shards.interrupts import interrupts_noted
from wav2patch.datasets.shards.layout import Field, Row, packed_fields
from wav2patch.datasets.shards.rows import stream
from wav2patch.datasets.shards.shard import Shard
from wav2patch.datasets.shards.writer import ShardWriter
from wav2patch.datasets.storage.base import Storage
from wav2patch.datasets.storage.local import LocalStorage
from wav2patch.errors import UserError
from wav2patch.rendering.base import Renderer


@dataclass(frozen=True)
class Progress:
    """How far a generation is.

    Attributes:
        rows: Made in this run.
        wanted: To be made in this run.
        there: Rows that earlier runs made.
        rejected: Draws of this run that were rejected, by reason.
        seconds: Since rows began to be made.
        bytes: Of the shards that this run finished.
        failure: Why the last render failed that did; None if none did.
    """

    rows: int
    wanted: int
    there: int
    rejected: dict[str, int]
    seconds: float
    bytes: int
    failure: str | None = None

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds if self.seconds > 0 else 0.0


def begin(plan: Plan, storage: Storage) -> None:
    """Write the manifest of a new data set, or make sure that the one there is for the same rows.

    Raises:
        UserError: The folder holds another data set, or cannot be written to.
    """
    if storage.exists(MANIFEST):
        if difference := read_manifest(storage).difference(plan.recipe):
            raise UserError(
                f"{storage.address} holds a data set that was made otherwise ({difference}): "
                "give the same settings to go on with it, or another folder."
            )
        return
    for name, content in plan.files.items():
        storage.write_bytes(name, content)
    storage.write_bytes(MANIFEST, plan.recipe.to_json().encode())


def missing_shards(recipe: Recipe, storage: Storage, wanted: range | None = None) -> list[int]:
    """Numbers of the shards that are not there yet, of those that are wanted.

    Raises:
        UserError: A shard that is there is not whole or belongs to another set.
    """
    there = set(storage.names("shards"))
    shards = range(recipe.shards) if wanted is None else wanted
    if len(shards) and (shards.start < 0 or shards[-1] >= recipe.shards):
        raise UserError(f"the data set has shards 0 to {recipe.shards - 1}, not {shards.start} to {shards[-1]}.")
    missing = []
    for shard in shards:
        if shard_name(shard).removeprefix("shards/") not in there:
            missing.append(shard)
        elif isinstance(storage, LocalStorage):
            # A remote one would have to be fetched; there, nothing but a whole file ever gets a name.
            _check_shard(recipe, storage, shard)
    return missing


def generate(
    plan: Plan,
    storage: Storage,
    renderer: Renderer,
    report: Callable[[Progress], None] = lambda progress: None,
    *,
    shards: range | None = None,
) -> Progress:
    """Make what is missing of a data set. A shard is whole or absent, whatever ends this.

    Args:
        plan: Of the data set.
        storage: Where it lies.
        renderer: Of the plan's synth.
        report: Is told about progress, at every row.
        shards: Those that this run is to make, all by default; several machines can share a set this way.

    Raises:
        UserError: The storage refuses a file or holds another set, or the prior gives nothing that is kept.
    """
    begin(plan, storage)
    storage.tidy("shards")
    recipe = plan.recipe
    missing = missing_shards(recipe, storage, shards)
    indices = [index for shard in missing for index in recipe.rows_of(shard)]
    there = sum(len(recipe.rows_of(shard)) for shard in shards or range(recipe.shards)) - len(indices)
    failures: deque[str] = deque(maxlen=1)
    rows = stream(plan, indices, renderer, plan.listen(packed=True), failures.append)
    rejected: Counter[str] = Counter()
    started = time.perf_counter()
    with interrupts_noted() as look, contextlib.closing(rows), _Press(plan, storage) as press:

        def progress(made: int) -> Progress:
            seconds, failure = time.perf_counter() - started, failures[0] if failures else None
            return Progress(made, len(indices), there, dict(rejected), seconds, press.bytes, failure)

        for made, row in enumerate(_shard_by_shard(rows, press, recipe, missing), 1):
            rejected.update(row.rejected)
            report(progress(made))
            look()
    return progress(len(indices))


def _shard_by_shard(rows: Iterator[Row], press: _Press, recipe: Recipe, missing: Sequence[int]) -> Iterator[Row]:
    for shard in missing:
        writer = press.open(shard)
        for row in islice(rows, len(recipe.rows_of(shard))):
            writer.write(row)
            yield row
        press.finish(writer)


class _Press:
    """Writes shards one after the other; each is synced and named while the next one fills.

    As a context: what was begun and not finished is removed, and a full disk becomes one sentence.
    """

    def __init__(self, plan: Plan, storage: Storage) -> None:
        self.bytes = 0
        self._recipe, self._storage = plan.recipe, storage
        self._fields: dict[str, Field] = packed_fields(plan.recipe, plan.feature_shapes())
        self._publisher = ThreadPoolExecutor(1, "publisher")
        self._publishing: Future[int] | None = None
        self._begun = contextlib.ExitStack()

    def open(self, shard: int) -> ShardWriter:
        """Begin a shard."""
        path = self._begun.enter_context(self._storage.writing(shard_name(shard)))
        writer = ShardWriter(path, self._recipe, self._fields, self._recipe.rows_of(shard))
        self._begun.callback(writer.close)
        return writer

    def finish(self, writer: ShardWriter) -> None:
        """Have a full shard published, once the one before is."""
        writer.finish()
        self._settle()
        self._publishing = self._publisher.submit(_publish, self._begun.pop_all(), writer.path)

    def __enter__(self) -> _Press:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._begun.__exit__(kind, error, trace)
            self._settle()
        finally:
            self._publisher.shutdown()

    def _settle(self) -> None:
        if self._publishing is not None:
            publishing, self._publishing = self._publishing, None
            self.bytes += publishing.result()


def _publish(begun: contextlib.ExitStack, path: Path) -> int:
    size = path.stat().st_size
    begun.close()
    return size


def _check_shard(recipe: Recipe, storage: Storage, shard: int) -> None:
    name = shard_name(shard)
    with Shard(storage.local(name), f"{storage.address}/{name}") as found:
        rows = recipe.rows_of(shard)
        if difference := found.recipe.difference(recipe):
            raise UserError(f"{storage.address}/{name} belongs to another data set ({difference}): remove it.")
        if (found.first, len(found)) != (rows.start, len(rows)):
            raise UserError(f"{storage.address}/{name} holds other rows than its name says: remove it.")
