"""A Ctrl-C that comes while HDF5 writes is held back, and comes all the same."""

from __future__ import annotations

import signal
import threading

import pytest

from wav2patch.datasets.shards.interrupts import interrupts_later


def test_it_comes_when_the_block_has_ended() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012
        with interrupts_later():
            signal.raise_signal(signal.SIGINT)
            done.append("the rest of the block")
        done.append("what follows")
    assert done == ["the rest of the block"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_error_of_the_block_is_kept() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(OSError, match="full"), interrupts_later():
        raise OSError("full")
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_are_left_alone() -> None:
    seen = []

    def work() -> None:
        with interrupts_later():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGINT)]
