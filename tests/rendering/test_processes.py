"""Worker processes: what harms one of them costs one render."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from textwrap import dedent

import pytest
from hostile import (
    DYING,
    HANGING,
    SOUND,
    CannotTravel,
    DiesLoading,
    DoesNotLoad,
    Heavy,
    Hostile,
    LoadsSlowly,
    big,
    both_at_work,
    environment,
    first_value,
    patch,
    pools,
    process,
    unpicklable,
)

from wav2patch.rendering.base import Failure
from wav2patch.rendering.processes import ProcessRenderer

DEADLINE = 1.0
REASONS = {
    "exit": "exit code 3",
    "exit as if all was well": "exit code 0",
    "kill": "SIGKILL",
    "segfault": "SIGSEGV",
    "abort": "SIGABRT",
} | dict.fromkeys(HANGING, "took longer than 1 s")


@pytest.fixture(scope="module")
def renderer() -> Iterator[ProcessRenderer]:
    """Shared: that every test finds it in order is part of what is tested."""
    renderer = ProcessRenderer(Hostile(), 2, DEADLINE)
    yield renderer
    renderer.close()


def test_a_kill_a_hang_and_a_nan_lose_one_render_each(renderer: ProcessRenderer) -> None:
    deeds = ["render"] * 30
    deeds[3], deeds[11], deeds[17] = "kill", "deadlock", "nan"
    results = renderer.map([patch(deed, i) for i, deed in enumerate(deeds)], SOUND, first_value)
    assert [i for i, result in enumerate(results) if isinstance(result, Failure)] == [3, 11, 17]
    assert [result for result in results if not isinstance(result, Failure)] == [
        i for i in range(30) if i not in (3, 11, 17)
    ]


@pytest.mark.parametrize("deed", [*DYING, *HANGING])
def test_whatever_takes_a_worker_along_costs_one_render(renderer: ProcessRenderer, deed: str) -> None:
    patches = [patch("slow", i) for i in range(8)]
    patches[2] = patch(deed, 100)
    results = renderer.map(patches, SOUND, first_value)
    bad = results.pop(2)
    assert results == [0, 1, 3, 4, 5, 6, 7]
    assert isinstance(bad, Failure)
    assert REASONS[deed] in bad.reason


def test_a_hang_does_not_hold_up_the_other_worker(renderer: ProcessRenderer) -> None:
    both_at_work(renderer)
    hung, *times = renderer.map([patch("deadlock", 7), *[patch("slow", i) for i in range(40)]], SOUND, moment)
    assert isinstance(hung, Failure)
    gaps = [after - before for before, after in pairwise(sorted(time for time in times if isinstance(time, float)))]
    assert max(gaps) < DEADLINE


def moment(audio: object) -> float:
    return time.monotonic()


@pytest.mark.parametrize("then", [first_value, big])
def test_a_worker_killed_from_outside_costs_one_render(renderer: ProcessRenderer, then: Callable) -> None:
    timer = threading.Timer(0.25, os.kill, [both_at_work(renderer)[0], signal.SIGKILL])
    timer.start()
    results = renderer.map([patch("slow", i) for i in range(60)], SOUND, then)
    timer.join()
    lost = [i for i, result in enumerate(results) if isinstance(result, Failure)]
    assert len(lost) == 1
    expected = [float(i) if then is first_value else bytes(4_000_000) for i in range(60)]
    assert all(result == expected[i] for i, result in enumerate(results) if i not in lost)


def test_workers_killed_while_idle_cost_nothing(renderer: ProcessRenderer) -> None:
    os.kill(both_at_work(renderer)[0], signal.SIGKILL)
    time.sleep(0.1)
    patches = [patch("render", i) for i in range(10)]
    assert renderer.map(patches, SOUND, first_value) == [float(i) for i in range(10)]


def test_a_patch_that_takes_two_workers_along_is_skipped(renderer: ProcessRenderer) -> None:
    before = len(renderer.skipped)
    bad, other = patch("kill", 500), patch("kill", 501)
    for _ in range(2):
        (result,) = renderer.map([bad], SOUND, first_value)
        assert isinstance(result, Failure)
        assert "skipped" not in result.reason
    results = renderer.map([patch("render", 1), bad, other, bad], SOUND, first_value)
    assert results[0] == 1.0
    assert [isinstance(result, Failure) and "skipped" in result.reason for result in results] == [0, 1, 0, 1]
    (entry,) = renderer.skipped[before:]
    assert list(entry.patch) == list(bad)
    assert "SIGKILL" in entry.reason


def test_the_time_to_load_an_engine_is_not_the_renders() -> None:
    renderer = ProcessRenderer(LoadsSlowly(), 1, deadline=0.5)
    assert renderer.map([patch("render", 1), patch("kill"), patch("render", 2)], SOUND, first_value)[::2] == [1.0, 2.0]
    renderer.close()


@pytest.mark.parametrize(("synth", "reason"), [(DoesNotLoad(), "there is no plug-in"), (DiesLoading(), "exit code 7")])
def test_a_synth_that_does_not_load_fails_every_render_and_says_why(synth: Hostile, reason: str) -> None:
    renderer = ProcessRenderer(synth, 1)
    for count in (3, 1):
        results = renderer.map([patch("render")] * count, SOUND, first_value)
        assert len(results) == count
        for result in results:
            assert isinstance(result, Failure)
            assert reason in result.reason
    renderer.close()


def test_what_cannot_travel_is_refused_in_words(renderer: ProcessRenderer) -> None:
    with pytest.raises(ValueError, match="has to be picklable"):
        ProcessRenderer(CannotTravel(), 1)
    with pytest.raises(ValueError, match="has to be picklable"):
        renderer.map([patch("render")], SOUND, lambda audio: 0)
    (result,) = renderer.map([patch("render")], SOUND, unpicklable)
    assert isinstance(result, Failure)
    assert "pickle" in result.reason


def test_what_follows_a_render_travels_once_a_worker(renderer: ProcessRenderer, tmp_path: Path) -> None:
    patches = [patch("slow", i) for i in range(20)]
    for load in (1, 2, 1):
        results = renderer.map(patches, SOUND, Heavy(tmp_path / str(load), load))
        assert results == [i + load for i in range(20)]
    for load in (1, 2):
        arrivals = (tmp_path / str(load)).read_text().split()
        assert len(arrivals) == len(set(arrivals)) <= 2


def test_workers_have_one_thread_a_folder_and_no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":99")
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    before = dict(os.environ)
    renderer = ProcessRenderer(Hostile(), 2)
    workers = both_at_work(renderer)
    seen = renderer.map([patch("slow")] * 12, SOUND, environment)
    threads = renderer.map([patch("render")] * 2, SOUND, pools)
    assert dict(os.environ) == before
    assert all(threads)
    assert {count for pool in threads for count in pool} == {1}
    folders = set()
    for variables in seen:
        assert not isinstance(variables, Failure)
        assert "DISPLAY" not in variables
        assert variables["OMP_NUM_THREADS"] == variables["MKL_NUM_THREADS"] == "1"
        folders.add(variables["WAV2PATCH_WORKER_FOLDER"])
    assert len(folders) == len(workers)
    assert all(Path(folder).is_dir() for folder in folders)
    renderer.close()
    assert not any(Path(folder).parent.exists() for folder in folders)


def test_what_an_engine_prints_stays_out_of_the_output(
    renderer: ProcessRenderer, capfd: pytest.CaptureFixture[str]
) -> None:
    assert renderer.map([patch("print", 3)], SOUND, first_value) == [3.0]
    assert "chatter" not in capfd.readouterr().out


def test_workers_are_replaced_after_so_many_renders() -> None:
    renderer = ProcessRenderer(Hostile(), 1, max_tasks=3)
    workers = renderer.map([patch("render")] * 7, SOUND, process)
    assert [workers.count(worker) for worker in dict.fromkeys(workers)] == [3, 3, 1]
    renderer.close()


@pytest.mark.parametrize("deed", ["render", "deadlock"])
def test_no_worker_outlives_the_renderer(deed: str) -> None:
    renderer = ProcessRenderer(Hostile(), 2, deadline=20)
    workers = both_at_work(renderer)
    timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        renderer.map([patch(deed)] * 2 + [patch("slow")] * 200, SOUND, process)
    start = time.monotonic()
    renderer.close()
    assert time.monotonic() - start < 2.0
    assert not any(alive(worker) for worker in workers)
    with pytest.raises(ValueError, match="closed"):
        renderer.map([patch("render")], SOUND, first_value)


def alive(process: object) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(happened: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not happened() and time.monotonic() < end:
        time.sleep(0.05)
    return happened()


def run_script(folder: Path, body: str) -> subprocess.Popen[str]:
    """Start a program of its own, in a process group of its own as from a terminal."""
    head = """
        import os, sys, time
        from hostile import *
        from wav2patch.rendering.processes import ProcessRenderer
    """
    script = folder / "script.py"
    script.write_text(dedent(head) + dedent(body))
    paths = [str(Path(__file__).parent), *sys.path]
    return subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        start_new_session=True,
    )


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks processes up in /proc")
def test_no_worker_outlives_a_program_that_is_killed(tmp_path: Path) -> None:
    program = run_script(
        tmp_path,
        """
        renderer = ProcessRenderer(Hostile(), 2, deadline=1.0)
        pids = both_at_work(renderer)
        folder = os.path.dirname(renderer.map([patch("render")], SOUND, environment)[0]["WAV2PATCH_WORKER_FOLDER"])
        print(*pids, folder, flush=True)
        renderer.deadline = 100
        renderer.map([patch("deadlock")], SOUND, process)
        """,
    )
    with program:
        assert program.stdout is not None
        *workers, folder = program.stdout.readline().split()
        assert len(workers) == 2
        time.sleep(0.3)
        program.kill()
    assert wait_until(lambda: not any(alive(worker) for worker in workers), 8.0)
    assert not Path(folder).exists()


def test_ctrl_c_in_the_terminal_stops_the_batch_and_keeps_the_workers(tmp_path: Path) -> None:
    program = run_script(
        tmp_path,
        """
        renderer = ProcessRenderer(Hostile(), 2)
        before = both_at_work(renderer)
        print("at work", flush=True)
        try:
            renderer.map([patch("slow")] * 1000, SOUND, process)
        except KeyboardInterrupt:
            after = both_at_work(renderer)
            print("interrupted", before == after, flush=True)
        renderer.close()
        """,
    )
    assert program.stdout is not None
    program.stdout.readline()
    time.sleep(0.3)
    os.killpg(program.pid, signal.SIGINT)
    out, err = program.communicate(timeout=20)
    assert (out.strip(), err, program.returncode) == ("interrupted True", "", 0)


@pytest.mark.parametrize(
    "body",
    [
        """
        renderer = ProcessRenderer(Hostile(), 1)
        print(renderer.map([patch("render", 4)], SOUND, first_value))
        """,
        """
        def quarter(audio):
            return first_value(audio) / 4

        if __name__ == "__main__":
            renderer = ProcessRenderer(Hostile(), 1)
            print(renderer.map([patch("render", 16)], SOUND, quarter))
        """,
    ],
    ids=["script without a guard", "function of a guarded script"],
)
def test_scripts_may_be_plain(tmp_path: Path, body: str) -> None:
    out, err = run_script(tmp_path, body).communicate(timeout=30)
    assert (out.strip(), err) == ("[4.0]", "")
