"""What goes wrong with a machine while training, as sentences for people."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator

import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException

from wav2patch.errors import UserError

_NO_MEMORY = ("can't allocate memory", "not enough memory", "out of memory", "CUBLAS_STATUS_ALLOC_FAILED")
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)


@contextlib.contextmanager
def in_one_sentence() -> Iterator[None]:
    """Turn a lack of memory or of room on the disk, and what Lightning refuses, into a `UserError`.

    Raises:
        UserError: See above; everything else stays what it is.
    """
    try:
        yield
    except MisconfigurationException as error:
        raise UserError(f"Lightning cannot train like that: {' '.join(str(error).split()).rstrip('.')}.") from error
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise _no_memory() from error
    except RuntimeError as error:
        if any(words in str(error) for words in _NO_MEMORY):
            raise _no_memory() from error
        raise
    except OSError as error:
        if error.errno in _NO_ROOM:
            where = error.filename or "the run's folder"
            raise UserError(f"{where} could not be written: {error.strerror}.") from error
        raise


def _no_memory() -> UserError:
    return UserError(
        "the memory was not enough for a step: make data.batch_size smaller (trainer.accumulate makes up for it), or "
        "the model."
    )
