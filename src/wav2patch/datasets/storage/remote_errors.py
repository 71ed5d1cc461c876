"""What went wrong at the other end of a line, in one sentence."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator

from wav2patch.datasets.storage.addresses import RemoteAddress
from wav2patch.errors import UserError

# By name, because these libraries are not always installed and take half a second to import.
_TRANSIENT = {
    "ConnectionError",  # Python's, and botocore's: no route, refused, timeout of a connection
    "HTTPClientError",  # botocore: cut off, timeout of an answer
    "ResponseParserError",
    "IncompleteRead",
    "ClientConnectionError",  # aiohttp
    "ClientPayloadError",
    "TimeoutError",
}
_BUSY = {errno.EBUSY, getattr(errno, "EREMOTEIO", errno.EIO), errno.ECONNRESET, errno.EPIPE}
_HERE = {errno.ENOSPC, errno.EFBIG, errno.EROFS, getattr(errno, "EDQUOT", errno.ENOSPC)}
_NO_CREDENTIALS = {"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"}


class Incomplete(OSError):
    """What arrived is not what was sent."""


@contextlib.contextmanager
def told(address: RemoteAddress, name: str) -> Iterator[None]:
    """Turn whatever a file system throws while it handles a file into a sentence.

    Raises:
        UserError: For everything but a local disk that is full, which is the caller's to tell.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # the file systems of fsspec throw what their libraries throw
        if isinstance(error, OSError) and error.errno in _HERE:
            raise
        raise UserError(_sentence(error, address, name)) from error


def is_transient(error: BaseException) -> bool:
    """Whether the same request may succeed a little later."""
    if isinstance(error, OSError) and error.errno in _BUSY:
        return True
    return isinstance(error, Incomplete) or bool(_TRANSIENT & _kinds(error))


def is_no_bucket(error: FileNotFoundError) -> bool:
    """Whether a file is missing because its bucket is, or because the server is none that keeps buckets."""
    return _code(error) in ("NoSuchBucket", "404")


def _sentence(error: Exception, address: RemoteAddress, name: str) -> str:
    where = address.below(name)
    reason = " ".join(str(error).split()).rstrip(".") or "no answer in time"
    if isinstance(error, FileNotFoundError) and is_no_bucket(error):
        return f"There is no bucket {address.host} for {where}: make it first, or check AWS_ENDPOINT_URL."
    if isinstance(error, FileNotFoundError):
        return f"There is no file {name} in {address}."
    if _kinds(error) & _NO_CREDENTIALS:
        return (
            f"No credentials were found for {address}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
            " (FSSPEC_S3_ANON=true for a public bucket)."
        )
    if isinstance(error, PermissionError):
        return f"Access to {where} was refused ({reason}): check your credentials (AWS_ACCESS_KEY_ID, AWS_PROFILE)."
    if is_transient(error):
        return f"{where} could not be reached ({reason}): check the network and AWS_ENDPOINT_URL, and try again."
    return f"{where} could not be used: {reason}."


def _kinds(error: BaseException) -> set[str]:
    return {kind.__name__ for kind in type(error).__mro__}


def _code(error: BaseException | None) -> str | None:
    """The S3 error code of an error or of what it came from."""
    while error is not None:
        response = getattr(error, "response", None)
        if isinstance(response, dict):
            return response.get("Error", {}).get("Code")
        error = error.__cause__ or error.__context__
    return None
