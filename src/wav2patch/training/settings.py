"""What a training run may be told: all settings with their types and defaults. Nothing here waits for PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal


@dataclass(frozen=True)
class DataSettings:
    """What is learnt from."""

    synth: Annotated[
        str | None, "A name of `wav2patch synths list`, or kosc or ksin with data.k; by default that of the clips."
    ] = None
    kind: Annotated[
        Literal["auto", "clips", "online", "tensor"],
        "clips: a data set in data.folder. online: rendered meanwhile. tensor: a research synth, rendered in batches "
        "on the device. auto: clips where a folder is named, else tensor for research synths, else online.",
    ] = "auto"
    feature: Annotated[str, "What is heard, in words."] = "log_mel_level:hop=0.02"
    embedding: Annotated[
        str | None, "An embedding of the sound that it has beside, as it is, for methods that have to sound alike."
    ] = None
    batch_size: Annotated[int, "Of each process."] = 128
    seed: Annotated[int, "Of what is trained on: patches, or the shuffle."] = 0
    workers: Annotated[int | None, "Processes that read or render ahead; by default after the cores there are."] = None
    standardize: Annotated[
        bool | None,
        "Whether the feature gets mean 0 and deviation 1. By default by `wav2patch data stats` of clips where it was "
        "run, else by measuring some rows first; never for amplitudes (spectrum, stft, waveform).",
    ] = None
    degrade: Annotated[
        float, "0 to 1: how badly what is trained on is recorded, in rooms, with noise, …; 0 not at all."
    ] = 0.0
    val_rows: Annotated[int, "tensor, online: rows that are validated on."] = 1_024
    epoch_batches: Annotated[int, "tensor, online: batches that are called an epoch."] = 1_000
    sample_rate: Annotated[int | None, "In Hz; 44100 by default, and for clips what they have."] = None
    k: Annotated[int | None, "tensor: oscillators of kosc and ksin."] = None
    symmetric: Annotated[bool, "tensor: false gives each oscillator a frequency band of its own."] = True
    samples: Annotated[int, "tensor: length of a clip."] = 1_024
    folder: Annotated[str | None, "clips: of the views; local, or such as s3://bucket/set."] = None
    train: Annotated[str, "clips: the view that is trained on."] = "train"
    val: Annotated[str, "clips: the view that is validated on; none if it is not there."] = "val"
    held: Annotated[int, "clips: MiB of what is read that are kept in memory, what is small first."] = 1_024
    notes: Annotated[str | None, "online: how notes are drawn, wide by default. Clips must have these notes."] = None
    prior: Annotated[str, "online: where patches come from."] = "synth"
    length: Annotated[float, "online: seconds of a clip."] = 4.0
    gate: Annotated[str, "online: least loudness in LUFS, auto or none."] = "auto"
    ahead: Annotated[int, "online: batches kept ready."] = 2

    @property
    def features(self) -> tuple[str, ...]:
        """All that is computed of a sound, in words."""
        return (self.feature, *(() if self.embedding is None else (self.embedding,)))

    @property
    def synth_name(self) -> str:
        """The synth as `load_synth` takes it."""
        size = "" if self.k is None else f"_{self.k}"
        return f"{self.synth}{size}{'' if self.symmetric else '_asymmetric'}"


@dataclass(frozen=True)
class OptimizerSettings:
    """How weights are changed; see `InverterModule`."""

    learning_rate: Annotated[float, "At its highest."] = 1e-4
    weight_decay: Annotated[float, "Of AdamW; 0 is Adam."] = 0.0
    betas: Annotated[tuple[float, float], "Of Adam."] = (0.9, 0.999)
    eps: Annotated[float, "Of Adam."] = 1e-8
    schedule: Annotated[
        Literal["cosine", "constant", "plateau"],
        "cosine falls to final_scale at the last step; plateau to a tenth where val/loss has been no better.",
    ] = "cosine"
    warmup_steps: Annotated[int, "In which the learning rate rises from 0."] = 0
    hold_steps: Annotated[int, "At the highest, before a cosine falls."] = 0
    cycles: Annotated[tuple[float, ...], "Relative lengths of a cosine's falls, such as [1,2] for a restart."] = (1.0,)
    plateau_patience: Annotated[int, "Validations without a better loss after which a plateau ends."] = 5
    final_scale: Annotated[float, "Of the learning rate at the end of a cosine."] = 0.01
    total_steps: Annotated[int | None, "Where the cosine ends; by default trainer.max_steps."] = None
    mask_inaudible: Annotated[bool, "Whether parameters that a patch does not make heard weigh nothing."] = False
    ema: Annotated[float | None, "Decay of the mean of the weights that is kept and used; none is none."] = None


@dataclass(frozen=True)
class TrainerSettings:
    """How Lightning trains."""

    max_steps: Annotated[int, "Steps of the optimizer."] = 50_000
    max_hours: Annotated[float | None, "After which a run stops; the same command goes on."] = None
    val_every: Annotated[int, "Steps from one validation to the next."] = 1_000
    val_batches: Annotated[int | None, "Batches of a validation; all by default."] = None
    checkpoint_every: Annotated[int, "Steps after which last.ckpt is written."] = 1_000
    log_every: Annotated[int, "Steps from one line of figures to the next."] = 50
    patience: Annotated[int | None, "Validations without a better monitor after which a run ends; none never."] = None
    monitor: Annotated[str, "The figure, smaller is better, that best.ckpt is chosen by."] = "val/loss"
    gradient_clip: Annotated[float | None, "Largest norm of the gradients."] = 1.0
    accumulate: Annotated[int, "Batches of a step."] = 1
    accelerator: Annotated[str, "cpu, gpu, …; auto takes a GPU where there is one."] = "auto"
    devices: Annotated[str, "How many, or which; auto takes all."] = "auto"
    nodes: Annotated[int, "Machines."] = 1
    strategy: Annotated[str, "ddp, …; auto where one will do."] = "auto"
    precision: Annotated[str, "32-true, bf16-mixed, 16-mixed, …"] = "32-true"
    matmul: Annotated[Literal["highest", "high", "medium"], "Precision of products of 32-bit matrices."] = "high"
    compile: Annotated[bool, "Whether networks are compiled."] = False
    progress: Annotated[bool | None, "Whether to show a bar; by default where somebody is looking."] = None


@dataclass(frozen=True)
class LoggingSettings:
    """Where figures go, beside the screen."""

    csv: Annotated[bool, "metrics.csv in the run's folder."] = True
    tensorboard: Annotated[bool, "tensorboard/ in the run's folder."] = True
    wandb: Annotated[bool, "Weights & Biases."] = False
    offline: Annotated[bool, "Whether W&B keeps what it has here, for `wandb sync`."] = True
    project: Annotated[str, "Of W&B."] = "wav2patch"


@dataclass(frozen=True)
class CallbackSettings:
    """What is shown of the validation rows."""

    parameter_errors: Annotated[int, "Rows whose errors are told by parameter; 0 none."] = 256
    audio: Annotated[int, "Rows that are rendered beside their proposals; 0 none."] = 0
    pictures: Annotated[bool, "The loss by time step, and what a field learns of the parameters."] = True
    every: Annotated[int, "Validations from one picture or sound to the next."] = 1


@dataclass(frozen=True)
class RunSettings:
    """A training run."""

    experiment: Annotated[str, "What is run; it sets all else."] = "own"
    name: Annotated[str | None, "Of the run's folder; by default made of the other settings that were given."] = None
    out: Annotated[str, "Where runs lie: OUT/EXPERIMENT/NAME."] = "runs"
    seed: Annotated[int, "Of the first weights and of all noise."] = 0
    init: Annotated[
        str | None, "Checkpoint to begin from: of the same method, or a pretrained one of its encoder's network."
    ] = None
    resume: Annotated[str, "auto goes on where the same command stopped, none begins anew; or a checkpoint."] = "auto"
    note: Annotated[
        Literal["given", "predicted", "none"], "Whether the model is told the note, has to find it, or knows of none."
    ] = "given"
    symmetries_of: Annotated[str | None, "A synth whose symmetries the model believes in instead of its own's."] = None
    inverter: Annotated[Mapping[str, Any], "The method: kind, width, encoder, field, …"] = field(
        default_factory=lambda: {"kind": "flow_matching"}
    )
    data: DataSettings = field(default_factory=DataSettings)
    module: OptimizerSettings = field(default_factory=OptimizerSettings)
    trainer: TrainerSettings = field(default_factory=TrainerSettings)
    logging: LoggingSettings = field(default_factory=LoggingSettings)
    callbacks: CallbackSettings = field(default_factory=CallbackSettings)
