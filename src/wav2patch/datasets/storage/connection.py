"""The line to a remote file system: opened late, once a process, and patient once it has worked."""

from __future__ import annotations

import asyncio
import os
import time
import weakref
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from wav2patch.datasets.storage.addresses import RemoteAddress
from wav2patch.datasets.storage.remote_errors import is_transient, told
from wav2patch.errors import UserError

T = TypeVar("T")
FileSystem: TypeAlias = Any  # one of fsspec, whose types do not say what its implementations take and give

ASK_SECONDS = 10.0  # a question whose answer is short takes no longer than this
WAITS = (0.5, 2.0, 8.0)  # seconds before another try, on a line that has worked before
CALL_SECONDS = 120.0  # one request to S3, which sends no more than a part, takes no longer than this
PATIENCE = 300.0  # seconds after which nothing is tried again
PART = 8 * 2**20  # bytes of a part of a big file
PARTS = 4  # sent or fetched at a time

_EXTRAS = {"s3": "wav2patch[s3]", "s3a": "wav2patch[s3]", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs"}
# A hung server must not hold one for the libraries' minutes. Each try that botocore makes has these limits.
_S3_CONFIG = {"connect_timeout": 3, "read_timeout": 20, "retries": {"mode": "standard", "total_max_attempts": 3}}


@dataclass
class Connection:
    """A file system of fsspec, made when it is first used and again in every process that uses it.

    The event loop of s3fs lives in a thread, which a fork loses. A process therefore never uses, nor closes, the file
    system of its parent.
    """

    address: RemoteAddress
    _systems: dict[int, FileSystem] = field(default_factory=dict, repr=False, compare=False)
    _worked: bool = field(default=False, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        return {"address": self.address, "_systems": {}, "_worked": False}

    def system(self) -> FileSystem:
        """This process's file system."""
        process = os.getpid()
        if process not in self._systems:
            kind = file_system_class(self.address)
            options = kind._get_kwargs_from_urls(str(self.address)) | _options(self.address.scheme)
            system = kind(skip_instance_cache=True, **options)
            if self.is_s3:
                system.retries = 2  # on top of botocore's own, for answers that break off
                system._call_s3 = _bounded(system)
            self._systems.setdefault(process, system)  # another thread may have been first
        return self._systems[process]

    @property
    def is_s3(self) -> bool:
        """Whether it speaks the S3 protocol."""
        return self.address.scheme in ("s3", "s3a")

    def run(self, what: str, action: Callable[[FileSystem], T], address: RemoteAddress) -> T:
        """Do something with the file system; again after a while if the line has worked before and now does not.

        Args:
            what: Name of the file that this is about, for the sentence.
            action: What to do.
            address: Folder that the name is relative to.

        Raises:
            UserError: It cannot be done.
        """
        end = time.monotonic() + PATIENCE
        with told(address, what):
            for wait in WAITS:
                try:
                    return self._once(action)
                except Exception as error:
                    if not (self._worked and is_transient(error) and time.monotonic() < end):
                        raise
                    time.sleep(wait)
            return self._once(action)

    def _once(self, action: Callable[[FileSystem], T]) -> T:
        system = self.system()
        if not self._worked:
            self._knock(system)
            self._worked = True
        system.invalidate_cache()  # another machine may have written since the last listing
        return action(system)

    def _knock(self, system: FileSystem) -> None:
        """See whether anybody answers at all; what the answer is, the action itself tells better."""
        try:
            _timed_info(system, system._strip_protocol(f"{self.address.scheme}://{self.address.host}"))
        except Exception as error:
            if is_transient(error):
                raise


def file_system_class(address: RemoteAddress) -> Any:
    """The class of fsspec that serves an address.

    Raises:
        UserError: It is not installed or unknown.
    """
    try:
        from fsspec import get_filesystem_class  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise UserError(f"{address} cannot be used yet: pip install 'wav2patch[data]'.") from error
    try:
        return get_filesystem_class(address.scheme)
    except ImportError as error:
        extra = _EXTRAS.get(address.scheme)
        advice = f"pip install '{extra}'" if extra else " ".join(str(error).split()).rstrip(".")
        raise UserError(f"{address} cannot be used yet: {advice}.") from error
    except ValueError as error:
        raise UserError(f"{address} cannot be used: {address.scheme}:// is not known; s3:// is.") from error


def info(system: FileSystem, path: str) -> dict[str, Any]:
    """What is known of one file, in bounded time.

    Raises:
        FileNotFoundError: There is no such file.
    """
    found = _timed_info(system, path)
    if found["type"] != "file":
        raise FileNotFoundError(path)
    return found


def _timed_info(system: FileSystem, path: str) -> Any:
    from fsspec.asyn import AsyncFileSystem, sync  # noqa: PLC0415 - an extra

    if isinstance(system, AsyncFileSystem):
        return sync(system.loop, system._info, path, timeout=ASK_SECONDS)
    return system.info(path)


def _bounded(system: FileSystem) -> Callable[..., Awaitable[Any]]:
    """The way that all requests to S3 take, with an end: one that is cut off while it sends may wait for ever."""
    kind, alive = type(system), weakref.ref(system)  # no cycle, so that a line is closed when it is let go of

    async def call(*arguments: Any, **options: Any) -> Any:
        return await asyncio.wait_for(kind._call_s3(alive(), *arguments, **options), CALL_SECONDS)

    return call


def _options(scheme: str) -> dict[str, Any]:
    if scheme not in ("s3", "s3a"):
        return {}
    from fsspec.config import conf  # noqa: PLC0415 - an extra

    theirs = conf.get("s3", {}).get("config_kwargs", {})
    retries = {} if {"AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE"} & set(os.environ) else {"retries": _S3_CONFIG["retries"]}
    limits = {name: value for name, value in _S3_CONFIG.items() if name != "retries"} | retries
    chosen = {"config_kwargs": limits | theirs, "use_listings_cache": False}
    ours = {"default_block_size": PART, "max_concurrency": PARTS}
    return chosen | {name: value for name, value in ours.items() if name not in conf.get("s3", {})}
