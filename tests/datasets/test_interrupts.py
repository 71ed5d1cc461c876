"""A Ctrl-C that comes at a bad moment is noted, and raised at a good one."""

from __future__ import annotations

import signal
import threading

import pytest

from wav2patch.datasets.shards.interrupts import interrupts_noted


def test_it_is_raised_where_the_block_looks() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), interrupts_noted() as look:  # noqa: PT012
        look()
        signal.raise_signal(signal.SIGINT)
        done.append("what was under way")
        look()
        done.append("what follows")
    assert done == ["what was under way"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_one_is_raised_at_once() -> None:
    with pytest.raises(KeyboardInterrupt), interrupts_noted():  # noqa: PT012
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_other_threads_are_left_alone() -> None:
    seen = []

    def work() -> None:
        with interrupts_noted() as look:
            look()
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGINT)]
