"""Published weights: found where the user says, verified, and put into a network. Nothing is ever downloaded.

Weights are data: files are read by ``torch.load(weights_only=True)`` or as safetensors, never unpickled.
"""

from __future__ import annotations

import hashlib
import os
import warnings
import zipfile
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from wav2patch.audio_models.catalogue import FOLDER_VARIABLE
from wav2patch.errors import UserError

State = Mapping[str, Tensor]
Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Published:
    """A file of weights as its authors publish it.

    Attributes:
        file: Its name.
        url: Where it is.
        licence: Of the weights.
        sha256: Its checksum in hexadecimal, or as many of the first digits as are known; None if unknown.
        inside: Keys under which the state dict lies in the file, from the outside in; empty if it is the file itself.
            A file without the first key is taken to be the state dict itself.
        allowed: Harmless classes that the file has besides tensors, such as `argparse.Namespace`.
    """

    file: str
    url: str
    licence: str
    sha256: str | None = None
    inside: tuple[str, ...] = ()
    allowed: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Provenance:
    """Which file a model's weights came from.

    Attributes:
        path: The file.
        sha256: Its checksum in hexadecimal.
        verified: Whether that is the published checksum; False if none is known, or for the user's own conversion to
            safetensors.
    """

    path: Path
    sha256: str
    verified: bool


def find_weights(
    model: str, published: Published, weights: Path | str | None, *, also: tuple[Published, ...] = ()
) -> Path:
    """The user's file of weights.

    Args:
        model: Name of the model, for the sentence.
        published: What the model needs.
        weights: A file, or a folder with the file under its published name or as safetensors; if None, the folder
            is what the environment variable WAV2PATCH_MODELS has.
        also: Other files that would do, if they lie in the folder.

    Raises:
        UserError: There is none; the sentence says what to get, from where, and how to point at it.
    """
    place = weights or os.environ.get(FOLDER_VARIABLE) or None
    if place is not None:
        path = Path(place).expanduser()
        for file in [name for each in (published, *also) for name in (each.file, _as_safetensors(each.file))]:
            if (path / file).is_file():
                return path / file
        if path.is_file():
            return path
    where = f", not found at {place}" if place is not None else ""
    raise UserError(
        f"{model} needs the weights {published.file}{where}: get them from {published.url} (licence: "
        f"{published.licence}) and give their path as weights=, or their folder in {FOLDER_VARIABLE}."
    )


def _as_safetensors(file: str) -> str:
    """What a published file is called after its conversion: ``net.pth.tar`` and ``net.h5.gz`` are packed."""
    return str(Path(file.removesuffix(".gz").removesuffix(".tar")).with_suffix(".safetensors"))


def read_weights(path: Path, published: Published) -> tuple[dict[str, Tensor], Provenance]:
    """The state dict of a file of weights, in the main memory, and where it came from.

    Raises:
        UserError: The file cannot be read, has another checksum than the published one, or holds no weights.
    """
    provenance = verify(path, published)
    content: Any = _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path, published)
    for key in published.inside:
        if isinstance(content, Mapping) and key in content:
            content = content[key]
    if not isinstance(content, Mapping) or not content or not all(isinstance(t, Tensor) for t in content.values()):
        raise UserError(f"{path} holds no weights: it should be {published.file} from {published.url}.")
    return {str(key): tensor for key, tensor in content.items()}, provenance


def verify(path: Path, published: Published) -> Provenance:
    """The checksum of a file of weights, held against the published one if the file has the published format.

    Raises:
        UserError: The file cannot be read, or is another one.
    """
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
    comparable = published.sha256 is not None and path.suffix == Path(published.file).suffix
    if comparable and not found.startswith(published.sha256 or ""):
        raise UserError(
            f"{path} is not {published.file} as published: its SHA-256 begins with {found[:8]}, not with "
            f"{(published.sha256 or '')[:8]}; get it again from {published.url}."
        )
    return Provenance(path, found, comparable)


def _read_torch(path: Path, published: Published) -> Any:
    allowed = torch.serialization.safe_globals(list(published.allowed)) if published.allowed else nullcontext()
    try:
        # Mapped weights are shared by all processes, and what a network does without is never read. PyTorch's old
        # format cannot be mapped.
        mapped = zipfile.is_zipfile(path)
        with allowed, warnings.catch_warnings():
            # Of pickles that are not PyTorch's own; those fail, and the sentence says so.
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except UnpicklingError as error:
        raise UserError(
            f"{path} holds more than weights and is not opened: it should be {published.file} from {published.url}."
        ) from error
    except (RuntimeError, OSError, EOFError, ValueError, KeyError, AttributeError, IndexError, TypeError) as error:
        raise UserError(
            f"{path} is not a whole file of weights: it should be {published.file} from {published.url}."
        ) from error


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        from safetensors import SafetensorError  # noqa: PLC0415 - optional
        from safetensors.torch import load_file  # noqa: PLC0415
    except ImportError as error:
        raise UserError(f"{path} needs the package safetensors: pip install safetensors.") from error
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path} is not a whole safetensors file.") from error


def load_network(make: Callable[[], Network], state: State, source: str, *, ignore: tuple[str, ...] = ()) -> Network:
    """A network with these weights, float32, frozen and in evaluation mode, in the main memory.

    It is made without numbers first: no time goes into random ones, and no random generator moves.

    Args:
        make: Makes the network. All its buffers must be in the state dict.
        state: Weights by key.
        source: Where they came from, for the sentence.
        ignore: Prefixes of keys of `state` that the network does without.

    Raises:
        UserError: A key is missing, foreign or of another shape; the sentence names the first.
    """
    with torch.device("meta"):
        network = make()
    wanted = network.state_dict()
    kept = {key: tensor for key, tensor in state.items() if not (key not in wanted and key.startswith(ignore))}
    check_state(wanted, kept, source)
    network.load_state_dict(
        {key: tensor.float() if tensor.is_floating_point() else tensor for key, tensor in kept.items()}, assign=True
    )
    homeless = [name for name, buffer in network.named_buffers() if buffer.is_meta]
    if homeless:
        raise ValueError(f"buffers that are in no state dict: {homeless}")
    return network.eval().requires_grad_(False)


def check_state(wanted: State, given: State, source: str) -> None:
    """Raise a `UserError` that names the first key that is missing, foreign or of another shape."""
    missing = next((key for key in wanted if key not in given), None)
    if missing is not None:
        raise UserError(f"{source} are not the weights of this model: {missing} is missing.")
    foreign = next((key for key in given if key not in wanted), None)
    if foreign is not None:
        raise UserError(f"{source} are not the weights of this model: it has no {foreign}.")
    for key, tensor in wanted.items():
        if given[key].shape != tensor.shape:
            shapes = f"{tuple(given[key].shape)}, not {tuple(tensor.shape)}"
            raise UserError(f"{source} are not the weights of this model: {key} has the shape {shapes}.")


def load_published(
    model: str,
    make: Callable[[], Network],
    published: Published,
    weights: Path | str | None,
    *,
    ignore: tuple[str, ...] = (),
) -> tuple[Network, Provenance]:
    """Find, verify, read and load: what an adapter calls.

    Args:
        model: Name of the model, for sentences.
        make: Makes the network, see `load_network`.
        published: What the model needs.
        weights: What the user gave, see `find_weights`.
        ignore: Prefixes of keys that the network does without.

    Raises:
        UserError: The weights are absent, another file, damaged, or of another model.
    """
    path = find_weights(model, published, weights)
    state, provenance = read_weights(path, published)
    return load_network(make, state, str(path), ignore=ignore), provenance
