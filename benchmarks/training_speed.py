"""Training steps a second and memory of our models, beside the reference's own at the same sizes, as a Markdown table.

    git clone https://github.com/ben-hayes/synth-permutations REFERENCE
    pip install --no-deps --target PACKAGES einops
    python benchmarks/training_speed.py --reference REFERENCE --packages PACKAGES [--batch 256] [--threads 1]
    python benchmarks/training_speed.py                                                # ours alone

A step is all that a training does with a batch that is on the device: the spectrum of the signals (k-osc), drawing
times and left-out conditions, forward, loss, backward, clipping of the gradient, Adam. Noise is coupled before; see
coupling_ahead.py for what that takes. Of the reference the networks are imported and trained as its modules do it,
without Lightning and without its norm of every parameter's gradient in each step. The sizes are those of the paper.

    reference  its networks
    ours       as in our experiments
    ours, its  with its normalisation (BatchNorm in k-osc), plain input, plain time, no gates that start at 0, and one
               condition token where it has one: the same network as far as ours can be made it

The reference's spectrogram transformer sees 480 patches, as it pads the wrong sides; ours sees all 520. Each side is a
process of its own (training_sides.py), idle while others have their turn, so that whatever else the machine does slows
all alike. Times are medians over rounds, ratios medians of each round's; on a busy machine CPU time is what to compare.
Memory is the process's peak less what it had before the model was made (on a GPU: what PyTorch allocated at most).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib.machinery import PathFinder
from pathlib import Path

K = 4
CASES = ("kosc equivariant", "kosc assigned", "kosc mlp", "surge assigned")
SIDES = ("reference", "ours", "ours, its")
BATCH = {"kosc": 256, "surge": 4}


class Side:
    """One side's process, which works when it is asked to."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.seconds: list[float] = []
        self.cpu: list[float] = []
        self.memory = self.weights = 0.0

    def turn(self, steps: int, *, counts: bool = True) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{steps}\n")
        self._process.stdin.flush()
        told = self._process.stdout.readline()
        if not told:
            raise SystemExit("a side's process ended early; what it said is above.")
        found = json.loads(told)
        self.memory, self.weights = found["memory"], found["weights"]
        if counts:
            self.seconds.append(found["seconds"])
            self.cpu.append(found["cpu"])


@contextmanager
def started(case: str, side: str, n: int, options: argparse.Namespace) -> Iterator[Side]:
    # The reference's folder is left as it is.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    program = str(Path(__file__).with_name("training_sides.py"))
    places = [f"--{name}={getattr(options, name)}" for name in ("reference", "packages") if getattr(options, name)]
    machine = [f"--threads={options.threads}", f"--device={options.device}", *(["--compile"] * options.compile)]
    command = [sys.executable, program, case, side, str(n), *places, *machine]
    with subprocess.Popen(
        command, text=True, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            yield Side(process)
        finally:
            process.kill()


def measure(case: str, n: int, names: tuple[str, ...], options: argparse.Namespace) -> dict[str, Side]:
    """Rounds in which the sides take turns; which one is first moves on."""
    with ExitStack() as stack:
        sides = {name: stack.enter_context(started(case, name, n, options)) for name in names}
        for side in sides.values():
            side.turn(2, counts=False)
        steps = options.steps if case.startswith("kosc") else max(options.steps // 4, 1)
        for number in range(options.rounds):
            for place in range(len(names)):
                sides[names[(number + place) % len(names)]].turn(steps)
        return sides


def print_rows(case: str, n: int, sides: Mapping[str, Side]) -> None:
    base = next(iter(sides.values()))
    for name, side in sides.items():
        seconds, cpu = statistics.median(side.seconds), statistics.median(side.cpu)
        print(
            f"| {case} | {n} | {name} | {side.weights / 1e6:.2f} | {1e3 * seconds:.0f} | {1 / seconds:.2f} | "
            f"{ratio(side.seconds, base.seconds):.2f} | {1e3 * cpu:.0f} | {ratio(side.cpu, base.cpu):.2f} | "
            f"{side.memory:.0f} | {side.memory / base.memory:.2f} |",
            flush=True,
        )


def ratio(own: Sequence[float], others: Sequence[float]) -> float:
    """How many times as fast, in the median of the rounds."""
    return statistics.median(other / one for one, other in zip(own, others, strict=True))


def complaint(options: argparse.Namespace) -> str | None:
    """Why the reference cannot take part."""
    if options.reference is None:
        return "no --reference: ours alone, and ratios are to our own first row"
    if not (options.reference / "src/models/components/transformer.py").exists():
        raise SystemExit(f"{options.reference} is no clone of synth-permutations.")
    places = [str(options.packages)] if options.packages else []
    if PathFinder.find_spec("einops", [*places, *sys.path]) is None:
        return "the reference needs einops (pip install --no-deps --target DIR einops, then --packages DIR): ours alone"
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", type=Path, help="a clone of ben-hayes/synth-permutations")
    parser.add_argument("--packages", type=Path, help="folder with packages that the reference needs")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--batch", type=int, nargs="+", help="256 by default, and 4 of the spectrogram transformer")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--steps", type=int, default=4, help="of a turn; a quarter of the spectrogram transformer")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--compile", action="store_true", help="torch.compile on all sides")
    options = parser.parse_args()
    reason = complaint(options)
    print(f"{options.threads} thread(s), {options.device}{', compiled' if options.compile else ''}")
    print(f"{reason}\n" if reason else "")
    print("| model | batch | side | M weights | ms a step | steps a second | × | CPU ms | × | peak MiB | × |")
    print("|---|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for case in options.cases:
        for n in options.batch or [BATCH[case.split()[0]]]:
            print_rows(case, n, measure(case, n, SIDES if reason is None else SIDES[1:], options))


if __name__ == "__main__":
    main()
