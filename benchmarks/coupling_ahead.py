"""What Hungarian coupling costs a training step, done within the step and ahead of it, as a Markdown table.

    OMP_NUM_THREADS=1 python benchmarks/coupling_ahead.py [--batch 1024] [--steps 5] [--rounds 6] [--device cuda]

A flow for k-osc with four oscillators and the networks of its paper. The ways take turns, a few steps each, so that
whatever else the machine does slows all alike. A step is everything from asking for a batch to the optimizer; before a
turn is timed, what was kept ready while others had theirs is used up. On the CPU one thread computes, so that a second
core is there for what is done ahead.
"""

import argparse
import itertools
import statistics
import time
from collections.abc import Callable, Iterator

import torch

from wav2patch.models.inverters.catalogue import make_inverter
from wav2patch.models.noise import Noise
from wav2patch.training.ahead import AheadLoader
from wav2patch.training.clips import Batch
from wav2patch.training.examples import EPOCH, START, Preparation, Translation
from wav2patch.training.loader import Loader
from wav2patch.training.tensor_data import TensorData
from wav2patch.weights.record import Record

SAMPLES, RATE = 1_024, 44_100
READY = 2

Step = Callable[[Batch], None]


def settings(coupling: str, small: bool) -> dict[str, object]:
    small_field = {"layers": 1, "width": 32, "hidden": 64, "parameter_tokens": 4}
    field = small_field if small else {"layers": 5, "width": 128, "hidden": 256, "parameter_tokens": 4}
    return {
        "kind": "flow_matching",
        "encoder": "mlp" if small else "cnn_1d",
        "field": {"name": "assigned_transformer", **field},
        "coupling": coupling,
    }


def trained(record: Record, data: TensorData, device: str) -> tuple[Translation, Step, Preparation]:
    """One way's model, its training step and what prepares its batches."""
    torch.manual_seed(0)
    translation = Translation(record)
    inverter = make_inverter(record.inverter, record.layout(), record.shape, note=False).to(device)
    ahead = make_inverter(record.inverter, record.layout(), record.shape, note=False)
    optimizer = torch.optim.Adam(inverter.parameters(), 1e-4)

    def step(batch: Batch) -> None:
        moved = {name: one.to(device) if isinstance(one, torch.Tensor) else one for name, one in batch.items()}
        finished = data.on_after_batch_transfer(moved, 0)
        losses = inverter.loss(translation(finished), Noise(0, 0, finished["index"]))
        optimizer.zero_grad()
        losses["loss"].backward()
        optimizer.step()
        losses["loss"].item()

    return translation, step, Preparation(translation, ahead, 0)


def within(loader: Loader, preparation: Preparation) -> Iterator[Batch]:
    """Batches without noise, which the step draws and couples itself."""
    for batch in loader:
        ready = preparation.translation.targets(batch)
        yield {**batch, "vectors": ready.vectors}


def make_ways(batch: int, device: str, threads: int, small: bool) -> dict[str, tuple[Iterator[Batch], Step, Loader]]:
    ways = {}
    for name, coupling in (
        ("independent", "independent"),
        ("hungarian, within", "hungarian"),
        ("hungarian, ahead", "hungarian"),
    ):
        data = TensorData(
            "kosc_4", features="spectrum", audio=False, samples=SAMPLES, batch_size=batch, epoch_batches=None
        )
        feature = data.features[0]
        shape = feature.shape(1, SAMPLES, RATE)
        record = Record(
            "kosc_4", data.synth.space.digest, "none", "C4", feature.name, shape, RATE, SAMPLES / RATE, 1,
            settings(coupling, small),
        )  # fmt: skip
        _, step, preparation = trained(record, data, device)
        loader = data.make_train_loader()
        if name.endswith("within"):
            ways[name] = (within(loader, preparation), step, loader)
        else:
            loader = AheadLoader(loader, preparation, READY, threads)
            ways[name] = (iter(loader), step, loader)
    return ways


def turn(batches: Iterator[Batch], step: Step, steps: int, used_up: int) -> float:
    """Seconds a step."""
    for batch in itertools.islice(batches, used_up):
        assert START in batch or EPOCH not in batch
        step(batch)
    begun = time.perf_counter()
    for batch in itertools.islice(batches, steps):
        step(batch)
    return (time.perf_counter() - begun) / steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--steps", type=int, default=5, help="of a turn")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1, help="that prepare")
    parser.add_argument("--small", action="store_true", help="networks that compute next to nothing")
    options = parser.parse_args()
    torch.set_num_threads(1)

    ways = make_ways(options.batch, options.device, options.threads, options.small)
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(options.rounds):
        for name, (batches, step, _) in ways.items():
            kept = READY + options.threads + 1 if name.endswith("ahead") else 1
            times[name].append(turn(batches, step, options.steps, kept))
    for _, _, loader in ways.values():
        loader.close()

    medians = {name: statistics.median(values) for name, values in times.items()}
    plain = "independent"
    print(f"batch {options.batch}, {options.device}, {options.threads} thread(s) ahead\n")
    print("| coupling | ms a step | steps a second | beside independent |\n|---|---|---|---|")
    for name, seconds in medians.items():
        ratio = statistics.median(mine / other for mine, other in zip(times[name], times[plain], strict=True))
        print(f"| {name} | {1000 * seconds:.0f} | {1 / seconds:.2f} | {100 * (ratio - 1):+.1f}% time |")


if __name__ == "__main__":
    main()
