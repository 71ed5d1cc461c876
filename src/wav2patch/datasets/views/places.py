"""Where the parts of a data set lie, seen from an address that a person gives."""

from __future__ import annotations

import contextlib
import posixpath
from collections.abc import Iterator

from wav2patch.datasets.recipes.recipe import MANIFEST, SPEC_FILE, Recipe, read_manifest, shard_name
from wav2patch.datasets.storage.addresses import RemoteAddress, parse_address
from wav2patch.datasets.storage.base import Storage, open_storage
from wav2patch.datasets.views.view import ALL, View, open_view_in
from wav2patch.datasets.views.view_file import Extent
from wav2patch.errors import UserError
from wav2patch.synths.base import Synth
from wav2patch.synths.catalogue import load_synth


class DamageError(UserError):
    """A file that is there is damaged, or none of ours."""


def split_address(address: str) -> tuple[Storage, str]:
    """The folder that a file lies in, and the file's name."""
    place = parse_address(address)
    if isinstance(place, RemoteAddress):
        folder, name = posixpath.split(place.path)
        return open_storage(str(RemoteAddress(place.scheme, place.host, folder))), name
    return open_storage(place.parent), place.name


def open_whole(address: str) -> View:
    """A view, or all rows that a data set ought to have, whether its shards are there or not.

    Raises:
        UserError: There is nothing at this address.
        DamageError: What is there is damaged, or none of ours.
    """
    storage, name = split_address(address)
    if name.endswith(".h5") and storage.exists(name):
        with _damage("`wav2patch data subset` makes views"):
            return open_view_in(storage, name, address)
    data_set = open_storage(address)
    if not data_set.exists(MANIFEST):
        if data_set.names("shards"):
            raise DamageError(
                f"{address} has shards and no {MANIFEST}: bring it back, or run `data generate` elsewhere."
            )
        raise UserError(f"there is no data set or view {address}.")
    with _damage("bring it back, or delete the set and generate it again"):
        recipe = read_manifest(data_set)
    extents = [Extent(shard_name(shard), 0, len(recipe.rows_of(shard))) for shard in range(recipe.shards)]
    return View(address, ALL, recipe, data_set, extents)


@contextlib.contextmanager
def _damage(cure: str) -> Iterator[None]:
    try:
        yield
    except UserError as error:
        raise DamageError(f"{str(error).rstrip('.')}: {cure}.") from error


def data_set_of(view: View) -> Storage:
    """The folder of the data set that a view cuts from: where its manifest lies."""
    return view.storage.at(posixpath.normpath(posixpath.join(posixpath.dirname(view.extents[0].path), "..")))


def load_known_synth(recipe: Recipe, data_set: Storage) -> Synth | None:
    """A data set's synth, able to render or not; None if this installation knows it otherwise, or not at all."""
    try:
        synth = load_synth(str(data_set.local(SPEC_FILE)) if recipe.synth == SPEC_FILE else recipe.synth)
    except UserError:
        return None
    return synth if synth.space.digest == recipe.space else None
