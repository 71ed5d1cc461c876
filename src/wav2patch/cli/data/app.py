"""`wav2patch data`: data sets of rendered patches."""

from __future__ import annotations

import sys

import typer

from wav2patch.cli.data import generate, info, stats, subset, verify
from wav2patch.cli.keys import key_command

app = typer.Typer(
    help="Data sets of rendered patches: made, cut, measured and checked.",
    epilog="Start here:  wav2patch data generate synth=dexed count=1000 out=dexed-1k",
    no_args_is_help=True,
)


@app.callback()
def _ready() -> None:
    from wav2patch.errors import UserError

    try:
        import fsspec  # noqa: F401
        import h5py  # noqa: F401
        import hdf5plugin  # noqa: F401
    except ImportError as error:
        if "--help" not in sys.argv:
            raise UserError("data sets need HDF5: pip install 'wav2patch[data]', or '[train]' to train too.") from error


app.command("generate", cls=key_command("wav2patch.cli.data.generate:Generation"))(generate.command)
app.command("subset", cls=key_command("wav2patch.cli.data.subset:Cutting"))(subset.command)
app.command("stats", cls=key_command("wav2patch.cli.data.stats:Measuring"))(stats.command)
app.command("verify", cls=key_command("wav2patch.cli.data.verify:Verifying"))(verify.command)
app.command("info")(info.command)
